//! `GET /lab3/financial/balance/{citizen_did}`: what a citizen has, now or after a past record.

use lab3_finance::BalanceStatus;
use lab3_ledger::Purpose;
use lab3_units::{Amount, Asset, Code, Did, Owner, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::{NamedAsked, parameters};
use crate::http::permit::Permit;
use crate::http::reply::{Answer, Mic, reply};
use crate::json::{Sequence, Whole};

parameters! {
    /// When.
    pub(crate) struct BalanceQuery {
        /// A journal record: asks for the balance right after it. The latest when left out.
        pub at: Option<Sequence>,
    }
}

/// What a citizen has.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BalanceReply<'a> {
    /// The citizen.
    #[schema(example = "did:kaizen:alice")]
    citizen_did: &'a str,
    /// What the wallet has.
    #[schema(value_type = f64, example = 50.0)]
    balance_gic: Mic,
    /// How much of it is held.
    #[schema(value_type = f64, example = 0.0)]
    held_gic: Mic,
    /// What is not held.
    #[schema(value_type = f64, example = 50.0)]
    available_gic: Mic,
    /// The journal record after which this is so.
    sequence: u64,
}

pub(crate) fn doc() -> Doc {
    Doc::new("finance", "balance", "What a citizen has, now or after a past record")
        .about("A DID the Hive has not met has nothing.")
        .names::<Did>("citizen_did", "The citizen.", Code::DID_MALFORMED)
        .asks::<BalanceQuery>(&[])
        .asks_engine()
        .answers::<BalanceReply>("The balance")
}

pub(crate) async fn balance(app: App, permit: Permit<NamedAsked<Did, BalanceQuery>>) -> Answer {
    let (_, NamedAsked(citizen, query)) = permit.open();
    let (status, sequence) = match query.at {
        None => now(&app, citizen.clone()).await?,
        Some(Whole(at)) => (after(&app, &citizen, at).await?, at),
    };
    Ok(reply(&BalanceReply {
        citizen_did: citizen.as_str(),
        balance_gic: Mic(status.balance),
        held_gic: Mic(status.held),
        available_gic: Mic(status.available),
        sequence,
    }))
}

async fn now(app: &App, citizen: Did) -> Result<(BalanceStatus, u64), Problem> {
    app.engine().read(move |desk| (lab3_finance::balance(&desk.finance(), &citizen), desk.state.sequence)).await
}

async fn after(app: &App, citizen: &Did, at: u64) -> Result<BalanceStatus, Problem> {
    let owner = Owner::from(citizen);
    let look =
        move |desk: &lab3_engine::Desk<'_>| (desk.state.ledger.find(owner.as_str(), Asset::MIC, Purpose::Wallet), desk.state.sequence);
    let (wallet, last) = app.engine().read(move |desk| look(desk)).await?;
    if at > last {
        return Err(Problem::new(Code::PARAMETER, format!("The journal ends at record {last}; this is later.")).in_field("at"));
    }
    let Some(wallet) = wallet else { return Ok(BalanceStatus::default()) };
    let (balance, held) = app.engine().standing_at(wallet, at).await?;
    let available = balance.checked_sub(held).unwrap_or_default();
    Ok(BalanceStatus { balance: Amount::new(balance), held: Amount::new(held), available: Amount::new(available) })
}
