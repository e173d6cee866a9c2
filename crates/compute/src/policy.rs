//! The operator's rules of compute.

use lab3_units::{Amount, Code, Duration, Problem, Ratio};

use crate::Provider;

/// The operator's rules. The default is the specification's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Who sells compute.
    pub providers: Vec<Provider>,
    /// The provider of last resort, when there is one.
    pub fallback: Option<Box<str>>,
    /// A citizen's allowance for a calendar month (UTC), in KS.
    pub quota: Amount,
    /// Least quality when a request names none.
    pub min_quality: Ratio,
    /// How long an allocation is held.
    pub hold: Duration,
    /// Tokens an answer usually has, as long as nothing was learned of a provider's.
    pub usual_output_tokens: u64,
    /// Allocations a citizen may have open.
    pub open_max: u32,
    /// What an answer from the desk's own cache costs, in percent of what the provider was paid for it; at most 100.
    pub cached_percent: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            providers: Provider::table(),
            fallback: Some("local_llama".into()),
            quota: Amount::new(100_000_000),
            min_quality: Ratio::from_millionths(800_000),
            hold: Duration::from_secs(900),
            usual_output_tokens: 512,
            open_max: 1024,
            cached_percent: 0,
        }
    }
}

impl Policy {
    /// The provider of that name or alias; a name goes before an alias.
    pub fn provider(&self, name: &str) -> Option<&Provider> {
        let named = self.providers.iter().find(|provider| *provider.name == *name);
        named.or_else(|| self.providers.iter().find(|provider| provider.answers_to(name)))
    }

    /// The refusal of a name nobody answers to.
    pub(crate) fn unknown(&self, name: &str) -> Problem {
        let known: Vec<&str> = self.providers.iter().map(|provider| &*provider.name).collect();
        Problem::new(Code::PROVIDER_UNKNOWN, format!("There is no provider {name}. Known are {}.", known.join(", ")))
    }
}
