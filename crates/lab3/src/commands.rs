//! The commands. Each gives back what goes to stdout; talk goes to stderr.

pub mod allocate;
pub mod audit;
pub mod backup;
pub mod balance;
pub mod config;
pub mod demo;
pub mod did;
pub mod doctor;
pub mod energy;
pub mod erase;
pub mod grant;
pub mod history;
pub mod intent;
pub mod journal;
pub mod key;
pub mod policy;
pub mod quota;
pub mod seal;
pub mod serve;
pub mod stats;
pub mod transfer;
pub mod treasurers;
pub mod wallet;

use std::collections::BTreeMap;
use std::io::Write as _;

use lab3_units::{Amount, Asset};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::Failure;
use crate::cli::{
    BalanceArgs, Cli, Command, ConfigArgs, ConfigCommand, DeskArgs, DidCommand, JournalCommand, KeyCommand, PolicyCommand, ReceiptArgs,
    TreasurersCommand, WalletCommand,
};
use crate::client::{Client, ClientError, Document, Reply};
use crate::config::{ConfigFile, Flag, Layers, Resolved, resolve};
use key::Place;

/// The environment variables of the process, handed in so that tests have their own.
pub type Env = BTreeMap<String, String>;

/// Does what the command line asks.
pub fn dispatch(cli: &Cli, env: &Env) -> Result<(), Failure> {
    crate::table::fit_terminal();
    let desk = |desk: &DeskArgs| Client::of(desk, &|name| env.get(name).cloned());
    let data = match &cli.command {
        Command::Balance(args @ BalanceArgs { check: Some(file), .. }) => balance::check(file, args)?,
        Command::Balance(args) => balance::run(&desk(&args.desk)?, args)?,
        Command::Quota(args) => quota::run(&desk(&args.desk)?, args)?,
        Command::Transfer(args) => transfer::run(&desk(&args.desk)?, args)?,
        Command::Grant(args) => grant::run(&desk(&args.desk)?, args)?,
        Command::Allocate(args) => allocate::run(&desk(&args.desk)?, args)?,
        Command::Erase(args) => erase::run(&desk(&args.desk)?, args)?,
        Command::History(args) => history::run(&desk(&args.desk)?, args)?,
        Command::Stats(args) => stats::run(&desk(&args.desk)?, args)?,
        Command::Energy(command) => energy::run(&desk(energy::desk(command))?, command, env)?,
        Command::Key(command) => keys(command, env)?,
        Command::Seal(args) => seal::run(&Place::of(&args.place, env)?, args)?,
        Command::Wallet(WalletCommand::New(args)) => wallet::new(args, env)?,
        Command::Wallet(WalletCommand::Show(args)) => wallet::show(args, env)?,
        Command::Wallet(WalletCommand::Sign(args)) => wallet::sign(args, env)?,
        Command::Wallet(WalletCommand::Transfer(args)) => wallet::transfer(&desk(&args.desk)?, args, env)?,
        Command::Wallet(WalletCommand::Share(args)) => wallet::share(&desk(&args.desk)?, args, env)?,
        Command::Treasurers(TreasurersCommand::Show(args)) => treasurers::show(&desk(args)?, args)?,
        Command::Treasurers(TreasurersCommand::Name(args)) => treasurers::name(&desk(&args.desk)?, args)?,
        Command::Policy(PolicyCommand::Show(args)) => policy::show(&desk(args)?, args)?,
        Command::Policy(PolicyCommand::Set(args)) => policy::set(&desk(&args.desk)?, args)?,
        Command::Intent(command) => {
            let url = intent::url(command).map(str::to_owned);
            intent::run(&desk(&DeskArgs { url, json: false })?, command)?
        }
        Command::Did(DidCommand::Show(args)) => did::show(&desk(&args.desk)?, args)?,
        Command::Did(DidCommand::Resolve(args)) => did::resolve(&desk(&args.desk)?, args)?,
        Command::Audit(args) => audit::run(args, env)?,
        Command::Doctor(args) => return doctor::run(args, env),
        Command::Explain(args) => crate::explain::explain(&args.code)?,
        Command::Config(ConfigCommand::Show(args)) => config::show(args, env)?,
        Command::Config(ConfigCommand::Check(args)) => config::check(args, env)?,
        Command::Serve(args) => return serve::run(args, env),
        Command::Demo(args) => return demo::run(args, env),
        Command::Journal(JournalCommand::Verify(args)) => return journal::verify(args, env),
        Command::Journal(JournalCommand::Export(args)) => return journal::export(args, env),
        Command::Journal(JournalCommand::Tail(args)) => return journal::tail(args, env),
        Command::Journal(JournalCommand::Resume(args)) => journal::resume(args, env)?,
        Command::Backup(args) => return backup::backup(args, env),
        Command::Restore(args) => return backup::restore(args, env),
    };
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", data.trim_end())?;
    Ok(stdout.flush()?)
}

fn keys(command: &KeyCommand, env: &Env) -> Result<String, Failure> {
    match command {
        KeyCommand::Create(args) => key::create(&Place::of(&args.place, env)?, args).map(key::Made::told),
        KeyCommand::List(args) => key::list(&Place::of(&args.place, env)?, args),
        KeyCommand::Revoke(args) => key::revoke(&Place::of(&args.place, env)?, args),
        KeyCommand::Rotate(args) => key::rotate(&Place::of(&args.place, env)?, args).map(key::Made::told),
    }
}

/// The configuration of a command: its file, the environment, its flags.
pub fn configure(args: &ConfigArgs, flags: Vec<Flag>, env: &Env) -> Result<Resolved, Failure> {
    let path = args.config.clone().or_else(|| env.get("LAB3_CONFIG").filter(|path| !path.is_empty()).map(Into::into));
    let file = path.map(|path| ConfigFile::read(&path)).transpose()?;
    Ok(resolve(&Layers { file, env: env.clone(), flags })?)
}

/// The reply for programs, or what `table` makes of it for people.
fn shown(reply: &Reply, desk: &DeskArgs, table: impl FnOnce(&Document) -> String) -> Result<String, ClientError> {
    if reply.replayed {
        eprintln!("this key was used before: nothing was done again, here is the first reply once more");
    }
    if desk.json { Ok(reply.body.clone()) } else { Ok(table(&reply.document()?)) }
}

/// Keeps the receipt of a write where it was asked to be kept.
fn keep_receipt(reply: &Reply, args: &ReceiptArgs) -> Result<(), Failure> {
    let Some(file) = &args.file else { return Ok(()) };
    let Some(receipt) = &reply.receipt else {
        eprintln!("it was done, but the desk gave no receipt: its log is not signed (lab3 doctor says why)");
        return Ok(());
    };
    std::fs::write(file, receipt).map_err(|error| Failure::Other(format!("it was done, but {} cannot be written: {error}", file.display())))
}

/// A request body.
fn body(request: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(request).map_err(|error| Failure::Other(format!("the request cannot be written as JSON: {error}")))
}

/// A decimal number as JSON, digit by digit.
fn number(decimal: impl std::fmt::Display) -> Result<Box<RawValue>, Failure> {
    RawValue::from_string(decimal.to_string()).map_err(|error| Failure::Other(format!("the number cannot be written as JSON: {error}")))
}

/// An amount of MIC as a JSON number.
fn mic(amount: Amount) -> Result<Box<RawValue>, Failure> {
    number(Asset::MIC.decimal(amount))
}

#[cfg(test)]
mod tests;
