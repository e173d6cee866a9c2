//! `GET /lab3/financial/pool`: what the PublicGoodsPool holds, and where the epoch stands.

use lab3_finance::PoolStatus;
use lab3_units::{FeeRate, Time};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::Plain;
use crate::http::permit::Permit;
use crate::http::reply::{Answer, Mic, Number, Shown, reply};

/// What the PublicGoodsPool holds, and where the epoch stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PoolReply {
    /// What the pool holds.
    #[schema(value_type = f64, example = 50000.0)]
    pool_balance_gic: Mic,
    /// All the MIC there is.
    #[schema(value_type = f64, example = 50000.0)]
    total_gic_supply: Mic,
    /// The current epoch.
    #[schema(example = 1)]
    current_epoch: u32,
    /// How long an epoch is meant to be.
    #[schema(example = 90)]
    epoch_length_days: u16,
    /// When the current epoch began.
    #[schema(value_type = String, format = DateTime, example = "2025-10-31T14:30:00Z")]
    epoch_started_at: Shown<Time>,
    /// When it is due to end; it ends when the operator closes it.
    #[schema(value_type = String, format = DateTime, example = "2026-01-29T14:30:00Z")]
    epoch_ends_at: Shown<Time>,
    /// The fee on a transfer, in percent of its amount.
    #[schema(value_type = f64, example = 0.001)]
    fee_percent: Percent,
    /// Who may give grants: `open` (whoever reaches the desk) or `governed` (only with an approval).
    #[schema(example = "open")]
    grants: &'static str,
    /// The last journal record looked at.
    sequence: u64,
}

/// A fee in percent.
#[derive(Debug)]
struct Percent(FeeRate);

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Number(self.0.percent()).serialize(serializer)
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("finance", "pool", "What the PublicGoodsPool holds, and where the epoch stands")
        .asks_engine()
        .answers::<PoolReply>("The pool and the epoch as they are now")
}

pub(crate) async fn pool(app: App, _: Permit<Plain>) -> Answer {
    let look = |desk: &lab3_engine::Desk<'_>| (lab3_finance::pool(&desk.finance()), desk.state.sequence);
    let (status, sequence) = app.engine().read(move |desk| look(desk)).await?;
    let PoolStatus { balance, supply, epoch, epoch_days, started, ends, fee, grants } = status;
    Ok(reply(&PoolReply {
        pool_balance_gic: Mic(balance),
        total_gic_supply: Mic(supply),
        current_epoch: epoch,
        epoch_length_days: epoch_days,
        epoch_started_at: Shown(started),
        epoch_ends_at: Shown(ends),
        fee_percent: Percent(fee),
        grants: grants.as_str(),
        sequence,
    }))
}
