//! `GET /lab3/hive`: whose journal this is, and whether somebody has to be named here.

use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::Plain;
use crate::http::permit::Permit;
use crate::http::reply::{Answer, Mic, Shown, reply};

/// What whoever signs something for this Hive has to know of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HiveReply {
    /// The Hive's name, as intents spell it; `null` before the journal is inscribed.
    #[schema(required, example = "riverside")]
    hive: Option<String>,
    /// The journal's id.
    #[schema(required, example = "jn_06f2x1w0v7r9h3kz8q5d4c2bgm")]
    journal: Option<String>,
    /// The key its checkpoints are checked with.
    #[schema(required, example = "riverside/jn_06f2x1w0v7r9h3kz8q5d4c2bgm+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")]
    log_key: Option<String>,
    /// Whether nobody has to be named yet.
    open: bool,
    /// When it was closed.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    closed_at: Option<Shown<lab3_units::Time>>,
    /// The most a member without a key to sign with pays unsigned.
    #[schema(value_type = f64, example = 1.0)]
    unsigned_max_gic: Mic,
    /// Treasurers, if there are any, and how many of them have to sign.
    treasurers: Vec<String>,
    /// How many of them have to sign.
    treasurers_needed: u8,
}

pub(crate) fn doc() -> Doc {
    Doc::new("trust", "hive", "Whose journal this is, and whether somebody has to be named here").plain().answers::<HiveReply>("The Hive")
}

pub(crate) async fn hive(app: App, _: Permit<Plain>) -> Answer {
    let trust = app.engine().trust();
    let inscription = trust.inscription();
    let treasurers = trust.treasurers();
    Ok(reply(&HiveReply {
        hive: inscription.map(|inscription| inscription.hive.as_str().to_owned()),
        journal: inscription.map(|inscription| inscription.journal.text("jn").to_string()),
        log_key: app.checkpoints().ok().map(|checkpoints| checkpoints.key().to_string()),
        open: trust.is_open(),
        closed_at: trust.closed().map(Shown),
        unsigned_max_gic: Mic(app.engine().policy().unsigned_max),
        treasurers: treasurers.map(|treasurers| treasurers.iter().map(ToString::to_string).collect()).unwrap_or_default(),
        treasurers_needed: treasurers.map_or(0, lab3_trust::Treasurers::needed),
    }))
}
