//! Secrets that were planted, looked for in everything: plain and in the forms programs give to bytes they pass on.

use std::path::Path;

/// A secret somebody planted.
#[derive(Clone, Debug)]
pub struct Planted {
    /// What it is, for people.
    pub name: &'static str,
    /// How it may look, each with the form's name. Letters of either case are one.
    forms: Vec<(&'static str, String)>,
}

impl Planted {
    /// A secret in words.
    pub fn new(name: &'static str, secret: &str) -> Self {
        let bytes = secret.as_bytes();
        let quoted = serde_json::to_string(secret).unwrap();
        let mut forms = vec![
            ("plain", secret.to_owned()),
            ("JSON", quoted.trim_matches('"').to_owned()),
            ("Debug", secret.escape_debug().to_string()),
            ("URL", escaped(bytes)),
            ("hexadecimal", hexadecimal(bytes)),
            ("list of bytes", format!("{bytes:?}").trim_matches(['[', ']']).to_owned()),
        ];
        forms.extend((0..3).map(|shift| ("base 64", base64(bytes, shift))));
        forms.extend((0..3).map(|shift| ("base 64 of URLs", base64(bytes, shift).replace('+', "-").replace('/', "_"))));
        for (form, text) in &mut forms {
            assert!(text.len() >= 12, "{name} as {form} is too short to be looked for");
            text.make_ascii_lowercase();
        }
        Self { name, forms }
    }

    /// The form it has in a text of small letters, if it is there.
    fn found_in(&self, lower: &str) -> Option<&'static str> {
        self.forms.iter().find(|(_, form)| lower.contains(&**form)).map(|(name, _)| *name)
    }
}

/// Bytes as a text of small letters, in which what is no text is something else.
fn lower(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).to_ascii_lowercase()
}

pub(crate) fn escaped(bytes: &[u8]) -> String {
    let escape = |byte: &u8| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) { char::from(*byte).to_string() } else { format!("%{byte:02x}") }
    };
    bytes.iter().map(escape).collect()
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The letters of base 64 that follow from these bytes alone when so many others stand before them.
pub(crate) fn base64(bytes: &[u8], shift: usize) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let skipped = (3 - shift) % 3;
    let (threes, _) = bytes[skipped..].as_chunks::<3>();
    let letters = |&[a, b, c]: &[u8; 3]| {
        let bits = u32::from_be_bytes([0, a, b, c]);
        [18, 12, 6, 0].map(|shift| char::from(LETTERS[usize::try_from(bits >> shift & 63).unwrap()]))
    };
    threes.iter().flat_map(letters).collect()
}

/// Everything that was said or written, in which nothing may be found.
#[derive(Debug, Default)]
pub struct Said(Vec<(String, Vec<u8>)>);

impl Said {
    /// Something more, and where it was.
    pub fn add(&mut self, place: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.push((place.into(), bytes.into()));
    }

    /// Every file in a folder and those below it, but for these.
    pub fn add_files(&mut self, folder: &Path, but: &[&str]) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.add_files(&path, but);
            } else if path.is_file() && !but.contains(&path.file_name().unwrap().to_str().unwrap()) {
                self.add(path.display().to_string(), std::fs::read(&path).unwrap());
            }
        }
    }

    /// How many places there are.
    pub fn places(&self) -> usize {
        self.0.len()
    }

    /// All of one place, as text.
    pub fn text(&self, place: &str) -> String {
        let (_, bytes) = self.0.iter().find(|(name, _)| name == place).unwrap_or_else(|| panic!("nothing was said at {place}"));
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// Fails where a secret is found.
    pub fn check(&self, secrets: &[Planted]) {
        let found = self.0.iter().flat_map(|(place, bytes)| {
            let text = lower(bytes);
            let tell = |secret: &Planted| secret.found_in(&text).map(|form| format!("{} as {form} in {place}", secret.name));
            secrets.iter().filter_map(tell).collect::<Vec<_>>()
        });
        let found = found.collect::<Vec<_>>();
        assert!(found.is_empty(), "secrets were told:\n{}", found.join("\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_form() {
        let secret = Planted::new("it", "sk-\"planted/one+two=three");
        for text in [
            "key=sk-\"planted/one+two=three;",
            r#"{"k":"sk-\"planted/one+two=three"}"#,
            "?k=sk-%22planted%2Fone%2Btwo%3Dthree&",
            "x 736b2d22706c616e7465642f6f6e652b74776f3d7468726565",
            "Zm9vOnNrLSJwbGFudGVkL29uZSt0d289dGhyZWU=",
            "c2stInBsYW50ZWQvb25lK3R3bz10aHJlZQ",
            "YTpzay0icGxhbnRlZC9vbmUrdHdvPXRocmVl",
            "[115, 107, 45, 34, 112, 108, 97, 110, 116, 101, 100, 47, 111, 110, 101, 43, 116, 119, 111, 61, 116, 104, 114, 101, 101]",
        ] {
            assert!(secret.found_in(&lower(text.as_bytes())).is_some(), "{text}");
        }
        assert!(secret.found_in("sk-...").is_none());
    }
}
