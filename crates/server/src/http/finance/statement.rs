//! Transactions as the journal tells them: which transfers of MIC a record holds, and under which ids.

use std::borrow::Cow;

use lab3_energy::Fact as Energy;
use lab3_engine::{Fact, Stored};
use lab3_ledger::{AccountNo, Event, Kind};
use lab3_units::{Amount, Time};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::finance::names::Names;
use crate::http::reply::{Mic, Shown};
use crate::json::TransactionId;

/// One transfer of MIC in a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Movement<'a> {
    pub(crate) id: TransactionId,
    pub(crate) from: AccountNo,
    pub(crate) to: AccountNo,
    pub(crate) amount: Amount,
    pub(crate) kind: Kind,
    pub(crate) memo: &'a str,
    /// The time whose exports it is a share of.
    exports: Option<(Time, Time)>,
    at: Time,
    pub(crate) sequence: u64,
}

/// The transfers of MIC a record holds, in order.
///
/// A record's transfer has the record's id; each item of a linked batch has its own, which the record keeps as aliases, in
/// order. Whatever follows a transfer under the same id (its fee, further rewards of an epoch) has `_1`, `_2` ... behind it.
/// Finance moves MIC, and energy where exports are shared: the other transfers of these records are of allowance, energy and carbon.
pub(crate) fn transactions_of(stored: &Stored) -> impl Iterator<Item = Movement<'_>> {
    let record = &stored.record;
    let (entries, exports) = match &record.fact {
        Fact::Finance(_) => (&record.entries[..], None),
        Fact::Energy(Energy::ExportShared(shared)) => (&record.entries[..], Some((shared.from, shared.to))),
        _ => (&[][..], None),
    };
    let mut items = record.aliases.iter();
    let mut id = TransactionId { id: record.id, further: 0 };
    let mut first = true;
    entries.iter().filter_map(move |event| {
        let Event::Transferred { from, to, amount, kind, memo } = event else { return None };
        let begins = if *kind == Kind::Transfer { items.next() } else { None };
        match begins {
            Some(&item) => id = TransactionId { id: item, further: 0 },
            None if first => {}
            None => id.further += 1,
        }
        first = false;
        let (from, to, amount, kind) = (*from, *to, *amount, *kind);
        Some(Movement { id, from, to, amount, kind, memo, exports, at: record.at, sequence: stored.sequence })
    })
}

/// A transaction.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Transaction<'a> {
    /// Its id.
    #[schema(value_type = String, example = "tx_06f2x1w0v7r9h3kz8q5d4c2bgm")]
    tx_id: TransactionId,
    /// `transfer`, `grant`, `settlement`, `contribution`, `fee`, `mint`, `epoch_reward` or `export_share`.
    #[serde(rename = "type")]
    #[schema(example = "transfer")]
    type_: &'static str,
    /// Who paid; the Hive's own offices are `hive:pool`, `hive:issuance` and `hive:reserve`.
    #[schema(example = "did:kaizen:alice")]
    from_did: &'a str,
    /// Who received it.
    #[schema(example = "did:kaizen:bob")]
    to_did: &'a str,
    /// How much.
    #[schema(value_type = f64, example = 50.0)]
    amount_gic: Mic,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2025-10-31T14:30:00Z")]
    timestamp: Shown<Time>,
    /// What for.
    metadata: Metadata<'a>,
    /// The journal record it stands in.
    sequence: u64,
}

/// What a transaction was for; only what there is to say.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Metadata<'a> {
    /// The sender's words; of a share of exports, which time's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "API compute credits")]
    reason: Option<Cow<'a, str>>,
    /// The project a grant was given to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    project: Option<&'a str>,
    /// The transfer a fee was charged for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>)]
    fee_of: Option<TransactionId>,
}

impl<'a> Movement<'a> {
    /// The transaction, with its parties' names.
    pub(crate) fn told(self, names: &'a Names) -> Transaction<'a> {
        let words = Some(self.memo).filter(|memo| !memo.is_empty());
        let share = || self.exports.map(|(from, to)| format!("share of exports {from} to {to}").into());
        let metadata = match self.kind {
            Kind::Grant => Metadata { project: words, ..Metadata::default() },
            Kind::Fee => Metadata { fee_of: Some(TransactionId { further: 0, ..self.id }), ..Metadata::default() },
            Kind::ExportShare => Metadata { reason: share(), ..Metadata::default() },
            _ => Metadata { reason: words.map(Cow::Borrowed), ..Metadata::default() },
        };
        Transaction {
            tx_id: self.id,
            type_: self.kind.as_str(),
            from_did: names.of(self.from),
            to_did: names.of(self.to),
            amount_gic: Mic(self.amount),
            timestamp: Shown(self.at),
            metadata,
            sequence: self.sequence,
        }
    }
}
