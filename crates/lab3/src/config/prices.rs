//! A provider's prices as its operator states them. What is not stated follows from what is: in the end from the one price per thousand
//! tokens that every provider has.

use lab3_compute::Rates;
use lab3_units::{Amount, TokenRate};

/// What is stated beside the one price.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    /// What holds as a rule.
    pub usual: Tier,
    /// What holds instead for long queries.
    pub long: Tier,
    /// Queries of more tokens than that are long; 0 where none is.
    pub long_above_tokens: u64,
    /// A run of the provider's own tools; `None` where they are not for sale.
    pub tool_run: Option<Amount>,
}

/// Prices of a token by what it was, each where it differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tier {
    /// A token of the query.
    pub input: Option<TokenRate>,
    /// A token of the answer.
    pub output: Option<TokenRate>,
    /// A token of the query found in the cache.
    pub cached: Option<TokenRate>,
    /// A token written to the cache for five minutes.
    pub cache_write_5m: Option<TokenRate>,
    /// A token written to the cache for an hour.
    pub cache_write_1h: Option<TokenRate>,
    /// A token of the answer that was a thought.
    pub reasoning: Option<TokenRate>,
}

impl Prices {
    /// What module 1 bills by, when `cost` is the provider's one price.
    pub fn over(&self, cost: TokenRate) -> lab3_compute::Prices {
        let rates = Rates { tool_run: self.tool_run, ..self.usual.over(&Rates::flat(cost)) };
        let long = (self.long_above_tokens > 0).then(|| (self.long_above_tokens, self.long.over(&rates)));
        lab3_compute::Prices { rates, long }
    }
}

impl Tier {
    /// These prices, and the others from `base`; but where the input's price is stated the cache costs that, and thoughts what the
    /// output does.
    fn over(&self, base: &Rates) -> Rates {
        let cache = |stated: Option<TokenRate>, base| stated.or(self.input).unwrap_or(base);
        Rates {
            input: self.input.unwrap_or(base.input),
            cache_read: cache(self.cached, base.cache_read),
            cache_write_5m: cache(self.cache_write_5m, base.cache_write_5m),
            cache_write_1h: cache(self.cache_write_1h, base.cache_write_1h),
            output: self.output.unwrap_or(base.output),
            reasoning: self.reasoning.or(self.output).unwrap_or(base.reasoning),
            tool_run: base.tool_run,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab3_compute::Usage;

    fn rate(text: &str) -> Option<TokenRate> {
        TokenRate::from_mic_per_thousand(text).ok()
    }

    /// The rates in KS a token: input, cache read, five minutes, an hour, output, thoughts.
    fn ks(rates: &Rates) -> [i64; 6] {
        let Rates { input, cache_read, cache_write_5m, cache_write_1h, output, reasoning, .. } = *rates;
        [input, cache_read, cache_write_5m, cache_write_1h, output, reasoning].map(|rate| rate.charge(1).unwrap().units())
    }

    #[track_caller]
    fn check(usual: &Tier, expected: [i64; 6]) {
        let prices = Prices { usual: usual.clone(), ..Prices::default() }.over(rate("0.010").unwrap());
        assert_eq!((ks(&prices.rates), prices.long, prices.rates.tool_run), (expected, None, None));
    }

    #[test]
    fn what_is_not_stated_follows_from_what_is() {
        let none = Tier::default();
        check(&none, [10; 6]);
        check(&Tier { input: rate("0.003"), ..none.clone() }, [3, 3, 3, 3, 10, 10]);
        check(&Tier { output: rate("0.015"), ..none.clone() }, [10, 10, 10, 10, 15, 15]);
        check(&Tier { cached: rate("0.001"), reasoning: rate("0.020"), ..none.clone() }, [10, 1, 10, 10, 10, 20]);
        check(&Tier { input: rate("0.003"), cache_write_5m: rate("0.004"), cache_write_1h: rate("0.006"), ..none }, [3, 3, 4, 6, 10, 10]);
    }

    #[test]
    fn long_queries_have_prices_of_their_own_over_the_usual() {
        let usual = Tier { input: rate("0.003"), output: rate("0.015"), cached: rate("0.001"), ..Tier::default() };
        let long = |long| {
            let prices = Prices { usual: usual.clone(), long, long_above_tokens: 200, tool_run: Some(Amount::new(7)) };
            let prices = prices.over(rate("0.010").unwrap());
            assert_eq!(ks(&prices.rates), [3, 1, 3, 3, 15, 15]);
            let (above, rates) = prices.long.unwrap();
            assert_eq!((above, rates.tool_run), (200, Some(Amount::new(7))));
            ks(&rates)
        };
        assert_eq!(long(Tier::default()), [3, 1, 3, 3, 15, 15]);
        assert_eq!(long(Tier { input: rate("0.006"), ..Tier::default() }), [6, 6, 6, 6, 15, 15]);
        assert_eq!(long(Tier { output: rate("0.022"), ..Tier::default() }), [3, 1, 3, 3, 22, 22]);
        assert_eq!(long(Tier { input: rate("0.006"), cached: rate("0.002"), ..Tier::default() }), [6, 2, 6, 6, 15, 15]);
    }

    #[test]
    fn nothing_stated_bills_as_the_specification_does() {
        let prices = Prices::default().over(rate("0.015").unwrap());
        let usage = Usage { input: 1_000, cache_read: 1_000, cache_write_1h: 1_000, output: 2_000, reasoning: 1_000, ..Usage::default() };
        assert_eq!(prices.bill(&usage), Amount::new(75_000));
        assert_eq!(prices, lab3_compute::Prices::flat(rate("0.015").unwrap()));
    }
}
