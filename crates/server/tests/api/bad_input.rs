//! Bad input, for each field of each request: a problem document that names the field, and no state changed.

use std::sync::LazyLock;

use crate::hive::Hive;

/// What may stand in a field.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Did,
    Positive,
    NotNegative,
    Tokens,
    Count,
    Epoch,
    Ratio,
    Priority,
    Provider,
    Reason,
    Project,
    Flag,
    AllocationId,
    ClientId,
}
use Kind::{AllocationId, ClientId, Count, Did, Epoch, Flag, NotNegative, Positive, Priority, Project, Provider, Ratio, Reason, Tokens};

/// A request: its path, and for each field its name, what it may hold, a good value, and whether it is required.
struct Form {
    path: &'static str,
    fields: &'static [(&'static str, Kind, &'static str, bool)],
    /// The field the object stands in, when it is an item of a list.
    list: Option<&'static str>,
}

const ALICE: &str = "\"did:kaizen:alice\"";
const BOB: &str = "\"did:kaizen:bob\"";
const AL: &str = "\"al_06f2x1w0v7r9h3kz8q5d4c2bgm\"";

static FORMS: &[Form] = &[
    Form {
        path: "/lab3/compute/allocate",
        fields: &[
            ("citizen_did", Did, ALICE, true),
            ("query_tokens", Tokens, "5000", true),
            ("priority", Priority, "\"standard\"", false),
            ("min_quality", Ratio, "0.9", false),
            ("max_cost_gic", Positive, "0.1", false),
            ("preferred_provider", Provider, "\"claude\"", false),
            ("dry_run", Flag, "false", false),
            ("explain", Flag, "true", false),
        ],
        list: None,
    },
    Form {
        path: "/lab3/compute/report_usage",
        fields: &[
            ("citizen_did", Did, ALICE, true),
            ("provider", Provider, "\"claude\"", true),
            ("actual_cost", NotNegative, "0.078", true),
            ("success", Flag, "true", true),
            ("allocation_id", AllocationId, AL, false),
            ("input_tokens", Count, "10", false),
            ("output_tokens", Count, "10", false),
            ("latency_ms", Count, "10", false),
        ],
        list: None,
    },
    Form { path: "/lab3/compute/allocations/al_06f2x1w0v7r9h3kz8q5d4c2bgm/release", fields: &[], list: None },
    Form {
        path: "/lab3/financial/transfer",
        fields: &[
            ("from_did", Did, ALICE, true),
            ("to_did", Did, BOB, true),
            ("amount", Positive, "1.5", true),
            ("reason", Reason, "\"rent\"", false),
        ],
        list: None,
    },
    Form {
        path: "/lab3/financial/transfers",
        fields: &[
            ("id", ClientId, "\"a-1\"", false),
            ("from_did", Did, ALICE, true),
            ("to_did", Did, BOB, true),
            ("amount", Positive, "1.5", true),
            ("reason", Reason, "\"rent\"", false),
        ],
        list: Some("transfers"),
    },
    Form {
        path: "/lab3/financial/grant",
        fields: &[("recipient_did", Did, BOB, true), ("amount", Positive, "1.5", true), ("project", Project, "\"Solar\"", true)],
        list: None,
    },
    Form {
        path: "/lab3/financial/contribute",
        fields: &[("from_did", Did, ALICE, true), ("amount", Positive, "1.5", true), ("reason", Reason, "\"rent\"", false)],
        list: None,
    },
    Form {
        path: "/lab3/financial/mint",
        fields: &[("to_did", Did, ALICE, true), ("amount", Positive, "1.5", true), ("reason", Project, "\"rent\"", true)],
        list: None,
    },
    Form { path: "/lab3/financial/epoch/close", fields: &[("epoch", Epoch, "1", false)], list: None },
];

const MALFORMED: &str = "L3-0001";
const MISSING: &str = "L3-0002";
const UNKNOWN: &str = "L3-0003";
const TWICE: &str = "L3-0004";
const TYPE: &str = "L3-0005";
const RANGE: &str = "L3-0006";
const PRECISION: &str = "L3-0007";
const DID: &str = "L3-0008";
const ID: &str = "L3-0009";

static LONG: LazyLock<[String; 2]> = LazyLock::new(|| [format!("\"{}\"", "é".repeat(501)), format!("\"did:kaizen:{}\"", "a".repeat(245))]);

/// What no field takes, whatever its kind.
const NEVER: &[(&str, &str)] = &[
    ("NaN", MALFORMED),
    ("Infinity", MALFORMED),
    ("-Infinity", MALFORMED),
    ("+1", MALFORMED),
    ("01", MALFORMED),
    ("1.", MALFORMED),
    (".5", MALFORMED),
    ("", MALFORMED),
    ("'a'", MALFORMED),
    ("\"\\x\"", MALFORMED),
    ("\"\u{1}\"", MALFORMED),
    ("{\"a\":}", MALFORMED),
    ("[1,]", MALFORMED),
    ("[]", TYPE),
    ("{}", TYPE),
];

/// Bad values of a kind, and the codes they are refused with.
fn bad_values(kind: Kind) -> Vec<(&'static str, &'static str)> {
    let numbers = &[("0", TYPE), ("-1", TYPE), ("1.5", TYPE), ("1e400", TYPE)][..];
    let [long_text, long_did] = &*LONG;
    let more: &[(&str, &str)] = match kind {
        Did => &[
            ("true", TYPE),
            ("\"\"", DID),
            ("\"alice\"", DID),
            ("\"did:Kaizen:alice\"", DID),
            ("\"did:kaizen:al ice\"", DID),
            ("\"did:kaizen:alice\\n\"", DID),
            ("\"did:kaizen:\"", DID),
            (long_did, DID),
        ],
        Positive | NotNegative => &[
            ("true", TYPE),
            ("\"\"", TYPE),
            ("\"NaN\"", TYPE),
            ("\"1e2\"", TYPE),
            ("\" 5\"", TYPE),
            ("\"+5\"", TYPE),
            ("\"007\"", TYPE),
            ("\".5\"", TYPE),
            ("\"5.\"", TYPE),
            ("-0.000001", RANGE),
            ("\"-1\"", RANGE),
            ("0.0000001", PRECISION),
            ("\"0.0000001\"", PRECISION),
            ("1e-7", PRECISION),
            ("1.0000001", PRECISION),
            ("1000000000000", RANGE),
            ("\"1000000000000\"", RANGE),
            ("9223372036854775808", RANGE),
            ("1e400", RANGE),
        ],
        Tokens => &[("true", TYPE), ("\"5000\"", TYPE), ("0", RANGE), ("-1", RANGE), ("10000001", RANGE), ("0.5", TYPE), ("1e400", RANGE)],
        Count => &[("true", TYPE), ("\"5\"", TYPE), ("-1", RANGE), ("1e10", RANGE), ("0.5", TYPE)],
        Epoch => &[("true", TYPE), ("\"1\"", TYPE), ("-1", RANGE), ("4294967296", RANGE), ("1.5", TYPE)],
        Ratio => &[("true", TYPE), ("\"0.9\"", TYPE), ("-0.1", RANGE), ("1.000001", RANGE), ("0.0000001", PRECISION), ("1e400", RANGE)],
        Priority => &[("true", TYPE), ("0", TYPE), ("\"\"", RANGE), ("\"Standard\"", RANGE), ("\"fastest\"", RANGE)],
        Provider | Project => &[("true", TYPE), ("\"\"", RANGE), ("\"a\\nb\"", RANGE), ("\"\\u0085\"", RANGE), (long_text, RANGE)],
        Reason => &[("true", TYPE), ("\"a\\nb\"", RANGE), ("\"\\u0000\"", RANGE), (long_text, RANGE)],
        Flag => &[("\"true\"", TYPE), ("\"\"", TYPE)],
        AllocationId => &[
            ("true", TYPE),
            ("\"\"", ID),
            ("\"al_1\"", ID),
            ("\"tx_06f2x1w0v7r9h3kz8q5d4c2bgm\"", ID),
            ("\"al_zzzzzzzzzzzzzzzzzzzzzzzzzz\"", ID),
        ],
        ClientId => &[("true", TYPE), ("\"\"", ID), ("\"a b\"", ID), ("\"é\"", ID), (long_text, ID)],
    };
    let is_number = matches!(kind, Positive | NotNegative | Tokens | Count | Epoch | Ratio);
    let mut values = [NEVER, more].concat();
    if !is_number {
        values.extend_from_slice(numbers);
    }
    // Half of a character: grammar where a text belongs, a wrong type elsewhere.
    let takes_no_text = matches!(kind, Tokens | Count | Epoch | Ratio | Flag);
    values.push(("\"\\ud800\"", if takes_no_text { TYPE } else { MALFORMED }));
    if kind == Positive {
        values.extend_from_slice(&[("0", RANGE), ("-0.0", RANGE), ("\"0.0\"", RANGE)]);
    }
    values
}

impl Form {
    /// The body with one field's value replaced, or its name left out.
    fn body(&self, changed: Option<(&str, Option<&str>)>, more: &str) -> String {
        let written = self.fields.iter().filter_map(|&(name, _, good, _)| match changed {
            Some((other, value)) if other == name => value.map(|value| format!("\"{name}\":{value}")),
            _ => Some(format!("\"{name}\":{good}")),
        });
        let mut written = written.collect::<Vec<_>>();
        if !more.is_empty() {
            written.push(more.to_owned());
        }
        let object = format!("{{{}}}", written.join(","));
        match self.list {
            // The second item is the one under test, so that its number shows.
            Some(list) => format!("{{\"{list}\":[{{\"from_did\":{ALICE},\"to_did\":{BOB},\"amount\":1}},{object}]}}"),
            None => object,
        }
    }

    fn field(&self, name: &str) -> String {
        self.list.map_or_else(|| name.to_owned(), |list| format!("{list}[1].{name}"))
    }
}

struct Bench {
    hive: Hive,
    before: [u8; 32],
    checked: usize,
}

impl Bench {
    async fn check(&mut self, path: &str, body: &str, code: &str, field: Option<&str>) {
        // The same key every time: a malformed request does not use it up.
        let reply = self.hive.post_text(path, &[("idempotency-key", "the-same-every-time")], body).await;
        let expected = (400, code.to_owned(), field.map(str::to_owned));
        assert_ne!(reply.status, 200, "{path} took {body}");
        assert_eq!(reply.problem(), expected, "{path} {body}: {}", reply.text());
        assert_eq!(self.hive.state_hash().await, self.before, "{path} {body} changed something");
        self.checked += 1;
    }
}

#[tokio::test]
async fn every_field_of_every_request_is_checked() {
    let hive = Hive::with_alice("100").await;
    let before = hive.state_hash().await;
    let mut bench = Bench { hive, before, checked: 0 };
    for form in FORMS {
        for &(name, kind, good, required) in form.fields {
            let field = form.field(name);
            let mut bad = bad_values(kind);
            if required {
                bad.push(("null", TYPE));
                bench.check(form.path, &form.body(Some((name, None)), ""), MISSING, Some(&field)).await;
            }
            for (value, code) in bad {
                bench.check(form.path, &form.body(Some((name, Some(value))), ""), code, Some(&field)).await;
            }
            bench.check(form.path, &form.body(None, &format!("\"{name}\":{good}")), TWICE, Some(&field)).await;
            bench.check(form.path, &form.body(None, &format!("\"{name}\":null")), TWICE, Some(&field)).await;
        }
        if let Some((name, _, good, _)) = form.fields.last() {
            let broken = format!("{good} x");
            bench.check(form.path, &form.body(Some((name, Some(&broken))), ""), MALFORMED, Some(&form.field(name))).await;
        }
        bench.check(form.path, &form.body(None, "\"surprise\":1"), UNKNOWN, Some(&form.field("surprise"))).await;
    }
    assert!(bench.checked > 900, "only {} cases", bench.checked);
}

#[tokio::test]
async fn null_is_absence_where_a_field_may_be_left_out() {
    let hive = Hive::new();
    let body = "{\"citizen_did\":\"did:kaizen:alice\",\"query_tokens\":5e3,\"priority\":null,\"min_quality\":null,\"max_cost_gic\":null,\
                \"preferred_provider\":null,\"dry_run\":null,\"explain\":null}";
    hive.post_text("/lab3/compute/allocate", &[], body).await.ok();
    for whole in ["5000.0", "5000", "50e2", "500000e-2"] {
        let body = format!("{{\"citizen_did\":\"did:kaizen:alice\",\"query_tokens\":{whole},\"dry_run\":true}}");
        assert_eq!(hive.post_text("/lab3/compute/allocate", &[], body).await.ok()["estimated_cost_gic"].to_string(), "0.01");
    }
}

#[tokio::test]
async fn a_body_that_is_no_object_is_refused_as_a_whole() {
    let hive = Hive::with_alice("100").await;
    let before = hive.state_hash().await;
    let mut bench = Bench { hive, before, checked: 0 };
    let deep = "[".repeat(100_000);
    let deep_objects = "{\"a\":".repeat(100_000);
    for form in FORMS {
        for body in ["[]", "null", "5", "\"text\"", "true", "{", "\u{feff}{}", "{,}", &deep] {
            bench.check(form.path, body, MALFORMED, None).await;
        }
        for behind in ["{}", " x", "]", ","] {
            bench.check(form.path, &format!("{}{behind}", form.body(None, "")), MALFORMED, None).await;
        }
        // The first name is unknown already, however deep it goes.
        bench.check(form.path, &deep_objects, UNKNOWN, Some("a")).await;
        if form.fields.iter().any(|&(_, _, _, required)| required) {
            bench.check(form.path, "", MALFORMED, None).await;
        }
    }
}

#[tokio::test]
async fn a_list_of_transfers_is_bounded() {
    let hive = Hive::with_alice("100").await;
    let before = hive.state_hash().await;
    let mut bench = Bench { hive, before, checked: 0 };
    let path = "/lab3/financial/transfers";
    let item = "{\"from_did\":\"did:kaizen:alice\",\"to_did\":\"did:kaizen:bob\",\"amount\":0.000001}";
    bench.check(path, "{\"transfers\":[]}", RANGE, Some("transfers")).await;
    bench.check(path, "{}", MISSING, Some("transfers")).await;
    bench.check(path, "{\"transfers\":null}", TYPE, Some("transfers")).await;
    bench.check(path, "{\"transfers\":{}}", TYPE, Some("transfers")).await;
    bench.check(path, "{\"transfers\":5}", TYPE, Some("transfers")).await;
    bench.check(path, "{\"transfers\":[5]}", TYPE, Some("transfers[0]")).await;
    bench.check(path, &format!("{{\"transfers\":[{item},null]}}"), TYPE, Some("transfers[1]")).await;
    bench.check(path, &format!("{{\"transfers\":[{item},[]]}}"), TYPE, Some("transfers[1]")).await;
    bench.check(path, &format!("{{\"transfers\":[{item} {item}]}}"), MALFORMED, Some("transfers[1]")).await;
    bench.check(path, &format!("{{\"transfers\":[{item}],\"atomic\":\"yes\"}}"), TYPE, Some("atomic")).await;
    bench.check(path, &format!("{{\"transfers\":[{item}],\"atomic\":1}}"), TYPE, Some("atomic")).await;
    bench.check(path, &format!("{{\"transfers\":[{item}],\"transfers\":[{item}]}}"), TWICE, Some("transfers")).await;
    let with_id = item.replace('{', "{\"id\":\"a\",");
    for atomic in [true, false] {
        let body = format!("{{\"transfers\":[{with_id},{item},{with_id}],\"atomic\":{atomic}}}");
        bench.check(path, &body, TWICE, Some("transfers[2].id")).await;
    }
    let too_many = format!("{{\"transfers\":[{}]}}", vec![item; 8001].join(","));
    bench.check(path, &too_many, RANGE, Some("transfers")).await;
    let most = format!("{{\"transfers\":[{}]}}", vec![item; 8000].join(","));
    assert_eq!(bench.hive.post_text(path, &[], most).await.ok()["accepted"], 8000);
}

#[tokio::test]
async fn queries_and_paths_are_as_strict() {
    const PARAMETER: &str = "L3-0010";
    let hive = Hive::with_alice("100").await;
    let before = hive.state_hash().await;
    for (path, code, field) in [
        ("/lab3/financial/transactions?limit=0", PARAMETER, "limit"),
        ("/lab3/financial/transactions?limit=501", PARAMETER, "limit"),
        ("/lab3/financial/transactions?limit=-1", PARAMETER, "limit"),
        ("/lab3/financial/transactions?limit=5.0", PARAMETER, "limit"),
        ("/lab3/financial/transactions?limit=", PARAMETER, "limit"),
        ("/lab3/financial/transactions?limit=99999999999999999999", PARAMETER, "limit"),
        ("/lab3/financial/transactions?limit=1&limit=2", PARAMETER, "limit"),
        ("/lab3/financial/transactions?limits=1", PARAMETER, "limits"),
        ("/lab3/financial/transactions?since=x", PARAMETER, "since"),
        ("/lab3/financial/transactions?before=9223372036854775808", PARAMETER, "before"),
        ("/lab3/financial/transactions?did=alice", DID, "did"),
        ("/lab3/financial/transactions?did=%ff", PARAMETER, "did"),
        ("/lab3/financial/transactions/tx_1", ID, "tx_id"),
        ("/lab3/financial/transactions/tx_06f2x1w0v7r9h3kz8q5d4c2bgm_0", ID, "tx_id"),
        ("/lab3/financial/transactions/tx_06f2x1w0v7r9h3kz8q5d4c2bgm_", ID, "tx_id"),
        ("/lab3/financial/transactions/tx_06f2x1w0v7r9h3kz8q5d4c2bgm_1_1", ID, "tx_id"),
        ("/lab3/financial/balance/alice", DID, "citizen_did"),
        ("/lab3/financial/balance/did:kaizen:a%20b", DID, "citizen_did"),
        ("/lab3/financial/balance/did:kaizen:%zz", DID, "citizen_did"),
        ("/lab3/financial/balance/did:kaizen:alice?at=x", PARAMETER, "at"),
        ("/lab3/financial/balance/did:kaizen:alice?at=3", PARAMETER, "at"),
        ("/lab3/financial/pool?x=1", PARAMETER, "x"),
        ("/lab3/compute/allocations", PARAMETER, "citizen_did"),
        ("/lab3/compute/allocations?citizen_did=", DID, "citizen_did"),
        ("/lab3/compute/allocations?citizen_did=did:kaizen:alice&limit=0", PARAMETER, "limit"),
        ("/lab3/compute/allocations/al_x", ID, "allocation_id"),
        ("/lab3/compute/quota/did:kaizen:alice?month=1", PARAMETER, "month"),
        ("/lab3/compute/quota/bob", DID, "citizen_did"),
        ("/lab3/compute/stats?x", PARAMETER, "x"),
        ("/lab3/compute/providers?x=1", PARAMETER, "x"),
        ("/lab3/health?x=1", PARAMETER, "x"),
        ("/lab3/journal/head?state_hash=yes", PARAMETER, "state_hash"),
        ("/metrics?x=1", PARAMETER, "x"),
    ] {
        let reply = hive.get(path).await;
        assert_ne!(reply.status, 200, "{path} was answered: {}", reply.text());
        assert_eq!(reply.problem(), (400, code.to_owned(), Some(field.to_owned())), "{path}: {}", reply.text());
    }
    hive.get("/lab3/financial/balance/%ff").await.refused(400, DID, None);
    let body = "{\"from_did\":\"did:kaizen:alice\",\"to_did\":\"did:kaizen:bob\",\"amount\":1}";
    hive.post_text("/lab3/financial/transfer?dry_run=true", &[], body).await.refused(400, PARAMETER, Some("dry_run"));
    hive.get("/lab3/financial/balance/did:web:example.org%253A3000").await.ok();
    assert_eq!(hive.state_hash().await, before);
}
