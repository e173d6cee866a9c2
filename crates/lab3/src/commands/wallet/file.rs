//! A wallet's file: an Ed25519 key as PKCS #8 in PEM (RFC 8410), readable by its owner alone. `openssl genpkey -algorithm ed25519` writes
//! the same.

use std::fs::{DirBuilder, File};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use lab3_trust::{PublicKey, Signature};
use zeroize::Zeroizing;

use crate::Failure;

/// What stands before the 32 bytes of the seed: version 0, the algorithm Ed25519, an octet string in an octet string.
const PREFIX: [u8; 16] = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// A member's secret key. Wiped from memory when dropped.
pub(super) struct Wallet(Zeroizing<[u8; 32]>);

impl Wallet {
    /// A new one, from the system's randomness.
    pub(super) fn fresh() -> Result<Self, Failure> {
        random().map(Self)
    }

    /// The one in that file.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| {
            let help = if error.kind() == std::io::ErrorKind::NotFound { "\n  help: lab3 wallet new makes one" } else { "" };
            Failure::Other(format!("the wallet {} cannot be read: {error}{help}", path.display()))
        })?;
        if std::fs::metadata(path).is_ok_and(|file| file.mode() & 0o077 != 0) {
            eprintln!("others on this machine can read {0}: chmod 600 {0}", path.display());
        }
        let none = || Failure::Other(format!("{} is no Ed25519 key as openssl writes it (PKCS #8 in PEM)", path.display()));
        Self::parse(&text).ok_or_else(none)
    }

    fn parse(text: &str) -> Option<Self> {
        let body = text.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
        let body = Zeroizing::new(body.split_whitespace().collect::<String>());
        let bytes = Zeroizing::new(BASE64.decode(&*body).ok()?);
        let seed: &[u8; 32] = bytes.strip_prefix(&PREFIX)?.try_into().ok()?;
        Some(Self(Zeroizing::new(*seed)))
    }

    /// Keeps it in a new file; none is written over.
    pub(super) fn keep(&self, path: &Path) -> Result<(), Failure> {
        let failed = |error: std::io::Error| {
            let help = if error.kind() == std::io::ErrorKind::AlreadyExists { "; choose another with --file FILE" } else { "" };
            Failure::Other(format!("{} cannot be made: {error}{help}", path.display()))
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        }
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        let written = file.write_all(self.text().as_bytes()).and_then(|()| file.sync_all());
        written.map_err(failed)
    }

    fn text(&self) -> Zeroizing<String> {
        let bytes = Zeroizing::new([&PREFIX[..], &*self.0].concat());
        let body = Zeroizing::new(BASE64.encode(&*bytes));
        Zeroizing::new(format!("{BEGIN}\n{}\n{END}\n", *body))
    }

    pub(super) fn public(&self) -> PublicKey {
        PublicKey::of_secret(&self.0)
    }

    pub(super) fn sign(&self, text: &str) -> Signature {
        Signature::sign(&self.0, text.as_bytes())
    }
}

/// Bytes from the system's randomness.
pub(super) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Failure> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(&mut *bytes).map_err(|error| Failure::Other(format!("the system gives no randomness: {error}")))?;
    Ok(bytes)
}
