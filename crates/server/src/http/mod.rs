//! The API's table of contents: one line a route.

mod body;
mod compute;
mod desk;
mod doc;
mod energy;
mod finance;
pub(crate) mod gateway;
mod gather;
mod guard;
mod key;
mod log;
mod parameters;
mod permit;
mod principal;
mod problem;
mod reply;
pub(crate) mod signed;
mod table;
mod trust;
#[cfg(lab3_unchecked)]
mod unchecked;
mod witness;

use lab3_trust::{CREATE_KEY, DELEGATE, ERASE, FREEZE, GOVERN, Kind, MANAGE_KEY, NOTE, Owned, READ_RECORDS, Rule, SEAL, Scope, THAW};

pub(crate) use key::fresh_id;
pub use table::Row;
use table::Table;
pub use trust::resolve::{Documents, Fetching};

use crate::metrics::Metrics;

/// Whoever is somebody.
const ANYBODY: &[Kind] = &Kind::ALL;

/// Who may see what is a citizen's: she, services that act for her, and who looks after or checks the Hive.
const READERS: &[Kind] = &[Kind::Citizen, Kind::Service, Kind::Auditor, Kind::Operator];

/// Who spends a citizen's allowance: she, and services that act for her.
const USERS: &[Kind] = &[Kind::Citizen, Kind::Service];

/// Who may see keys: whose they are, and who looks after or checks the Hive.
const KEEPERS: &[Kind] = &[Kind::Citizen, Kind::Treasurer, Kind::Auditor, Kind::Operator];

/// Who looks after the energy desk.
const TENDERS: &[Kind] = &[Kind::Operator, Kind::Steward];

/// Who gives signals.
const TEND_ENERGY: Rule = Rule::new(TENDERS, Scope::Module, Owned::Module);

/// Who appends readings: each meter its own, and who looks after the energy desk.
const READ_METERS: Rule = Rule::new(&[Kind::Meter], Scope::Meter, Owned::Meter).or(TENDERS, Scope::Module);

/// Who sees what meters read: it tells when somebody is at home.
const WATCH_METERS: Rule = Rule::new(&[Kind::Operator, Kind::Steward, Kind::Auditor], Scope::Read, Owned::Nobody);

/// Every route there is: its path, what it asks of whoever comes, who answers, what is told about it.
#[rustfmt::skip]
pub(crate) fn table(metrics: &Metrics) -> Table<'_> {
    use compute::{allocate, allocation, allocations, providers, quota, release, report_usage, stats};
    use desk::{error, errors, health, journal, openapi, scrape};
    use energy::{book, bookings, certificate, certificates, close_hour, day, dispatch, exports, job_end, jobs, responses, signal, signals, signals_push, standing, telemetry, telemetry_append};
    use finance::{balance, balance_proof, contribute, epoch_close, erase, grant, mint, pool, transaction, transactions, transfer, transfers};
    use log::tile;
    use witness::add_checkpoint::{self, add_checkpoint};
    use trust::{delegate, dids, freeze, hive, intent, key_create, key_revoke, key_rotate, keys, policy, resolve, seal, treasurers};
    let public = Rule::PUBLIC;
    let shared = |scope| Rule::new(ANYBODY, scope, Owned::Nobody);
    let of_citizen = |kinds, scope| Rule::new(kinds, scope, Owned::Citizen);
    let of_opener = |kinds, scope| Rule::new(kinds, scope, Owned::Opened);
    let of_hive = |kinds, scope| Rule::new(kinds, scope, Owned::Hive);
    let pays = of_citizen(USERS, Scope::Compute);
    let treasury = &[Kind::Operator, Kind::Treasurer];
    Table::new(metrics)
        .post("/lab3/compute/allocate", of_citizen(USERS, Scope::Compute), allocate::allocate, allocate::doc())
        .post("/lab3/compute/report_usage", of_opener(USERS, Scope::Compute), report_usage::report_usage, report_usage::doc())
        .get("/lab3/compute/allocations", of_citizen(READERS, Scope::Read), allocations::allocations, allocations::doc())
        .get("/lab3/compute/allocations/{allocation_id}", of_opener(READERS, Scope::Read), allocation::allocation, allocation::doc())
        .post("/lab3/compute/allocations/{allocation_id}/release", of_opener(USERS, Scope::Compute), release::release, release::doc())
        .get("/lab3/compute/quota/{citizen_did}", of_citizen(READERS, Scope::Read), quota::quota, quota::doc())
        .get("/lab3/compute/stats", shared(Scope::Read), stats::stats, stats::doc())
        .get("/lab3/compute/providers", shared(Scope::Read), providers::providers, providers::doc())
        .post("/lab3/energy/jobs", shared(Scope::Read), jobs::jobs, jobs::doc())
        .post("/lab3/energy/dispatch", shared(Scope::Read), dispatch::dispatch, dispatch::doc())
        .post("/lab3/energy/bookings", of_citizen(USERS, Scope::Compute), book::book, book::doc())
        .get("/lab3/energy/bookings", of_citizen(READERS, Scope::Read), bookings::bookings, bookings::doc())
        .post("/lab3/energy/bookings/{job_id}/settle", of_citizen(USERS, Scope::Compute), job_end::settle, job_end::settle_doc())
        .post("/lab3/energy/bookings/{job_id}/release", of_citizen(USERS, Scope::Compute), job_end::release, job_end::release_doc())
        .post("/lab3/energy/hours", TEND_ENERGY, close_hour::close_hour, close_hour::doc())
        .post("/lab3/energy/certificates", TEND_ENERGY, certificates::issue, certificates::issue_doc())
        .get("/lab3/energy/certificates", of_citizen(READERS, Scope::Read), certificates::certificates, certificates::doc())
        .post("/lab3/energy/certificates/{certificate_id}/split", of_citizen(&[Kind::Citizen], Scope::Money), certificate::split, certificate::split_doc())
        .post("/lab3/energy/certificates/{certificate_id}/hand", of_citizen(&[Kind::Citizen], Scope::Money), certificate::hand, certificate::hand_doc())
        .post("/lab3/energy/certificates/{certificate_id}/claim", of_citizen(&[Kind::Citizen], Scope::Money), certificate::claim, certificate::claim_doc())
        .get("/lab3/energy/site", shared(Scope::Read), standing::standing, standing::doc())
        .get("/lab3/energy/day", shared(Scope::Read), day::day, day::doc())
        .post("/lab3/energy/responses", TEND_ENERGY, responses::respond, responses::respond_doc())
        .get("/lab3/energy/responses", shared(Scope::Read), responses::responses, responses::doc())
        .post("/lab3/energy/exports/share", of_citizen(&[Kind::Citizen], Scope::Money), exports::share, exports::share_doc())
        .get("/lab3/energy/exports", of_citizen(READERS, Scope::Read), exports::exports, exports::doc())
        .post("/lab3/energy/signals", TEND_ENERGY, signals_push::push, signals_push::doc())
        .get("/lab3/energy/signals", shared(Scope::Read), signals::signals, signals::doc())
        .get("/lab3/energy/signals/{kind}", shared(Scope::Read), signal::signal, signal::doc())
        .post("/lab3/energy/telemetry", READ_METERS, telemetry_append::append, telemetry_append::doc())
        .get("/lab3/energy/telemetry", WATCH_METERS, telemetry::telemetry, telemetry::doc())
        .post("/lab3/financial/transfer", of_citizen(&[Kind::Citizen], Scope::Money), transfer::transfer, transfer::doc())
        .post("/lab3/financial/transfers", of_citizen(&[Kind::Citizen], Scope::Money), transfers::transfers, transfers::doc())
        .post("/lab3/financial/grant", of_hive(treasury, Scope::Grants), grant::grant, grant::doc())
        .post("/lab3/financial/contribute", of_citizen(&[Kind::Citizen], Scope::Money), contribute::contribute, contribute::doc())
        .post("/lab3/financial/mint", of_hive(treasury, Scope::Mint), mint::mint, mint::doc())
        .post("/lab3/financial/epoch/close", of_hive(treasury, Scope::Epoch), epoch_close::epoch_close, epoch_close::doc())
        .get("/lab3/financial/balance/{citizen_did}", of_citizen(READERS, Scope::Read), balance::balance, balance::doc())
        .get("/lab3/financial/balance/{citizen_did}/proof", of_citizen(READERS, Scope::Read), balance_proof::balance_proof, balance_proof::doc())
        .get("/lab3/financial/pool", shared(Scope::Read), pool::pool, pool::doc())
        .get("/lab3/financial/transactions", of_citizen(READERS, Scope::Read), transactions::transactions, transactions::doc())
        .get("/lab3/financial/transactions/{tx_id}", of_citizen(READERS, Scope::Read), transaction::transaction, transaction::doc())
        .post("/lab3/financial/transactions/{tx_id}/erase", ERASE, erase::erase, erase::doc())
        .post("/lab3/keys", CREATE_KEY, key_create::key_create, key_create::doc())
        .get("/lab3/keys", of_citizen(KEEPERS, Scope::Read), keys::keys, keys::doc())
        .post("/lab3/keys/{number}/revoke", MANAGE_KEY, key_revoke::key_revoke, key_revoke::doc())
        .post("/lab3/keys/{number}/rotate", MANAGE_KEY, key_rotate::key_rotate, key_rotate::doc())
        .post("/lab3/seal", SEAL, seal::seal, seal::doc())
        .post("/lab3/intents", public, intent::intent, intent::doc())
        .get("/lab3/dids/{did}", of_citizen(READERS, Scope::Read), dids::did, dids::doc())
        .post("/lab3/dids/{did}/resolve", NOTE, resolve::resolve, resolve::doc())
        .post("/lab3/members/delegate", DELEGATE, delegate::delegate, delegate::doc())
        .post("/lab3/members/freeze", FREEZE, freeze::freeze, freeze::freeze_doc())
        .post("/lab3/members/thaw", THAW, freeze::thaw, freeze::thaw_doc())
        .get("/lab3/treasurers", shared(Scope::Read), treasurers::treasurers, treasurers::doc())
        .post("/lab3/treasurers", GOVERN, treasurers::name, treasurers::name_doc())
        .get("/lab3/policy", shared(Scope::Read), policy::policy, policy::doc())
        .post("/lab3/policy", GOVERN, policy::set, policy::set_doc())
        .get("/lab3/hive", public, hive::hive, hive::doc())
        .get("/lab3/log/key", public, log::key::key, log::key::doc())
        .get("/lab3/log/checkpoint", public, log::checkpoint::checkpoint, log::checkpoint::doc())
        .get("/lab3/log/witnessed", public, log::witnessed::witnessed, log::witnessed::doc())
        .get("/lab3/log/tile/{*path}", public, tile::hashes, tile::doc())
        .get("/lab3/log/tile/data/{*path}", READ_RECORDS, tile::records, tile::data_doc())
        .get("/lab3/log/proof/{tx_id}", of_citizen(READERS, Scope::Read), log::proof::proof, log::proof::doc())
        .get("/lab3/witness/key", public, witness::key::key, witness::key::doc())
        .foreign("POST", &["/lab3/witness/add-checkpoint"], public, add_checkpoint::refused, add_checkpoint)
        .get("/lab3/health", public, health::health, health::doc())
        .get("/lab3/journal/head", shared(Scope::Journal), journal::head, journal::doc())
        .get("/lab3/errors", public, errors::errors, errors::doc())
        .get("/lab3/errors/{code}", public, error::error, error::doc())
        .get("/lab3/openapi.json", public, openapi::document, openapi::doc())
        .get("/metrics", shared(Scope::Metrics), scrape::scrape, scrape::doc())
        .foreign("POST", &["/v1/chat/completions", "/chat/completions"], pays, gateway::chat_refused, gateway::chat)
        .foreign("POST", &["/v1/responses", "/responses"], pays, gateway::responses_refused, gateway::responses)
        .foreign("POST", &["/v1/embeddings", "/embeddings"], pays, gateway::chat_refused, gateway::embed::embeddings)
        .foreign("GET", &["/v1/models", "/models"], shared(Scope::Compute), gateway::chat_refused, gateway::models)
        .foreign("POST", &["/v1/messages"], pays, gateway::messages_refused, gateway::messages)
        .foreign("POST", &["/v1/messages/count_tokens"], shared(Scope::Compute), gateway::messages_refused, gateway::count_tokens)
        .foreign("POST", &["/api/chat"], pays, gateway::ollama_refused, gateway::ollama_chat)
        .foreign("POST", &["/api/generate"], pays, gateway::generate_refused, gateway::ollama_generate)
        .foreign("GET", &["/api/tags"], shared(Scope::Compute), gateway::ollama_refused, gateway::tags)
        .foreign("GET", &["/api/ps"], shared(Scope::Compute), gateway::ollama_refused, gateway::running)
        .foreign("GET", &["/api/version"], shared(Scope::Compute), gateway::ollama_refused, gateway::version)
}
