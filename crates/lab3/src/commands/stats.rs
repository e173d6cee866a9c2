//! `lab3 stats`

use crate::Failure;
use crate::cli::StatsArgs;
use crate::client::{Client, Document, Path};
use crate::table::{list, pairs};

/// This month's totals and how the providers do.
pub fn run(client: &Client, args: &StatsArgs) -> Result<String, Failure> {
    let reply = client.get(&Path::new("/lab3/compute/stats"))?;
    Ok(super::shown(&reply, &args.desk, |stats| format!("{}\n\n{}", totals(stats), providers(stats)))?)
}

fn totals(stats: &Document) -> String {
    pairs(&[
        ("month", stats.text("period")),
        ("queries", stats.text("queries_this_month")),
        ("cost", stats.with_unit("total_cost_this_month", "MIC")),
        ("cost per query", stats.with_unit("avg_cost_per_query", "MIC")),
        ("active citizens", stats.text("active_citizens")),
        ("allocations ever", stats.text("total_allocations")),
        ("allocations open", stats.text("open_allocations")),
    ])
}

fn providers(stats: &Document) -> String {
    let header = ["provider", "circuit", "success", "p50 ms", "p95 ms", "queries", "cost MIC"];
    let fields = ["state", "success_rate", "latency_ms_p50", "latency_ms_p95", "queries", "cost_gic"];
    let providers = stats.object("providers");
    let rows = providers.iter().flat_map(Document::objects).map(|(name, provider)| {
        let values = fields.iter().map(|field| provider.text(field));
        std::iter::once(name.to_owned()).chain(values).collect()
    });
    list(&header, &[2, 3, 4, 5, 6], rows)
}
