//! The signature base: the text that is signed (RFC 9421, section 2.5).

use std::fmt::Write;

use crate::error::SignatureError;
use crate::request::Request;
use crate::structured::{Bare, Item, List};

/// Bytes of the longest text that is signed; servers refuse heads of that size before.
pub(crate) const BASE_BYTES_MAX: usize = 65_536;

/// The text for these components and parameters: a line for each, and one for the list of them, which has no line break after it.
pub(crate) fn base(request: &Request<'_>, list: &List) -> Result<String, SignatureError> {
    let mut text = String::new();
    for (number, item) in list.items.iter().enumerate() {
        let name = name(item)?;
        if list.items.iter().take(number).any(|other| other == item) {
            return Err(SignatureError::Twice { component: name.to_owned() });
        }
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{item}: {}", request.component(name)?);
        if text.len() > BASE_BYTES_MAX {
            return Err(SignatureError::Large);
        }
    }
    let _ = write!(text, "\"@signature-params\": {list}");
    Ok(text)
}

/// The name of a component, which has no parameters.
pub(crate) fn name(item: &Item) -> Result<&str, SignatureError> {
    let Bare::String(name) = &item.value else {
        return Err(SignatureError::Component { component: item.value.to_string() });
    };
    match item.params.first() {
        None => Ok(name),
        Some((parameter, _)) => Err(SignatureError::ComponentParameter { component: name.clone(), parameter: parameter.clone() }),
    }
}
