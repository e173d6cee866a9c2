//! The one check: may this principal do that, to this, now? Deny by default: what no line below allows is refused.
//!
//! A principal is looked up again each time, so a key revoked since the request came in does nothing. What is another's and what
//! is not there get the same refusal: asking tells nobody whether a thing exists. Who may read everything passes for a missing
//! thing too, and learns from the handler that it is missing.

use lab3_units::{Code, Did, Problem, Time};

use crate::{Holder, Key, Kind, Owned, Principal, Readers, Rule, Scope, Scopes, Standing, State, Touched};

/// A principal as the state has it now.
struct Acting<'a> {
    kind: Kind,
    scopes: Scopes,
    did: Option<&'a Did>,
    key: Option<&'a Key>,
    overlap: bool,
}

/// Whether `principal` may do what `rule` guards to what is `touched`, at `now`.
///
/// Errors: `UNNAMED` when nobody is named and somebody has to be; `KEY_INVALID` when the key or the signature's key is not, or no
/// longer, good; `NOT_ALLOWED` when the kind, the scope or the owner does not fit, with what would help.
pub fn judge(state: &State, now: Time, principal: &Principal, rule: &Rule, touched: &Touched<'_>) -> Result<(), Problem> {
    if !touched.fits(rule.owned) {
        return Err(Problem::new(Code::INTERNAL, "The route's rule does not fit what it touches. Tell the operator."));
    }
    if rule.kinds.has_nobody() && *touched == Touched::Nothing {
        return Ok(());
    }
    if *touched == Touched::Records && Readers::of(state) == Readers::Everybody {
        return Ok(());
    }
    match principal {
        Principal::Nobody => Err(unnamed()),
        Principal::Local if state.is_open() => Ok(()),
        Principal::Local => Err(closed()),
        Principal::Desk if rule.scope == Scope::Keys || rule.scope == Scope::Seal => Ok(()),
        Principal::Desk => Err(not_allowed("The desk itself manages operators' keys and the seal, and nothing else.")),
        Principal::Key(bearer) => {
            let (key, standing) = working(state, now, bearer.number)?;
            let scopes = key.scopes.both(key.holder.kind().acts()).both(office(state, &key.holder));
            let overlap = standing != Standing::Valid;
            pass(state, *rule, touched, &Acting { kind: key.holder.kind(), scopes, did: key.holder.did(), key: Some(key), overlap })
        }
        Principal::Signed { did, key } => {
            if !state.holds(did, key) {
                return Err(Problem::new(Code::KEY_INVALID, format!("{key} is no key of {did}, or no longer. Sign with a key that is.")));
            }
            let come_as = |kind: Kind| {
                let acting = Acting { kind, scopes: kind.acts(), did: Some(did), key: None, overlap: false };
                pass(state, *rule, touched, &acting)
            };
            come_as(Kind::Citizen).or_else(|refused| if state.is_treasurer(did) { come_as(Kind::Treasurer) } else { Err(refused) })
        }
    }
}

/// What the holder's office allows. A treasurer's key is made before or after the treasurers are named: until his name is among
/// theirs it only reads.
fn office(state: &State, holder: &Holder) -> Scopes {
    match holder {
        Holder::Treasurer(did) if !state.is_treasurer(did) => Kind::Auditor.widest(),
        _ => Scopes::ALL,
    }
}

/// Whether the key of that number still works: for who judged it a while ago.
///
/// Errors: `KEY_INVALID`, with the reason.
pub fn check_working(state: &State, now: Time, number: u32) -> Result<(), Problem> {
    working(state, now, number).map(|_| ())
}

/// The key of that number, if it still works.
pub(crate) fn working(state: &State, now: Time, number: u32) -> Result<(&Key, Standing), Problem> {
    let key = state.key(number).ok_or_else(unnamed)?;
    let dead = |detail| Err(Problem::new(Code::KEY_INVALID, detail).in_field("Authorization"));
    match key.standing(now) {
        Standing::Revoked => dead("This key was revoked. Ask the operator for another."),
        Standing::Expired => dead("This key has expired, or its overlap after a rotation is over. Use its successor, or ask for another."),
        standing => Ok((key, standing)),
    }
}

fn pass(state: &State, rule: Rule, touched: &Touched<'_>, acting: &Acting<'_>) -> Result<(), Problem> {
    if rule.owned == Owned::Key && own_key(state, touched, acting) {
        return Ok(());
    }
    let scope = rule.scope_of(acting.kind).ok_or_else(|| wrong_kind(acting.kind, &rule))?;
    if !acting.scopes.has(scope) {
        return Err(lacks(acting, scope));
    }
    if acting.overlap && scope == Scope::Keys {
        return Err(not_allowed("This key has been replaced: until its overlap ends it works, but manages no keys. Use its successor."));
    }
    match *touched {
        _ if owns(state, scope, touched, acting) => Ok(()),
        Touched::Records => {
            Err(not_allowed("This Hive shows its records to auditors only (its rule log.readers). Ask one, or the operator."))
        }
        _ => Err(foreign(acting)),
    }
}

/// Whether the touched key is one's own, or one that one's own replaced. It needs no scope: whoever holds a key may replace it or
/// give it up.
fn own_key(state: &State, touched: &Touched<'_>, acting: &Acting<'_>) -> bool {
    let (Touched::Key(number), Some(key)) = (touched, acting.key) else { return false };
    let family = || state.key(*number).is_some_and(|other| other.family == key.family);
    *number == key.number || (!acting.overlap && family())
}

fn owns(state: &State, scope: Scope, touched: &Touched<'_>, acting: &Acting<'_>) -> bool {
    let reads_all = scope.only_reads() && matches!(acting.kind, Kind::Auditor | Kind::Operator);
    // What the Hive wrote is the operator's to erase.
    let erases_all = scope == Scope::Erase && acting.kind == Kind::Operator;
    let holder = acting.key.map(|key| &key.holder);
    match *touched {
        Touched::Nothing => true,
        Touched::Hive => reads_all || matches!(acting.kind, Kind::Operator | Kind::Treasurer),
        // A treasurer freezes anybody's account, with the others' signatures: the rule of freezing asks for them.
        Touched::Citizen(_) if scope == Scope::Freeze && acting.kind == Kind::Treasurer => true,
        Touched::Citizen(did) => reads_all || of_citizen(state, did, acting),
        Touched::Opened { citizen, by } => {
            let opened = || by.and_then(|number| state.key(number)).map(|key| key.family) == acting.key.map(|key| key.family);
            // What a service opened for her a citizen sees, and leaves to the service to settle: it pays the provider.
            let by_another = || by.and_then(|number| state.key(number)).is_some_and(|key| key.holder.did() != acting.did);
            let theirs = if acting.kind == Kind::Service { opened() } else { scope.only_reads() || !by_another() };
            reads_all || (acting.kind != Kind::Operator && of_citizen(state, citizen, acting) && theirs)
        }
        Touched::Meter(id) => reads_all || matches!(holder, Some(Holder::Meter { meter }) if **meter == *id),
        Touched::Module(_) if acting.kind == Kind::Operator => true,
        Touched::Module(name) => reads_all || matches!(holder, Some(Holder::Steward { module }) if **module == *name),
        Touched::Key(number) => {
            let holder_did = state.key(number).and_then(|key| key.holder.did());
            acting.kind == Kind::Operator || (holder_did.is_some() && holder_did == acting.did)
        }
        Touched::Records => reads_all || Readers::of(state) != Readers::Auditors,
        Touched::Missing => reads_all || erases_all,
    }
}

/// Whether what is a citizen's may be touched. The operator has no scope that spends, so what is left to it is managing.
fn of_citizen(state: &State, did: &Did, acting: &Acting<'_>) -> bool {
    match acting.kind {
        Kind::Citizen | Kind::Treasurer => acting.did == Some(did),
        Kind::Service => acting.key.is_some_and(|key| state.acts_for(key.family, did)),
        Kind::Operator => true,
        Kind::Steward => acting.scopes.has(Scope::Members),
        Kind::Auditor | Kind::Meter | Kind::Witness => false,
    }
}

/// A refusal for want of authority.
pub(crate) fn not_allowed(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(Code::NOT_ALLOWED, detail)
}

fn unnamed() -> Problem {
    Problem::new(Code::UNNAMED, "Nobody is named who asks. Send a key: Authorization: Bearer lab3_..., or sign the request.")
        .in_field("Authorization")
}

fn closed() -> Problem {
    let detail = "This Hive is closed: somebody has to be named. Send a key (Authorization: Bearer lab3_...), or sign the request; \
                  lab3 key create makes one.";
    Problem::new(Code::UNNAMED, detail).in_field("Authorization")
}

fn wrong_kind(kind: Kind, rule: &Rule) -> Problem {
    let words: Vec<&str> = rule.comers().map(Kind::as_str).collect();
    not_allowed(format!("This is not for the kind {kind}, but for: {}. Use a key of such a kind.", words.join(", ")))
}

fn lacks(acting: &Acting<'_>, scope: Scope) -> Problem {
    let (kind, word, has) = (acting.kind, scope.as_str(), acting.scopes);
    if acting.key.is_some_and(|key| key.scopes.has(scope)) && kind == Kind::Treasurer {
        return not_allowed("This key's holder is not, or no longer, among the treasurers. Have him named one first.");
    }
    if kind.acts().has(scope) {
        return not_allowed(format!("This key lacks the scope {word}; it has: {has}. Ask for a key with it."));
    }
    not_allowed(format!("No key of the kind {kind} may do this: it takes the scope {word}. Use a key of another kind."))
}

/// The same for what is another's and for what is not there.
fn foreign(acting: &Acting<'_>) -> Problem {
    match (acting.kind, acting.did) {
        (Kind::Service, _) => not_allowed(
            "This is nothing this service may touch: not of a citizen on its list, not opened by it, or not there. Have the citizen \
             delegated to it.",
        ),
        (_, Some(did)) => not_allowed(format!("This is not {did}'s, or not there. Ask for what is yours.")),
        _ => not_allowed("This is not this key's, or not there. Ask for what is yours."),
    }
}

#[cfg(test)]
mod tests;
