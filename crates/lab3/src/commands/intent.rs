//! `lab3 intent mint|grant|policy|treasurers|freeze`: the text that treasurers sign, each with `lab3 wallet sign`; `lab3 intent share`, the text that a payer
//! signs; and `lab3 intent send`, which brings it with the signatures.
//!
//! The text is all there is on stdout, so that it can be kept in a file as it is; what is to be done with it goes to stderr.

mod share;

use std::io::Read as _;
use std::path::Path as FilePath;

use lab3_trust::{Act, HiveName, MemoHash, PolicyLines, Statement, Treasurers};
use lab3_units::{Duration, Id};
use serde_json::{Map, Value, json};

use super::key::now;
use super::wallet::salt;
use crate::Failure;
use crate::cli::{IntentCommand, IntentMoneyArgs, IntentSendArgs, IntentTextArgs, NamedSignature, countersign};
use crate::client::{Client, Document, Path};
use crate::table::pairs;

pub(super) use share::act as share_act;

/// The text, and how it is sent.
#[derive(Debug)]
pub struct Text {
    /// What is signed.
    pub statement: Statement,
    /// What `lab3 intent send` needs beside text and signatures.
    pub more: String,
}

impl Text {
    /// Says what is to be done with it, and gives what goes to stdout.
    pub fn told(self) -> String {
        eprintln!(
            "Kept as intent.txt, each treasurer signs it:  lab3 wallet sign intent.txt --as DID >> signatures.txt\n\
             then anybody brings it:  lab3 intent send intent.txt --signatures signatures.txt{}",
            self.more
        );
        self.statement.text()
    }
}

/// The server of a command that prints a text.
pub fn url(command: &IntentCommand) -> Option<&str> {
    let text = match command {
        IntentCommand::Mint(args) | IntentCommand::Grant(args) => &args.text,
        IntentCommand::Policy(args) => &args.text,
        IntentCommand::Treasurers(args) => &args.text,
        IntentCommand::Freeze(args) => &args.text,
        IntentCommand::Share(args) => &args.text,
        IntentCommand::Send(args) => return args.desk.url.as_deref(),
    };
    text.url.as_deref()
}

/// Does it.
pub fn run(client: &Client, command: &IntentCommand) -> Result<String, Failure> {
    let usage = |problem: lab3_units::Problem| Failure::Usage(problem.detail.into_owned());
    let (args, act) = match command {
        IntentCommand::Send(args) => return send(client, args),
        IntentCommand::Mint(args) => return money(client, args, |args, memo| Act::Mint { to: args.to.clone(), amount: args.amount, memo }),
        IntentCommand::Grant(args) => {
            return money(client, args, |args, memo| Act::Grant { to: args.to.clone(), amount: args.amount, memo });
        }
        IntentCommand::Policy(args) => {
            let rules = args.rules.rules.iter().map(|rule| (&*rule.path, &*rule.text));
            let lines = PolicyLines::new(rules).map_err(usage)?;
            // Before k people sign what no desk takes.
            lab3_engine::check_rules(&lines).map_err(usage)?;
            (&args.text, Act::Policy(lines))
        }
        IntentCommand::Treasurers(args) => {
            let named = Treasurers::new(args.treasurers.needed, args.treasurers.treasurers.iter().cloned()).map_err(usage)?;
            (&args.text, Act::Treasurers(named))
        }
        IntentCommand::Freeze(args) => {
            let (citizen, hours, reason) = (args.citizen.clone(), args.hours, args.reason.as_str().into());
            (&args.text, Act::Freeze { citizen, hours, reason })
        }
        IntentCommand::Share(args) => {
            let told = text(client, &args.text, share::act(&args.share.file, args.share.counted_max)?, String::new())?;
            eprintln!(
                "Kept as intent.txt, who pays signs it:  lab3 wallet sign intent.txt --as DID >> signatures.txt\n\
                 then anybody brings it:  lab3 intent send intent.txt --signatures signatures.txt"
            );
            return Ok(told.statement.text());
        }
    };
    text(client, args, act, String::new()).map(Text::told)
}

fn money(client: &Client, args: &IntentMoneyArgs, act: impl FnOnce(&IntentMoneyArgs, Option<MemoHash>) -> Act) -> Result<String, Failure> {
    let Some(reason) = &args.reason else { return text(client, &args.text, act(args, None), String::new()).map(Text::told) };
    let salt = salt()?;
    let more = format!(" --memo {} --memo-salt {:032x}", quoted(reason), u128::from_be_bytes(salt));
    text(client, &args.text, act(args, Some(MemoHash::of(&salt, reason))), more).map(Text::told)
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn text(client: &Client, args: &IntentTextArgs, act: Act, more: String) -> Result<Text, Failure> {
    let statement = stated(client, args.valid_seconds, act)?;
    // What cannot be read back as it is, such as a reason of two lines, nobody can sign.
    Statement::parse(&statement.text()).map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(Text { statement, more })
}

/// What is signed for the desk: it names the Hive and its journal; the id is fresh.
pub(super) fn stated(client: &Client, valid_seconds: u32, act: Act) -> Result<Statement, Failure> {
    let hive = client.get(&Path::new("/lab3/hive"))?.document()?;
    let unclear = |what: &str| Failure::Other(format!("the desk at {} does not say {what}", client.url()));
    Ok(Statement {
        hive: HiveName::parse(&hive.text("hive")).ok_or_else(|| unclear("which Hive it is"))?,
        journal: Id::parse("jn", &hive.text("journal")).map_err(|_| unclear("which journal it has"))?,
        id: Id::from_bytes(uuid::Uuid::now_v7().into_bytes()),
        not_after: now().after(Duration::from_secs(valid_seconds)),
        act,
    })
}

/// The file's text; - is stdin.
pub(super) fn read(path: &FilePath) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin().lock().read_to_end(&mut bytes)?;
    } else {
        bytes = std::fs::read(path).map_err(|error| Failure::Other(format!("{} cannot be read: {error}", path.display())))?;
    }
    String::from_utf8(bytes).map_err(|_| Failure::Other(format!("{} is not text", path.display())))
}

fn send(client: &Client, args: &IntentSendArgs) -> Result<String, Failure> {
    let text = read(&args.text)?;
    let statement = Statement::parse(&text).map_err(|error| Failure::Other(format!("{error}. Nothing is sent")))?;
    let mut request = signed(&statement, &signatures(args)?)?;
    request.insert("intent".to_owned(), Value::from(text));
    for (name, value) in [("memo", &args.memo), ("memo_salt", &args.memo_salt)] {
        request.extend(value.as_ref().map(|value| (name.to_owned(), Value::from(value.as_str()))));
    }
    // However often it is sent, it is done once: the text has an id of its own.
    let reply = client.post(&Path::new("/lab3/intents"), &super::body(&request)?, None)?;
    super::keep_receipt(&reply, &args.receipt)?;
    let table = |done: &Document| {
        let rows = [("act", "act"), ("transaction", "tx_id"), ("time", "timestamp"), ("record", "sequence")];
        pairs(&rows.map(|(name, field)| (name, done.text(field))))
    };
    Ok(super::shown(&reply, &args.desk, table)?)
}

/// Every signature, of the arguments and of the files.
fn signatures(args: &IntentSendArgs) -> Result<Vec<NamedSignature>, Failure> {
    let mut all = args.signatures.clone();
    for file in &args.files {
        for (at, line) in read(file)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let wrong = |error| Failure::Other(format!("{}, line {}: {error}", file.display(), at + 1));
            all.push(countersign(line).map_err(wrong)?);
        }
    }
    // The same line twice, from two files say, is one signature.
    let mut once: Vec<NamedSignature> = Vec::new();
    for signature in all {
        if !once.contains(&signature) {
            once.push(signature);
        }
    }
    Ok(once)
}

/// The signatures as the desk takes them: treasurers' in a list, a citizen's own alone.
fn signed(statement: &Statement, signatures: &[NamedSignature]) -> Result<Map<String, Value>, Failure> {
    let citizens = matches!(statement.act, Act::Transfer { .. } | Act::Contribute { .. } | Act::DidKey(_) | Act::ShareExports(_));
    let request = match signatures {
        [] => return Err(Failure::Usage("nobody has signed it: --signature DID=KEY:SIGNATURE, or --signatures FILE".to_owned())),
        [own] if citizens => json!({ "public_key": own.key.to_string(), "signature": own.signature.to_string() }),
        _ if citizens => return Err(Failure::Usage(format!("an intent to {} is signed by one", statement.act.as_str()))),
        all => {
            let sign = |one: &NamedSignature| json!({ "treasurer": one.did.as_str(), "public_key": one.key.to_string(), "signature": one.signature.to_string() });
            json!({ "signatures": all.iter().map(sign).collect::<Vec<_>>() })
        }
    };
    if let Value::Object(fields) = request { Ok(fields) } else { Ok(Map::new()) }
}

#[cfg(test)]
mod tests;
