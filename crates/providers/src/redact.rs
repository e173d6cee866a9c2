//! Keeping a provider's key out of what the provider says: its messages go to citizens and into the log, and some repeat the key.

/// What stands where the key stood.
const INSTEAD: &str = "...";

/// As many letters of the key at the end of a message that was cut off are taken for its beginning.
const BEGINNING: usize = 6;

/// What may repeat the key, with the forms it may have there, in small letters: URLs and hexadecimal digits are written in either.
#[derive(Clone, Default)]
pub(crate) struct Redactor {
    forms: Vec<String>,
}

impl Redactor {
    /// For this key, if there is one.
    pub(crate) fn of(key: Option<&str>) -> Self {
        let Some(key) = key.filter(|key| !key.is_empty()) else { return Self::default() };
        let escaped = serde_json::to_string(key).unwrap_or_default();
        let forms = [key.to_owned(), escaped.trim_matches('"').to_owned(), percent_encoded(key), hexadecimal(key), base64(key)];
        Self { forms: forms.into_iter().filter(|form| !form.is_empty()).map(|form| form.to_ascii_lowercase()).collect() }
    }

    /// The words without the key.
    pub(crate) fn clean(&self, words: String) -> String {
        self.forms.iter().fold(words, |words, form| without_end(without(words, form), form))
    }
}

/// The words without this.
fn without(words: String, form: &str) -> String {
    let lower = words.to_ascii_lowercase();
    let (mut clean, mut from) = (String::new(), 0);
    for (at, found) in lower.match_indices(form) {
        clean.push_str(&words[from..at]);
        clean.push_str(INSTEAD);
        from = at + found.len();
    }
    if from == 0 { words } else { clean + &words[from..] }
}

/// The words without the beginning of this at their end.
fn without_end(mut words: String, form: &str) -> String {
    let lower = words.to_ascii_lowercase();
    let begins = |&len: &usize| form.is_char_boundary(len) && lower.ends_with(&form[..len]);
    if let Some(len) = (BEGINNING..form.len()).rev().find(begins) {
        words.truncate(words.len() - len);
        words.push_str(INSTEAD);
    }
    words
}

/// Escaped, as URLs have what is neither a letter, a digit nor one of `-._~`.
fn percent_encoded(key: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    key.bytes().map(escape).collect()
}

fn hexadecimal(key: &str) -> String {
    key.bytes().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// In base 64, without the last letters, which depend on what follows.
fn base64(key: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (threes, _) = key.as_bytes().as_chunks::<3>();
    let letters = |&[a, b, c]: &[u8; 3]| {
        let bits = u32::from_be_bytes([0, a, b, c]);
        [18, 12, 6, 0].map(|shift| char::from(LETTERS[(bits >> shift & 63) as usize]))
    };
    threes.iter().flat_map(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sk-a\"b/c+0123456789";

    #[test]
    fn a_key_is_taken_out_in_every_form() {
        let redactor = Redactor::of(Some(KEY));
        let clean = |words: &str| redactor.clean(words.to_owned());
        assert_eq!(clean("Incorrect key sk-a\"b/c+0123456789."), "Incorrect key ....");
        assert_eq!(clean(r#"{"key":"sk-a\"b/c+0123456789"}"#), r#"{"key":"..."}"#);
        assert_eq!(clean("?key=sk-a%22b%2Fc%2B0123456789&x"), "?key=...&x");
        assert_eq!(clean("?key=SK-a%22b%2fc%2b0123456789&x"), "?key=...&x");
        assert_eq!(clean("736B2d6122622f632b30313233343536373839"), "...");
        assert_eq!(base64("any carnal plea"), "YW55IGNhcm5hbCBwbGVh");
        assert!(!clean("c2stYSJiL2MrMDEyMzQ1Njc4OQ==").contains("c2stYSJi"));
        // Cut off in its middle, as long messages are.
        assert_eq!(clean("... and the key was sk-a\"b/c+0"), "... and the key was ...");
        assert_eq!(clean("nothing to hide"), "nothing to hide");
        assert_eq!(Redactor::of(None).clean(KEY.to_owned()), KEY);
    }
}
