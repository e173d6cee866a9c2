//! Keys of signed notes: names, ids, the text forms they are handed round in, and what each kind of key signs.
//! (c2sp.org/signed-note, c2sp.org/tlog-cosignature)

use std::fmt;

use ed25519_dalek::{Signature as Ed25519, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::note::{NoteError, Signature};
use crate::text::{base64, from_base64};

/// What a key's signature says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// Ed25519 over the note's text (type 0x01): what a log signs with.
    Note,
    /// Ed25519 over a time and a checkpoint's text (type 0x04, `cosignature/v1`): what a witness signs with.
    Cosignature,
}

/// Why a key is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A key's name is not empty and has no spaces, control characters or `+`.
    #[error("a key's name must not be empty nor have spaces, control characters or \"+\"")]
    Name,
    /// Not `<name>+<8 hex digits>+<base64>`, or of another length than a key has.
    #[error("a key is written <name>+<8 hex digits>+<base64>")]
    Form,
    /// Neither an Ed25519 key for notes (0x01) nor one for cosignatures (0x04).
    #[error("this type of key is not known here")]
    Kind,
    /// The digits in the middle do not follow from name and key.
    #[error("the key's id does not belong to its name and bytes")]
    Id,
    /// The 32 bytes are no point of the curve, or one whose signatures prove nothing.
    #[error("the bytes are no usable Ed25519 key")]
    Point,
}

impl KeyKind {
    fn byte(self) -> u8 {
        match self {
            KeyKind::Note => 0x01,
            KeyKind::Cosignature => 0x04,
        }
    }

    fn from_byte(byte: u8) -> Result<Self, KeyError> {
        match byte {
            0x01 => Ok(KeyKind::Note),
            0x04 => Ok(KeyKind::Cosignature),
            _ => Err(KeyError::Kind),
        }
    }
}

/// Whether a key may have this name.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// `SHA-256(name || "\n" || kind || key)[..4]`.
fn key_id(name: &str, kind: KeyKind, public: &[u8; 32]) -> u32 {
    let hash = Sha256::new().chain_update(name).chain_update([b'\n', kind.byte()]).chain_update(public).finalize();
    hash.first_chunk().copied().map_or(0, u32::from_be_bytes)
}

/// A key one trusts, to check signatures with. Its text form is `<name>+<id>+<base64>`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    kind: KeyKind,
    key: VerifyingKey,
}

impl VerifierKey {
    /// The key with this name, kind and 32 bytes.
    pub fn new(name: &str, kind: KeyKind, public: &[u8; 32]) -> Result<Self, KeyError> {
        if !is_name(name) {
            return Err(KeyError::Name);
        }
        let key = VerifyingKey::from_bytes(public).map_err(|_| KeyError::Point)?;
        if key.is_weak() {
            return Err(KeyError::Point);
        }
        Ok(VerifierKey { name: name.to_owned(), id: key_id(name, kind, public), kind, key })
    }

    /// Reads the text form.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (name, kind, bytes, id) = parse_key(text)?;
        let key = VerifierKey::new(name, kind, &bytes)?;
        if key.id == id { Ok(key) } else { Err(KeyError::Id) }
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of the hash of name, kind and key, as a big-endian number.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// What its signatures say.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The 32 bytes of the Ed25519 key.
    pub fn public(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Checks that `signature` is this key's over `text`. Gives the time of a cosignature.
    pub(crate) fn check(&self, text: &str, signature: &Signature) -> Result<Option<Seconds>, NoteError> {
        let forged = || NoteError::Forged { name: self.name.clone() };
        let (time, message, ed25519) = match self.kind {
            KeyKind::Note => (None, text.to_owned(), signature.bytes.as_slice()),
            KeyKind::Cosignature => {
                let (time, rest) = signature.bytes.split_first_chunk().ok_or_else(forged)?;
                let time = Seconds::new(u64::from_be_bytes(*time)).ok_or_else(forged)?;
                (Some(time), cosigned_message(time, text), rest)
            }
        };
        let ed25519 = Ed25519::from_slice(ed25519).map_err(|_| forged())?;
        self.key.verify_strict(message.as_bytes(), &ed25519).map_err(|_| forged())?;
        Ok(time)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&key_text(&self.name, self.id, self.kind, self.public()))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

/// A POSIX time, in seconds; at most `2^63 - 1`, as cosignatures have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(u64);

impl Seconds {
    /// `None` above `2^63 - 1`.
    pub fn new(seconds: u64) -> Option<Self> {
        (seconds <= u64::MAX / 2).then_some(Seconds(seconds))
    }

    /// Seconds since 1970.
    pub fn get(self) -> u64 {
        self.0
    }
}

fn cosigned_message(time: Seconds, text: &str) -> String {
    format!("cosignature/v1\ntime {}\n{text}", time.get())
}

/// A log's secret key: signs notes.
#[derive(Clone)]
pub struct Signer(SecretKey);

/// A witness's secret key: signs checkpoints with the time it saw them. It must not be the key of a [`Signer`] too, or one
/// could be made to say what the other says.
#[derive(Clone)]
pub struct Cosigner(SecretKey);

#[derive(Clone)]
struct SecretKey {
    secret: SigningKey,
    public: VerifierKey,
}

impl SecretKey {
    fn new(name: &str, kind: KeyKind, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let secret = SigningKey::from_bytes(seed);
        let public = VerifierKey::new(name, kind, secret.verifying_key().as_bytes())?;
        Ok(SecretKey { secret, public })
    }

    fn parse(text: &str, wanted: KeyKind) -> Result<Self, KeyError> {
        let (name, kind, seed, id) = parse_key(text.strip_prefix(SECRET).ok_or(KeyError::Form)?)?;
        let key = SecretKey::new(name, kind, &seed)?;
        match () {
            () if kind != wanted => Err(KeyError::Kind),
            () if key.public.id != id => Err(KeyError::Id),
            () => Ok(key),
        }
    }

    fn sign(&self, message: &str, time: Option<Seconds>) -> Signature {
        let time = time.map_or(Vec::new(), |time| time.get().to_be_bytes().to_vec());
        let bytes = [time, self.secret.sign(message.as_bytes()).to_bytes().to_vec()].concat();
        Signature { name: self.public.name.clone(), id: self.public.id, bytes }
    }

    fn secret_text(&self) -> String {
        let VerifierKey { name, id, kind, .. } = &self.public;
        format!("{SECRET}{}", key_text(name, *id, *kind, self.secret.as_bytes()))
    }
}

impl Signer {
    /// The key of this name with this secret of 32 random bytes.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        SecretKey::new(name, KeyKind::Note, seed).map(Signer)
    }

    /// Reads `PRIVATE+KEY+<name>+<id>+<base64>`, as Go's note package writes it.
    pub fn parse(secret: &str) -> Result<Self, KeyError> {
        SecretKey::parse(secret, KeyKind::Note).map(Signer)
    }

    /// The text [`Signer::parse`] reads. It is the secret.
    pub fn secret_text(&self) -> String {
        self.0.secret_text()
    }

    /// What others check this key's signatures with.
    pub fn verifier(&self) -> &VerifierKey {
        &self.0.public
    }

    pub(crate) fn sign(&self, text: &str) -> Signature {
        self.0.sign(text, None)
    }
}

impl Cosigner {
    /// The key of this name with this secret of 32 random bytes.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        SecretKey::new(name, KeyKind::Cosignature, seed).map(Cosigner)
    }

    /// Reads `PRIVATE+KEY+<name>+<id>+<base64>`.
    pub fn parse(secret: &str) -> Result<Self, KeyError> {
        SecretKey::parse(secret, KeyKind::Cosignature).map(Cosigner)
    }

    /// The text [`Cosigner::parse`] reads. It is the secret.
    pub fn secret_text(&self) -> String {
        self.0.secret_text()
    }

    /// What others check this key's signatures with.
    pub fn verifier(&self) -> &VerifierKey {
        &self.0.public
    }

    /// Says that at `time` this was the largest consistent tree this witness knew of the log.
    pub fn cosign(&self, checkpoint: &crate::Checkpoint, time: Seconds) -> Signature {
        self.0.sign(&cosigned_message(time, &checkpoint.to_string()), Some(time))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.verifier())
    }
}

impl fmt::Debug for Cosigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cosigner({})", self.verifier())
    }
}

const SECRET: &str = "PRIVATE+KEY+";

fn parse_key(text: &str) -> Result<(&str, KeyKind, [u8; 32], u32), KeyError> {
    // The base64 part may have a "+" of its own, the name may not.
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else { return Err(KeyError::Form) };
    let hex = id.len() == 8 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let id = u32::from_str_radix(id, 16).ok().filter(|_| hex).ok_or(KeyError::Form)?;
    let bytes = from_base64(key).ok_or(KeyError::Form)?;
    let (kind, key) = bytes.split_first().ok_or(KeyError::Form)?;
    let kind = KeyKind::from_byte(*kind)?;
    Ok((name, kind, key.try_into().map_err(|_| KeyError::Form)?, id))
}

fn key_text(name: &str, id: u32, kind: KeyKind, key: &[u8; 32]) -> String {
    let bytes = [&[kind.byte()], key.as_slice()].concat();
    format!("{name}+{id:08x}+{}", base64(&bytes))
}
