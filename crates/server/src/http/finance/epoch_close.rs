//! `POST /lab3/financial/epoch/close`: pays the epoch's rewards and opens the next.

use lab3_engine::{Command, Fact};
use lab3_finance::{Balanced, CloseEpoch, Closing, Fact as Finance, Sheet};
use lab3_units::{Code, Time};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::body::{Sent, submission};
use crate::http::doc::Doc;
use crate::http::finance::names::Names;
use crate::http::finance::statement::transactions_of;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::problem::unexpected;
use crate::http::reply::{Answer, Mic, Shown, done, hexadecimal};
use crate::json::{TransactionId, Whole, request};

request! {
    /// A request to close the current epoch. The body may be left out.
    #[example({ "epoch": 1 })]
    pub(crate) struct EpochCloseRequest {
        /// The epoch the caller believes is current; whichever is, when left out.
        pub epoch: Option<Whole<0, 4_294_967_295>>,
    }
}

/// An epoch that was closed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EpochCloseReply<'a> {
    /// The epoch that ended.
    #[schema(example = 1)]
    closed_epoch: u32,
    /// The epoch that began.
    #[schema(example = 2)]
    current_epoch: u32,
    /// What was minted for it.
    #[schema(value_type = f64, example = 1000.0)]
    total_reward_gic: Mic,
    /// Who received what.
    rewards: Vec<Reward<'a>>,
    /// All the MIC there is now.
    #[schema(value_type = f64, example = 51000.0)]
    total_gic_supply: Mic,
    /// How many accounts there are, each of which can prove what it has now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 12)]
    accounts: Option<u32>,
    /// Root of the Merkle tree over what every account has now, in hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "5f1d3c0a9b7e4f62a8d01c35e7b9426f0d8c7a6b5e4f3d2c1b0a99887766554f")]
    balances_root: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2025-10-31T14:30:00Z")]
    timestamp: Shown<Time>,
    /// The journal record this stands in.
    sequence: u64,
}

/// One recipient's part of an epoch's reward.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reward<'a> {
    /// The transaction's id.
    #[schema(value_type = String, example = "tx_06f2x1w0v7r9h3kz8q5d4c2bgm")]
    tx_id: TransactionId,
    /// Who: a DID, `hive:pool` or `hive:reserve`.
    #[schema(example = "hive:pool")]
    recipient: &'a str,
    /// How much.
    #[schema(value_type = f64, example = 1000.0)]
    amount_gic: Mic,
}

impl Touching for EpochCloseRequest {
    fn touches(&self) -> Touches<'_> {
        Touches::Hive
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("finance", "epoch_close", "Pay the epoch's rewards and open the next")
        .about("For the operator and the treasurers; on an open Hive, for whoever is on its machine.")
        .reads::<EpochCloseRequest>()
        .answers::<EpochCloseReply>("The epoch that was closed")
        .refuses(&[Code::EPOCH_NOT_CURRENT, Code::BOOKS_LIMIT])
}

pub(crate) async fn epoch_close(app: App, permit: Permit<Sent<EpochCloseRequest>>) -> Answer {
    let (actor, Sent { body, key }) = permit.open();
    let epoch = body.epoch.map(|epoch| u32::try_from(epoch.0).unwrap_or(u32::MAX));
    let committed = app.engine().submit(submission(key, actor, Command::CloseEpoch(CloseEpoch { epoch }))).await?;
    let stored = &committed.stored;
    let Some((Closing { closed, opened, reward, supply }, sheet)) = closing(&stored.record.fact) else {
        return Err(unexpected(&committed).into());
    };
    let names = Names::ask(app.engine(), transactions_of(stored).map(|paid| paid.to)).await?;
    let rewards = transactions_of(stored).map(|paid| Reward { tx_id: paid.id, recipient: names.of(paid.to), amount_gic: Mic(paid.amount) });
    let reply = EpochCloseReply {
        closed_epoch: closed,
        current_epoch: opened,
        total_reward_gic: Mic(reward),
        rewards: rewards.collect(),
        total_gic_supply: Mic(supply),
        accounts: sheet.map(|sheet| sheet.accounts),
        balances_root: sheet.map(|sheet| hexadecimal(&sheet.root)),
        timestamp: Shown(stored.record.at),
        sequence: stored.sequence,
    };
    Ok(done(&app, &reply, &committed))
}

/// The end of the epoch, and the balances summed up at it; old records have none.
fn closing(fact: &Fact) -> Option<(Closing, Option<&Sheet>)> {
    match fact {
        Fact::Finance(Finance::EpochBalanced(balanced)) => {
            let Balanced { closing, sheet } = &**balanced;
            Some((*closing, Some(sheet)))
        }
        Fact::Finance(Finance::EpochClosed(closing)) => Some((*closing, None)),
        _ => None,
    }
}
