//! The bill against what cargo says when asked another way, and against its own rules.

use std::collections::BTreeSet;

use super::*;
use crate::sbom::sources::cargo;
use crate::sbom::tree::Tree;

fn id(name: &str, version: &str) -> Id {
    Id { name: name.to_owned(), version: version.to_owned() }
}

/// `name version` of each component and of the program itself.
fn listed(bill: &Value) -> BTreeSet<String> {
    let components = bill["components"].as_array().unwrap().iter().chain([&bill["metadata"]["component"]]);
    components.map(|component| format!("{} {}", component["name"].as_str().unwrap(), component["version"].as_str().unwrap())).collect()
}

#[test]
fn every_package_of_the_binary_is_listed_and_no_other() {
    let bill = document(&read().unwrap()).unwrap();
    let told = cargo(&["tree", "--locked", "-p", "lab3", "-e", "normal", "--prefix", "none", "--no-dedupe"]).unwrap();
    let told: BTreeSet<String> =
        told.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ").replace(" v", " ")).collect();
    assert!(told.len() > 100, "{} packages", told.len());
    assert_eq!(listed(&bill), told);
}

#[test]
fn the_same_sources_give_the_same_bytes_and_no_path_of_this_machine() {
    let first = text(&read().unwrap()).unwrap();
    assert_eq!(first, text(&read().unwrap()).unwrap());
    let home = std::fs::canonicalize(crate::WORKSPACE).unwrap();
    assert!(!first.contains(home.to_str().unwrap()));
}

#[test]
fn a_package_of_the_registry_has_license_hash_and_purl_and_every_reference_leads_somewhere() {
    let bill = document(&read().unwrap()).unwrap();
    let components = bill["components"].as_array().unwrap();
    for component in components {
        let name = component["name"].as_str().unwrap();
        let is_ours = name.starts_with("lab3-");
        assert!(component["licenses"][0]["expression"].is_string(), "{name}");
        assert_eq!(component["purl"].is_null(), is_ours, "{name}");
        let hash = component["hashes"][0]["content"].as_str().unwrap_or_default();
        assert_eq!(hash.len(), if is_ours { 0 } else { 64 }, "{name}");
    }
    let known: Vec<&str> = components.iter().chain([&bill["metadata"]["component"]]).map(|one| one["bom-ref"].as_str().unwrap()).collect();
    assert_eq!(known.iter().collect::<BTreeSet<_>>().len(), known.len());
    for dependency in bill["dependencies"].as_array().unwrap() {
        let refs = dependency["dependsOn"].as_array().unwrap().iter().chain([&dependency["ref"]]);
        for one in refs {
            assert!(known.contains(&one.as_str().unwrap()), "{one}");
        }
    }
}

#[test]
fn what_is_inside_packages_and_what_only_the_compiler_runs_is_told_apart() {
    let bill = document(&read().unwrap()).unwrap();
    let component = |name: &str| bill["components"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone();
    assert_eq!(component("serde_derive")["scope"], "excluded");
    assert_eq!(component("serde")["scope"], "required");
    for (carrier, carried) in [("libsqlite3-sys", "sqlite"), ("libmimalloc-sys", "mimalloc"), ("utoipa-swagger-ui", "swagger-ui")] {
        assert_eq!(component(carrier)["components"][0]["name"], carried);
    }
}

#[test]
fn a_tree_is_read_with_what_was_printed_before() {
    let all = "0lab3 v0.1.0 (/x/lab3)\n1a v1.0.0\n2b v2.0.0+3\n1derive v1.0.0 (proc-macro)\n2syn v3.0.0\n1b v2.0.0+3 (*)\n";
    let shipped = "0lab3 v0.1.0 (/x/lab3)\n1a v1.0.0\n2b v2.0.0+3\n1b v2.0.0+3 (*)\n";
    let tree = Tree::parse(all, shipped).unwrap();
    assert_eq!(tree.root, id("lab3", "0.1.0"));
    let edges: Vec<String> =
        tree.iter().map(|(id, on)| format!("{id} -> {}", on.iter().map(Id::to_string).collect::<Vec<_>>().join(", "))).collect();
    assert_eq!(
        edges,
        [
            "a 1.0.0 -> b 2.0.0+3",
            "b 2.0.0+3 -> ",
            "derive 1.0.0 -> syn 3.0.0",
            "lab3 0.1.0 -> a 1.0.0, b 2.0.0+3, derive 1.0.0",
            "syn 3.0.0 -> "
        ]
    );
    assert!(tree.is_shipped(&id("b", "2.0.0+3")) && !tree.is_shipped(&id("syn", "3.0.0")));
    assert_eq!(purl(&id("b", "2.0.0+3")), "pkg:cargo/b@2.0.0%2B3");
    for nonsense in ["", "lab3 v0.1.0\n", "0lab3\n", "0lab3 0.1.0\n"] {
        assert!(Tree::parse(nonsense, shipped).is_err(), "{nonsense:?}");
    }
}
