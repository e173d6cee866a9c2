//! EcoLogits' formula against EcoLogits itself (PyPI `ecologits`), to 1e-9; its side is `carbon/second_opinion.py`. And against numbers it gave once, which
//! are written down here, for where it cannot be had.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use lab3_energy::carbon::ecologits::{Coefficients, Hosting, Impacts, Mix, Model, SITES, Site};
use lab3_energy::carbon::{Formula, Interval, Sources, Stated, Tier, Work};
use lab3_tests::{Dice, packages};
use serde_json::{Value, json};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/carbon");
const PYTHON: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/ecologits-python");

/// Requests both are asked about.
const REQUESTS: u32 = 2000;
/// How far apart the two may be, relative.
const TOLERANCE: f64 = 1e-9;

/// A request, as both are asked about it.
#[derive(Clone, Copy, Debug)]
struct Asked {
    active: [f64; 2],
    total: [f64; 2],
    pue: [f64; 2],
    wue: [f64; 2],
    mix: Mix,
    tokens: u32,
    latency_s: Option<f64>,
    tokens_per_s: Option<f64>,
    first_token_s: Option<f64>,
}

impl Asked {
    fn random(dice: &mut Dice) -> Self {
        let active = ends(dice, 0.1, 400.0);
        let sparse = dice.below(2) == 0;
        let total = if sparse { [active[0] * between(dice, 1.0, 20.0); 2] } else { active };
        let total = if sparse && dice.below(2) == 0 { [total[0], total[1] * between(dice, 1.0, 3.0)] } else { total };
        Self {
            active,
            total,
            pue: ends(dice, 1.0, 2.0),
            wue: ends(dice, 0.01, 2.0),
            mix: Mix {
                gwp_kg: between(dice, 0.0, 1.2),
                adpe_kg: between(dice, 0.0, 2e-7),
                pe_mj: between(dice, 0.0, 15.0),
                water_l: between(dice, 0.0, 9.0),
            },
            tokens: [0, dice.below(10), dice.below(5000), dice.below(2_000_000)][dice.below(4) as usize],
            latency_s: maybe(dice, 0.0, 200.0),
            tokens_per_s: maybe(dice, 1.0, 500.0),
            first_token_s: maybe(dice, 0.0, 3.0),
        }
    }

    fn ours(&self) -> Impacts {
        let span = |[low, high]: [f64; 2]| Interval::between(low, high).unwrap();
        let model = Model {
            active_billions: span(self.active),
            total_billions: span(self.total),
            tokens_per_s: self.tokens_per_s,
            first_token_s: self.first_token_s,
        };
        let site = Site { pue: span(self.pue), wue_l_per_kwh: span(self.wue) };
        let hosting = Hosting { model, site, coefficients: Coefficients::default() };
        hosting.impacts(&self.mix, u64::from(self.tokens), self.latency_s).unwrap()
    }

    fn question(&self) -> Value {
        let Mix { gwp_kg, adpe_kg, pe_mj, water_l } = self.mix;
        json!({ "active": self.active, "total": self.total, "pue": self.pue, "wue": self.wue, "gwp": gwp_kg, "adpe": adpe_kg, "pe": pe_mj,
            "water": water_l, "tokens": self.tokens, "latency": self.latency_s, "tps": self.tokens_per_s, "ttft": self.first_token_s })
    }
}

fn between(dice: &mut Dice, low: f64, high: f64) -> f64 {
    low + (high - low) * f64::from(dice.below(1_000_001)) / 1e6
}

fn ends(dice: &mut Dice, low: f64, high: f64) -> [f64; 2] {
    let first = between(dice, low, high);
    [first, if dice.below(2) == 0 { first } else { between(dice, first, high) }]
}

fn maybe(dice: &mut Dice, low: f64, high: f64) -> Option<f64> {
    (dice.below(2) == 0).then(|| between(dice, low, high))
}

/// Every impact, in the order of the other side's answer.
fn listed(impacts: &Impacts) -> [Interval; 8] {
    let (usage, embodied) = (&impacts.usage, &impacts.embodied);
    let phases = [usage.gwp_kg, usage.adpe_kg, usage.pe_mj, embodied.gwp_kg, embodied.adpe_kg, embodied.pe_mj];
    [impacts.energy_kwh, impacts.water_l, phases[0], phases[1], phases[2], phases[3], phases[4], phases[5]]
}

fn assert_close(ours: &Impacts, theirs: &[[f64; 2]], asked: &Asked) {
    assert_eq!(theirs.len(), 8);
    for (at, (interval, [low, high])) in listed(ours).into_iter().zip(theirs).enumerate() {
        for (end, expected) in [(interval.low(), low), (interval.mid(), &f64::midpoint(*low, *high)), (interval.high(), high)] {
            let far = (end - expected).abs();
            assert!(far <= TOLERANCE * expected.abs(), "impact {at}: {end} is not {expected}: {asked:?}");
        }
    }
}

/// `[energy, water, usage..., embodied...]`, each with its two ends.
fn theirs(answer: &Value) -> Vec<[f64; 2]> {
    let phases = ["usage", "embodied"].into_iter().flat_map(|phase| answer[phase].as_array().unwrap());
    let pair = |ends: &Value| [ends[0].as_f64().unwrap(), ends[1].as_f64().unwrap()];
    [&answer["energy"], &answer["water"]].into_iter().chain(phases).map(pair).collect()
}

#[test]
fn the_formula_gives_what_ecologits_gives() {
    let mut dice = Dice::new(20_260);
    let asked: Vec<Asked> = (0..REQUESTS).map(|_| Asked::random(&mut dice)).collect();
    let questions: Vec<Value> = asked.iter().map(Asked::question).chain([json!({ "sites": true })]).collect();
    let Some(answers) = packages::second_opinion("energy::carbon_ecologits", SCRIPTS, PYTHON, &questions) else { return };
    let (sites, answers) = answers.split_last().unwrap();
    for (asked, answer) in asked.iter().zip(answers) {
        assert_close(&asked.ours(), &theirs(answer), asked);
    }
    assert_eq!(sites.as_object().unwrap().len(), SITES.len());
    for (provider, zone, pue, wue) in SITES {
        assert_eq!(sites[provider], json!([zone, pue, wue]));
    }
}

const WORLD: Mix = Mix { gwp_kg: 0.384, adpe_kg: 9.8e-8, pe_mj: 9.7, water_l: 3.13 };

/// A small model whose request took 5 s, a large one of unknown size and time, a mixture of experts of known speed.
fn golden() -> [(Asked, [[f64; 2]; 8]); 3] {
    let small = Asked {
        active: [8.0; 2],
        total: [8.0; 2],
        pue: [1.2; 2],
        wue: [0.569; 2],
        mix: WORLD,
        tokens: 400,
        latency_s: Some(5.0),
        tokens_per_s: None,
        first_token_s: None,
    };
    let unknown =
        Asked { active: [44.0, 132.0], total: [440.0; 2], pue: [1.09, 1.14], wue: [0.13, 0.999], tokens: 1000, latency_s: None, ..small };
    let quick = Asked {
        active: [41.0; 2],
        total: [675.0; 2],
        pue: [1.16; 2],
        wue: [0.09; 2],
        mix: Mix { gwp_kg: 0.041, adpe_kg: 7.7e-8, pe_mj: 8.2, water_l: 2.2 },
        tokens: 250,
        latency_s: Some(60.0),
        tokens_per_s: Some(80.0),
        first_token_s: Some(0.6),
    };
    [
        (
            small,
            [
                [2.554_685_443_068_512e-5; 2],
                [9.207_512_117_726_094e-5; 2],
                [9.809_992_101_383_085e-6; 2],
                [2.503_591_734_207_142e-12; 2],
                [0.000_247_804_487_977_645_6; 2],
                [8.138_020_833_333_334e-7; 2],
                [4.558_282_597_666_16e-11; 2],
                [1.029_825_041_222_729_6e-5; 2],
            ],
        ),
        (
            unknown,
            [
                [0.001_930_525_519_555_099_9, 0.003_642_101_060_327_685],
                [0.006_272_791_039_090_180_5, 0.014_591_406_984_849_653],
                [0.000_741_321_799_509_158_4, 0.001_398_566_807_165_831],
                [1.891_915_009_163_998e-10, 3.569_259_039_121_131_4e-10],
                [0.018_726_097_539_684_468, 0.035_328_380_285_178_54],
                [0.000_180_447_112_472_485_2, 0.000_335_938_714_634_756_73],
                [1.010_723_552_357_299_8e-8, 1.881_665_859_750_235_7e-8],
                [0.002_283_466_199_537_660_3, 0.004_251_133_140_750_94],
            ],
        ),
        (
            quick,
            [
                [0.000_682_783_161_103_940_7; 2],
                [0.001_555_097_510_031_561_5; 2],
                [2.799_410_960_526_157e-5; 2],
                [5.257_430_340_500_343_6e-11; 2],
                [0.005_598_821_921_052_313; 2],
                [1.940_104_166_666_666_8e-5; 2],
                [1.086_694_571_283_612_5e-9; 2],
                [0.000_245_510_289_827_498_75; 2],
            ],
        ),
    ]
}

#[test]
fn the_formula_gives_what_ecologits_gave() {
    for (asked, expected) in golden() {
        assert_close(&asked.ours(), &expected, &asked);
    }
}

#[test]
fn the_energy_alone_is_the_same_energy() {
    for (asked, expected) in golden() {
        let span = |[low, high]: [f64; 2]| Interval::between(low, high).unwrap();
        let model = Model {
            active_billions: span(asked.active),
            total_billions: span(asked.total),
            tokens_per_s: asked.tokens_per_s,
            first_token_s: asked.first_token_s,
        };
        let site = Site { pue: span(asked.pue), wue_l_per_kwh: span(asked.wue) };
        let hosting = Hosting { model, site, coefficients: Coefficients::V0_11_3 };
        let energy_kwh = hosting.energy_kwh(u64::from(asked.tokens), asked.latency_s).unwrap();
        assert!((energy_kwh.high() - expected[0][1]).abs() <= TOLERANCE * expected[0][1]);
        let stated = Stated { formula: Formula::EcoLogits(Box::new(hosting)), spread: 0.0 };
        let work = Work { input_tokens: 1, output_tokens: u64::from(asked.tokens), latency_s: asked.latency_s };
        let estimate = Sources { stated: Some(&stated), ..Sources::default() }.estimate(&work).unwrap().unwrap();
        let expected_wh = expected[0][0] * 1000.0;
        assert!((estimate.energy_wh.low() - expected_wh).abs() <= TOLERANCE * expected_wh, "kWh there, Wh here");
        assert_eq!(estimate.tier, Tier::Modelled);
    }
}

#[test]
fn what_the_formula_cannot_be_fed_with_is_refused() {
    let span = |low, high| Interval::between(low, high).unwrap();
    let model = Model { active_billions: span(8.0, 8.0), total_billions: span(8.0, 8.0), tokens_per_s: None, first_token_s: None };
    let site = Site::of("anthropic").unwrap();
    let good = Hosting { model, site, coefficients: Coefficients::default() };
    assert!(good.impacts(&WORLD, 10, None).is_ok());
    assert_eq!(Site::of("nobody"), None);
    for wrong in [
        Hosting { model: Model { total_billions: Interval::ZERO, ..model }, ..good },
        Hosting { model: Model { active_billions: Interval::ZERO, ..model }, ..good },
        Hosting { model: Model { tokens_per_s: Some(0.0), ..model }, ..good },
        Hosting { model: Model { first_token_s: Some(-1.0), ..model }, ..good },
        Hosting { site: Site { pue: span(0.9, 1.2), ..site }, ..good },
        Hosting { coefficients: Coefficients { batch: 0.0, ..Coefficients::default() }, ..good },
        Hosting { coefficients: Coefficients { server_power_kw: f64::NAN, ..Coefficients::default() }, ..good },
    ] {
        assert!(wrong.impacts(&WORLD, 10, None).is_err(), "{wrong:?}");
    }
    assert!(good.impacts(&Mix { gwp_kg: f64::NAN, ..WORLD }, 10, None).is_err());
    assert!(good.impacts(&WORLD, 10, Some(-1.0)).is_err());
}
