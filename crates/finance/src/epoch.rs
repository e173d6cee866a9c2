//! Epochs: at the close of one its reward is minted and shared out, to the last KS, and the next begins.

use lab3_ledger::{AccountNo, Draft, Event, Kind};
use lab3_units::{Amount, Code, Problem};

use crate::accounts::{Office, supply, wallet};
use crate::transfer::pay;
use crate::{Balanced, Closing, Desk, Fact, Recipient, Share, Sheet};

/// A request to end the current epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CloseEpoch {
    /// The epoch the caller believes is current; `None` is whichever is.
    pub epoch: Option<u32>,
}

/// All of something in the parts a percentage is counted in: `FeeRate::of` this is the percentage itself.
const WHOLE: Amount = Amount::new(1_000_000_000);

/// Ends the current epoch, pays its reward and begins the next. The operator decides when; the length is a due date.
///
/// `sum_up` is asked for the sheet of all balances as they are after these events; it depends on what the journal said before, which no rule
/// here knows.
///
/// Errors: `EPOCH_NOT_CURRENT` (`epoch`); `BOOKS_LIMIT` when the supply would not fit 64 bits; those of `sum_up`.
pub fn close_epoch(
    desk: &Desk<'_>,
    command: &CloseEpoch,
    sum_up: impl FnOnce(u32, &[Event]) -> Result<Sheet, Problem>,
) -> Result<(Fact, Vec<Event>), Problem> {
    let closed = desk.state.epoch;
    if let Some(named) = command.epoch.filter(|&named| named != closed) {
        let detail = format!("Epoch {named} is not the current epoch, {closed} is. Somebody may have closed it already.");
        return Err(Problem::new(Code::EPOCH_NOT_CURRENT, detail).in_field("epoch"));
    }
    let mut draft = Draft::new(desk.ledger);
    let issuance = Office::Issuance.account(desk, &mut draft);
    let before = supply(draft.balance(issuance));
    let memo = format!("epoch {closed}");
    for (share, part) in desk.policy.epoch_shares.iter().zip(parts(desk.policy.epoch_reward, &desk.policy.epoch_shares)) {
        if part.is_positive() {
            let account = account_of(&share.recipient, desk, &mut draft);
            // No field of the request is to blame for the configured reward.
            pay(&mut draft, issuance, account, part, Kind::EpochReward, &memo)
                .map_err(|problem| Problem::new(problem.code(), problem.detail))?;
        }
    }
    let supply = supply(draft.balance(issuance));
    let reward = supply.checked_sub(before).unwrap_or(Amount::ZERO);
    let closing = Closing { closed, opened: closed.saturating_add(1), reward, supply };
    let events = draft.into_events();
    let sheet = sum_up(closed, &events)?;
    Ok((Fact::EpochBalanced(Box::new(Balanced { closing, sheet })), events))
}

fn account_of(recipient: &Recipient, desk: &Desk<'_>, draft: &mut Draft<'_>) -> AccountNo {
    match recipient {
        Recipient::Pool => Office::Pool.account(desk, draft),
        Recipient::Reserve => Office::Reserve.account(desk, draft),
        Recipient::Did(did) => wallet(draft, did),
    }
}

/// The reward in parts, one a share, that add up to it: by largest remainder (Hamilton's method). Each gets the whole KS
/// of its exact part; what is left goes out one KS each, largest fraction first, the earlier share on a tie.
fn parts(reward: Amount, shares: &[Share]) -> Vec<Amount> {
    let weights: Vec<i128> = shares.iter().map(|share| i128::from(share.percent.of(WHOLE).units())).collect();
    let whole: i128 = weights.iter().sum();
    if whole == 0 || !reward.is_positive() {
        return vec![Amount::ZERO; shares.len()];
    }
    let reward = i128::from(reward.units());
    let mut parts: Vec<i128> = weights.iter().map(|weight| reward * weight / whole).collect();
    let mut by_fraction: Vec<usize> = (0..parts.len()).collect();
    by_fraction.sort_by_key(|&at| std::cmp::Reverse(reward * weights[at] % whole));
    let left = reward - parts.iter().sum::<i128>();
    for (&at, _) in by_fraction.iter().zip(0..left) {
        parts[at] += 1;
    }
    // A part is at most the reward, which fits.
    parts.into_iter().map(|part| Amount::new(i64::try_from(part).unwrap_or(0))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Hive, blank_sheet, did, mic};
    use lab3_units::FeeRate;

    fn close(desk: &Desk<'_>, epoch: Option<u32>) -> Result<(Fact, Vec<Event>), Problem> {
        close_epoch(desk, &CloseEpoch { epoch }, |_, _| Ok(blank_sheet()))
    }

    fn share(recipient: &str, percent: &str) -> Share {
        let recipient = match recipient {
            "pool" => Recipient::Pool,
            "reserve" => Recipient::Reserve,
            text => Recipient::Did(did(text)),
        };
        Share { recipient, percent: FeeRate::from_percent(percent).unwrap() }
    }

    fn check_parts(reward: i64, percents: &[&str], expected: &[i64]) {
        let shares: Vec<Share> = percents.iter().map(|percent| share("pool", percent)).collect();
        let parts: Vec<i64> = parts(Amount::new(reward), &shares).into_iter().map(Amount::units).collect();
        assert_eq!(parts, expected, "{reward} by {percents:?}");
    }

    #[test]
    fn a_reward_is_shared_out_to_the_last_unit() {
        check_parts(1000, &["100"], &[1000]);
        check_parts(1000, &["60", "40"], &[600, 400]);
        check_parts(100, &["33.3333333", "33.3333333", "33.3333334"], &[33, 33, 34]);
        check_parts(1, &["50", "50"], &[1, 0]);
        check_parts(5, &["30", "30", "40"], &[2, 1, 2]);
        check_parts(10, &["0", "100"], &[0, 10]);
        check_parts(7, &["20", "20"], &[4, 3]);
        check_parts(0, &["100"], &[0]);
        check_parts(10, &[], &[]);
        check_parts(10, &["0"], &[0]);
        check_parts(i64::MAX, &["50", "50"], &[4_611_686_018_427_387_904, 4_611_686_018_427_387_903]);
    }

    #[test]
    fn closing_an_epoch_mints_its_reward_and_begins_the_next() {
        let mut hive = Hive::new();
        hive.policy.epoch_shares =
            vec![share("pool", "50"), share("reserve", "30"), share("did:kaizen:alice", "20"), share("did:kaizen:bob", "0")];
        hive.pass_days(91);
        let fact = hive.run(|desk| close(desk, Some(1))).unwrap();
        let expected = Closing { closed: 1, opened: 2, reward: mic("1000"), supply: mic("51000") };
        assert_eq!(fact.closing(), Some(expected));
        let owners = ["hive:pool", "hive:reserve", "did:kaizen:alice", "did:kaizen:bob"];
        assert_eq!(owners.map(|owner| hive.balance_of(owner)), ["50500", "300", "200", "0"].map(mic));
        assert_eq!((hive.state.epoch, hive.state.started), (2, hive.now));
        hive.verify();
        let again = hive.run(|desk| close(desk, Some(1))).unwrap_err();
        assert_eq!((again.code(), again.field.as_deref()), (Code::EPOCH_NOT_CURRENT, Some("epoch")));
        assert_eq!(again.detail, "Epoch 1 is not the current epoch, 2 is. Somebody may have closed it already.");
        hive.run(|desk| close(desk, None)).unwrap();
        assert_eq!(hive.state.epoch, 3);
    }

    #[test]
    fn zero_parts_make_no_entry() {
        let mut hive = Hive::new();
        hive.policy.epoch_reward = Amount::ZERO;
        let (fact, events) = close(&hive.desk(), None).unwrap();
        let expected = Closing { closed: 1, opened: 2, reward: Amount::ZERO, supply: mic("50000") };
        assert_eq!((fact.closing(), events.len()), (Some(expected), 0));
    }

    #[test]
    fn a_reward_beyond_the_books_is_refused_whole() {
        let mut hive = Hive::new();
        hive.policy.epoch_reward = Amount::MAX;
        let problem = hive.run(|desk| close(desk, None)).unwrap_err();
        assert_eq!((problem.code(), problem.field), (Code::BOOKS_LIMIT, None));
        assert_eq!(hive.state.epoch, 1);
    }
}
