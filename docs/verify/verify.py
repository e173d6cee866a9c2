#!/usr/bin/env python3
"""A second opinion on a Hive's books, from docs/journal.md and the C2SP specifications alone. Python 3.11, nothing else.

    python3 verify.py URL|FOLDER [--key VKEY] [--last FILE] [--fee PERCENT] [--bearer KEY] [--witness VKEY]... [--witnesses-needed N]
    python3 verify.py PROOF --key VKEY      # one record's proof, as GET /lab3/log/proof/{tx_id} gave it

Checks the checkpoint's signature, every record's leaf, the root, that the tree goes on from the last visit (--last, written anew when all
holds), and replays every record: balances, limits, holds, supply, fees (--fee: exactly these), the signatures of treasurers and of who shares
exports; of energy, that an hour's parts add up to its meter and entries to what is said: it does not divide the hour again, `lab3 audit`
does. With --witness these witnesses (or N of them) must have cosigned, within the last hour (--within SECONDS), a checkpoint that has all the log shows; they are waited
for (--wait SECONDS). Prints one line. Exit status: 0 everything holds, 1 something does not, 2 it could not be asked. Who else may do what is
not judged here; `lab3 audit` does that.
"""
import argparse, base64, datetime, hashlib, os, sys, time, urllib.error, urllib.request

class Bad(Exception):
    """Something that does not hold."""

def need(holds, what):
    if not holds:
        raise Bad(what)

def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

# Ed25519 (RFC 8032, section 5.1), verification only. Points are (x, y, z, t) with x = X/Z, y = Y/Z, xy = T/Z.
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, I = -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P)

def add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    s, t, u, v = f - e, h - g, h + g, f + e
    return s * t % P, u * v % P, t * u % P, s * v % P

def times(n, point):
    total = (0, 1, 1, 0)
    while n:
        total, point, n = add(total, point) if n & 1 else total, add(point, point), n >> 1
    return total

def point_of(data):
    y, sign = int.from_bytes(data, "little") & (1 << 255) - 1, data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x * I % P if (x * x - square) % P else x
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P

def same(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0

BASE = point_of((4 * pow(5, -1, P) % P).to_bytes(32, "little"))

def signed(public, message, signature):
    """Whether the signature is this key's; strictly: keys and commitments of small order prove nothing."""
    if len(signature) != 64 or len(public) != 32:
        return False
    a, r, s = point_of(public), point_of(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L or any(same(times(8, point), (0, 1, 1, 0)) for point in (a, r)):
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    return same(times(s, BASE), add(r, times(k, a)))

# Notes, keys and checkpoints (c2sp.org/signed-note, c2sp.org/tlog-checkpoint).
def unbase64(text):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Bad(f"{text!r} is not base64") from None
    need(base64.b64encode(data).decode() == text, f"{text!r} is not the one way to write it")
    return data

def key_of(text, kind=1):
    """A verifier key's name, id and 32 bytes: of a log (kind 1) or a witness (kind 4)."""
    parts = text.strip("\n").split("+", 2)
    need(len(parts) == 3, "the key is not written <name>+<id>+<base64>")
    data = unbase64(parts[2])
    need(data[0:1] == bytes([kind]) and len(data) == 33, f"the key is no Ed25519 key for {'notes' if kind == 1 else 'cosignatures'}")
    need(sha(parts[0].encode(), b"\n", data)[:4].hex() == parts[1], "the key's id is not its own")
    return parts[0], bytes.fromhex(parts[1]), data[1:]

def lines_of(note):
    """A note's text, and the signatures below it: name, id, bytes."""
    try:
        text, lines = note.decode().rsplit("\n\n", 1)
    except ValueError:
        raise Bad("the checkpoint is no signed note") from None
    need(lines.endswith("\n") and not any(ord(c) < 32 and c != "\n" or 127 <= ord(c) < 160 for c in note.decode()), "the note's form")
    signatures = []
    for line in lines[:-1].split("\n"):
        parts = line.split(" ")
        need(len(parts) == 3 and parts[0] == "\u2014" and parts[1] and "+" not in parts[1], "a line below the checkpoint is no signature")
        data = unbase64(parts[2])
        need(len(data) > 4, "a line below the checkpoint is no signature")
        signatures.append((parts[1], data[:4], data[4:]))
    return text, signatures

def checkpoint_of(key, note):
    """The size and root a note states, when the key signed it."""
    name, number, public = key
    text, signatures = lines_of(note)
    own = [data for of, by, data in signatures if (of, by) == (name, number)]
    need(own and all(signed(public, text.encode() + b"\n", data) for data in own), "the log's key has not signed the checkpoint")
    lines = text.split("\n")
    need(len(lines) >= 3 and all(lines), "the checkpoint is not origin, size, root")
    need(lines[0] == name, f"the checkpoint is of {lines[0]!r}, not of {name!r}")
    need(lines[1].isascii() and lines[1].isdigit() and str(int(lines[1])) == lines[1], "the checkpoint's size is no number")
    return int(lines[1]), unbase64(lines[2])

def seen_by(witnesses, note, since):
    """How many of these witnesses have cosigned a note since that time (c2sp.org/tlog-cosignature); each key counts once."""
    text, signatures = lines_of(note)
    seen = set()
    for name, number, public in witnesses:
        for data in (data for of, by, data in signatures if (of, by) == (name, number)):
            at = int.from_bytes(data[:8], "big")
            need(signed(public, f"cosignature/v1\ntime {at}\n{text}\n".encode(), data[8:]), f"{name} has not cosigned the checkpoint")
            if since <= at < 1 << 63:
                seen.add(public)
    return len(seen)

# Records (docs/journal.md): what a field is, is a function that reads it.
class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        need(self.at + count <= len(self.data), "the record ends within a field")
        self.at += count
        return self.data[self.at - count:self.at]

    def varint(self, bits):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                need((byte or shift == 7) and value < 1 << bits, "a number is too large, or not written the one way")
                return value

def text(r):
    try:
        return r.take(r.varint(64)).decode()
    except UnicodeDecodeError:
        raise Bad("a text is not UTF-8") from None

def flag(r):
    value = r.take(1)[0]
    need(value < 2, "a flag is neither 0 nor 1")
    return value == 1

def enum(**variants):
    names, reads = list(variants), list(variants.values())
    def read(r):
        number = r.varint(32)
        need(number < len(names), "a variant this program does not know")
        return names[number], reads[number] and reads[number](r)
    return read

def struct(**fields):
    return lambda r: {name: read(r) for name, read in fields.items()}

def words(names):
    return enum(**dict.fromkeys(names.split()))

option = lambda inner: lambda r: inner(r) if flag(r) else None
seq = lambda inner: lambda r: [inner(r) for _ in range(r.varint(64))]
u8, u16, u32, u64 = (lambda r: r.take(1)[0]), (lambda r: r.varint(16)), (lambda r: r.varint(32)), (lambda r: r.varint(64))
i64 = lambda r: (lambda n: n >> 1 ^ -(n & 1))(r.varint(64))
ident = lambda r: r.take(16)

OPENING = struct(account=u32, period=u16, quota=i64)
CIRCUIT = enum(Closed=None, Open=struct(until=i64, openings=u8, probes=u8))
LINE = struct(provider=text, excluded_by=option(words("Disabled Context Quality CircuitOpen Cost Allowance Unable")), cost=i64, latency_ms=u32,
              quality=u32, reliability=u32, score=option(u32), terms=option(struct(cost=u32, latency=u32, quality=u32, reliability=u32)))
ALLOCATED = struct(provider=text, query_tokens=u64, priority=words("Standard Cost Latency Quality"), estimated_cost=i64,
                   estimated_latency_ms=u32, quota_remaining=i64, fallback_provider=option(text), reason=text, hive_pays=flag,
                   opening=option(OPENING), circuit=option(CIRCUIT), explanation=option(seq(LINE)))
SAMPLE = struct(bucket=u8, halvings=u8)
HEALTH = struct(reports=u64, successes=u64, timed=u64, latency=u64, failures_in_row=u32, circuit=CIRCUIT)
REPORTED = struct(allocation=option(ident), late=flag, provider=text, success=flag, charged=i64, overrun=i64, hive_paid=i64,
                  quota_remaining=i64, input_tokens=option(u64), output_tokens=option(u64), latency_ms=option(u32),
                  opening=option(OPENING), health=HEALTH, sample=option(SAMPLE))
USAGE = struct(input=u64, cache_read=u64, cache_write_5m=u64, cache_write_1h=u64, output=u64, reasoning=u64, tool_runs=u64)
COMPUTE = enum(Allocated=ALLOCATED, Reported=REPORTED, Released=struct(allocation=ident, released=i64, lapsed=i64, quota_remaining=i64),
               Expired=struct(allocations=u32, released=i64, lapsed=i64),
               Attempted=struct(allocated=ALLOCATED, query_tokens_max=u64, tool_runs_max=u64,
                                allotment=struct(held=i64, output_tokens_held=u64, output_tokens_max=u64)),
               Extended=struct(allocation=ident, held=i64, output_tokens_held=u64, quota_remaining=i64),
               Settled=struct(reported=REPORTED, usage=USAGE, counted=words("Provider Estimate Lease Cache"), output_sample=option(SAMPLE)),
               Deferred=struct(allocated=ALLOCATED, deadline=i64, run_at=i64, run_until=i64, carbon_ug=option(u64), at_once_ug=option(u64),
                               energy_mwh=option(i64), saved_mg=option(i64), why=text))
PURPOSES = "Wallet Quota Issuance Pool Reserve Earnings Expense Usage"
MASSES = "average_mg", "marginal_mg", "market_mg"
MASS = struct(**dict.fromkeys(MASSES, i64))
PART = struct(energy_mwh=i64, footprint=MASS)
RUN = struct(start=i64, end=i64, power_w=u64)
JOB = struct(id=ident, name=text, runs=seq(RUN), energy_mwh=i64, carbon_mg=i64, cost=i64, carbon_saved_mg=i64, cost_saved=i64)
CERTIFICATE = struct(energy_wh=i64, hour=i64, source=words("Solar Wind Hydro Geothermal Biomass Nuclear"), device=text, owner=text,
                     state=enum(Active=None, Split=struct(first=ident, second=ident), Claimed=struct(by=text, at=i64)))
CERTIFIED = enum(Issued=struct(id=ident, certificate=CERTIFICATE), Split=struct(id=ident, first=ident, second=ident, first_wh=i64),
                 Handed=struct(id=ident, to=text), Claimed=struct(id=ident, by=text, at=i64))
ENERGY = enum(Drawn=struct(allocation=option(ident), provider=text, on_site=flag, energy=u32, carbon=u32, low_mwh=i64, energy_mwh=i64,
                           high_mwh=i64, weight_uwh=u64, tier=words("Metered Measured Modelled"), footprint=MASS, embodied_mg=option(i64)),
              HourClosed=struct(hour=i64, meter_mwh=i64, compute_mwh=option(i64), idle_mwh=i64, footprint=MASS,
                                shares=seq(struct(energy=u32, carbon=u32, part=PART)), idle=PART, house=PART),
              Booked=struct(citizen=text, account=u32, jobs=seq(JOB), gap_ppm=option(u32)),
              JobSettled=struct(job=ident, energy=u32, carbon=u32, energy_mwh=i64, metered=flag, footprint=MASS,
                                hours=seq(struct(hour=i64, energy_mwh=i64, carbon_mg=i64)), house=struct(energy_mwh=i64, carbon_mg=i64)),
              JobReleased=struct(job=ident, released=i64), JobsExpired=struct(jobs=seq(ident), released=i64), Certified=CERTIFIED,
              ExportShared=struct(id=ident, payer=u32, device=text, start=i64, end=i64, amount=i64, exported_mwh=option(i64), measured=flag,
                                  rule=words("Equal Weights Generation"), shares=seq(struct(account=u32, weight=u64, amount=i64))))
KEY, SIGNATURE = (lambda r: r.take(32)), (lambda r: r.take(64))
FINANCE = enum(Opened=struct(issuance=u32, pool=u32, reserve=u32, pool_balance=i64), Transferred=None, Granted=struct(pool_balance=i64),
               Contributed=struct(pool_balance=i64), Minted=struct(supply=i64),
               EpochClosed=struct(closed=u32, opened=u32, reward=i64, supply=i64),
               EpochBalanced=struct(closed=u32, opened=u32, reward=i64, supply=i64, accounts=u32,
                                    totals=seq(struct(asset=u16, purpose=words(PURPOSES), balance=i64)), root=KEY))
HOLDER = enum(Operator=None, Citizen=text, Service=struct(daily_cap=i64), Steward=struct(module=text), Treasurer=text, Auditor=None,
              Meter=struct(meter=text), Witness=struct(name=text))
INTENT = struct(not_after=i64, fee_max=i64, key=KEY, signature=SIGNATURE)
APPROVAL = struct(not_after=i64, signatures=seq(struct(treasurer=text, key=KEY, signature=SIGNATURE)))
CHANGE = enum(Add=KEY, Revoke=KEY, Rotate=struct(old=KEY, new=KEY), Recover=KEY)
SIGNED = enum(Intent=INTENT, Approval=APPROVAL)
KEY_ID, KEY_HASH = (lambda r: r.take(8)), (lambda r: r.take(32))
DEED = enum(KeyCreated=struct(number=u32, id=KEY_ID, hash=KEY_HASH, holder=HOLDER, scopes=u32, expires=option(i64), note=text,
                              citizens=seq(text)),
            KeyRevoked=struct(number=u32, reason=text), KeyRotated=struct(old=u32, until=i64, number=u32, id=KEY_ID, hash=KEY_HASH),
            Delegated=struct(service=u32, citizen=text), Undelegated=struct(service=u32, citizen=text),
            DidKeys=struct(event=struct(did=text, number=u32, change=CHANGE, recovery=option(KEY)), intent=INTENT),
            Noted=struct(did=text, url=text, document=KEY, keys=seq(KEY)),
            TreasurersNamed=struct(needed=u8, members=seq(text), approval=option(APPROVAL)),
            PolicyChanged=struct(lines=seq(struct(name=text, value=text)), approval=option(APPROVAL)),
            Frozen=struct(citizen=text, hours=u8, until=i64, reason=text, approval=option(APPROVAL)),
            Thawed=struct(citizen=text, reason=text), Sealed=words("Command Secret"),
            Inscribed=struct(hive=text, journal=ident, log_key=KEY), Erased=struct(record=u64, reason=text),
            Resumed=struct(journal=ident, log_key=KEY, signed=u64, root=KEY, reason=text))
TRUST = struct(by=enum(Desk=None, Local=None, Key=u32, Did=text), deed=DEED)
FACT = enum(Compute=COMPUTE, Finance=FINANCE, Refused=struct(code=u16, field=option(text), detail=text), Batch=struct(items=u32), Trust=TRUST,
            Energy=ENERGY)
END = struct(id=ident, placed=u64, account=u32, held=i64)
EVENT = enum(AccountOpened=struct(owner=text, asset=u16, purpose=words(PURPOSES),
                                  limits=struct(overdraft=flag, ceiling=i64)),
             Transferred=struct(debit=u32, credit=u32, amount=i64, memo_of=words(
                 "Transfer Grant Settlement Contribution Fee Mint EpochReward Allowance Lapse Draw Correction ExportShare"), memo=text),
             HoldPlaced=struct(id=ident, account=u32, amount=i64, deadline=i64, code=u32),
             HoldSettled=struct(end=END, to=u32, taken=i64), HoldReleased=END, HoldExpired=END,
             HoldExtended=struct(id=ident, account=u32, by=i64, deadline=i64))
RECORD = struct(at=i64, actor=enum(Engine=None, Open=None, Operator=None, Key=u32, Signed=None), id=ident, aliases=seq(ident),
                fingerprint=u64, fact=FACT, entries=seq(EVENT))

# The books (docs/journal.md, "What holds", "Balances").
ASSETS, HOUR = {1: "MIC", 2: "compute", 3: "energy", 4: "carbon"}, 3600000
OWNERS = {(1, "Wallet"): "did:", (2, "Quota"): "did:", (1, "Issuance"): "hive:issuance", (1, "Pool"): "hive:pool",
          (1, "Reserve"): "hive:reserve", (2, "Issuance"): "hive:compute", (2, "Expense"): "hive:compute", (2, "Earnings"): "hive:provider/"}
for asset in (3, 4):
    OWNERS |= {(asset, "Issuance"): "hive:energy hive:provider/", (asset, "Usage"): "did: hive:idle hive:house"}
MOVES = {"Transfer": (1, "Transferred", "Wallet>Wallet"), "Fee": (1, "Transferred", "Wallet>Pool"), "Grant": (1, "Granted", "Pool>Wallet"),
         "Contribution": (1, "Contributed", "Wallet>Pool"), "Mint": (1, "Minted Opened", "Issuance>Wallet Issuance>Pool"),
         "EpochReward": (1, "EpochClosed EpochBalanced", "Issuance>Wallet Issuance>Pool Issuance>Reserve"),
         "Allowance": (2, "Compute", "Issuance>Quota"), "Lapse": (2, "Compute", "Quota>Issuance"),
         "Settlement": (2, "Compute", "Quota>Earnings Expense>Earnings Earnings>Quota"),
         "Draw": (3, "Energy", "Issuance>Usage"), "Correction": (3, "Energy", "Usage>Issuance"),
         "ExportShare": (1, "ExportShared", "Wallet>Wallet")}  # of carbon (4) as of energy (3)

def balance_of(number, account, salt):
    """The text of an account's leaf in a sheet of balances."""
    return (f"lab3 balance 1\naccount: {number}\nowner: {account['owner']}\nasset: {ASSETS[account['asset']]}\n"
            f"purpose: {account['purpose'].lower()}\nbalance: {account['balance']}\nheld: {account['held']}\nsalt: {salt.hex()}\n").encode()

def leaf_of(data):
    return sha(b"\0", data)

def root_of(leaves):
    """RFC 6962, level by level: a node without a sibling stands for itself a level up."""
    while len(leaves) > 1:
        leaves = [sha(b"\1", *leaves[at:at + 2]) if at + 1 < len(leaves) else leaves[at] for at in range(0, len(leaves), 2)]
    return leaves[0] if leaves else sha()

class Books:
    def __init__(self, fee):
        self.accounts, self.names, self.holds, self.ids = [], {}, {}, set()
        self.at, self.epoch, self.offices, self.fee, self.log_key, self.treasury = -2**63, 0, None, fee, None, Treasury()
        self.seed, self.sheets = bytes(32), False
        self.jobs, self.hours, self.closed, self.certificates, self.issued, self.shared = {}, {}, -2**63, {}, {}, {}

    def post(self, number, change, held=0):
        need(number < len(self.accounts), f"account {number} was never opened")
        account = self.accounts[number]
        account["balance"] += change
        account["held"] += held
        need(-2**63 <= account["balance"] < 2**63 and 0 <= account["held"] < 2**63, f"account {number} has what cannot be counted")
        need(account["overdraft"] or account["balance"] >= account["held"], f"account {number} ({account['owner']}) is overdrawn")
        need(change <= 0 or account["balance"] <= account["ceiling"], f"account {number} is past its ceiling")
        return account["asset"], account["purpose"]

    def pay(self, debit, credit, amount, freed=0):
        taken, given = self.post(debit, -amount, -freed), self.post(credit, amount)
        need(taken[0] == given[0] and debit != credit, "debits and credits differ, or an account pays itself")
        return taken[0], taken[1] + ">" + given[1]

    def enter(self, sequence, record, kind, name, e):
        fact = kind if record["fact"][0] == "Finance" or kind in ("Certified", "ExportShared") else record["fact"][0]
        if name == "AccountOpened":
            place, purpose, owner = (e["owner"], e["asset"], e["purpose"][0]), e["purpose"][0], OWNERS.get((e["asset"], e["purpose"][0]))
            fits = owner and any(e["owner"].startswith(one) if one[-1] in ":/" else e["owner"] == one for one in owner.split())
            need(fits and e["limits"]["overdraft"] == (purpose in ("Issuance", "Expense")), f"{place} is an account no rule opens")
            fits = fact not in ("Refused", "Batch", "Trust", "Certified") and (e["asset"] > 2) == (fact == "Energy")
            need(place not in self.names and fits, f"{place} is opened twice, or by no rule")
            self.names[place] = len(self.accounts)
            self.accounts.append(dict(e["limits"], owner=e["owner"], asset=e["asset"], purpose=purpose, balance=0, held=0, month=0))
        elif name == "Transferred":
            asset, places = self.pay(e["debit"], e["credit"], e["amount"])
            allowed, facts, moves = MOVES[e["memo_of"][0]]
            fits = min(asset, 3) == allowed and fact in facts.split() and places in moves.split() and e["amount"] > 0
            need(fits and (e["memo_of"][0] != "Mint" or places.endswith("Pool") == (fact == "Opened")), f"{e['memo_of'][0]} {places} in {fact}")
        else:
            need(fact in ("Compute", "Energy"), "a hold changes in a record that is neither compute's nor energy's")
            self.hold(sequence, record, fact, name, e)

    def hold(self, sequence, record, fact, name, e):
        place, to = {"Compute": ((2, "Quota"), "Earnings"), "Energy": ((3, "Issuance"), "Usage")}[fact]
        if name == "HoldPlaced":
            own = fact == "Energy" or e["id"] == record["id"]
            need(own and e["id"] not in self.holds and e["amount"] >= 0, "a hold is placed as it cannot be")
            self.holds[e["id"]] = [sequence, e["account"], e["amount"], e["deadline"]]
            need(self.post(e["account"], 0, e["amount"]) == place, "a hold stands on an account of another kind")
        elif name == "HoldExtended":
            hold = self.holds.get(e["id"])
            need(hold and hold[1] == e["account"] and e["by"] >= 0 and fact == "Compute", "a hold is extended that is not open, or not so")
            hold[2:] = hold[2] + e["by"], e["deadline"]
            self.post(e["account"], 0, e["by"])
        else:
            end = e["end"] if name == "HoldSettled" else e
            hold = self.holds.pop(end["id"], None)
            need(hold and hold[:3] == [end["placed"], end["account"], end["held"]], "a hold ends that is not open, or not so")
            need(name != "HoldExpired" or record["at"] >= hold[3], "a hold expires before its deadline")
            if name == "HoldSettled":
                need(e["taken"] >= 0, "a settlement takes less than nothing")
                places = self.pay(end["account"], e["to"], e["taken"], end["held"])
                need(places == (place[0], f"{place[1]}>{to}"), "a settlement between other accounts")
            else:
                need(self.post(end["account"], 0, -end["held"]) == place, "a hold ends in a record of another kind")

    def fees(self, events):
        for at, (name, e) in enumerate(events):
            kind, owner = (e["memo_of"][0], e["debit"]) if name == "Transferred" else ("", None)
            before = events[at - 1][1] if at and events[at - 1][0] == "Transferred" else None
            if kind == "Fee":
                need(before and (before["memo_of"][0], before["debit"]) == ("Transfer", owner), "a fee does not follow its transfer")
            if kind == "Transfer" and self.fee is not None:
                after = events[at + 1][1] if at + 1 < len(events) and events[at + 1][0] == "Transferred" else None
                paid = after["amount"] if after and after["memo_of"][0] == "Fee" else 0
                need(paid == -(-e["amount"] * self.fee // 10**9), "a fee is missing, or another than it should be")

    def told(self, sequence, record, kind, fact):
        need((kind == "Opened") == (sequence == 1), "the books are opened by the first record, and by no other")
        moved = lambda wanted: [e for name, e in record["entries"] if name == "Transferred" and e["memo_of"][0] == wanted]
        if kind == "Opened":
            self.offices, self.epoch = (fact["issuance"], fact["pool"]), 1
            for purpose in ("Issuance", "Pool", "Reserve"):
                number = fact[purpose.lower()]
                place = number < len(self.accounts) and (self.accounts[number]["asset"], self.accounts[number]["purpose"])
                need(place == (1, purpose), f"account {number} is not the {purpose}")
        if kind in ("EpochClosed", "EpochBalanced"):
            need(fact["closed"] == self.epoch and fact["opened"] == self.epoch + 1, "an epoch is closed that is not current")
            need(fact["reward"] == sum(e["amount"] for e in moved("EpochReward")), "a reward is not what was paid")
            self.epoch += 1
            need(kind == "EpochBalanced" or not self.sheets, "an epoch is closed without its balances")
        if kind == "EpochBalanced":
            self.sheet(fact)
        if any(name == "AccountOpened" for name, _ in record["entries"]):
            self.seed = sha(self.seed, record["id"])
        if record["fact"][0] == "Finance" and fact:
            need("supply" not in fact or fact["supply"] == self.supply(), "the supply is not what was given out")
            need("pool_balance" not in fact or fact["pool_balance"] == self.accounts[self.offices[1]]["balance"], "the pool's balance")
        if record["fact"][0] == "Compute":
            inner = fact.get("allocated") or fact.get("reported") or fact
            self.used(kind, inner, record["entries"], moved)
            need(kind != "Deferred" or self.waits(record, fact), "a query does not wait as it says")
            opening, granted = inner.get("opening"), [(e["credit"], e["amount"]) for e in moved("Allowance")]
            said = [(opening["account"], opening["quota"])] if opening and opening["quota"] > 0 else []
            need(granted == said, "an allowance is granted that is not told of")
            if opening:
                need(opening["account"] < len(self.accounts), "a month of no account is opened")
                account, moment = self.accounts[opening["account"]], datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=record["at"])
                need(account["month"] < opening["period"] == moment.year * 12 + moment.month - 1, "a month is opened out of turn")
                account["month"] = opening["period"]

        if record["fact"][0] == "Energy":
            {"Certified": self.certify, "ExportShared": self.share}.get(kind, self.energy)(record, kind, fact)

    def energy(self, record, kind, fact):
        """What was used by the entries, less what is said of it, is nothing; holds are placed and end as is said."""
        used, sources, holds, freed, said = {}, set(), [], 0, []
        def gets(number, amount):
            used[number] = used.get(number, 0) + amount
        for name, e in record["entries"]:
            if name == "Transferred":
                source, to, amount = ("debit", "credit", e["amount"]) if e["memo_of"][0] == "Draw" else ("credit", "debit", -e["amount"])
                gets(e[to], amount)
                sources.add(e[source])
            elif name != "AccountOpened":
                end = e["end"] if name == "HoldSettled" else e
                sources.add(end["account"])
                holds.append((name, e["id"], e["amount"]) if name == "HoldPlaced" else (name, end["id"]))
                freed += end["held"] if name in ("HoldReleased", "HoldExpired") else 0
                if name == "HoldSettled":
                    gets(e["to"], e["taken"])
        source, ends, parts, at = "hive:energy", [], [], record["at"]
        office = lambda owner: tuple(self.names.get((owner, asset, "Usage")) for asset in (3, 4))
        counted = (fact["energy"], fact["carbon"]) if kind in ("Drawn", "JobSettled") else ()
        owners = {self.accounts[number]["owner"] for number in counted if number < len(self.accounts)}
        need(not counted or len(owners) == 1 and office(*owners) == counted and owners.pop().startswith("did:"), "energy is not one member's")
        if kind == "Drawn":
            need(0 <= fact["low_mwh"] <= fact["energy_mwh"] <= fact["high_mwh"], "a draw's bounds are not in order")
            need(abs(fact["weight_uwh"] - 1000 * fact["energy_mwh"]) <= 1000, "a draw's weight is not its energy")
            need(not fact["allocation"] or record["id"] == bytes(byte ^ 0x5a for byte in fact["allocation"]), "a draw is not its allocation's")
            parts = [(at - at % HOUR, fact["energy_mwh"], fact["footprint"]["average_mg"])]
            if fact["on_site"]:
                self.hours = {hour: tally for hour, tally in self.hours.items() if hour >= at - at % HOUR - 168 * HOUR}
            else:
                source = "hive:provider/" + fact["provider"]
        elif kind == "JobSettled":
            job, back, parts = self.jobs.pop(fact["job"], None), tuple(fact["house"].values()), [tuple(part.values()) for part in fact["hours"]]
            need(job and job[0] == fact["energy"] and job[1] <= at, "a job is settled that is not booked, or not so, or has not begun")
            need(fact["metered"] or fact["energy_mwh"] == job[2], "a job nobody metered took another energy than was planned")
            need(all(hour > self.closed and energy >= 0 for hour, energy, _ in parts) and min(back) >= 0, "a job ran in hours that were divided")
            need(sum(energy for _, energy, _ in parts) + back[0] <= fact["energy_mwh"], "a job has more than it took")
            said = [(counted, back), (office("hive:house"), (-back[0], -back[1]))]
            ends = [("HoldSettled", fact["job"])]
        elif kind == "HourClosed":
            hour, shares = fact["hour"], [share["part"] for share in fact["shares"]] + [fact["idle"], fact["house"]]
            need(hour % HOUR == 0 and self.closed < hour <= at - HOUR, "an hour is divided out of turn, or before it ended")
            need(sum(part["energy_mwh"] for part in shares) == fact["meter_mwh"], "an hour's parts do not add up to its meter")
            need(all(sum(part["footprint"][mass] for part in shares) == fact["footprint"][mass] for mass in MASSES), "an hour's carbon")
            need(all(part["energy_mwh"] >= 0 for part in shares), "a part of an hour is less than nothing")
            booked = self.hours.get(hour, {})
            need(sorted(booked) == [(share["energy"], share["carbon"]) for share in fact["shares"]], "an hour has other shares than draws")
            self.closed, self.hours = hour, {other: tally for other, tally in self.hours.items() if other > hour}
            for place, part in zip([*sorted(booked), office("hive:idle"), office("hive:house")], shares):
                energy, mass = booked.get(place, (0, 0))
                said.append((place, (part["energy_mwh"] - energy, part["footprint"]["average_mg"] - mass)))
        elif kind == "Booked":
            jobs, account = fact["jobs"], office(fact["citizen"])[0]
            need(account == fact["account"] and fact["citizen"].startswith("did:"), "jobs are booked on an account that is not their owner's")
            need(not jobs or [job["id"] for job in jobs] == [record["id"], *record["aliases"]], "jobs do not go by their record's ids")
            for job in jobs:
                times = [moment for run in job["runs"] for moment in (run["start"], run["end"])]
                fits = times == sorted(times) and all(run["start"] < run["end"] for run in job["runs"]) and job["energy_mwh"] > 0
                need(times and fits and times[0] >= at - at % HOUR, "a job takes nothing, began earlier, or runs in no order")
                need(job["id"] in self.holds and self.holds[job["id"]][3] >= times[-1], "a job's hold ends before it does")
                self.jobs[job["id"]] = account, times[0], job["energy_mwh"]
                ends.append(("HoldPlaced", job["id"], job["energy_mwh"]))
        else:
            ends = [("HoldReleased", fact["job"])] if kind == "JobReleased" else [("HoldExpired", job) for job in fact["jobs"]]
            need(all(self.jobs.pop(job, None) for _, job in ends) and freed == fact["released"], "other jobs end than are booked")
        for hour, *part in parts:
            said.append((counted, part))
            if kind == "JobSettled" or fact["on_site"]:
                tally = self.hours.setdefault(hour, {})
                tally[counted] = tuple(map(sum, zip(tally.get(counted, (0, 0)), part)))
        for place, part in said:
            for number, amount in zip(place, part):
                gets(number, -amount)
        need(not any(used.values()), "what was used by the entries is not what is said")
        need(holds == ends, "holds are placed or end otherwise than is said")
        need(all(self.accounts[number]["owner"] == source for number in sources), f"energy that is {source}'s comes from elsewhere")

    def certify(self, record, kind, fact):
        kind, fact = fact
        one = self.certificates.get(fact["id"])
        if kind == "Issued":
            new = fact["certificate"]
            ended = new["hour"] % HOUR == 0 and new["hour"] + HOUR <= record["at"]
            need(ended and new["energy_wh"] > 0 and new["state"][0] == "Active", "a certificate is issued that cannot be")
            need(not one and (new["device"], new["hour"]) not in self.issued, "something is certified twice")
            self.issued[new["device"], new["hour"]] = new["owner"], new["energy_wh"]
            self.certificates[fact["id"]] = new
            return
        need(one and one["state"][0] == "Active", "a certificate is used that there is not, or that was used")
        if kind == "Handed":
            one["owner"] = fact["to"]
        elif kind == "Claimed":
            need((fact["by"], fact["at"]) == (one["owner"], record["at"]), "a certificate is claimed by another, or at another time")
            one["state"] = "Claimed", None
        else:
            into, first = (fact["first"], fact["second"]), fact["first_wh"]
            need(0 < first < one["energy_wh"], "a certificate is split into nothing and the whole")
            need(into[0] != into[1] and not any(part in self.certificates for part in into), "a part of a certificate has an id that is taken")
            one["state"] = "Split", None
            for part, energy in zip(into, (first, one["energy_wh"] - first)):
                self.certificates[part] = dict(one, energy_wh=energy, state=("Active", None))

    def share(self, record, _, fact):
        """Hamilton's method again: each its exact part rounded down, and one more to the largest remainders, the first DID first."""
        start, end, amount, shares = fact["start"], fact["end"], fact["amount"], fact["shares"]
        whole = start % HOUR == end % HOUR == 0 and HOUR <= end - start <= 366 * 24 * HOUR and end <= record["at"]
        need(fact["id"] == record["id"] and whole and amount > 0 and (fact["exported_mwh"] or 0) >= 0, "exports are shared that cannot be so")
        before = self.shared.setdefault((fact["payer"], fact["device"]), [])
        need(all(end <= since or start >= until for since, until in before), "an hour of exports is shared twice")
        before.append((start, end))
        wallets = [fact["payer"]] + [share["account"] for share in shares]
        need(all(n < len(self.accounts) and (self.accounts[n]["asset"], self.accounts[n]["purpose"]) == (1, "Wallet") for n in wallets),
             "exports are shared from or to what is no wallet")
        owners = [self.accounts[share["account"]]["owner"].encode() for share in shares]
        need(0 < len(shares) <= 4000 and all(one < next for one, next in zip(owners, owners[1:])), "members are too many, or out of order")
        made, weights = {}, [share["weight"] for share in shares]
        for (_, hour), (owner, energy) in self.issued.items():
            if start <= hour < end:
                made[owner.encode()] = made.get(owner.encode(), 0) + energy
        due = {"Equal": [1] * len(shares), "Weights": weights, "Generation": [made.get(owner, 0) for owner in owners]}[fact["rule"][0]]
        need(weights == due and min(weights) > 0, "a member weighs another than the rule gives")
        parts = [amount * weight // sum(weights) for weight in weights]
        for at in sorted(range(len(parts)), key=lambda at: (-(amount * weights[at] % sum(weights)), at))[:amount - sum(parts)]:
            parts[at] += 1
        need(parts == [share["amount"] for share in shares], "a share is another than its weight gives")
        paid = [(e["debit"], e["credit"], e["amount"], e["memo"]) for name, e in record["entries"] if name == "Transferred"]
        need(paid == [(fact["payer"], share["account"], part, "") for share, part in zip(shares, parts) if part and share["account"] != fact["payer"]],
             "the entries pay other shares than are told of")
        opened = {self.names[e["owner"], e["asset"], e["purpose"][0]] for name, e in record["entries"] if name == "AccountOpened"}
        need(opened <= set(wallets[1:]), "an account is opened for nobody who has a share")
        generated = {owner for owner in made if owner.startswith(b"did:")}
        need(not record["signed"] or fact["rule"][0] != "Generation" or generated <= set(owners), "somebody who generated has no share")
        payer, members = self.accounts[fact["payer"]]["owner"], [owner.decode() for owner in owners]
        self.treasury.shared(record, fact, payer, members)

    def sheet(self, fact):
        self.sheets, sums, leaves = True, {}, []
        for number, account in enumerate(self.accounts):
            place = account["asset"], PURPOSES.split().index(account["purpose"])
            sums[place] = sums.get(place, 0) + account["balance"]
            salt = sha(self.seed, fact["closed"].to_bytes(4, "big"), number.to_bytes(4, "big"))[:16]
            leaves.append(leaf_of(balance_of(number, account, salt)))
        totals = [((total["asset"], PURPOSES.split().index(total["purpose"][0])), total["balance"]) for total in fact["totals"]]
        need(fact["accounts"] == len(leaves), "not as many accounts are summed up as there are")
        need(totals == sorted(sums.items()), "the totals are not those of the accounts")
        need(fact["root"] == root_of(leaves), "the balances do not lead to the root in the record")

    def used(self, kind, fact, events, moved):
        ends = [e for name, e in events if name in ("HoldReleased", "HoldExpired")]
        by_hive = sum(e["amount"] for e in moved("Settlement") if self.accounts[e["debit"]]["purpose"] == "Expense")
        charged = sum(e["taken"] for name, e in events if name == "HoldSettled") + sum(e["amount"] for e in moved("Settlement")) - by_hive
        if kind in ("Released", "Expired"):
            need(len(ends) == fact.get("allocations", 1) and fact["released"] == sum(e["held"] for e in ends), "what it says was freed")
            need(fact["lapsed"] == sum(e["amount"] for e in moved("Lapse")), "what it says lapsed")
        if kind in ("Reported", "Settled") and not fact["late"]:
            need((fact["charged"], fact["hive_paid"]) == (charged, by_hive), "what it says was paid")

    def waits(self, record, fact):
        held = [e["deadline"] for name, e in record["entries"] if name == "HoldPlaced"]
        emits = lambda intensity: (fact["energy_mwh"] * intensity + 5 * 10**8) // 10**9
        known = None not in (fact["carbon_ug"], fact["at_once_ug"], fact["energy_mwh"])
        return (record["at"] <= fact["run_at"] <= fact["run_until"] <= fact["deadline"] <= record["at"] + 168 * HOUR
                and record["at"] < fact["deadline"] and len(held) == 1 and fact["run_until"] <= held[0]
                and (fact["saved_mg"] is None or known and fact["saved_mg"] == emits(fact["at_once_ug"]) - emits(fact["carbon_ug"])))

    def supply(self):
        return -self.accounts[self.offices[0]]["balance"] if self.offices else 0

    def take(self, sequence, data):
        reader = Reader(data)
        record = RECORD(reader)
        record["signed"] = SIGNED(reader) if reader.at < len(data) else None
        need(reader.at == len(data), "bytes follow its end")
        need(record["at"] >= self.at, "time goes back")
        self.at = record["at"]
        for name in [record["id"], *record["aliases"]]:
            need(name not in self.ids, f"id {name.hex()} is used twice")
            self.ids.add(name)
        deed, said = record["fact"][1]["deed"] if record["fact"][0] == "Trust" else ("", None)
        if deed in ("Inscribed", "Resumed"):
            self.log_key = said["log_key"]
        need(deed != "Erased" or said["record"] < sequence, "it erases what is written later")
        kind, fact = record["fact"][1] if record["fact"][0] in ("Compute", "Finance", "Energy") else ("", None)
        for name, event in record["entries"]:
            self.enter(sequence, record, kind, name, event)
        self.fees(record["entries"])
        self.told(sequence, record, kind, fact)
        self.treasury.take(record, self.accounts)

# What is signed (docs/modules/trust.md, "Intents"; docs/journal.md, "Treasurers"): by who shares exports; by treasurers, k of n; each with a key
# that was theirs then.
BASE58, BASE32 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", "0123456789abcdefghjkmnpqrstvwxyz"

def key_in(did):
    """The key that is a did:key's name, if it is an Ed25519 key."""
    number = 0
    for letter in did.removeprefix("did:key:z"):
        if letter not in BASE58:
            return None
        number = number * 58 + BASE58.index(letter)
    return number.to_bytes(34, "big")[2:] if did.startswith("did:key:z6Mk") and number >> 256 == 0xed01 else None

def tag(prefix, name):
    number = int.from_bytes(name, "big")
    return prefix + "_" + "".join(BASE32[number >> 5 * place & 31] for place in range(25, -1, -1))

def moment(millis):
    try:
        whole = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=millis // 1000)
    except OverflowError:
        raise Bad("a time no calendar has") from None
    return whole.isoformat() + (f".{millis % 1000:03}".rstrip("0") if millis % 1000 else "") + "Z"

class Treasury:
    def __init__(self):
        self.hive, self.keys, self.named, self.closed = None, {}, None, False

    def take(self, record, accounts):
        if record["fact"][0] == "Finance" and record["fact"][1][0] in ("Granted", "Minted"):
            paid = [e for name, e in record["entries"] if name == "Transferred" and e["memo_of"][0] in ("Grant", "Mint")]
            need(paid and (not record["signed"] or record["signed"][0] == "Approval"), "new money or a grant without an entry, or signed by one")
            lines = ["to: " + accounts[paid[0]["credit"]]["owner"], f"amount-ks: {paid[0]['amount']}", "memo: " + (paid[0]["memo"] or "-")]
            self.decided(record, paid[0]["memo_of"][0].lower(), lines, record["signed"] and record["signed"][1])
        elif record["fact"][0] == "Trust":
            self.deed(record, record["fact"][1]["by"], *record["fact"][1]["deed"])

    def shared(self, record, fact, payer, members):
        """Whether a payer who has to sign did, and what was signed is what was shared."""
        own = key_in(payer)
        keys = [own] if own else self.keys.get(payer, [])
        if not record["signed"]:
            return need(not self.closed or not keys and record["actor"][0] != "Signed", f"{payer} has to sign, and shared without")
        kind, intent = record["signed"]
        need(kind == "Intent" and intent["key"] in keys and record["at"] <= intent["not_after"], f"{payer} has not signed it, or too late")
        counted, amount, rule = fact["measured"], fact["amount"], fact["rule"][0]
        need(amount <= intent["fee_max"] if counted else intent["fee_max"] == 0, "more exports were counted than was signed")
        fed = "-" if fact["exported_mwh"] is None else fact["exported_mwh"]
        lines = ["from: " + payer, "device: " + fact["device"], "begin: " + moment(fact["start"]), "end: " + moment(fact["end"])]
        lines += [f"counted-max-ks: {intent['fee_max']}"] if counted else [f"amount-ks: {amount}", f"exported-mwh: {fed}"]
        weights = [f" {share['weight']}" if rule == "Weights" else "" for share in fact["shares"]]
        lines += ["rule: " + rule.lower()] + ["member: " + did + weight for did, weight in zip(members, weights) if rule != "Generation"]
        message = self.text(record, intent["not_after"], "share-exports", lines)
        need(signed(intent["key"], message, intent["signature"]), f"the signature of {payer} does not hold")

    def text(self, record, not_after, act, lines):
        need(self.hive, "signed for no journal")
        head = ["lab3 intent 1", "hive: " + self.hive[0], "journal: " + tag("jn", self.hive[1]), "id: " + tag("tx", record["id"]),
                "not-after: " + moment(not_after), "act: " + act]
        return "".join(line + "\n" for line in head + lines).encode()

    def deed(self, record, by, name, deed):
        self.closed |= name in ("KeyCreated", "DidKeys", "Noted", "Sealed")
        if name == "Inscribed":
            self.hive = deed["hive"], deed["journal"]
        elif name == "Resumed" and self.hive:
            self.hive = self.hive[0], deed["journal"]
        elif name == "Noted":
            self.keys[deed["did"]] = deed["keys"]
        elif name == "DidKeys":
            known, (change, key) = self.keys.get(deed["event"]["did"], []), deed["event"]["change"]
            old, new = (key["old"], key["new"]) if change == "Rotate" else (key, None if change == "Revoke" else key)
            kept = [] if change == "Recover" else [one for one in known if change == "Add" or one != old]
            self.keys[deed["event"]["did"]] = kept + ([new] if new else [])
        acts = {"TreasurersNamed": lambda: ("treasurers", [f"needed: {deed['needed']}"] + ["treasurer: " + did for did in deed["members"]]),
                "PolicyChanged": lambda: ("policy", [f"set: {line['name']}={line['value']}" for line in deed["lines"]]),
                "Frozen": lambda: ("freeze", [f"{field}: {deed[field]}" for field in ("citizen", "hours", "reason")])}
        if name in acts and (name != "Frozen" or deed["approval"]):
            first = deed["approval"] and deed["approval"]["signatures"] and deed["approval"]["signatures"][0]["treasurer"]
            need(not deed["approval"] or by == ("Did", first), "treasurers signed it, and somebody else is said to have done it")
            self.decided(record, *acts[name](), deed["approval"])
        if name == "TreasurersNamed":
            self.named = deed["needed"], deed["members"]

    def decided(self, record, act, lines, approval):
        need(bool(approval) == bool(self.named), "it takes treasurers' signatures and has none, or has some and takes none")
        if not approval:
            return need(record["actor"][0] != "Signed", "nobody signs alone for what is the treasurers'")
        need(record["actor"][0] == "Signed", "treasurers signed it, and somebody else is said to have acted")
        message, signatures = self.text(record, approval["not_after"], act, lines), approval["signatures"]
        need(record["at"] <= approval["not_after"], "what treasurers signed was decided too late")
        for sign in signatures:
            own = key_in(sign["treasurer"])
            known = [own] if own else self.keys.get(sign["treasurer"], [])
            need(sign["treasurer"] in self.named[1] and sign["key"] in known, f"{sign['treasurer']} is no treasurer, or signed with no key of theirs")
            need(signed(sign["key"], message, sign["signature"]), f"the signature of {sign['treasurer']} does not hold")
        for part in ("treasurer", "key"):
            need(len({sign[part] for sign in signatures}) == len(signatures), "a treasurer signed twice, or with another's key")
        need(len(signatures) >= self.named[0], "too few treasurers signed")

class Log:
    """What a log serves, and the tree over it: peaks are the perfect subtrees' hashes, the largest first."""
    def __init__(self, place, bearer):
        self.place, self.bearer, self.size, self.peaks = place.rstrip("/"), bearer, 0, []

    def get(self, path):
        if not self.place.startswith(("http://", "https://")):
            with open(os.path.join(self.place, path), "rb") as file:
                return file.read()
        headers = {"Authorization": "Bearer " + self.bearer} if self.bearer else {}
        with urllib.request.urlopen(urllib.request.Request(f"{self.place}/lab3/log/{path}", headers=headers), timeout=60) as reply:
            return reply.read()

    def witnessed(self, size, key, wait):
        """The newest checkpoint that witnesses have cosigned, once it has so many records or the wait is over."""
        until = time.monotonic() + wait
        while True:
            try:
                note = self.get("witnessed")
            except urllib.error.HTTPError as error:
                note = error.code == 404 and b""
            if time.monotonic() >= until or note and checkpoint_of(key, note)[0] >= size:
                need(note, "no witness has seen the log")
                return note
            time.sleep(0.5)

    def records(self, size):
        for tile in range(-(-size // 256)):
            width, path, rest = min(256, size - tile * 256), f"{tile % 1000:03}", tile // 1000
            while rest:
                path, rest = f"x{rest % 1000:03}/{path}", rest // 1000
            data, at = self.get("tile/data/" + path + (f".p/{width}" if width < 256 else "")), 0
            for _ in range(width):
                length = int.from_bytes(data[at:at + 4], "big")
                need(at + 4 + length <= len(data), f"tile {tile} of records is cut short")
                yield data[at + 4:at + 4 + length]
                at += 4 + length
            need(at == len(data), f"tile {tile} has more than its records")

    def push(self, record):
        leaf, size = leaf_of(record), self.size
        while size & 1:
            leaf, size = sha(b"\1", self.peaks.pop(), leaf), size >> 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self):
        if not self.peaks:
            return sha()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = sha(b"\1", peak, root)
        return root

# Proofs (RFC 9162, 2.1.3 and 2.1.4), by the recursion that defines them: the last hash is the root's other half.
def half(size):
    return 1 << (size - 1).bit_length() - 1

def included(index, size, leaf, proof):
    """The root that follows when this leaf hash is number `index` of `size`."""
    need(0 <= index < size and (size > 1) == bool(proof), "the tree has no such leaf, or the proof not as many hashes")
    if size == 1:
        return leaf
    if index < half(size):
        return sha(b"\1", included(index, half(size), leaf, proof[:-1]), proof[-1])
    return sha(b"\1", proof[-1], included(index - half(size), size - half(size), leaf, proof[:-1]))

def continued(old, new, old_root, proof):
    """The roots of the older tree (not empty) and of the newer that follow; `old_root` is the older's, or None within a tree."""
    if old == new:
        need(len(proof) == (old_root is None), "the proof has not as many hashes")
        return (proof[0],) * 2 if proof else (old_root,) * 2
    need(0 < old < new and proof, "the older tree is the larger, or the proof has too few hashes")
    if old <= half(new):
        before, after = continued(old, half(new), old_root, proof[:-1])
        return before, sha(b"\1", after, proof[-1])
    before, after = continued(old - half(new), new - half(new), None, proof[:-1])
    return sha(b"\1", proof[-1], before), sha(b"\1", proof[-1], after)

def verify_proof(path, key):
    """One line about a record's proof (c2sp.org/tlog-proof), whose `extra` is the record."""
    with open(path, "rb") as file:
        head, note = file.read().split(b"\n\n", 1)
    title, extra, index, *hashes = head.decode().split("\n")
    need((title, extra[:6], index[:6]) == ("c2sp.org/tlog-proof@v1", "extra ", "index "), "the proof's form")
    size, root = checkpoint_of(key_of(key), note)
    leaf = sha(b"\0", unbase64(extra[6:]))
    need(included(int(index[6:]), size, leaf, [unbase64(line) for line in hashes]) == root, "the proof leads to another root than was signed")
    return f"holds: record {int(index[6:]) + 1} of {size} of {key.split('+')[0]}"

def visit_of(path):
    """The key, size and root of the last visit."""
    with open(path, "rb") as file:
        head, note = file.read().split(b"\n\n", 1)
    title, key, size, root = head.decode().split("\n")
    need((title, key[:4]) == ("lab3/audit-visit@v1", "key ") and size[:5] == "size " and root[:5] == "root ", "the last visit's form")
    known = key_of(key[4:])
    need(checkpoint_of(known, note) == (int(size[5:]), unbase64(root[5:])), "the last visit does not say what its note says")
    return key[4:], int(size[5:]), unbase64(root[5:])

def verify(place, key=None, last=None, fee=None, bearer=None, witnesses=(), needed=None, within=3600, wait=30):
    """One line that says what was checked; Bad says what does not hold."""
    log, books = Log(place, bearer), Books(fee)
    seen = visit_of(last) if last and os.path.exists(last) else None
    served = log.get("key").decode(errors="replace").strip("\n")
    known = key or (seen and seen[0]) or served
    need(known == served, "the log shows another key than the one known")
    note = log.get("checkpoint")
    shown = size, root = checkpoint_of(key_of(known), note)
    witnesses, since = [key_of(witness, 4) for witness in witnesses], int(time.time()) - within
    needed = len(witnesses) if needed is None else needed
    if seen_by(witnesses, note, since) < needed:
        note = log.witnessed(size, key_of(known), wait)
        size, root = checkpoint_of(key_of(known), note)
        some = seen_by(witnesses, note, since)
        need(some >= needed, f"{some} of the {len(witnesses)} witnesses have cosigned, not {needed}")
        need(size > shown[0] or (size, root) == shown, f"the log shows {shown[0]} records, of which witnesses have seen {size}")
    need(not seen or size >= seen[1], f"the log shows {size} records, and showed {seen and seen[1]}: keep both checkpoints")
    fault = None
    for sequence, record in enumerate(log.records(size), 1):
        need(not seen or log.size != seen[1] or log.root() == seen[2], f"the first {log.size} records are not those seen last")
        need(log.size != shown[0] or log.root() == shown[1], "witnesses have seen other records than the log shows")
        log.push(record)
        try:
            if not fault:
                books.take(sequence, record)
        except Bad as bad:
            fault = Bad(f"record {sequence}: {bad}")
    need(fault or books.log_key in (None, key_of(known)[2]), "the journal names another key as its log's than the one that signed")
    need(log.root() == root, "the records do not lead to the root that was signed")
    need(not seen or seen[1] < size or seen[2] == root, "the log signed another root for as many records")
    if fault:
        raise fault
    if last:
        with open(last, "wb") as file:
            file.write(f"lab3/audit-visit@v1\nkey {known}\nsize {size}\nroot {base64.b64encode(root).decode()}\n\n".encode() + note)
    supply, accounts = books.supply() / 10**6, len(books.accounts)
    return f"holds: {size} records of {known.split('+')[0]}, {accounts} accounts, {len(books.holds)} holds open, {supply:.6f} MIC"

def told(check):
    """Prints the line a check comes to; its exit status."""
    try:
        print(check())
        return 0
    except Bad as bad:
        print(f"does not hold: {bad}")
        return 1
    except (OSError, ValueError) as error:
        print(f"could not be checked: {error}")
        return 2

def main(arguments):
    parser = argparse.ArgumentParser(description="A second opinion on a Hive's books.")
    parser.add_argument("place")
    for name in ("--key", "--last", "--fee", "--bearer"):
        parser.add_argument(name)
    parser.add_argument("--witness", action="append", default=[])
    parser.add_argument("--witnesses-needed", type=int)
    parser.add_argument("--within", type=int, default=3600)
    parser.add_argument("--wait", type=int, default=30)
    asked = parser.parse_args(arguments)
    def one():
        if os.path.isfile(asked.place):
            need(asked.key, "a proof holds for a key: say which (--key)")
            return verify_proof(asked.place, asked.key)
        fee = None if asked.fee is None else round(float(asked.fee) * 10**7)
        witnesses = asked.witness, asked.witnesses_needed, asked.within, asked.wait
        return verify(asked.place, asked.key, asked.last, fee, asked.bearer, *witnesses)
    return told(one)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
