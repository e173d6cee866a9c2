//! What a route asks of whoever comes, and what a request touches.

use lab3_units::Did;

use crate::{Kind, Kinds, Scope};

/// What a route asks. Stands in the table of routes, beside the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Who may come.
    pub kinds: Kinds,
    /// What the key must be good for.
    pub scope: Scope,
    /// Whose is what it touches.
    pub owned: Owned,
    /// Who else may come, and with what scope.
    pub others: Option<(Kinds, Scope)>,
}

/// Whose is what a route touches. The request says which one: a [`Touched`] of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owned {
    /// Nobody's: the pool, the providers, the desk's own pages.
    Nobody,
    /// The Hive's: its keys, rules, backups.
    Hive,
    /// A citizen's.
    Citizen,
    /// An allocation: a citizen's, and whoever opened it for her.
    Opened,
    /// A meter's.
    Meter,
    /// A module's.
    Module,
    /// A key, by its number.
    Key,
    /// A key to be made: a citizen's or the Hive's.
    NewKey,
    /// The journal's records: for those whom the Hive's rule `log.readers` names.
    Records,
}

/// What a request touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched<'a> {
    /// Nothing that belongs to somebody.
    Nothing,
    /// What is the Hive's.
    Hive,
    /// What is this citizen's, whether she has an account or not.
    Citizen(&'a Did),
    /// An allocation.
    Opened {
        /// Whose it is.
        citizen: &'a Did,
        /// The number of the key that opened it; none when it was opened otherwise.
        by: Option<u32>,
    },
    /// A meter, by its id.
    Meter(&'a str),
    /// A module, by its name.
    Module(&'a str),
    /// A key, by its number, whether there is one or not.
    Key(u32),
    /// The journal's records.
    Records,
    /// Something that is not there, so that nobody can say whose it is.
    Missing,
}

impl Rule {
    /// Open to all, also to those who name nobody.
    pub const PUBLIC: Self = Self { kinds: Kinds::EVERYBODY, scope: Scope::Read, owned: Owned::Nobody, others: None };

    /// For these kinds, with this scope.
    pub const fn new(kinds: &[Kind], scope: Scope, owned: Owned) -> Self {
        Self { kinds: Kinds::of(kinds), scope, owned, others: None }
    }

    /// The same, and for these other kinds with a scope of their own.
    #[must_use]
    pub const fn or(self, kinds: &[Kind], scope: Scope) -> Self {
        Self { others: Some((Kinds::of(kinds), scope)), ..self }
    }

    /// The scope a key of that kind must have; none when the kind may not come.
    pub const fn scope_of(&self, kind: Kind) -> Option<Scope> {
        match self.others {
            _ if self.kinds.has(kind) => Some(self.scope),
            Some((kinds, scope)) if kinds.has(kind) => Some(scope),
            _ => None,
        }
    }

    /// Everybody who may come, whatever the scope.
    pub fn comers(&self) -> impl Iterator<Item = Kind> {
        let rule = *self;
        Kind::ALL.into_iter().filter(move |kind| rule.scope_of(*kind).is_some())
    }
}

impl Touched<'_> {
    /// Whether the rule speaks of such things at all. If not, the route's handler is wrong, and nobody passes.
    pub(crate) const fn fits(&self, owned: Owned) -> bool {
        matches!(
            (owned, self),
            (Owned::Nobody, Self::Nothing)
                | (Owned::Hive | Owned::NewKey, Self::Hive)
                | (Owned::Citizen | Owned::NewKey, Self::Citizen(_))
                | (Owned::Opened, Self::Opened { .. })
                | (Owned::Meter, Self::Meter(_))
                // Who looks after a module looks after its meters.
                | (Owned::Meter | Owned::Module, Self::Module(_))
                | (Owned::Key, Self::Key(_))
                | (Owned::Records, Self::Records)
                | (Owned::Citizen | Owned::Opened | Owned::Meter | Owned::Module, Self::Missing)
        )
    }
}
