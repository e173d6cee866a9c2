//! Writes, and what became of them.

use serde_json::{Value, json};

use crate::amount::mic;

/// New money.
pub const MINT: &str = "/lab3/financial/mint";
/// From one citizen to another.
pub const TRANSFER: &str = "/lab3/financial/transfer";
/// Many transfers at once.
pub const TRANSFERS: &str = "/lab3/financial/transfers";
/// From the pool to a project.
pub const GRANT: &str = "/lab3/financial/grant";
/// From a citizen to the pool.
pub const CONTRIBUTE: &str = "/lab3/financial/contribute";
/// A hold on the allowance.
pub const ALLOCATE: &str = "/lab3/compute/allocate";
/// What a query really cost.
pub const REPORT: &str = "/lab3/compute/report_usage";

/// A request to change something, with the key that makes asking twice harmless.
#[derive(Clone, Debug)]
pub struct Write {
    /// The `Idempotency-Key`.
    pub key: String,
    /// Where it goes.
    pub path: String,
    /// What it asks.
    pub body: Value,
}

/// A write the desk has answered for good: done, or refused by a rule.
#[derive(Clone, Debug)]
pub struct Done {
    /// What was asked.
    pub write: Write,
    /// 200, or 402, 409, 422.
    pub status: u16,
    /// The reply.
    pub reply: Value,
}

impl Write {
    /// A write to that path.
    pub fn new(key: String, path: &str, body: Value) -> Self {
        Self { key, path: path.to_owned(), body }
    }
}

/// The body of a transfer; the reason is the key, so that it is found again in the journal.
pub fn transfer(from: &str, to: &str, ks: i64, reason: &str) -> Value {
    json!({ "from_did": from, "to_did": to, "amount": mic(ks), "reason": reason })
}

/// The release of an allocation.
pub fn release(allocation: &str) -> String {
    format!("/lab3/compute/allocations/{allocation}/release")
}
