//! Keys of logs and of witnesses, as the operator names them.

use lab3_tlog::{KeyKind, VerifierKey};

use super::{Range, Raw, Setting};

/// Witnesses of one journal, at most: a checkpoint has room for so many cosignatures twice.
const WITNESSES_MAX: usize = 32;

/// The keys of the logs one is a witness of; in the environment they are separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogKeys(pub Vec<VerifierKey>);

/// A witness: the key its cosignatures are checked with, and where it takes checkpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedWitness {
    /// The key.
    pub key: VerifierKey,
    /// Where, without `/add-checkpoint`.
    pub url: String,
}

/// The witnesses of one's own journal; in the environment they are separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WitnessList(pub Vec<NamedWitness>);

impl Setting for LogKeys {
    fn accepts(&self, _: Range) -> String {
        "a list of logs' keys, each as its log's /lab3/log/key gives it: [\"<name>+<id>+<key>\"]".to_owned()
    }

    fn read(&mut self, raw: &Raw, _: Range) -> bool {
        let keys = texts(raw).and_then(|texts| texts.iter().map(|text| key(text, KeyKind::Note)).collect::<Option<Vec<_>>>());
        keys.filter(|keys| are_different(keys)).map(|keys| self.0 = keys).is_some()
    }

    fn show(&self) -> String {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

impl Setting for WitnessList {
    fn accepts(&self, _: Range) -> String {
        format!(
            "a list of at most {WITNESSES_MAX} witnesses, of each the key that its /lab3/witness/key gives, a space, and its URL: \
             [\"<name>+<id>+<key> https://hive.example/lab3/witness\"]"
        )
    }

    fn read(&mut self, raw: &Raw, _: Range) -> bool {
        let named = texts(raw).and_then(|texts| texts.iter().map(|text| witness(text)).collect::<Option<Vec<_>>>());
        let fits = |named: &Vec<NamedWitness>| {
            let keys: Vec<_> = named.iter().map(|witness| witness.key.clone()).collect();
            named.len() <= WITNESSES_MAX && are_different(&keys)
        };
        named.filter(fits).map(|named| self.0 = named).is_some()
    }

    fn show(&self) -> String {
        self.0.iter().map(|witness| format!("{} {}", witness.key, witness.url)).collect::<Vec<_>>().join(", ")
    }
}

fn texts(raw: &Raw) -> Option<Vec<String>> {
    match raw {
        Raw::List(items) => items.iter().map(|item| item.text().map(str::to_owned)).collect(),
        Raw::Loose(text) => Some(text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()),
        _ => None,
    }
}

/// A key of that kind: a log's for a witness, or the other way round, is a slip.
fn key(text: &str, kind: KeyKind) -> Option<VerifierKey> {
    VerifierKey::parse(text).ok().filter(|key| key.kind() == kind)
}

fn witness(text: &str) -> Option<NamedWitness> {
    let mut words = text.split_whitespace();
    let (key, url, None) = (key(words.next()?, KeyKind::Cosignature)?, words.next()?, words.next()) else { return None };
    lab3_providers::Base::parse(url).ok()?;
    Some(NamedWitness { key, url: url.trim_end_matches('/').to_owned() })
}

/// One key under two names would count twice.
fn are_different(keys: &[VerifierKey]) -> bool {
    keys.iter().enumerate().all(|(at, key)| keys.iter().take(at).all(|other| other.public() != key.public()))
}

#[cfg(test)]
mod tests {
    use lab3_tlog::{Cosigner, Signer};

    use super::*;

    fn read<T: Setting + Default + Clone>(raw: &Raw) -> Option<T> {
        let mut value = T::default();
        value.read(raw, Range::NONE).then(|| value.clone())
    }

    fn list(texts: &[&str]) -> Raw {
        Raw::List(texts.iter().map(|text| Raw::Text((*text).to_owned())).collect())
    }

    #[test]
    fn each_kind_of_key_has_its_place() {
        let log = Signer::new("riverside/jn_1", &[1; 32]).unwrap().verifier().to_string();
        let other = Signer::new("hilltop/jn_2", &[2; 32]).unwrap().verifier().to_string();
        let witness = Cosigner::new("hilltop/jn_2/witness", &[3; 32]).unwrap().verifier().to_string();
        let url = "https://hilltop.example/lab3/witness/";
        let named = format!("{witness} {url}");
        let logs = read::<LogKeys>(&list(&[&log, &other])).unwrap();
        assert_eq!(logs.show(), format!("{log}, {other}"));
        assert_eq!(read::<LogKeys>(&Raw::Loose(logs.show())), Some(logs));
        let witnesses = read::<WitnessList>(&list(&[&named])).unwrap();
        assert_eq!((witnesses.0.len(), &*witnesses.0[0].url), (1, "https://hilltop.example/lab3/witness"));
        assert_eq!(read::<WitnessList>(&Raw::Loose(witnesses.show())), Some(witnesses));
        assert_eq!(read::<WitnessList>(&Raw::Loose(String::new())), Some(WitnessList::default()));
        for bad in [&*witness, "x", "", &*format!("{log} "), &log[1..]] {
            assert_eq!(read::<LogKeys>(&list(&[bad])), None, "{bad}");
        }
        assert_eq!(read::<LogKeys>(&list(&[&log, &log])), None, "the same twice");
        for bad in [&*witness, &format!("{log} {url}"), &format!("{named} more"), &format!("{witness} ftp://x"), &format!("{witness} /x")] {
            assert_eq!(read::<WitnessList>(&list(&[bad])), None, "{bad}");
        }
        assert_eq!(read::<WitnessList>(&list(&[&named, &named])), None, "the same twice");
        assert_eq!(read::<WitnessList>(&Raw::Text(named)), None, "not a list");
    }
}
