//! Steps into a JSON document, with errors that say where one stood.

use serde_json::Value;

use super::error::ImportError;

/// The text under a name.
pub(super) fn text<'a>(entry: &'a Value, name: &str) -> Result<&'a str, ImportError> {
    let value = entry.get(name).unwrap_or(&Value::Null);
    value
        .as_str()
        .ok_or_else(|| ImportError::field(name, if value.is_null() { "is missing".to_owned() } else { format!("{value} is no text") }))
}

/// The text under a name, where there is one.
pub(super) fn text_if<'a>(entry: &'a Value, name: &str) -> Option<&'a str> {
    entry.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The number under a name; none where there is null or nothing.
pub(super) fn number(entry: &Value, name: &str) -> Result<Option<f64>, ImportError> {
    match entry.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let written = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
            let number = written.filter(|number: &f64| number.is_finite());
            number.map(Some).ok_or_else(|| ImportError::field(name, format!("{value} is no number: write null where there is no value")))
        }
    }
}

/// A whole number of seconds under a name, above 0, where there is one.
pub(super) fn seconds(entry: &Value, name: &str) -> Result<Option<u32>, ImportError> {
    let Some(value) = entry.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
    let whole = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
    let step = whole.and_then(|whole| u32::try_from(whole).ok()).filter(|step| *step > 0);
    step.map(Some).ok_or_else(|| ImportError::field(name, format!("{value} is no number of seconds")))
}

/// Whether a name is set to true.
pub(super) fn is_true(entry: &Value, name: &str) -> bool {
    entry.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// Does something with each entry of the list under a name; its errors say which entry.
pub(super) fn each(entry: &Value, name: &str, mut visit: impl FnMut(usize, &Value) -> Result<(), ImportError>) -> Result<(), ImportError> {
    let list = entry.get(name).and_then(Value::as_array).ok_or_else(|| ImportError::field(name, "is no list"))?;
    each_of(list, name, &mut visit)
}

/// The same for a list one stands at.
pub(super) fn each_of(
    list: &[Value],
    name: &str,
    visit: &mut dyn FnMut(usize, &Value) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    list.iter().enumerate().try_for_each(|(at, entry)| visit(at, entry).map_err(|error| error.within(&format!("{name}[{at}]"))))
}

/// What a publisher says instead of data.
pub(super) fn refusal(document: &Value) -> Option<ImportError> {
    let told = document.get("error").or_else(|| document.get("message"))?;
    let words = |value: &Value| value.as_str().map(str::to_owned);
    let reason = words(told).or_else(|| told.get("message").and_then(words)).unwrap_or_else(|| told.to_string());
    Some(ImportError::Refused { reason })
}
