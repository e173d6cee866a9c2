//! What a payer signs to share exports, from the same file that `lab3 energy share` sends.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path as FilePath;

use lab3_trust::{Act, SignedEarned, SignedMembers, SignedShare};
use lab3_units::{Amount, Asset, Did, Time};
use serde::Deserialize;
use serde_json::Value;

use crate::Failure;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    payer_did: String,
    device: String,
    from: String,
    to: String,
    amount_gic: Option<Value>,
    exported_kwh: Option<Value>,
    rule: String,
    members: Option<Vec<Member>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    did: String,
    weight: Option<u64>,
}

/// The act of the request in the file; without an amount, what the desk counts, up to this.
pub(in crate::commands) fn act(file: &FilePath, counted_max: Option<Amount>) -> Result<Act, Failure> {
    let text = super::read(file)?;
    read(&text, counted_max).map_err(|wrong| Failure::Other(format!("{}: {wrong}. Nothing is signed", file.display())))
}

fn read(text: &str, counted_max: Option<Amount>) -> Result<Act, String> {
    let request: Request = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let Request { payer_did, device, from, to, amount_gic, exported_kwh, rule, members } = request;
    let earned = match (amount_gic, counted_max) {
        (Some(amount), None) => SignedEarned::Said {
            amount: decimal("amount_gic", Asset::MIC, &amount)?,
            exported_mwh: exported_kwh.map(|energy| decimal("exported_kwh", Asset::ENERGY, &energy)).transpose()?,
        },
        (None, Some(amount_max)) if exported_kwh.is_none() => SignedEarned::Counted { amount_max },
        (None, Some(_)) => return Err("exported_kwh: without amount_gic the meter's readings say it; leave it out".to_owned()),
        (Some(_), Some(_)) => return Err("amount_gic: is said, so nothing is counted; leave --counted-max-gic out".to_owned()),
        (None, None) => return Err("amount_gic: say it, or how much may be counted at most (--counted-max-gic)".to_owned()),
    };
    let among = among(&rule, &members.unwrap_or_default())?;
    let (from, begin, end) = (did("payer_did", &payer_did)?, time("from", &from)?, time("to", &to)?);
    Ok(Act::ShareExports(Box::new(SignedShare { from, device: device.into(), begin, end, earned, among })))
}

fn among(rule: &str, members: &[Member]) -> Result<SignedMembers, String> {
    let twice = |at: usize| format!("members[{at}].did: stands twice");
    match rule {
        "generation" if members.is_empty() => Ok(SignedMembers::Generation),
        "generation" => Err("members: who signs for a sharing by generation shares among all who generated; leave them out".to_owned()),
        "equal" => {
            let mut all = BTreeSet::new();
            for (at, member) in members.iter().enumerate() {
                if member.weight.is_some() {
                    return Err(format!("members[{at}].weight: by the rule equal no weights are given"));
                }
                if !all.insert(did(&format!("members[{at}].did"), &member.did)?) {
                    return Err(twice(at));
                }
            }
            Ok(SignedMembers::Equal(all))
        }
        "weights" => {
            let mut all = BTreeMap::new();
            for (at, member) in members.iter().enumerate() {
                let weight = member.weight.ok_or_else(|| format!("members[{at}].weight: is missing"))?;
                if all.insert(did(&format!("members[{at}].did"), &member.did)?, weight).is_some() {
                    return Err(twice(at));
                }
            }
            Ok(SignedMembers::Weights(all))
        }
        _ => Err("rule: equal, weights or generation".to_owned()),
    }
}

fn did(field: &str, text: &str) -> Result<Did, String> {
    Did::parse(text).map_err(|error| format!("{field}: {error}"))
}

fn time(field: &str, text: &str) -> Result<Time, String> {
    Time::parse(text).ok_or_else(|| format!("{field}: a time as 2026-11-22T00:00:00Z"))
}

/// A number or its digits as a string, which are exact however many.
fn decimal(field: &str, asset: Asset, value: &Value) -> Result<Amount, String> {
    let digits = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => number.as_f64().map_or_else(String::new, |value| value.to_string()),
        Value::Number(number) => number.to_string(),
        _ => return Err(format!("{field}: a number, or its digits as a string")),
    };
    asset.parse(&digits).map_err(|error| format!("{field}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{"payer_did":"did:k:a","device":"grid","from":"2026-11-22T00:00:00Z","to":"2026-11-23T00:00:00Z","amount_gic":12.5,
        "exported_kwh":"160.250001","rule":"weights","members":[{"did":"did:k:c","weight":1},{"did":"did:k:b","weight":3}]}"#;

    /// What stands behind the payer's line, with a part of the file replaced.
    #[track_caller]
    fn check(old: &str, new: &str, counted_max: Option<i64>, expected: Result<&str, &str>) {
        assert!(FILE.contains(old), "{old}");
        match (read(&FILE.replace(old, new), counted_max.map(Amount::new)), expected) {
            (Ok(act), Ok(lines)) => {
                let Act::ShareExports(share) = act else { panic!("{act:?}") };
                assert_eq!((share.from.as_str(), &*share.device), ("did:k:a", "grid"));
                let (earned, among) = (share.earned, share.among);
                let text = format!("{earned:?} {among:?}");
                assert_eq!(text.replace("Amount", "").replace("Did", ""), lines);
            }
            (Err(told), Err(says)) => assert!(told.contains(says), "{told}"),
            (found, _) => panic!("{found:?}, not {expected:?}"),
        }
    }

    #[test]
    fn the_same_file_is_signed() {
        let said = "Said { amount: (12500000), exported_mwh: Some((160250001)) }";
        let weights = r#"Weights({("did:k:b"): 3, ("did:k:c"): 1})"#;
        check("weights", "weights", None, Ok(&format!("{said} {weights}")));
        let members = r#"[{"did":"did:k:c","weight":1},{"did":"did:k:b","weight":3}]"#;
        let equal = FILE.replace("weights", "equal").replace(r#","weight":1"#, "").replace(r#","weight":3"#, "");
        check(FILE, &equal, None, Ok(&format!(r#"{said} Equal({{("did:k:b"), ("did:k:c")}})"#)));
        let all = FILE.replace("weights", "generation").replace(members, "null");
        check(FILE, &all, None, Ok(&format!("{said} Generation")));
        let counted = FILE.replace(r#""amount_gic":12.5,"#, "").replace(r#""exported_kwh":"160.250001","#, "");
        check(FILE, &counted, Some(7), Ok(&format!("Counted {{ amount_max: (7) }} {weights}")));
        check("12.5", "0.000001", None, Ok(&format!("{} {weights}", said.replace("12500000", "1"))));
    }

    #[test]
    fn what_cannot_be_signed_names_its_field() {
        check("12.5", "12.5", Some(7), Err("amount_gic: is said"));
        check("12.5", "null", None, Err("amount_gic: say it"));
        check("12.5", "null", Some(7), Err("exported_kwh: "));
        check("12.5", "0.0000001", None, Err("amount_gic: "));
        check("12.5", "[]", None, Err("amount_gic: "));
        check("weights", "fair", None, Err("rule: "));
        check("weights", "equal", None, Err("members[0].weight: "));
        check("weights", "generation", None, Err("members: "));
        check(r#","weight":3"#, "", None, Err("members[1].weight: "));
        check("did:k:b", "did:k:c", None, Err("members[1].did: stands twice"));
        check("did:k:b", "bob", None, Err("members[1].did: "));
        check("did:k:a", "alice", None, Err("payer_did: "));
        check("2026-11-22T00:00:00Z", "yesterday", None, Err("from: "));
        check("device", "price_zone", None, Err("price_zone"));
    }
}
