//! A sharing that its payer signed, as the writer takes it.

use lab3_energy::{Among, ShareExports};
use lab3_engine::{Command, Energy};
use lab3_trust::{Principal, SignedEarned, SignedMembers, SignedShare};
use lab3_units::{Code, Id, Problem};

use super::count;
use super::earned::Earned;
use crate::App;

/// The command that was signed; what is to be counted is counted for who brings it, who has to be allowed to know.
pub(crate) async fn willed(app: &App, principal: &Principal, id: Id, share: SignedShare) -> Command {
    match command(app, principal, id, share).await {
        Ok(share) => Command::Energy(Energy::ShareExports(Box::new(share))),
        // What was shared already stands in the journal, also when readings are gone since.
        Err(problem) => Command::Refused(problem),
    }
}

async fn command(app: &App, principal: &Principal, id: Id, share: SignedShare) -> Result<ShareExports, Problem> {
    let SignedShare { from: payer, device, begin: from, end: to, earned, among } = share;
    let (amount, exported_mwh, measured) = match earned {
        SignedEarned::Said { amount, exported_mwh } => (amount, exported_mwh, false),
        SignedEarned::Counted { .. } => {
            // No price is signed, so there has to be one alone.
            let Earned { amount, exported_mwh } = count(app, principal, &device, (from, to), None, None).await.map_err(in_intent)?;
            (amount, Some(exported_mwh), true)
        }
    };
    let among = match among {
        SignedMembers::Equal(members) => Among::Equal(members.into_iter().collect()),
        SignedMembers::Weights(members) => Among::Weights(members.into_iter().collect()),
        SignedMembers::Generation => Among::Generation(Vec::new()),
    };
    Ok(ShareExports { id, payer, device, from, to, amount, exported_mwh, measured, among })
}

/// The problem, told of the field there is.
fn in_intent(problem: Problem) -> Problem {
    let several = problem.field.as_deref().is_some_and(|field| field.starts_with("price_")) && problem.code() == Code::FIELD_RANGE;
    if several {
        let detail = "An intent names no price, and there are several price_export: sign the amount (amount-ks) instead of counting it.";
        return Problem::new(Code::FIELD_RANGE, detail).in_field("intent");
    }
    problem.in_field("intent")
}
