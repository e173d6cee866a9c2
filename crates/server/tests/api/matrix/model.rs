//! What the desk should say, worked out from the table written by hand and from a few rules; nothing here knows the code under test.

use std::sync::LazyLock;

/// The kinds of principal, in the order of the table's columns.
pub const KINDS: [&str; 8] = ["operator", "citizen", "service", "steward", "treasurer", "auditor", "meter", "witness"];

/// All that a kind's keys can be good for.
pub fn widest(kind: &str) -> &'static [&'static str] {
    match kind {
        "operator" => &[
            "read",
            "journal",
            "metrics",
            "grants",
            "mint",
            "epoch",
            "policy",
            "keys",
            "members",
            "freeze",
            "providers",
            "limits",
            "backup",
            "seal",
            "module",
            "erase",
        ],
        "citizen" => &["read", "journal", "compute", "money", "keys", "erase"],
        "service" => &["read", "compute"],
        "steward" => &["read", "journal", "metrics", "members", "module"],
        "treasurer" => &["read", "journal", "grants", "mint", "epoch", "policy", "freeze"],
        "auditor" => &["read", "journal", "metrics"],
        "meter" => &["meter"],
        "witness" => &["witness"],
        other => panic!("there is no kind {other}"),
    }
}

/// Somebody who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Sends no key.
    Nobody,
    /// Sends something that is no key of ours.
    Stranger,
    /// Sends a key that is well written, and was never made here.
    Unknown,
    /// A key that can do all its kind can.
    Full(&'static str),
    /// A key that can do all its kind can but this.
    Lacking(&'static str, &'static str),
    /// A key that was replaced and works a while longer.
    Overlap(&'static str),
    Expired(&'static str),
    Revoked(&'static str),
    /// A treasurer's key whose holder nobody named a treasurer.
    Unseated,
}

/// Which thing of the sort a route touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// The only one there is: the Hive's, or nobody's.
    Only,
    /// Everybody's at once.
    Everybodys,
    /// The very key the request comes with.
    Itself,
    /// One's own.
    Own,
    /// One's own, which another opened.
    OpenedByAnother,
    /// Somebody else's.
    Foreign,
    /// Not there.
    Missing,
}

/// What the desk should say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing against who asks.
    Passes,
    /// 401: somebody has to be named.
    Unnamed,
    /// 401: this key is none, or no longer.
    Dead,
    /// 403.
    Refused,
}

/// A line of the table.
#[derive(Clone, Debug)]
pub struct Line {
    pub method: &'static str,
    pub path: &'static str,
    pub shape: &'static str,
    pub touches: &'static str,
    scope: &'static str,
    words: [&'static str; 8],
    pub answers: Vec<u16>,
}

/// The table.
pub static LINES: LazyLock<Vec<Line>> = LazyLock::new(|| {
    let lines = include_str!("table.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(Line::read).collect()
});

impl Line {
    fn read(line: &'static str) -> Self {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [method, path, shape, touches, scope, words @ .., answers] = &fields[..] else { panic!("{line}") };
        let words = words.try_into().unwrap_or_else(|_| panic!("{line}"));
        let answers = answers.split(',').map(|status| status.parse().unwrap()).collect();
        Self { method, path, shape, touches, scope, words, answers }
    }

    pub fn is_public(&self) -> bool {
        self.scope == "public"
    }

    /// What a key of that kind cannot do without.
    pub fn scope_of(&self, kind: &str) -> &'static str {
        let (usual, others) = self.scope.split_once(',').unwrap_or((self.scope, ""));
        let of_kind = |other: &'static str| other.strip_prefix(kind).and_then(|rest| rest.strip_prefix(':'));
        others.split(',').find_map(of_kind).unwrap_or(usual)
    }

    /// What the route is tried on.
    pub fn objects(&self) -> &'static [Object] {
        use Object::{Everybodys, Foreign, Itself, Missing, Only, OpenedByAnother, Own};
        match self.touches {
            "none" | "hive" => &[Only],
            "everybody" => &[Everybodys],
            "citizen" | "transaction" | "written" | "job" | "certificate" => &[Own, Foreign, Missing],
            "meter" => &[Own, Foreign],
            "allocation" => &[Own, OpenedByAnother, Foreign, Missing],
            "key" => &[Itself, Own, Foreign, Missing],
            other => panic!("nothing is called {other}"),
        }
    }

    fn word(&self, kind: &str) -> &'static str {
        self.words[KINDS.iter().position(|known| *known == kind).unwrap()]
    }

    /// Whoever could ask for this.
    pub fn askers(&self) -> Vec<Who> {
        let mut askers = vec![Who::Nobody, Who::Stranger, Who::Unknown, Who::Unseated];
        for kind in KINDS {
            askers.extend([Who::Full(kind), Who::Overlap(kind), Who::Expired(kind), Who::Revoked(kind)]);
            let scope = self.scope_of(kind);
            if widest(kind).len() > 1 && widest(kind).contains(&scope) {
                askers.push(Who::Lacking(kind, scope));
            }
        }
        askers
    }

    /// What the desk should say on a closed Hive.
    pub fn verdict(&self, who: Who, object: Object) -> Verdict {
        let kind = match who {
            _ if self.is_public() => return Verdict::Passes,
            Who::Stranger | Who::Unknown | Who::Expired(_) | Who::Revoked(_) => return Verdict::Dead,
            Who::Nobody => return Verdict::Unnamed,
            // Whoever holds a key may replace it or give it up.
            _ if object == Object::Itself => return Verdict::Passes,
            Who::Lacking(..) => return Verdict::Refused,
            // Who is named treasurer by nobody only reads.
            Who::Unseated if !matches!(self.scope, "read" | "journal") => return Verdict::Refused,
            // A key that was replaced makes and manages no others.
            Who::Overlap(kind) if self.scope_of(kind) == "keys" => return Verdict::Refused,
            Who::Unseated => "treasurer",
            Who::Full(kind) | Who::Overlap(kind) => kind,
        };
        let passes = match self.word(kind) {
            "-" | "self" => false,
            "yes" | "all" => true,
            "own" => matches!(object, Object::Own | Object::OpenedByAnother),
            "opened" => object == Object::Own,
            other => panic!("the table says {other}"),
        };
        if passes { Verdict::Passes } else { Verdict::Refused }
    }
}

/// Whose `Own` is, by the words of the stage.
pub fn kind_of(who: Who) -> &'static str {
    match who {
        Who::Full(kind) | Who::Lacking(kind, _) | Who::Overlap(kind) | Who::Expired(kind) | Who::Revoked(kind) => kind,
        Who::Unseated => "treasurer",
        Who::Nobody | Who::Stranger | Who::Unknown => "",
    }
}
