//! Tiles: the tree as files of up to 256 hashes that never change (c2sp.org/tlog-tiles), and the entries beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::hash::Hash;
use crate::list::Tree;
use crate::span::Place;
use crate::text::decimal;
use crate::tree::Nodes;

/// What a tile consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes of perfect subtrees of `256^level` leaves; `level` is at most 63.
    Hashes {
        /// The tile's level, an eighth of the subtrees' height.
        level: u8,
    },
    /// The entries whose leaf hashes are in the tile of level 0 with the same index: see [`encode_entries`](crate::encode_entries).
    Data,
}

/// One file of a tiled log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    kind: TileKind,
    index: u64,
    width: u16,
}

/// Hashes or entries in a full tile.
pub const TILE_WIDTH: u16 = 256;

impl Tile {
    /// The tile of this kind and index; `None` if its level is above 63 or its width not 1 to 256.
    pub fn new(kind: TileKind, index: u64, width: u16) -> Option<Self> {
        let level = kind.level();
        (level <= 63 && (1..=TILE_WIDTH).contains(&width)).then_some(Tile { kind, index, width })
    }

    /// The tile of this kind and index as wide as a log of `size` entries has it; `None` if such a log has nothing of it.
    pub fn within(kind: TileKind, index: u64, size: u64) -> Option<Self> {
        let items = size.checked_shr(8 * u32::from(kind.level())).unwrap_or(0);
        let before = index.checked_mul(256)?;
        let width = items.checked_sub(before)?.min(256);
        Tile::new(kind, index, u16::try_from(width).ok()?)
    }

    /// Where the hash of a perfect subtree follows from, in a log of `size` entries; `None` if such a log does not have it.
    pub fn of(place: Place, size: u64) -> Option<Self> {
        let (level, inside) = (place.level / 8, place.level % 8);
        let tile = Tile::within(TileKind::Hashes { level }, place.index >> (8 - inside), size)?;
        tile.covers(place).then_some(tile)
    }

    /// What it consists of.
    pub fn kind(self) -> TileKind {
        self.kind
    }

    /// Which of its kind, from the left.
    pub fn index(self) -> u64 {
        self.index
    }

    /// Number of hashes or entries: 256 if full.
    pub fn width(self) -> u16 {
        self.width
    }

    /// The places of its hashes in the tree; for [`TileKind::Data`], of its entries' leaf hashes.
    pub fn places(self) -> impl Iterator<Item = Place> {
        // Levels whose subtrees no number can count are only ever asked for by who reads a path.
        let level = self.kind.level().saturating_mul(8);
        (0..u64::from(self.width)).map(move |at| Place { level, index: self.index.wrapping_mul(256).wrapping_add(at) })
    }

    /// Reads a path as [`fmt::Display`] writes it, and no other spelling of it.
    pub fn parse(path: &str) -> Option<Self> {
        let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let (index, width) = match rest.split_once(".p/") {
            None => (rest, TILE_WIDTH),
            Some((index, width)) => (index, u16::try_from(decimal(width)?).ok().filter(|width| *width < TILE_WIDTH)?),
        };
        let kind = match kind {
            "data" => TileKind::Data,
            level => TileKind::Hashes { level: u8::try_from(decimal(level)?).ok()? },
        };
        let tile = Tile::new(kind, parse_index(index)?, width)?;
        (tile.to_string() == path).then_some(tile)
    }

    fn covers(self, place: Place) -> bool {
        let inside = place.level % 8;
        let last_hash = (((place.index & (0xFF >> inside)) + 1) << inside) - 1;
        last_hash < u64::from(self.width)
    }
}

impl TileKind {
    fn level(self) -> u8 {
        match self {
            TileKind::Hashes { level } => level,
            TileKind::Data => 0,
        }
    }
}

/// The path under the log's prefix: `tile/<level>/<index>[.p/<width>]`, index 1234067 being `x001/x234/067`.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes { level } => write!(f, "tile/{level}/")?,
            TileKind::Data => f.write_str("tile/data/")?,
        }
        write_groups(f, self.index / 1000)?;
        write!(f, "{:03}", self.index % 1000)?;
        if self.width < TILE_WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

fn write_groups(f: &mut fmt::Formatter<'_>, number: u64) -> fmt::Result {
    if number == 0 {
        return Ok(());
    }
    write_groups(f, number / 1000)?;
    write!(f, "x{:03}/", number % 1000)
}

fn parse_index(path: &str) -> Option<u64> {
    // Longer than any 64-bit number: not worth looking at.
    if path.len() > 40 {
        return None;
    }
    let digits: String = path.split('/').map(|part| part.strip_prefix('x').unwrap_or(part)).collect();
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// The tiles of hashes from which these places of a log of `size` entries follow, each once; see
/// [`inclusion_spans`](crate::inclusion_spans) and [`consistency_spans`](crate::consistency_spans).
pub fn tiles_for(places: impl IntoIterator<Item = Place>, size: u64) -> Vec<Tile> {
    let tiles: BTreeSet<Tile> = places.into_iter().filter_map(|place| Tile::of(place, size)).collect();
    tiles.into_iter().collect()
}

/// [`Nodes`] over tiles that somebody fetches; each is asked for once.
pub struct TileNodes<F> {
    size: u64,
    fetch: F,
    trees: BTreeMap<Tile, Tree>,
}

/// Why a hash does not follow from tiles.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TileError<E> {
    /// It is not in a log of this size.
    #[error("subtree {index} of level {level} is not in a log of this size", index = .0.index, level = .0.level)]
    Absent(Place),
    /// The tile has not as many bytes as hashes of its width.
    #[error("{0} has not 32 bytes a hash")]
    Length(Tile),
    /// The tile could not be had.
    #[error("{0}")]
    Fetch(E),
}

impl<E, F: FnMut(Tile) -> Result<Vec<u8>, E>> TileNodes<F> {
    /// The log of `size` entries whose tiles `fetch` brings, as bytes.
    pub fn new(size: u64, fetch: F) -> Self {
        TileNodes { size, fetch, trees: BTreeMap::new() }
    }
}

impl<E, F: FnMut(Tile) -> Result<Vec<u8>, E>> Nodes for TileNodes<F> {
    type Error = TileError<E>;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, TileError<E>> {
        let place = Place { level, index };
        let tile = Tile::of(place, self.size).ok_or(TileError::Absent(place))?;
        if !self.trees.contains_key(&tile) {
            let bytes = (self.fetch)(tile).map_err(TileError::Fetch)?;
            let tree = Tree::new(decode_hashes(&bytes, tile.width).ok_or(TileError::Length(tile))?);
            self.trees.insert(tile, tree);
        }
        let inside = level % 8;
        let hash = self.trees.get(&tile).and_then(|tree| tree.get(inside, index & (0xFF >> inside)));
        hash.copied().ok_or(TileError::Absent(place))
    }
}

/// The hashes of a tile's bytes; `None` unless they are exactly `width`.
pub fn decode_hashes(bytes: &[u8], width: u16) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    (rest.is_empty() && hashes.len() == usize::from(width)).then(|| hashes.to_vec())
}
