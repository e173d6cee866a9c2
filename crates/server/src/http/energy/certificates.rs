//! `POST /lab3/energy/certificates` and `GET`: what a device generated in an hour, certified; and whose certificates are which.

use std::sync::Arc;

use lab3_energy::Certify;
use lab3_energy::carbon::certificates::{Certificate, Issue, Source, State};
use lab3_engine::{Command, Energy as EnergyCommand};
use lab3_units::{Code, Did, Id, Owner, Problem, Time};
use serde::Serialize;
use utoipa::ToSchema;

use super::MODULE;
use super::certificate::{CertifiedReply, certify};
use crate::App;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::key::fresh_id;
use crate::http::parameters::{Asked, parameters};
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::{Answer, Shown, reply};
use crate::json::{CertificateId, Kwh as AskedKwh, Words, request};

/// Certificates on a page.
const LIMIT: usize = 1_000;

request! {
    /// What a device generated in an hour.
    #[example({ "device": "roof", "source": "solar", "hour": "2026-11-23T11:00:00Z", "generated_kwh": 3.482, "owner_did": "did:kaizen:alice" })]
    pub(crate) struct IssueRequest {
        /// The device.
        pub device: Words<1, 64>,
        /// What it turns into power: solar, wind, hydro, geothermal, biomass or nuclear.
        pub source: Words<1, 16>,
        /// When the hour began.
        pub hour: Time,
        /// What its meter says; whole Wh of it are certified.
        pub generated_kwh: AskedKwh,
        /// Whose the certificate is.
        pub owner_did: Did,
    }
}

parameters! {
    /// Whose certificates.
    pub(crate) struct CertificatesQuery {
        /// The owner. Required.
        pub citizen_did: Option<Did>,
    }
}

/// Certificates of an owner.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CertificatesReply {
    /// By their ids, at most a thousand; those that were split are left out.
    certificates: Vec<CertificateReply>,
}

/// A certificate.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CertificateReply {
    /// Its id.
    #[schema(value_type = String, example = "ce_06f2x1w0v7r9h3kz8q5d4c2bgm")]
    certificate_id: CertificateId,
    /// Whole Wh.
    energy_wh: i64,
    /// When the hour began it was generated in.
    #[schema(value_type = String, format = DateTime)]
    hour: Shown<Time>,
    /// The device.
    #[schema(value_type = String)]
    device: Arc<str>,
    /// What it turns into power.
    #[schema(value_type = String, example = "solar")]
    source: Source,
    /// Whether it has been claimed.
    claimed: bool,
}

impl Touching for IssueRequest {
    fn touches(&self) -> Touches<'_> {
        Touches::Module(MODULE)
    }
}

impl Touching for CertificatesQuery {
    fn touches(&self) -> Touches<'_> {
        self.citizen_did.as_ref().map_or(Touches::Everybodys, Touches::Citizen)
    }
}

pub(crate) fn issue_doc() -> Doc {
    Doc::new("energy", "issue_certificate", "Certify what a device generated in an hour")
        .about("Once for each device and hour, in whole Wh. Nothing of what comes out of a battery: what went in is certified already.")
        .reads::<IssueRequest>()
        .answers::<CertifiedReply>("It is certified")
        .refuses(&[Code::CERTIFICATE_USED, Code::HOUR_CLOSED, Code::BOOKS_LIMIT])
}

pub(crate) fn doc() -> Doc {
    Doc::new("energy", "certificates", "An owner's certificates")
        .asks::<CertificatesQuery>(&["citizen_did"])
        .asks_engine()
        .answers::<CertificatesReply>("The certificates")
        .refuses(&[Code::DID_MALFORMED])
}

pub(crate) async fn issue(app: App, permit: Permit<Sent<IssueRequest>>) -> Answer {
    let (actor, Sent { body, key }) = permit.open();
    let id = key.map_or_else(fresh_id, |key| key.id);
    let (device, owner) = (Arc::from(&*body.device.0), Owner::from(&body.owner_did));
    let issue = Issue { id, generated_mwh: body.generated_kwh.0, hour: body.hour, source: source(&body.source.0)?, device, owner };
    let command = Command::Energy(EnergyCommand::Certify(Box::new(Certify::Issue(issue))));
    certify(&app, actor, key, id, command).await
}

fn source(word: &str) -> Result<Source, Problem> {
    serde_json::from_value(word.into()).map_err(|_| {
        let detail = "One of solar, wind, hydro, geothermal, biomass, nuclear belongs here.";
        Problem::new(Code::FIELD_RANGE, detail).in_field("source")
    })
}

pub(crate) async fn certificates(app: App, permit: Permit<Asked<CertificatesQuery>>) -> Answer {
    let (_, Asked(query)) = permit.open();
    let missing = || Problem::new(Code::PARAMETER, "Say whose: citizen_did=did:kaizen:alice.").in_field("citizen_did");
    let owner = Owner::from(&query.citizen_did.ok_or_else(missing)?);
    let look = move |desk: &lab3_engine::Desk<'_>| -> Vec<(Id, Certificate)> {
        let all = desk.state.energy.register().iter();
        let hers = all.filter(|(_, certificate)| certificate.owner == owner && !matches!(certificate.state, State::Split(_)));
        hers.take(LIMIT).map(|(id, certificate)| (id, certificate.clone())).collect()
    };
    let found = app.engine().read(look).await?;
    Ok(reply(&CertificatesReply { certificates: found.into_iter().map(CertificateReply::new).collect() }))
}

impl CertificateReply {
    fn new((id, certificate): (Id, Certificate)) -> Self {
        Self {
            certificate_id: CertificateId(id),
            energy_wh: certificate.energy_wh.units(),
            hour: Shown(certificate.hour),
            device: certificate.device,
            source: certificate.source,
            claimed: matches!(certificate.state, State::Claimed(_)),
        }
    }
}
