//! What is wrong with a configuration, said so that the operator can mend it without looking anything up.

use std::fmt;

use super::{Range, Raw, Setting, Source};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// Where the value stands; the defaults when it stands nowhere.
    pub source: Source,
    /// What is wrong and what would be right. Never holds a secret.
    pub message: String,
}

/// Everything that is wrong, so that it is mended in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblems(pub Vec<ConfigProblem>);

impl ConfigProblem {
    /// A problem at `source`.
    pub fn new(source: &Source, message: String) -> Self {
        Self { source: source.clone(), message }
    }

    /// The value is not one the key takes.
    pub(super) fn not_accepted(source: &Source, path: &str, setting: &dyn Setting, raw: &Raw, range: Range) -> Self {
        let value = if setting.is_secret() { "what it is (a secret, not shown)".to_owned() } else { raw.quoted() };
        Self::new(source, format!("`{path}` cannot be {value}: it takes {}", setting.accepts(range)))
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Default => f.write_str(&self.message),
            source => write!(f, "{source}: {}", self.message),
        }
    }
}

impl fmt::Display for ConfigProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration cannot be used")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for ConfigProblems {}
