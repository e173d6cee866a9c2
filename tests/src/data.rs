//! Published data, read by path where it is at hand and never copied in: `LAB3_DATA_DIR`, or `../shared/data` beside the project.

use std::path::PathBuf;

use crate::skip;

/// A file or folder of the data; `None`, and a line that the test is skipped, where it is not at hand.
pub fn at_hand(test: &str, path: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let data = std::env::var_os("LAB3_DATA_DIR").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let file = data.join(path);
    if file.exists() {
        return Some(file);
    }
    skip(test, &format!("no {} (LAB3_DATA_DIR says where the data is)", file.display()));
    None
}
