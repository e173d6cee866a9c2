//! Figures of the journal's witnesses: what each has seen, when, and whether it cosigns.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::signed;
use crate::witnesses::Standing;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Named {
    /// The witness's name.
    witness: String,
}

/// The figures of witnesses; set when somebody looks.
#[derive(Debug, Default)]
pub(super) struct WitnessFigures {
    records: Family<Named, Gauge>,
    seen: Family<Named, Gauge>,
    cosigns: Family<Named, Gauge>,
    refuses: Family<Named, Gauge>,
}

impl WitnessFigures {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let new = Self::default();
        registry.register("witness_records", "Records of the journal the witness has seen", new.records.clone());
        let about = "When the witness saw them, by its clock, since 1970";
        registry.register_with_unit("witness_seen_timestamp", about, Unit::Seconds, new.seen.clone());
        registry.register("witness_cosigns", "Whether it cosigned when it was asked last (1) or not (0)", new.cosigns.clone());
        registry.register("witness_refuses", "Whether it says that it saw another past (1) or not (0)", new.refuses.clone());
        new
    }

    pub(super) fn set(&self, standings: &[Standing]) {
        for standing in standings {
            let named = Named { witness: standing.name().to_owned() };
            self.records.get_or_create(&named).set(signed(standing.records.unwrap_or(0)));
            self.seen.get_or_create(&named).set(signed(standing.seen_at.unwrap_or(0)));
            self.cosigns.get_or_create(&named).set(i64::from(standing.trouble.is_none() && standing.seen_at.is_some()));
            self.refuses.get_or_create(&named).set(i64::from(standing.refused));
        }
    }
}
