//! Ed25519: public keys, how `did:key` writes them, signatures and their strict check.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use lab3_units::Did;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::base58;

/// What a `did:key` begins with.
const DID_KEY: &str = "did:key:";

/// Multicodec 0xed, an Ed25519 public key, as a varint.
const ED25519: [u8; 2] = [0xed, 0x01];

/// An Ed25519 public key: a point of large order, canonically encoded. Shown as `did:key` writes it: `z6Mk...`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

/// An Ed25519 signature. Shown in base 64.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl PublicKey {
    /// The key with these bytes. None when they are no point, a point of small order (for which signatures fit anything), or
    /// not the one way to write it.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(bytes).ok()?;
        let canonical = key.to_edwards().compress().to_bytes() == *bytes;
        (canonical && !key.is_weak()).then_some(Self(*bytes))
    }

    /// The key's bytes.
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    /// The public key of a secret one.
    pub fn of_secret(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret).verifying_key().to_bytes())
    }

    /// Reads `z6Mk...`: base 58 of 0xed01 and 32 bytes.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = base58::decode::<34>(text.strip_prefix('z')?)?;
        let key = bytes.strip_prefix(&ED25519)?;
        Self::from_bytes(key.try_into().ok()?)
    }

    /// The key a `did:key` is. None for other DIDs, and for other kinds of keys.
    pub fn of_did(did: &Did) -> Option<Self> {
        did.as_str().strip_prefix(DID_KEY).and_then(Self::parse)
    }

    /// The key as a `did:key`.
    pub fn to_did(self) -> Option<Did> {
        Did::parse(&format!("{DID_KEY}{self}")).ok()
    }

    /// Whether the signature is this key's over these bytes. Strict: only canonical signatures, no small orders.
    pub fn verifies(self, bytes: &[u8], signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        VerifyingKey::from_bytes(&self.0).is_ok_and(|key| key.verify_strict(bytes, &signature).is_ok())
    }
}

impl Signature {
    /// Signs bytes with a secret key.
    pub fn sign(secret: &[u8; 32], bytes: &[u8]) -> Self {
        Self(SigningKey::from_bytes(secret).sign(bytes).to_bytes())
    }

    /// The signature with these bytes.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The signature's bytes.
    pub const fn to_bytes(self) -> [u8; 64] {
        self.0
    }

    /// Reads base 64 (RFC 4648, padded).
    pub fn parse(text: &str) -> Option<Self> {
        BASE64.decode(text).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "z{}", base58::encode(&[&ED25519[..], &self.0].concat()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
    }
}

/// From the journal the bytes are taken as they are: they were checked when they were written.
impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return Self::parse(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("not an Ed25519 key (z6Mk...)"));
        }
        <[u8; 32]>::deserialize(deserializer).map(Self)
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        let (first, second) = self.0.split_at(32);
        let halves: (&[u8; 32], &[u8; 32]) = match (first.try_into(), second.try_into()) {
            (Ok(first), Ok(second)) => (first, second),
            _ => return Err(serde::ser::Error::custom("a signature has 64 bytes")),
        };
        halves.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return Self::parse(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("not 64 bytes in base 64"));
        }
        let halves = <([u8; 32], [u8; 32])>::deserialize(deserializer)?;
        let mut bytes = [0; 64];
        let (first, second) = bytes.split_at_mut(32);
        first.copy_from_slice(&halves.0);
        second.copy_from_slice(&halves.1);
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the did:key test suite (w3c-ccg/did-method-key, test-vectors/ed25519-x25519.json): the last byte of the seed, the DID.
    const VECTORS: [(u8, &str); 5] = [
        (0, "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"),
        (1, "did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG"),
        (2, "did:key:z6MknGc3ocHs3zdPiJbnaaqDi58NGb4pk1Sp9WxWufuXSdxf"),
        (3, "did:key:z6MkvqoYXQfDDJRv8L4wKzxYeuKyVZBfi9Qo6Ro8MiLH3kDQ"),
        (4, "did:key:z6MkwW6aqMnjgrhJXFUko3NnZPGzVpkNzhYK7yEhnsibmLwL"),
    ];

    #[test]
    fn the_vectors_of_did_key() {
        for (last, text) in VECTORS {
            let mut seed = [0; 32];
            seed[31] = last;
            let did = Did::parse(text).unwrap();
            let key = PublicKey::of_secret(&seed);
            assert_eq!(PublicKey::of_did(&did), Some(key));
            assert_eq!(key.to_did(), Some(did));
            assert_eq!(PublicKey::from_bytes(&key.to_bytes()), Some(key));
        }
    }

    fn check_refused(key: &str) {
        let did = Did::parse(&format!("did:key:{key}")).unwrap();
        assert_eq!(PublicKey::of_did(&did), None, "{key}");
    }

    #[test]
    fn other_did_keys_are_refused() {
        let whole = &VECTORS[0].1["did:key:".len()..];
        check_refused(&format!("z1{}", &whole[1..]));
        check_refused(&format!("{whole}1"));
        check_refused(&whole[..whole.len() - 1]);
        check_refused(&whole.replace("z6", "Z6"));
        check_refused(&whole.replace('z', "f"));
        check_refused(&whole[1..]);
        check_refused(&whole.replace("Wp", "W0"));
        check_refused("z");
        // X25519 and secp256k1 keys of the same test suite: other codecs.
        check_refused("z6LShs9GGnqk85isEBzzshkuVWrVKsRp24GnDuHk8QWkARMW");
        check_refused("zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme");
        let twice = Did::parse(&format!("did:key:did:key:{whole}")).unwrap();
        assert_eq!(PublicKey::of_did(&twice), None);
        assert_eq!(PublicKey::of_did(&Did::parse("did:kaizen:alice").unwrap()), None);
    }

    #[test]
    fn points_of_small_order_and_second_spellings_are_refused() {
        let spelled = |low: u8, high: u8| {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (low, high);
            bytes
        };
        let mut one = [0; 32];
        one[0] = 1;
        // The identity; y = 0, of order four; no point at all; y = 1 + p and y = 3 + p, second spellings of 1 and 3.
        let mut two = [0; 32];
        two[0] = 2;
        for bytes in [one, [0; 32], two, spelled(0xee, 0x7f), spelled(0xf0, 0x7f)] {
            assert_eq!(PublicKey::from_bytes(&bytes), None, "{bytes:02x?}");
            let text = format!("did:key:z{}", base58::encode(&[&ED25519[..], &bytes].concat()));
            assert_eq!(PublicKey::of_did(&Did::parse(&text).unwrap()), None);
        }
        let mut three = [0; 32];
        three[0] = 3;
        assert!(PublicKey::from_bytes(&three).is_some(), "3 is a point; so its second spelling was refused for being one");
    }

    #[test]
    fn a_signature_fits_its_bytes_and_key_only() {
        let (secret, other) = ([7; 32], PublicKey::of_secret(&[8; 32]));
        let key = PublicKey::of_secret(&secret);
        let signature = Signature::sign(&secret, b"words");
        assert!(key.verifies(b"words", &signature));
        assert!(!key.verifies(b"word", &signature) && !other.verifies(b"words", &signature));
        assert_eq!(Signature::parse(&signature.to_string()), Some(signature));
        let bytes = postcard::to_stdvec(&(key, signature)).unwrap();
        assert_eq!(bytes.len(), 96);
        assert_eq!(postcard::from_bytes::<(PublicKey, Signature)>(&bytes).unwrap(), (key, signature));
        let json = serde_json::to_string(&(key, signature)).unwrap();
        assert_eq!(serde_json::from_str::<(PublicKey, Signature)>(&json).unwrap(), (key, signature));
    }

    #[test]
    fn a_signature_has_one_spelling() {
        let text = Signature::sign(&[7; 32], b"words").to_string();
        let unpadded = text.trim_end_matches('=');
        let loose = format!("{}B==", &unpadded[..unpadded.len() - 1]);
        for other in [unpadded, &format!("{text}\n"), &format!(" {text}"), &loose, &text[..84]] {
            assert_eq!(Signature::parse(other), None, "{other}");
        }
    }
}
