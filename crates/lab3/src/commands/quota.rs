//! `lab3 quota DID`

use crate::Failure;
use crate::cli::QuotaArgs;
use crate::client::{Client, Path};
use crate::table::pairs;

/// What is left of this month's allowance.
pub fn run(client: &Client, args: &QuotaArgs) -> Result<String, Failure> {
    let reply = client.get(&Path::new("/lab3/compute/quota").part(args.did.as_str()))?;
    Ok(super::shown(&reply, &args.desk, |quota| {
        pairs(&[
            ("citizen", quota.text("citizen_did")),
            ("remaining", quota.with_unit("quota_remaining_gic", "MIC")),
            ("held", quota.with_unit("held_gic", "MIC")),
            ("used", quota.with_unit("used_gic", "MIC")),
            ("allowance", quota.with_unit("default_quota_gic", "MIC")),
            ("month", quota.text("period")),
            ("renewed", quota.text("resets_at")),
        ])
    })?)
}
