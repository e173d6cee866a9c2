//! An ordered map in shared parts: cloning it is cheap, and the writer pays only for the parts it then changes.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Parts of a map. With a million entries a part has 4,000: copying one for the first change after a snapshot takes less than
/// a tenth of a millisecond.
const PARTS: usize = 256;

/// What a map can be divided by. The same number for the same key, always: replay must give the same state.
pub(crate) trait Spread {
    /// Any number, different for different keys as far as may be.
    fn spread(&self) -> usize;
}

impl Spread for u32 {
    fn spread(&self) -> usize {
        usize::try_from(*self).unwrap_or_default()
    }
}

impl Spread for crate::KeyId {
    fn spread(&self) -> usize {
        self.to_bytes().spread()
    }
}

impl<const N: usize> Spread for [u8; N] {
    fn spread(&self) -> usize {
        self.iter().fold(0, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)))
    }
}

impl Spread for str {
    fn spread(&self) -> usize {
        self.bytes().fold(0, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)))
    }
}

impl Spread for Box<str> {
    fn spread(&self) -> usize {
        (**self).spread()
    }
}

/// A map whose clones share what neither has changed.
#[derive(Clone, Debug)]
pub(crate) struct Shards<K, V> {
    /// None while the map is empty.
    parts: Vec<Arc<BTreeMap<K, V>>>,
    len: usize,
}

impl<K, V> Default for Shards<K, V> {
    fn default() -> Self {
        Self { parts: Vec::new(), len: 0 }
    }
}

impl<K: Ord + Spread + Clone, V: Clone> Shards<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get<Q: Ord + Spread + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.parts.get(key.spread() % PARTS)?.get(key)
    }

    /// The entry of the key, to change; copies its part when a clone still shares it.
    pub(crate) fn get_mut<Q: Ord + Spread + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let part = self.parts.get_mut(key.spread() % PARTS)?;
        if !part.contains_key(key) {
            return None;
        }
        Arc::make_mut(part).get_mut(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.parts.is_empty() {
            self.parts.resize_with(PARTS, Arc::default);
        }
        if let Some(part) = self.parts.get_mut(key.spread() % PARTS) {
            self.len += usize::from(Arc::make_mut(part).insert(key, value).is_none());
        }
    }

    /// Every entry, part by part.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.parts.iter().flat_map(|part| part.iter())
    }
}

impl<K: Ord + Spread + Clone, V: Clone + Default> Shards<K, V> {
    /// The entry of the key, made when there is none.
    pub(crate) fn entry(&mut self, key: &K) -> Option<&mut V> {
        if self.get(key).is_none() {
            self.insert(key.clone(), V::default());
        }
        self.get_mut(key)
    }
}

impl<K: Serialize + Ord + Spread + Clone, V: Serialize + Clone> Serialize for Shards<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq;
        let mut entries = serializer.serialize_seq(Some(self.len))?;
        for entry in self.iter() {
            entries.serialize_element(&entry)?;
        }
        entries.end()
    }
}

impl<'de, K: Deserialize<'de> + Ord + Spread + Clone, V: Deserialize<'de> + Clone> Deserialize<'de> for Shards<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut map = Self::default();
        for (key, value) in Vec::<(K, V)>::deserialize(deserializer)? {
            map.insert(key, value);
        }
        Ok(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_keeps_what_it_had_and_bytes_give_the_map_again() {
        let mut map = Shards::default();
        for number in 0..1000_u32 {
            map.insert(number, number * 2);
        }
        let before = map.clone();
        map.insert(7, 1);
        *map.entry(&5000).unwrap() += 3;
        *map.get_mut(&8).unwrap() = 9;
        assert_eq!((before.get(&7), before.get(&8), before.get(&5000), before.len()), (Some(&14), Some(&16), None, 1000));
        assert_eq!((map.get(&7), map.get(&8), map.get(&5000), map.len()), (Some(&1), Some(&9), Some(&3), 1001));
        let bytes = postcard::to_stdvec(&map).unwrap();
        let again: Shards<u32, u32> = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(postcard::to_stdvec(&again).unwrap(), bytes);
        assert!(map.get_mut(&9999).is_none());
    }
}
