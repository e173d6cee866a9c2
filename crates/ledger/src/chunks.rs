//! A growing array in shared chunks: cloning it is cheap, and the writer pays only for the chunks it then changes.
//!
//! This is how a snapshot is taken without stopping the writer: it keeps a clone and serializes it elsewhere.

use std::fmt;
use std::sync::Arc;

use arrayvec::ArrayVec;
use serde::de::{SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Items in a chunk. Small enough that copying one for the first change after a snapshot is not felt.
const CHUNK_LEN: usize = 256;

/// A growing array whose clones share what neither has changed.
#[derive(Clone, Debug)]
pub struct Chunks<T> {
    /// The items lie in the chunks themselves: one step from here to an item.
    chunks: Vec<Arc<ArrayVec<T, CHUNK_LEN>>>,
    len: usize,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }
}

impl<T: Clone> Chunks<T> {
    /// How many items there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The item at `index`.
    pub fn get(&self, index: usize) -> Option<&T> {
        self.chunks.get(index / CHUNK_LEN)?.get(index % CHUNK_LEN)
    }

    /// The item at `index`, to change; copies its chunk when a clone still shares it.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        let chunk = self.chunks.get_mut(index / CHUNK_LEN)?;
        Arc::make_mut(chunk).get_mut(index % CHUNK_LEN)
    }

    /// Adds an item at the end.
    pub fn push(&mut self, item: T) {
        if self.len.is_multiple_of(CHUNK_LEN) {
            self.chunks.push(Arc::new(ArrayVec::new()));
        }
        if let Some(last) = self.chunks.last_mut() {
            Arc::make_mut(last).push(item);
            self.len += 1;
        }
    }

    /// Every item, first to last.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }
}

impl<T: Serialize + Clone> Serialize for Chunks<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.len))?;
        self.iter().try_for_each(|item| seq.serialize_element(item))?;
        seq.end()
    }
}

impl<'de, T: Deserialize<'de> + Clone> Deserialize<'de> for Chunks<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de> + Clone> Visitor<'de> for Items<T> {
            type Value = Chunks<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sequence of items")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Chunks<T>, A::Error> {
                let mut chunks = Chunks::default();
                while let Some(item) = seq.next_element()? {
                    chunks.push(item);
                }
                Ok(chunks)
            }
        }

        deserializer.deserialize_seq(Items(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_keeps_what_it_saw() {
        let mut chunks = Chunks::default();
        for n in 0..1000_u32 {
            chunks.push(n);
        }
        let before = chunks.clone();
        if let Some(item) = chunks.get_mut(700) {
            *item = 7;
        }
        chunks.push(1000);
        assert_eq!((before.get(700), before.len()), (Some(&700), 1000));
        assert_eq!((chunks.get(700), chunks.get(1000)), (Some(&7), Some(&1000)));
        assert_eq!(before.get(1000), None);
    }
}
