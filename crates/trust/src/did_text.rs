//! How a DID is encoded in facts and state: as its text.

use lab3_units::Did;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

pub(crate) fn serialize<S: Serializer>(did: &Did, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(did.as_str())
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Did, D::Error> {
    Did::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// Many of them, in the order they came.
pub(crate) mod many {
    use super::{Deserialize, Deserializer, Did, Error, Serializer};

    pub(crate) fn serialize<S: Serializer>(dids: &[Did], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(dids.iter().map(Did::as_str))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Did>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| Did::parse(text).map_err(D::Error::custom)).collect()
    }
}
