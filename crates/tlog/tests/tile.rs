//! Tiles and entries: paths in one spelling only, the specification's example, proofs made from tiles alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod naive;

use std::collections::BTreeSet;

use lab3_tlog::{
    EntriesError, Place, Span, Tile, TileError, TileKind, TileNodes, Tree, consistency_proof, consistency_spans, decode_entries,
    decode_hashes, encode_entries, inclusion_proof, inclusion_spans, root, tiles_for,
};

fn hashes(level: u8, index: u64, width: u16) -> Tile {
    Tile::new(TileKind::Hashes { level }, index, width).unwrap()
}

#[test]
fn a_path_is_written_in_one_way_only() {
    let check = |path: &str, tile: Tile| {
        assert_eq!(tile.to_string(), path);
        assert_eq!(Tile::parse(path), Some(tile), "{path}");
    };
    check("tile/0/000", hashes(0, 0, 256));
    check("tile/0/x001/x234/067", hashes(0, 1_234_067, 256));
    check("tile/1/x001/000.p/1", hashes(1, 1000, 1));
    check("tile/63/999.p/255", hashes(63, 999, 255));
    check("tile/0/x018/x446/x744/x073/x709/x551/615", hashes(0, u64::MAX, 256));
    check("tile/data/x001/234.p/7", Tile::new(TileKind::Data, 1234, 7).unwrap());
    for path in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001/x002",
        "tile/0/x01/002",
        "tile/0/+01",
        "tile/0/xx001/002",
        "/tile/0/000",
        "tile/0/000/",
        "tile/00/000",
        "tile/64/000",
        "tile/256/000",
        "tile/-1/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p/1/",
        "tile/0/000.p/+1",
        "tile/entries/000",
        "tile/Data/000",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/../000",
        "tile/0/00\u{663}",
    ] {
        assert_eq!(Tile::parse(path), None, "{path:?}");
    }
    assert_eq!(Tile::new(TileKind::Hashes { level: 64 }, 0, 1), None);
    assert_eq!(Tile::new(TileKind::Data, 0, 0), None);
    assert_eq!(Tile::new(TileKind::Data, 0, 257), None);
}

#[test]
fn a_log_of_70_000_entries_has_the_tiles_of_the_specification() {
    let all = |level: u8, size: u64| -> Vec<u16> {
        (0..).map_while(|index| Tile::within(TileKind::Hashes { level }, index, size)).map(Tile::width).collect()
    };
    assert_eq!(all(0, 70_000), [vec![256; 273], vec![112]].concat());
    assert_eq!(all(1, 70_000), [256, 17]);
    assert_eq!(all(2, 70_000), [1]);
    assert_eq!(all(3, 70_000), []);
    assert_eq!((all(0, 256), all(1, 256)), (vec![256], vec![1]));
    assert_eq!(all(0, 0), []);
    assert_eq!(Tile::within(TileKind::Data, 273, 70_000).unwrap().to_string(), "tile/data/273.p/112");
    assert_eq!(Tile::within(TileKind::Hashes { level: 63 }, 0, u64::MAX), None);
    assert_eq!(Tile::within(TileKind::Hashes { level: 0 }, u64::MAX, u64::MAX), None);
    assert_eq!(Tile::of(Place { level: 255, index: u64::MAX }, u64::MAX), None);
}

#[test]
fn a_subtree_has_a_tile_exactly_if_the_log_has_the_subtree() {
    for size in (0..1030).step_by(3).chain([65_535, 65_536, 65_537]) {
        for level in 0..=17 {
            let whole: u64 = size >> level;
            for index in whole.saturating_sub(3)..whole + 3 {
                let place = Place { level, index };
                let tile = Tile::of(place, size);
                assert_eq!(tile.is_some(), (index + 1) << level <= size, "{place:?} of {size}");
                assert_eq!(tile, tiles_for([place], size).first().copied());
            }
        }
    }
}

/// The bytes of a tile, straight from its definition.
fn bytes(tile: Tile, tree: &Tree) -> Vec<u8> {
    tile.places().flat_map(|place| *tree.get(place.level, place.index).unwrap()).collect()
}

#[test]
fn proofs_follow_from_tiles_alone() {
    let leaves = naive::leaves(70_000);
    let tree = Tree::new(leaves);
    for size in [1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 69_999, 70_000] {
        for index in [0, size / 3, size / 2, size - 1] {
            let mut asked = BTreeSet::new();
            let mut tiles = TileNodes::new(size, |tile: Tile| -> Result<Vec<u8>, ()> {
                assert!(asked.insert(tile), "{tile} twice");
                Ok(bytes(tile, &tree))
            });
            assert_eq!(inclusion_proof(&mut tiles, index, size), Ok(inclusion_proof(&mut &tree, index, size).unwrap()));
            assert_eq!(consistency_proof(&mut tiles, index, size), Ok(consistency_proof(&mut &tree, index, size).unwrap()));
            assert_eq!(root(&mut tiles, size), Ok(root(&mut &tree, size).unwrap()));
            let spans = [inclusion_spans(index, size).unwrap(), consistency_spans(index, size).unwrap(), vec![Span::tree(size)]].concat();
            let expected = tiles_for(spans.into_iter().flat_map(Span::places), size);
            assert_eq!(asked.into_iter().collect::<Vec<_>>(), expected);
        }
    }
}

#[test]
fn a_false_tile_is_told_from_a_missing_one() {
    let short = root(&mut TileNodes::new(3, |_| -> Result<Vec<u8>, ()> { Ok(vec![0; 64]) }), 3);
    assert_eq!(short, Err(TileError::Length(hashes(0, 0, 3))));
    let missing = root(&mut TileNodes::new(3, |_| Err("gone")), 3);
    assert_eq!(missing, Err(TileError::Fetch("gone")));
    let beyond = root(&mut TileNodes::new(3, |_| -> Result<Vec<u8>, ()> { Ok(vec![0; 96]) }), 4);
    assert_eq!(beyond, Err(TileError::Absent(Place { level: 2, index: 0 })));
    assert_eq!(decode_hashes(&[0; 63], 2), None);
    assert_eq!(decode_hashes(&[7; 64], 2), Some(vec![[7_u8; 32]; 2]));
}

#[test]
fn entries_are_read_as_they_were_written() {
    let entries = [vec![], vec![1], vec![2; 70_000]];
    let bytes = encode_entries(&entries).unwrap();
    assert_eq!(&bytes[..9], [0, 0, 0, 0, 0, 0, 0, 1, 1]);
    assert_eq!(decode_entries(&bytes, 3).unwrap(), entries.iter().map(Vec::as_slice).collect::<Vec<_>>());
    assert_eq!(decode_entries(&bytes, 2), Err(EntriesError::Count));
    assert_eq!(decode_entries(&bytes, 4), Err(EntriesError::Count));
    for len in [1, 3, 5, 6, 7, 8, 10, bytes.len() - 1] {
        assert_eq!(
            decode_entries(&bytes[..len], 3),
            Err(if [8].contains(&len) { EntriesError::Short } else { short_or_count(len) }),
            "{len}"
        );
    }
    assert_eq!(decode_entries(&[255; 8], 1), Err(EntriesError::Short));
    assert_eq!(decode_entries(&[], 0), Ok(vec![]));
    assert_eq!(encode_entries(&vec![[0_u8]; 257]), Err(EntriesError::Count));
    assert_eq!(encode_entries(&vec![[0_u8]; 256]).unwrap().len(), 256 * 5);
}

/// At the end of an entry others are missing; elsewhere an entry is cut.
fn short_or_count(len: usize) -> EntriesError {
    if [4, 9].contains(&len) { EntriesError::Count } else { EntriesError::Short }
}
