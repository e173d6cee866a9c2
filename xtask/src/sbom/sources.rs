//! What the bill is made from: three answers of cargo and Cargo.lock.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::tree::{Id, Tree};
use crate::WORKSPACE;

/// Everything the bill is made from.
pub struct Sources {
    /// The lab3 package and its normal dependencies.
    pub tree: Tree,
    /// What it is built for, such as `x86_64-unknown-linux-gnu`: this machine.
    pub target: String,
    metadata: Metadata,
    checksums: BTreeMap<Id, String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

/// A package as `cargo metadata` describes it.
#[derive(Deserialize)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub license: Option<String>,
    pub description: Option<String>,
    pub repository: Option<String>,
    /// The registry it comes from; none for ours.
    pub source: Option<String>,
    manifest_path: PathBuf,
}

impl Package {
    /// The folder of its sources on this machine.
    pub fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(Path::new("."))
    }
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

impl Sources {
    /// Where cargo builds.
    pub fn target_directory(&self) -> &Path {
        &self.metadata.target_directory
    }

    /// What cargo knows of a package.
    pub fn package(&self, id: &Id) -> Result<&Package, String> {
        let found = self.metadata.packages.iter().find(|package| package.name == id.name && package.version == id.version);
        found.ok_or_else(|| format!("cargo metadata does not know {id}"))
    }

    /// A package by its name alone, where there is one version of it.
    pub fn package_named(&self, name: &str) -> Result<&Package, String> {
        self.metadata.packages.iter().find(|package| package.name == name).ok_or_else(|| format!("cargo metadata does not know {name}"))
    }

    /// SHA-256 of the archive on crates.io, in hexadecimal; ours have none.
    pub fn checksum(&self, id: &Id) -> Option<&str> {
        self.checksums.get(id).map(String::as_str)
    }
}

/// Asks cargo. Nothing is built; packages that are not here yet are fetched.
pub fn read() -> Result<Sources, String> {
    let version = output("rustc", &["-vV"])?;
    let target = version.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc does not say what it builds for")?.to_owned();
    let tree = |edges| {
        cargo(&["tree", "--locked", "--package", "lab3", "--edges", edges, "--target", &target, "--prefix", "depth", "--format", "{p}"])
    };
    let metadata = cargo(&["metadata", "--locked", "--format-version", "1", "--filter-platform", &target])?;
    let metadata = serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata is not understood: {error}"))?;
    let tree = Tree::parse(&tree("normal")?, &tree("normal,no-proc-macro")?)?;
    Ok(Sources { tree, target, metadata, checksums: checksums()? })
}

fn checksums() -> Result<BTreeMap<Id, String>, String> {
    let path = Path::new(WORKSPACE).join("Cargo.lock");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("Cargo.lock cannot be read: {error}"))?;
    let lock: Lock = toml::from_str(&text).map_err(|error| format!("Cargo.lock is not understood: {error}"))?;
    let locked = lock.package.into_iter();
    Ok(locked.filter_map(|package| Some((Id { name: package.name, version: package.version }, package.checksum?))).collect())
}

/// What cargo prints for these words; also what the tests compare with.
pub fn cargo(words: &[&str]) -> Result<String, String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    output(&cargo, words)
}

fn output(program: &str, words: &[&str]) -> Result<String, String> {
    let ran = Command::new(program).args(words).env("CARGO_TERM_COLOR", "never").current_dir(WORKSPACE).output();
    let output = ran.map_err(|error| format!("{program} cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(format!("{program} {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim()));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{program} printed what is no text"))
}
