//! What takes treasurers' signatures and came without: refused with the text they have to sign.

use lab3_trust::{Act, MemoHash, Statement};
use lab3_units::{Code, Duration, Problem};

use crate::App;
use crate::http::key::fresh_id;

/// How long the text is good for: k people have to be found.
const GOOD_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// The refusal, with the text that treasurers have to sign when it is for want of their signatures. `act` gets the hash of the memo, if
/// there is one.
pub(crate) fn with_text(app: &App, problem: Problem, memo: &str, act: impl FnOnce(Option<MemoHash>) -> Act) -> Problem {
    let trust = app.engine().trust();
    let (Code::INTENT_MISSING, Some(ours)) = (problem.code(), trust.inscription()) else { return problem };
    let mut salt = [0; 16];
    if getrandom::fill(&mut salt).is_err() {
        return problem;
    }
    let hash = (!memo.is_empty()).then(|| MemoHash::of(&salt, memo));
    let statement = Statement {
        hive: ours.hive.clone(),
        journal: ours.journal,
        id: fresh_id(),
        not_after: app.engine().now().after(GOOD_FOR),
        act: act(hash),
    };
    let words = if hash.is_some() {
        let salt = u128::from_be_bytes(salt);
        format!(", your words as memo, and {salt:032x} as memo_salt")
    } else {
        String::new()
    };
    let detail = format!(
        "{} Have them sign these lines as they are, each with lab3 wallet sign, and bring them with POST /lab3/intents (lab3 intent send): the \
         text, the signatures{words}.\n{}",
        problem.detail,
        statement.text()
    );
    Problem::new(Code::INTENT_MISSING, detail).in_field("intent")
}
