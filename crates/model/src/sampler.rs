//! Choosing the next token.

use std::collections::HashMap;

use candle_core::Tensor;
use candle_transformers::generation::{LogitsProcessor, Sampling};
use lab3_providers::Query;
use serde_json::Number;

use crate::ModelError;

/// How much an answer varies when the query does not say. Small models stray at 1, the usual default elsewhere; SmolLM2's makers advise
/// this.
pub const TEMPERATURE_DEFAULT: f32 = 0.2;
/// Share of probability considered when the query does not say.
pub const TOP_P_DEFAULT: f32 = 0.9;
/// Tokens considered when the query does not say.
pub const TOP_K_DEFAULT: u64 = 40;

/// Chooses tokens as a query asks for.
pub(crate) struct Sampler {
    processor: LogitsProcessor,
    frequency: f32,
    presence: f32,
    /// How often each token came.
    came: HashMap<u32, f32>,
}

impl Sampler {
    /// `Err` when the query's numbers make no sense.
    pub(crate) fn of(query: &Query) -> Result<Self, ModelError> {
        let temperature = number("temperature", query.temperature.as_ref(), 0.0, f32::MAX)?.unwrap_or(TEMPERATURE_DEFAULT);
        let share = number("top_p", query.top_p.as_ref(), 0.0, 1.0)?.unwrap_or(TOP_P_DEFAULT);
        let sampling = if temperature <= 0.0 {
            Sampling::ArgMax
        } else {
            let (temperature, share) = (f64::from(temperature), f64::from(share));
            match query.top_k.unwrap_or(TOP_K_DEFAULT) {
                // As other servers have it: all of them.
                0 => Sampling::TopP { p: share, temperature },
                k => Sampling::TopKThenTopP { k: usize::try_from(k).unwrap_or(usize::MAX), p: share, temperature },
            }
        };
        let seed = query.seed.map_or_else(any_seed, i64::cast_unsigned);
        Ok(Self {
            processor: LogitsProcessor::from_sampling(seed, sampling),
            frequency: number("frequency_penalty", query.frequency_penalty.as_ref(), -2.0, 2.0)?.unwrap_or(0.0),
            presence: number("presence_penalty", query.presence_penalty.as_ref(), -2.0, 2.0)?.unwrap_or(0.0),
            came: HashMap::new(),
        })
    }

    /// The next token, by a number for each token that says how well it fits.
    pub(crate) fn choose(&mut self, fits: &Tensor) -> candle_core::Result<u32> {
        if self.frequency.abs() + self.presence.abs() > 0.0 {
            return self.processor.sample(&self.discouraged(fits)?);
        }
        self.processor.sample(fits)
    }

    /// Notes that a token is part of the answer.
    pub(crate) fn note(&mut self, token: u32) {
        *self.came.entry(token).or_default() += 1.0;
    }

    /// The penalties as OpenAI defines them: `frequency` for each time a token came, `presence` if it came.
    fn discouraged(&self, fits: &Tensor) -> candle_core::Result<Tensor> {
        let mut fits = fits.to_vec1::<f32>()?;
        for (token, times) in &self.came {
            if let Some(fit) = usize::try_from(*token).ok().and_then(|token| fits.get_mut(token)) {
                *fit -= self.frequency * times + self.presence;
            }
        }
        Tensor::new(fits, &candle_core::Device::Cpu)
    }
}

fn number(field: &str, number: Option<&Number>, min: f32, max: f32) -> Result<Option<f32>, ModelError> {
    let Some(number) = number else { return Ok(None) };
    let value = number.to_string().parse::<f32>().ok().filter(|value| (min..=max).contains(value));
    match value {
        Some(value) => Ok(Some(value)),
        None if max < f32::MAX => Err(ModelError::unfit(field, format!("{field} is {number}; it must lie between {min} and {max}"))),
        None => Err(ModelError::unfit(field, format!("{field} is {number}; it must not be below {min}"))),
    }
}

/// Another one each time. The standard library's hashers are seeded by the system.
fn any_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// The tokens chosen one after the other among five, of which the first fits best and the others less and less.
    fn chosen(query: &Query) -> Vec<u32> {
        let fits = Tensor::new(&[5f32, 4.5, 4.0, 3.5, 3.0], &Device::Cpu).unwrap();
        let mut sampler = Sampler::of(query).unwrap();
        let next = |_| {
            let token = sampler.choose(&fits).unwrap();
            sampler.note(token);
            token
        };
        (0..200).map(next).collect()
    }

    fn most(query: &Query) -> Option<u32> {
        chosen(query).into_iter().max()
    }

    fn json(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn a_query_says_how_much_the_answer_varies() {
        let warm = Query { temperature: Some(json("1.0")), top_p: Some(json("1")), seed: Some(-3), ..Query::default() };
        assert_eq!(most(&warm), Some(4));
        assert_eq!(most(&Query { top_k: Some(0), ..warm.clone() }), Some(4));
        assert_eq!(most(&Query { top_k: Some(2), ..warm.clone() }), Some(1));
        assert_eq!(most(&Query { top_p: Some(json("0.5")), ..warm.clone() }), Some(1));
        assert_eq!(most(&Query { top_k: Some(0), top_p: Some(json("0.5")), ..warm.clone() }), Some(1));
        assert_eq!(most(&Query { temperature: Some(json("0")), ..warm.clone() }), Some(0));
        assert_eq!(most(&Query { temperature: Some(json("0.01")), ..warm }), Some(0));
    }

    #[test]
    fn a_seed_makes_it_repeatable_and_none_does_not() {
        let warm = |seed| Query { temperature: Some(json("1")), top_p: Some(json("1")), seed, ..Query::default() };
        assert_eq!(chosen(&warm(Some(7))), chosen(&warm(Some(7))));
        assert_ne!(chosen(&warm(Some(7))), chosen(&warm(Some(8))));
        assert_ne!(chosen(&warm(None)), chosen(&warm(None)));
    }

    #[test]
    fn penalties_discourage_what_came() {
        let cold = Query { temperature: Some(json("0")), ..Query::default() };
        let first = |query: &Query| chosen(query)[..6].to_vec();
        assert_eq!(first(&Query { presence_penalty: Some(json("0.7")), ..cold.clone() }), [0, 1, 0, 0, 0, 0]);
        assert_eq!(first(&Query { frequency_penalty: Some(json("0.4")), ..cold }), [0, 0, 1, 0, 1, 2]);
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        let cases = [
            ("temperature", Query { temperature: Some(json("-0.1")), ..Query::default() }),
            ("temperature", Query { temperature: Some(json("1e300")), ..Query::default() }),
            ("top_p", Query { top_p: Some(json("1.1")), ..Query::default() }),
            ("frequency_penalty", Query { frequency_penalty: Some(json("3")), ..Query::default() }),
            ("presence_penalty", Query { presence_penalty: Some(json("-2.5")), ..Query::default() }),
        ];
        for (expected, query) in cases {
            let Err(ModelError::Unfit { field, detail }) = Sampler::of(&query) else { panic!("{expected} was taken") };
            assert_eq!(field, expected);
            assert!(detail.contains(expected), "{detail}");
        }
    }
}
