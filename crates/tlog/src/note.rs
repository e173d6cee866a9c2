//! Signed notes: a text, an empty line, and signatures a line each (c2sp.org/signed-note).

use std::fmt;

use crate::key::{Seconds, Signer, VerifierKey, is_name};
use crate::text::{base64, from_base64};

/// Bytes a note may have: room for 16 signatures of the largest kind, and then some.
pub const NOTE_BYTES_MAX: usize = 256 * 1024;
/// Signatures a note may have.
pub const SIGNATURES_MAX: usize = 64;

/// Why a note is none, or is not signed by whom one trusts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// More than [`NOTE_BYTES_MAX`] or [`SIGNATURES_MAX`].
    #[error("the note is larger than {NOTE_BYTES_MAX} bytes or has more than {SIGNATURES_MAX} signatures")]
    Large,
    /// Not UTF-8, or with control characters.
    #[error("a note is UTF-8 text without control characters other than newline")]
    Characters,
    /// Not a text ending in a newline, an empty line, and signature lines ending in a newline.
    #[error("a note is lines of text, an empty line, and lines of signatures")]
    Form,
    /// A line below the text is no signature.
    #[error("a signature is a line \"\u{2014} <key name> <base64>\"")]
    Signature,
    /// A key that is known did not make the signature in its name.
    #[error("the signature of {name} is not by its key")]
    Forged {
        /// The key's name.
        name: String,
    },
    /// None of the signatures is by a key that is known.
    #[error("no signature is by a known key")]
    Unknown,
}

/// One line below a note's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    pub(crate) name: String,
    pub(crate) id: u32,
    pub(crate) bytes: Vec<u8>,
}

impl Signature {
    /// Reads one line, without its newline.
    pub fn parse(line: &str) -> Result<Self, NoteError> {
        let parts = line.strip_prefix("\u{2014} ").and_then(|rest| rest.split_once(' '));
        let (name, blob) = parts.filter(|(name, _)| is_name(name)).ok_or(NoteError::Signature)?;
        let blob = from_base64(blob).ok_or(NoteError::Signature)?;
        let (id, bytes) = blob.split_first_chunk().filter(|(_, bytes)| !bytes.is_empty()).ok_or(NoteError::Signature)?;
        Ok(Signature { name: name.to_owned(), id: u32::from_be_bytes(*id), bytes: bytes.to_vec() })
    }

    /// Reads lines, each ending in a newline: what a witness answers.
    pub fn parse_lines(text: &str) -> Result<Vec<Self>, NoteError> {
        let lines = text.strip_suffix('\n').ok_or(NoteError::Form)?;
        if text.len() > NOTE_BYTES_MAX || lines.split('\n').count() > SIGNATURES_MAX {
            return Err(NoteError::Large);
        }
        lines.split('\n').map(Signature::parse).collect()
    }

    /// The name of the key that is said to have signed.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of the key that is said to have signed.
    pub fn key_id(&self) -> u32 {
        self.id
    }

    fn is_by(&self, name: &str, id: u32) -> bool {
        self.id == id && self.name == name
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blob = [&self.id.to_be_bytes(), self.bytes.as_slice()].concat();
        write!(f, "\u{2014} {} {}", self.name, base64(&blob))
    }
}

/// Who signed a note, and when if it is a cosignature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The key, one of those asked for.
    pub key: VerifierKey,
    /// The time a cosignature says.
    pub time: Option<Seconds>,
}

/// A text and the signatures below it, which nobody has checked yet. [`fmt::Display`] writes it whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

impl Note {
    /// Signs a text, which ends in a newline.
    pub fn sign(text: &str, signer: &Signer) -> Result<Self, NoteError> {
        check_characters(text)?;
        if !text.ends_with('\n') {
            return Err(NoteError::Form);
        }
        let note = Note { text: text.to_owned(), signatures: vec![signer.sign(text)] };
        if note.to_string().len() > NOTE_BYTES_MAX { Err(NoteError::Large) } else { Ok(note) }
    }

    /// Reads a note; its signatures remain to be checked.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::Large);
        }
        let whole = std::str::from_utf8(bytes).map_err(|_| NoteError::Characters)?;
        check_characters(whole)?;
        let (text, signatures) = whole.rsplit_once("\n\n").ok_or(NoteError::Form)?;
        let signatures = Signature::parse_lines(signatures)?;
        Ok(Note { text: format!("{text}\n"), signatures })
    }

    /// The text, with its last newline, without the empty line after it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures as they stand, not checked.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Puts a signature below the others, or in the place of an older one by the same key. Nobody checks it here.
    pub fn add(&mut self, signature: Signature) {
        match self.signatures.iter_mut().find(|old| old.is_by(&signature.name, signature.id)) {
            Some(old) => *old = signature,
            None => self.signatures.push(signature),
        }
    }

    /// Takes from a witness's answer the signatures by these keys, and leaves any others. Gives who signed; refused as
    /// [`Note::verify`] refuses, with nothing taken.
    pub fn adopt(&mut self, answer: Vec<Signature>, keys: &[VerifierKey]) -> Result<Vec<Signed>, NoteError> {
        let answer = Note { text: self.text.clone(), signatures: answer };
        let signed = answer.verify(keys)?;
        let known = |signature: &Signature| signed.iter().any(|signed| signature.is_by(signed.key.name(), signed.key.id()));
        answer.signatures.into_iter().filter(known).for_each(|signature| self.add(signature));
        Ok(signed)
    }

    /// The same text with the signatures in the names of these keys alone; the others are left. Nobody checks them here.
    #[must_use]
    pub fn only(&self, keys: &[VerifierKey]) -> Self {
        let named = |signature: &&Signature| keys.iter().any(|key| signature.is_by(key.name(), key.id()));
        Note { text: self.text.clone(), signatures: self.signatures.iter().filter(named).cloned().collect() }
    }

    /// Who of these signed, each once, in the order of the note. Signatures by keys not among them are ignored; a false one
    /// in the name of a key among them makes the whole note false, and so does it if none of them signed.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<Vec<Signed>, NoteError> {
        let mut signed: Vec<Signed> = Vec::new();
        for signature in &self.signatures {
            let Some(key) = keys.iter().find(|key| signature.is_by(key.name(), key.id())) else { continue };
            let time = key.check(&self.text, signature)?;
            if !signed.iter().any(|other| other.key == *key) {
                signed.push(Signed { key: key.clone(), time });
            }
        }
        if signed.is_empty() { Err(NoteError::Unknown) } else { Ok(signed) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

fn check_characters(text: &str) -> Result<(), NoteError> {
    // DEL and the C1 controls are refused too: no honest text has them, and a terminal may obey them.
    if text.contains(|c: char| c.is_control() && c != '\n') { Err(NoteError::Characters) } else { Ok(()) }
}
