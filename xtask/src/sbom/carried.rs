//! What packages carry inside them and cargo does not know: C libraries and a page. Their holes are announced under their own names and versions, so these are listed too.

use serde_json::{Value, json};

use super::sources::Sources;
use super::tree::Id;

/// Something a package brings along.
struct Carried {
    /// The package in whose code it ends up.
    by: &'static str,
    /// The package whose file tells its version, and that file.
    told_by: (&'static str, &'static str),
    /// What stands before the version in that file.
    before: &'static str,
    version: fn(&str) -> Option<String>,
    name: &'static str,
    purl: &'static str,
    license: &'static str,
}

const CARRIED: [Carried; 3] = [
    Carried {
        by: "libsqlite3-sys",
        told_by: ("libsqlite3-sys", "sqlite3/sqlite3.h"),
        before: "#define SQLITE_VERSION ",
        version: plain,
        name: "sqlite",
        purl: "pkg:generic/sqlite",
        license: "blessing",
    },
    Carried {
        by: "libmimalloc-sys",
        told_by: ("libmimalloc-sys", "c_src/mimalloc/v3/include/mimalloc.h"),
        before: "#define MI_MALLOC_VERSION ",
        version: two_digits_each,
        name: "mimalloc",
        purl: "pkg:github/microsoft/mimalloc",
        license: "MIT",
    },
    Carried {
        by: "utoipa-swagger-ui",
        told_by: ("utoipa-swagger-ui-vendored", "README.md"),
        before: "Swagger UI version: ",
        version: plain,
        name: "swagger-ui",
        purl: "pkg:npm/swagger-ui",
        license: "Apache-2.0",
    },
];

/// What this package carries. An error when its version is not where it was: a newer package, to be looked at.
pub fn of(id: &Id, sources: &Sources) -> Result<Vec<Value>, String> {
    CARRIED.iter().filter(|carried| carried.by == id.name).map(|carried| component(carried, sources)).collect()
}

fn component(carried: &Carried, sources: &Sources) -> Result<Value, String> {
    let (package, file) = carried.told_by;
    let path = sources.package_named(package)?.folder().join(file);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{package} has no {file}: {error}"))?;
    let version = text.lines().find_map(|line| line.split_once(carried.before)).and_then(|(_, rest)| (carried.version)(rest));
    let version = version.ok_or_else(|| format!("{file} of {package} does not say which {} it is", carried.name))?;
    let purl = format!("{}@{version}", carried.purl);
    Ok(json!({
        "type": "library",
        "bom-ref": purl,
        "name": carried.name,
        "version": version,
        "scope": "required",
        "licenses": [{ "expression": carried.license }],
        "purl": purl,
    }))
}

/// `"3.54.1"`, or a version in backticks.
fn plain(text: &str) -> Option<String> {
    let version: String = text.trim().trim_matches(['"', '`', '*']).to_owned();
    let is_version = !version.is_empty() && version.split('.').all(|part| part.parse::<u32>().is_ok());
    is_version.then_some(version)
}

/// `20302`: 2.3.2.
fn two_digits_each(text: &str) -> Option<String> {
    let number: u32 = text.split_whitespace().next()?.parse().ok()?;
    Some(format!("{}.{}.{}", number / 10_000, number / 100 % 100, number % 100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_their_authors_write_them() {
        assert_eq!(plain("       \"3.54.1\"").as_deref(), Some("3.54.1"));
        assert_eq!(plain("`5.32.6`**").as_deref(), Some("5.32.6"));
        assert_eq!(plain("soon"), None);
        assert_eq!(plain(""), None);
        assert_eq!(two_digits_each("20302  // major").as_deref(), Some("2.3.2"));
        assert_eq!(two_digits_each("x"), None);
    }
}
