//! Ruin and recreate: a few tasks that meet in a slot are taken out and placed again in another order, by costs with more or less of the prices
//! on top. What is not worse is kept.

use super::Effort;
use super::insert::{Guide, Insertion, Place};

/// Tasks taken out at once, at most.
const OUT_MAX: usize = 12;

/// Parts of the prices that guide the placing: none makes each task greedy, all makes it yield.
const PARTS: [f64; 3] = [0.0, 0.5, 1.0];

/// Tears down and builds again until the packing is within the gap of the bound, or the effort is spent.
pub(super) fn improve(packing: &mut Insertion<'_>, costs: &[Vec<f64>], prices: &[f64], bound: f64, effort: Effort) {
    let guides = PARTS.map(|part| Guide::new(costs, prices, part));
    let crowds = Guide::crowds(packing.tasks, costs.len(), packing.capacity);
    let slots = packing.room.len();
    if slots == 0 || packing.tasks.is_empty() {
        return;
    }
    // The sequence is always the same: so is the result.
    let mut sequence = Sequence(0x9e37_79b9_7f4a_7c15);
    let (mut value, mut lost) = (packing.value(), packing.lost());
    for _ in 0..effort.ruins * packing.tasks.len() {
        if value - bound <= effort.gap * value.abs() {
            return;
        }
        let out = chosen(packing, lost, &mut sequence);
        let kept: Vec<(usize, Place)> = out.iter().map(|number| (*number, packing.take(*number))).collect();
        let before: f64 = kept.iter().map(|(number, place)| price_of(packing, *number, place)).sum();
        // While there is no room for all, room comes before cost.
        let by = if lost > 0 && sequence.below(2) == 0 { PARTS.len() } else { sequence.below(PARTS.len() + 1) };
        // Crowds lead elsewhere than costs do: where costs alone go round in circles, that is a way out.
        let guide = guides.get(by).unwrap_or(&crowds);
        for number in &out {
            if let Some((_, uses)) = guide.place(&packing.tasks[*number], Some(&packing.room)) {
                packing.put(*number, uses);
            }
        }
        let after: f64 = out.iter().map(|number| price_of(packing, *number, &packing.places[*number])).sum();
        if after <= before {
            value += after - before;
            let left = out.iter().filter(|number| packing.places[**number].is_none()).count();
            lost = lost + left - kept.iter().filter(|(_, place)| place.is_none()).count();
        } else {
            packing.restore(kept);
        }
    }
}

/// What a task costs where it is, or for not being placed.
fn price_of(packing: &Insertion<'_>, number: usize, place: &Place) -> f64 {
    place.as_ref().map_or(packing.lost[number], |(cost, _)| *cost)
}

/// Some of the tasks that could use a slot, in an order drawn anew. While a task has no place, it is every other time the first of those around it.
fn chosen(packing: &Insertion<'_>, lost: usize, sequence: &mut Sequence) -> Vec<usize> {
    let count = packing.tasks.len();
    let first = sequence.below(count);
    let numbers = || (first..count).chain(0..first);
    let lost = if lost > 0 && sequence.below(2) == 0 { numbers().find(|number| packing.places[*number].is_none()) } else { None };
    let slot = match lost.map(|number| &packing.tasks[number].window) {
        Some(window) => window.start + sequence.below(window.len().max(1)),
        None => sequence.below(packing.room.len()),
    };
    let most = 2 + sequence.below(OUT_MAX - 1);
    let mut out: Vec<usize> =
        numbers().filter(|number| Some(*number) != lost && packing.tasks[*number].window.contains(&slot)).take(most).collect();
    for at in (1..out.len()).rev() {
        out.swap(at, sequence.below(at + 1));
    }
    lost.into_iter().chain(out).collect()
}

/// A fixed sequence of numbers that look drawn (a linear congruence, its high half).
struct Sequence(u64);

impl Sequence {
    /// The next one below a bound that is not zero.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound
    }
}
