//! docs/authority.md: who may do what, written from the table of routes that the check itself goes by.

use std::fmt::Write as _;

use lab3_server::Row;
use lab3_trust::{Kind, Owned, Rule, Scope};

/// Where the page stands, in the workspace.
pub(crate) const PAGE: &str = "docs/authority.md";

const HEAD: &str = "\
# Who may do what

Written by `cargo run -p lab3-xtask -- authority` from the table of routes, which the check itself goes by; a test keeps this page equal. What no line
allows is refused.

- **Who**: the kinds of principal that may come. On an open Hive `local`, whoever is on its own machine, may come everywhere.
- **Scope**: what the key must be good for. A signature of a citizen's own is good for all that a citizen can do.
- **Whose**: what the asker must own of what is touched. What is another's and what is not there get the same refusal (403, `L3-0036`).

";

/// The page.
pub(crate) fn text() -> String {
    let mut page = String::from(HEAD);
    page.push_str("## Routes\n\n| method | path | who | scope | whose |\n|---|---|---|---|---|\n");
    for Row { method, path, rule } in lab3_server::routes() {
        let public = rule.kinds.has_nobody();
        // Of the kinds that may come only those do whose keys can have the scope.
        let able = rule.comers().filter(|kind| rule.scope_of(*kind).is_some_and(|scope| kind.acts().has(scope)));
        let able = able.map(Kind::as_str).collect::<Vec<_>>();
        let (who, scope) = if public { ("everybody".to_owned(), "none".to_owned()) } else { (able.join(", "), scope(rule)) };
        // A String takes every text.
        let _ = writeln!(page, "| {method} | `{path}` | {who} | {scope} | {} |", whose(rule));
    }
    page.push_str("\n## Kinds\n\n| kind | the widest scopes of its keys | of these it uses itself |\n|---|---|---|\n");
    for kind in Kind::ALL {
        let (widest, acts) = (kind.widest(), kind.acts());
        let uses = if widest == acts { "all".to_owned() } else { format!("all but {}; those it only hands out", widest.beyond(acts)) };
        let _ = writeln!(page, "| {kind} | {widest} | {uses} |");
    }
    page.push_str("\n## Scopes\n\n| scope | what it allows |\n|---|---|\n");
    for scope in Scope::ALL {
        let _ = writeln!(page, "| {} | {} |", scope.as_str(), scope.what());
    }
    page
}

/// What a key must be good for, in words.
fn scope(rule: Rule) -> String {
    let others = rule.others.map(|(kinds, scope)| {
        let kinds = kinds.iter().map(Kind::as_str).collect::<Vec<_>>().join(", ");
        format!("; {kinds}: {}", scope.as_str())
    });
    rule.scope.as_str().to_owned() + &others.unwrap_or_default()
}

/// Whose what is touched has to be, in words.
fn whose(rule: Rule) -> String {
    let Rule { kinds, scope, owned, .. } = rule;
    match owned {
        Owned::Nobody => "nobody's".to_owned(),
        Owned::Hive => "the Hive's".to_owned(),
        // Whom the operator manages; freezing is the treasurers' together, too.
        Owned::Citizen if !kinds.has(Kind::Citizen) && !scope.only_reads() => "anybody's".to_owned(),
        Owned::Citizen | Owned::Opened => {
            let opened = owned == Owned::Opened;
            let mut parts = vec![if opened && !scope.only_reads() { "her own that she opened" } else { "her own" }];
            if kinds.has(Kind::Service) {
                parts.push(if opened { "a service: what it opened for its citizens" } else { "a service: its citizens'" });
            }
            if scope.only_reads() && kinds.has(Kind::Auditor) {
                parts.push("auditor and operator: everybody's");
            }
            if rule.others.is_some_and(|(kinds, _)| kinds.has(Kind::Operator)) {
                parts.push("the operator: anybody's");
            }
            parts.join("; ")
        }
        Owned::Records => "the Hive's, whose rule `log.readers` may let everybody come, or auditors and the operator only".to_owned(),
        Owned::Meter => "the meter's own; a steward: those of the module; the operator: any".to_owned(),
        Owned::Module => "the steward's module; the operator: any".to_owned(),
        Owned::Key => "one's own key, whatever its kind and scopes; a citizen: any of hers; the operator: any".to_owned(),
        Owned::NewKey => "a citizen: for herself; the operator: for anybody; never wider than the maker's".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_the_one_the_table_makes() {
        let path = std::path::Path::new(crate::WORKSPACE).join(PAGE);
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        let made = text();
        let differing = committed.lines().zip(made.lines()).position(|(one, other)| one != other).map_or(0, |at| at + 1);
        assert!(
            committed == made,
            "{PAGE} differs from the table, first in line {differing}; write it anew: cargo run -p lab3-xtask -- authority"
        );
    }

    #[test]
    fn every_route_has_a_line() {
        let page = text();
        for Row { method, path, .. } in lab3_server::routes() {
            assert!(page.contains(&format!("| {method} | `{path}` |")), "{method} {path}");
        }
    }
}
