//! Providers: who sells compute, as the operator states it.

use lab3_units::{Amount, Ratio, TokenRate};

use crate::Prices;

/// A provider, as the operator states it. Price, latency and reliability are what holds until usage says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// The name replies give.
    pub name: Box<str>,
    /// Other names requests may use.
    pub aliases: Vec<Box<str>>,
    /// Whether queries go there.
    pub enabled: bool,
    /// Price of a token, where a query is one number of tokens.
    pub rate: TokenRate,
    /// Prices by what a token was, for queries the desk meters itself.
    pub prices: Prices,
    /// Expected latency of a query, in milliseconds.
    pub latency_ms: u32,
    /// Capability of the model, from 0 to 1. Never measured here.
    pub quality: Ratio,
    /// Expected share of queries that succeed.
    pub reliability: Ratio,
    /// Longest query, in tokens.
    pub context_tokens_max: u64,
    /// Longest answer, in tokens, thoughts included.
    pub output_tokens_max: u64,
    /// Whether it makes embeddings, and no answers: only queries that want those go there.
    pub embeds: bool,
}

impl Provider {
    /// The five providers of the specification's table, with the names other labs use for them.
    pub fn table() -> Vec<Provider> {
        vec![
            row("anthropic_claude", &["anthropic", "claude"], "0.015", 600, [97, 99], 200_000),
            row("openai_gpt4", &["openai"], "0.010", 800, [95, 98], 128_000),
            row("google_gemini", &["gemini", "google"], "0.008", 700, [92, 97], 1_000_000),
            row("deepseek", &[], "0.002", 1200, [88, 95], 64_000),
            row("local_llama", &["local", "llama"], "0.0001", 2500, [80, 99], 32_000),
        ]
    }

    /// Whether `name` is the provider's name or one of its aliases.
    pub fn answers_to(&self, name: &str) -> bool {
        *self.name == *name || self.aliases.iter().any(|alias| **alias == *name)
    }

    /// What a query of `tokens` costs, in KS, rounded up; [`Amount::MAX`] when nothing could pay it.
    pub fn cost(&self, tokens: u64) -> Amount {
        self.rate.charge(tokens).unwrap_or(Amount::MAX)
    }
}

/// A row of the table: MIC per thousand tokens, milliseconds, quality and reliability in hundredths, context in tokens.
fn row(name: &str, aliases: &[&str], price: &str, latency_ms: u32, hundredths: [u32; 2], context_tokens_max: u64) -> Provider {
    let rate = TokenRate::from_mic_per_thousand(price).unwrap_or_default();
    let [quality, reliability] = hundredths.map(|hundredths| Ratio::from_millionths(hundredths * 10_000));
    Provider {
        name: name.into(),
        aliases: aliases.iter().map(|&alias| alias.into()).collect(),
        enabled: true,
        rate,
        prices: Prices::flat(rate),
        latency_ms,
        quality,
        reliability,
        context_tokens_max,
        // What the larger models of these providers can say at once; where a model can say less, it says so itself.
        output_tokens_max: 128_000.min(context_tokens_max),
        embeds: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_specifications() {
        let shown = |provider: &Provider| {
            let Provider { name, rate, latency_ms, quality, reliability, context_tokens_max, .. } = provider;
            format!("{name} {} {latency_ms} {quality} {reliability} {context_tokens_max}", rate.mic_per_thousand())
        };
        let table: Vec<String> = Provider::table().iter().map(shown).collect();
        assert_eq!(
            table,
            [
                "anthropic_claude 0.015 600 0.97 0.99 200000",
                "openai_gpt4 0.01 800 0.95 0.98 128000",
                "google_gemini 0.008 700 0.92 0.97 1000000",
                "deepseek 0.002 1200 0.88 0.95 64000",
                "local_llama 0.0001 2500 0.80 0.99 32000",
            ]
        );
    }
}
