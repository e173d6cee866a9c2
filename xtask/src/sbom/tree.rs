//! Who depends on whom, read from what `cargo tree --prefix depth` prints.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A package: name and version are enough, because packages come from crates.io or from here (deny.toml).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    pub name: String,
    /// As Cargo.toml has it, such as `1.2.3+4`.
    pub version: String,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// The packages under a root, each with those it depends on directly, in the order of names.
#[derive(Debug)]
pub struct Tree {
    /// The package everything is for.
    pub root: Id,
    edges: BTreeMap<Id, BTreeSet<Id>>,
    shipped: BTreeSet<Id>,
}

impl Tree {
    /// From cargo's two answers: all normal dependencies, and those without procedural macros and what only these need.
    pub fn parse(all: &str, shipped: &str) -> Result<Self, String> {
        let (root, edges) = edges(all)?;
        let (_, in_binary) = self::edges(shipped)?;
        Ok(Self { root, edges, shipped: in_binary.into_keys().collect() })
    }

    /// Every package with what it depends on.
    pub fn iter(&self) -> impl Iterator<Item = (&Id, &BTreeSet<Id>)> {
        self.edges.iter()
    }

    /// Whether the package's code is in the binary, rather than run by the compiler.
    pub fn is_shipped(&self, id: &Id) -> bool {
        self.shipped.contains(id)
    }
}

type Edges = BTreeMap<Id, BTreeSet<Id>>;

/// The root, and the packages with their dependencies. A package is printed with its own dependencies only once.
fn edges(text: &str) -> Result<(Id, Edges), String> {
    let mut edges = Edges::new();
    let mut above: Vec<Id> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (depth, id) = parse_line(line).ok_or_else(|| format!("cargo tree printed a line that is not understood: {line}"))?;
        above.truncate(depth);
        if let Some(parent) = above.last() {
            edges.entry(parent.clone()).or_default().insert(id.clone());
        }
        edges.entry(id.clone()).or_default();
        above.push(id);
    }
    let root = above.into_iter().next().ok_or("cargo tree printed nothing")?;
    Ok((root, edges))
}

/// `2serde v1.0.1 (proc-macro) (*)`: the depth and the package.
fn parse_line(line: &str) -> Option<(usize, Id)> {
    let digits = line.find(|letter: char| !letter.is_ascii_digit())?;
    let (depth, package) = line.split_at(digits);
    let mut words = package.split_whitespace();
    let name = words.next()?.to_owned();
    let version = words.next()?.strip_prefix('v')?.to_owned();
    Some((depth.parse().ok()?, Id { name, version }))
}
