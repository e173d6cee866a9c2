//! Prices: what a query costs by what it used. A bill is summed exactly and rounded up to a whole KS once, at its end.

use lab3_units::{Amount, Charge, TokenRate};
use serde::{Deserialize, Serialize};

/// What a query used, as the provider tells it. Every token is counted in one field, except that thoughts are part of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the query read at the full price.
    pub input: u64,
    /// Tokens of the query found in the provider's cache.
    pub cache_read: u64,
    /// Tokens of the query written to the cache for five minutes.
    pub cache_write_5m: u64,
    /// Tokens of the query written to the cache for an hour.
    pub cache_write_1h: u64,
    /// Tokens of the answer, thoughts included.
    pub output: u64,
    /// Tokens of the answer that were thoughts.
    pub reasoning: u64,
    /// Runs of tools that the provider runs itself (web search, code).
    pub tool_runs: u64,
}

impl Usage {
    /// Tokens of the query, however they were read.
    pub fn query_tokens(&self) -> u64 {
        [self.cache_read, self.cache_write_5m, self.cache_write_1h].into_iter().fold(self.input, u64::saturating_add)
    }
}

/// Prices of a token by what it was, and of a tool's run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// A token of the query.
    pub input: TokenRate,
    /// A token of the query found in the cache.
    pub cache_read: TokenRate,
    /// A token written to the cache for five minutes.
    pub cache_write_5m: TokenRate,
    /// A token written to the cache for an hour.
    pub cache_write_1h: TokenRate,
    /// A token of the answer.
    pub output: TokenRate,
    /// A token of the answer that was a thought.
    pub reasoning: TokenRate,
    /// A tool's run, in KS; `None` where such tools are not for sale.
    pub tool_run: Option<Amount>,
}

impl Rates {
    /// One price for every token, and no tools.
    pub fn flat(rate: TokenRate) -> Self {
        Self { input: rate, cache_read: rate, cache_write_5m: rate, cache_write_1h: rate, output: rate, reasoning: rate, tool_run: None }
    }

    fn charge(&self, usage: &Usage) -> Charge {
        let reasoning = usage.reasoning.min(usage.output);
        [
            (self.input, usage.input),
            (self.cache_read, usage.cache_read),
            (self.cache_write_5m, usage.cache_write_5m),
            (self.cache_write_1h, usage.cache_write_1h),
            (self.output, usage.output - reasoning),
            (self.reasoning, reasoning),
        ]
        .into_iter()
        .fold(Charge::default(), |sum, (rate, tokens)| sum.plus(rate, tokens))
        .plus_each(self.tool_run.unwrap_or(Amount::ZERO), usage.tool_runs)
    }

    /// The dearest a token of the query can be.
    fn input_worst(&self) -> TokenRate {
        [self.cache_read, self.cache_write_5m, self.cache_write_1h].into_iter().fold(self.input, TokenRate::max)
    }
}

/// More tokens than any answer has.
pub const OUTPUT_TOKENS_MAX: u64 = 1 << 32;

/// A provider's prices: as a rule one set, for long queries perhaps another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    /// The prices.
    pub rates: Rates,
    /// What holds instead, for every token, when the query has more tokens than that.
    pub long: Option<(u64, Rates)>,
}

impl Prices {
    /// One price for every token.
    pub fn flat(rate: TokenRate) -> Self {
        Self { rates: Rates::flat(rate), long: None }
    }

    /// What was used costs so much, in KS; [`Amount::MAX`] when nothing could pay it.
    pub fn bill(&self, usage: &Usage) -> Amount {
        let rates = match &self.long {
            Some((above, rates)) if usage.query_tokens() > *above => rates,
            _ => &self.rates,
        };
        rates.charge(usage).round_up()
    }

    /// The most a query of at most so many tokens can cost with at most so many tokens of an answer and so many runs of tools,
    /// whatever the cache does and whichever tier it falls into.
    pub fn bound(&self, query_tokens: u64, output_tokens: u64, tool_runs: u64) -> Amount {
        let worst = |rates: &Rates| {
            let output = rates.output.max(rates.reasoning);
            let charge = Charge::default().plus(rates.input_worst(), query_tokens).plus(output, output_tokens);
            charge.plus_each(rates.tool_run.unwrap_or(Amount::ZERO), tool_runs).round_up()
        };
        match &self.long {
            Some((above, rates)) if query_tokens > *above => worst(&self.rates).max(worst(rates)),
            _ => worst(&self.rates),
        }
    }

    /// The most tokens of an answer for which [`Prices::bound`] stays within `budget`; `None` when the query alone is dearer.
    pub fn output_within(&self, query_tokens: u64, tool_runs: u64, budget: Amount) -> Option<u64> {
        let fits = |output| self.bound(query_tokens, output, tool_runs) <= budget;
        if !fits(0) {
            return None;
        }
        // By halving: the bound grows with the output, through tiers and rounding alike.
        let (mut below, mut above) = (0, OUTPUT_TOKENS_MAX + 1);
        while above - below > 1 {
            let middle = below + (above - below) / 2;
            if fits(middle) { below = middle } else { above = middle }
        }
        Some(below)
    }

    /// Whether the provider's own tools may be used.
    pub fn sells_tools(&self) -> bool {
        self.rates.tool_run.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(input: &str, output: &str) -> Rates {
        let rate = |text: &str| TokenRate::from_mic_per_thousand(text).unwrap();
        Rates {
            cache_read: rate("0.0003"),
            cache_write_5m: rate("0.00375"),
            cache_write_1h: rate("0.006"),
            output: rate(output),
            reasoning: rate(output),
            ..Rates::flat(rate(input))
        }
    }

    #[test]
    fn a_bill_is_rounded_up_once() {
        let prices = Prices { rates: rates("0.003", "0.015"), long: None };
        let usage = Usage { input: 1, cache_read: 1, cache_write_5m: 1, cache_write_1h: 1, output: 1, ..Usage::default() };
        // 3 + 0.3 + 3.75 + 6 + 15 KS
        assert_eq!(prices.bill(&usage), Amount::new(29));
        assert_eq!(prices.bill(&Usage::default()), Amount::ZERO);
        assert_eq!(prices.bill(&Usage { output: u64::MAX, ..usage }), Amount::MAX);
    }

    #[test]
    fn thoughts_are_part_of_the_output_and_may_have_their_price() {
        let mut dear = rates("0.003", "0.015");
        dear.reasoning = TokenRate::from_mic_per_thousand("0.1").unwrap();
        let prices = Prices { rates: dear, long: None };
        assert_eq!(prices.bill(&Usage { output: 10, reasoning: 4, ..Usage::default() }), Amount::new(6 * 15 + 4 * 100));
        assert_eq!(prices.bill(&Usage { output: 3, reasoning: 4, ..Usage::default() }), Amount::new(300));
    }

    #[test]
    fn a_long_query_is_dearer_from_its_first_token() {
        let prices = Prices { rates: rates("0.003", "0.015"), long: Some((200, rates("0.006", "0.0225"))) };
        assert_eq!(prices.bill(&Usage { input: 200, ..Usage::default() }), Amount::new(600));
        assert_eq!(prices.bill(&Usage { input: 201, output: 2, ..Usage::default() }), Amount::new(201 * 6 + 45));
        assert_eq!(prices.bill(&Usage { input: 1, cache_read: 200, ..Usage::default() }), Amount::new(66));
    }

    #[test]
    fn nothing_that_was_bounded_costs_more() {
        let mut with_tools = rates("0.003", "0.015");
        with_tools.tool_run = Some(Amount::new(10_000));
        let prices = Prices { rates: with_tools, long: Some((50, rates("0.002", "0.03"))) };
        for query in [0, 1, 49, 50, 51, 99] {
            for (cached, output, thoughts) in [(0, 0, 0), (query, 7, 7), (query / 2, 30, 10)] {
                let usage =
                    Usage { input: query - cached, cache_write_1h: cached, output, reasoning: thoughts, tool_runs: 2, ..Usage::default() };
                assert!(prices.bill(&usage) <= prices.bound(query, output, 2), "{usage:?}");
            }
        }
        assert_eq!(prices.bound(10, 10, 0), Amount::new(60 + 150));
    }

    #[test]
    fn a_budget_pays_for_just_so_long_an_answer() {
        let prices = Prices { rates: rates("0.003", "0.015"), long: Some((50, rates("0.002", "0.03"))) };
        for (query, budget) in [(0, 0), (0, 14), (0, 15), (10, 59), (10, 60), (10, 61), (10, 1000), (51, 1000), (51, i64::MAX)] {
            let budget = Amount::new(budget);
            match prices.output_within(query, 0, budget) {
                None => assert!(prices.bound(query, 0, 0) > budget, "{query} {budget:?}"),
                Some(output) => {
                    assert!(prices.bound(query, output, 0) <= budget, "{query} {budget:?}");
                    assert!(output == OUTPUT_TOKENS_MAX || prices.bound(query, output + 1, 0) > budget, "{query} {budget:?}");
                }
            }
        }
        assert_eq!(Prices::default().output_within(5, 0, Amount::ZERO), Some(OUTPUT_TOKENS_MAX));
    }
}
