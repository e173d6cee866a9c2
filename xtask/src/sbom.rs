//! The software bill of materials: what the lab3 binary is made of, as CycloneDX 1.6 (JSON).
//!
//! Which packages those are is cargo's word (`cargo tree`, with the features that `-p lab3` has alone), what each is comes from `cargo metadata`, and the
//! hashes of the archives from Cargo.lock. The same sources give the same bytes: no time, no serial number, no path of the machine.

mod carried;
mod sources;
#[cfg(test)]
mod tests;
mod tree;

use serde_json::{Value, json};

pub use sources::{Sources, read};
use tree::Id;

use crate::sbom::sources::Package;

/// The bill as text, ending in a newline.
pub fn text(sources: &Sources) -> Result<String, String> {
    let bill = document(sources)?;
    serde_json::to_string_pretty(&bill).map(|text| text + "\n").map_err(|error| format!("the bill cannot be written as JSON: {error}"))
}

fn document(sources: &Sources) -> Result<Value, String> {
    let tree = &sources.tree;
    let mut components = Vec::new();
    let mut dependencies = Vec::new();
    for (id, depends_on) in tree.iter() {
        let package = sources.package(id)?;
        if *id != tree.root {
            components.push(component(id, package, sources)?);
        }
        let depends_on: Vec<String> = depends_on.iter().map(reference).collect();
        dependencies.push(json!({ "ref": reference(id), "dependsOn": depends_on }));
    }
    let root = sources.package(&tree.root)?;
    Ok(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "lifecycles": [{ "phase": "build" }],
            "tools": { "components": [{ "type": "application", "name": "lab3-xtask", "version": env!("CARGO_PKG_VERSION") }] },
            "component": {
                "type": "application",
                "bom-ref": reference(&tree.root),
                "name": root.name,
                "version": root.version,
                "description": root.description,
                "licenses": licenses(root),
            },
            "properties": [{ "name": "cargo:target", "value": sources.target }],
        },
        "components": components,
        "dependencies": dependencies,
    }))
}

/// A package as a component. Ours have no purl and no hash: `pkg:cargo/...` would say that they are on crates.io.
fn component(id: &Id, package: &Package, sources: &Sources) -> Result<Value, String> {
    let mut component = json!({
        "type": "library",
        "bom-ref": reference(id),
        "name": package.name,
        "version": package.version,
        // What only the compiler runs (derive macros) is listed, and told apart from what is in the binary.
        "scope": if sources.tree.is_shipped(id) { "required" } else { "excluded" },
        "licenses": licenses(package),
    });
    if let Some(description) = &package.description {
        component["description"] = json!(description.trim());
    }
    if package.source.is_some() {
        let checksum = sources.checksum(id).ok_or_else(|| format!("Cargo.lock has no checksum of {id}"))?;
        component["purl"] = json!(purl(id));
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    if let Some(repository) = &package.repository {
        component["externalReferences"] = json!([{ "type": "vcs", "url": repository }]);
    }
    let carried = carried::of(id, sources)?;
    if !carried.is_empty() {
        component["components"] = Value::Array(carried);
    }
    Ok(component)
}

fn reference(id: &Id) -> String {
    purl(id)
}

/// The package URL; `+` has a meaning of its own in a URL.
fn purl(id: &Id) -> String {
    format!("pkg:cargo/{}@{}", id.name, id.version.replace('+', "%2B"))
}

/// The license as an SPDX expression: older packages write `/` for OR.
fn licenses(package: &Package) -> Value {
    let expression = package.license.as_deref().map(|text| {
        let choices: Vec<&str> = text.split('/').map(str::trim).collect();
        choices.join(" OR ")
    });
    expression.map_or_else(|| json!([]), |expression| json!([{ "expression": expression }]))
}
