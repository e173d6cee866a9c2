//! Reading a statement: exactly the bytes that the statement would be written as, and no others.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use lab3_units::{Amount, Did, Id, Time};

use super::{Act, HEAD, HiveName, MemoHash, Statement};
use crate::signed_share::device;
use crate::{Change, DidKeyEvent, PolicyLines, PublicKey, SignedEarned, SignedMembers, SignedShare, Treasurers};

/// Why a text is no statement: the line that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the intent is not as it has to be: {expected}")]
pub struct StatementError {
    /// Which line, from 1.
    pub line: usize,
    /// What has to stand there.
    pub expected: &'static str,
}

impl Statement {
    /// Reads what [`Statement::text`] writes, byte for byte.
    pub fn parse(text: &str) -> Result<Self, StatementError> {
        let mut lines = Lines { rest: text, line: 0 };
        if lines.next() != Some(HEAD) {
            return lines.wrong("lab3 intent 1");
        }
        let hive = lines.field("hive: ", HiveName::parse, "hive: and the Hive's name")?;
        let journal = lines.field("journal: ", |text| Id::parse("jn", text).ok(), "journal: jn_ and 26 characters")?;
        let id = lines.field("id: ", |text| Id::parse("tx", text).ok(), "id: tx_ and 26 characters")?;
        let not_after = lines.field("not-after: ", Time::parse, "not-after: a time as 2026-11-30T00:00:00Z")?;
        let act = act(&mut lines)?;
        let statement = Self { hive, journal, id, not_after, act };
        // Whatever was read loosely above (a time's offset, a number's sign) or is left over shows here.
        let written = statement.text();
        if written == text {
            return Ok(statement);
        }
        let same = written.split_inclusive('\n').zip(text.split_inclusive('\n')).take_while(|(own, given)| own == given).count();
        Err(StatementError { line: same + 1, expected: "exactly as the desk writes it, each line ending in one line feed, nothing after" })
    }
}

struct Lines<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (line, rest) = self.rest.split_once('\n')?;
        (self.rest, self.line) = (rest, self.line + 1);
        Some(line)
    }

    fn wrong<T>(&self, expected: &'static str) -> Result<T, StatementError> {
        Err(StatementError { line: self.line.max(1), expected })
    }

    /// The value of the next line, which must have that name.
    fn field<T>(&mut self, name: &str, read: impl FnOnce(&'a str) -> Option<T>, expected: &'static str) -> Result<T, StatementError> {
        let line = self.next();
        let last = if line.is_none() { self.line + 1 } else { self.line };
        line.and_then(|line| line.strip_prefix(name)).and_then(read).ok_or(StatementError { line: last, expected })
    }

    /// As [`Lines::field`], with `-` for nothing.
    fn optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&'a str) -> Option<T>,
        expected: &'static str,
    ) -> Result<Option<T>, StatementError> {
        self.field(name, |text| if text == "-" { Some(None) } else { read(text).map(Some) }, expected)
    }

    /// The values of all further lines of that name.
    fn many(&mut self, name: &str) -> Vec<&'a str> {
        let mut values = Vec::new();
        while let Some((line, rest)) = self.rest.split_once('\n') {
            let Some(value) = line.strip_prefix(name) else { break };
            values.push(value);
            (self.rest, self.line) = (rest, self.line + 1);
        }
        values
    }

    fn did(&mut self, name: &str, expected: &'static str) -> Result<Did, StatementError> {
        self.field(name, |text| Did::parse(text).ok(), expected)
    }

    fn amount(&mut self) -> Result<Amount, StatementError> {
        self.positive("amount-ks: ", "amount-ks: a whole number of KS, more than zero")
    }

    fn positive(&mut self, name: &str, expected: &'static str) -> Result<Amount, StatementError> {
        let more_than_nothing = |text: &str| text.parse().ok().map(Amount::new).filter(|amount| amount.is_positive());
        self.field(name, more_than_nothing, expected)
    }

    fn memo(&mut self) -> Result<Option<MemoHash>, StatementError> {
        let hash = |text: &str| BASE64.decode(text).ok()?.try_into().ok().map(MemoHash);
        self.optional("memo: ", hash, "memo: 32 bytes in base 64, or -")
    }
}

fn act(lines: &mut Lines<'_>) -> Result<Act, StatementError> {
    let kind = lines.field("act: ", Some, "act: what is willed")?;
    Ok(match kind {
        "transfer" => {
            let (from, to) = (lines.did("from: ", "from: a DID")?, lines.did("to: ", "to: a DID")?);
            let amount = lines.amount()?;
            let fee = |text: &str| text.parse().ok().filter(|units| *units >= 0).map(Amount::new);
            let fee_max = lines.field("fee-max-ks: ", fee, "fee-max-ks: a whole number of KS")?;
            Act::Transfer { from, to, amount, fee_max, memo: lines.memo()? }
        }
        "contribute" => Act::Contribute { from: lines.did("from: ", "from: a DID")?, amount: lines.amount()?, memo: lines.memo()? },
        "grant" => Act::Grant { to: lines.did("to: ", "to: a DID")?, amount: lines.amount()?, memo: lines.memo()? },
        "mint" => Act::Mint { to: lines.did("to: ", "to: a DID")?, amount: lines.amount()?, memo: lines.memo()? },
        "policy" => {
            let pairs = lines.many("set: ").into_iter().map(|line| line.split_once('='));
            let read = pairs.collect::<Option<Vec<_>>>().and_then(|pairs| PolicyLines::new(pairs).ok());
            return read.map(Act::Policy).map_or_else(|| lines.wrong("set: name=value, each name once"), Ok);
        }
        "did-key" => Act::DidKey(event(lines)?),
        "treasurers" => {
            let needed = lines.field("needed: ", |text| text.parse().ok(), "needed: how many have to sign")?;
            let members = lines.many("treasurer: ").into_iter().map(|text| Did::parse(text).ok());
            let read = members.collect::<Option<Vec<_>>>().and_then(|members| Treasurers::new(needed, members).ok());
            return read.map(Act::Treasurers).map_or_else(|| lines.wrong("treasurer: a DID, as many as have to sign or more"), Ok);
        }
        "freeze" => {
            let citizen = lines.did("citizen: ", "citizen: a DID")?;
            let hours = lines.field("hours: ", |text| text.parse().ok(), "hours: a number")?;
            let plain = |text: &str| crate::text::check_reason(text).ok().map(|()| text.into());
            Act::Freeze { citizen, hours, reason: lines.field("reason: ", plain, "reason: in words, on one line")? }
        }
        "share-exports" => Act::ShareExports(Box::new(share(lines)?)),
        _ => return lines.wrong("act: transfer, contribute, grant, mint, policy, did-key, treasurers, freeze or share-exports"),
    })
}

fn share(lines: &mut Lines<'_>) -> Result<SignedShare, StatementError> {
    let from = lines.did("from: ", "from: a DID")?;
    let device = lines.field("device: ", device, "device: a meter's name, 1 to 64 characters")?;
    let begin = lines.field("begin: ", Time::parse, "begin: a time as 2026-11-30T00:00:00Z")?;
    let end = lines.field("end: ", Time::parse, "end: a time as 2026-11-30T00:00:00Z")?;
    let earned = if lines.rest.starts_with("counted-max-ks: ") {
        let amount_max = lines.positive("counted-max-ks: ", "counted-max-ks: a whole number of KS, more than zero")?;
        SignedEarned::Counted { amount_max }
    } else {
        let amount = lines.positive("amount-ks: ", "amount-ks or counted-max-ks: a whole number of KS, more than zero")?;
        let energy = |text: &str| text.parse().ok().filter(|units| *units >= 0).map(Amount::new);
        SignedEarned::Said { amount, exported_mwh: lines.optional("exported-mwh: ", energy, "exported-mwh: a whole number, or -")? }
    };
    let rule = lines.field("rule: ", Some, "rule: equal, weights or generation")?;
    let among = SignedMembers::read(rule, &lines.many("member: "));
    let Some(among) = among else { return lines.wrong("member: a DID, by weights a space and its weight; by generation none") };
    Ok(SignedShare { from, device, begin, end, earned, among })
}

fn event(lines: &mut Lines<'_>) -> Result<DidKeyEvent, StatementError> {
    let did = lines.did("did: ", "did: a DID")?;
    let number = lines.field("event: ", |text| text.parse().ok(), "event: the event's number")?;
    let word = lines.field("change: ", Some, "change: add, revoke, rotate or recover")?;
    let new = lines.optional("key: ", PublicKey::parse, "key: z6Mk..., or -")?;
    let old = lines.optional("old: ", PublicKey::parse, "old: z6Mk..., or -")?;
    let change = match (word, new, old) {
        ("add", Some(key), None) => Change::Add(key),
        ("revoke", None, Some(old)) => Change::Revoke(old),
        ("rotate", Some(new), Some(old)) => Change::Rotate { old, new },
        ("recover", Some(key), None) => Change::Recover(key),
        _ => return lines.wrong("key and old as the change needs them"),
    };
    let recovery = lines.optional("recovery: ", unhex, "recovery: 32 bytes in hexadecimal, or -")?;
    Ok(DidKeyEvent { did, number, change, recovery })
}

/// Reads 32 bytes in hexadecimal.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}
