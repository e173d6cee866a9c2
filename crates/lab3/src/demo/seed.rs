//! A Hive to look around in: a few citizens with money and a little history, for `lab3 serve --demo`.

use lab3_compute::{Allocate, Priority};
use lab3_engine::{Actor, Command, Engine, Submission};
use lab3_finance::{Contribute, Mint, Transfer};
use lab3_units::{Amount, Asset, Did, Id};

use crate::Failure;

/// Citizens with what they begin with, in MIC.
const CITIZENS: [(&str, i64); 4] = [("alice", 1000), ("bob", 500), ("carol", 250), ("community_garden", 0)];

/// Gives an empty Hive its citizens.
pub async fn seed(engine: &Engine) -> Result<(), Failure> {
    for (name, mic) in CITIZENS.iter().filter(|(_, mic)| *mic > 0) {
        submit(engine, Command::Mint(Mint { to: did(name)?, amount: whole(*mic), reason: "a demo citizen's start".into() })).await?;
    }
    let rent = Transfer { from: did("alice")?, to: did("bob")?, amount: whole(50), reason: "API compute credits".into() };
    submit(engine, Command::Transfer(rent)).await?;
    let gift = Contribute { from: did("carol")?, amount: whole(25), reason: "for the solar roof".into() };
    submit(engine, Command::Contribute(gift)).await?;
    let query = Allocate {
        citizen: did("carol")?,
        tokens: 5000,
        priority: Priority::Standard,
        min_quality: None,
        max_cost: None,
        preferred: None,
        explain: false,
    };
    submit(engine, Command::Allocate(query)).await
}

/// The requests to try first.
pub fn invitation(url: &str) -> String {
    format!(
        "\nA demo Hive: alice, bob and carol have MIC, everybody has 100 MIC of compute this month. Try:\n
  curl {url}/lab3/financial/balance/did:kaizen:alice
  curl {url}/lab3/compute/allocate -H 'Content-Type: application/json' \\
       -d '{{\"citizen_did\": \"did:kaizen:alice\", \"query_tokens\": 5000, \"priority\": \"quality_optimized\", \"min_quality\": 0.90}}'
  curl {url}/lab3/financial/transfer -H 'Content-Type: application/json' -H 'Idempotency-Key: my-first-transfer' \\
       -d '{{\"from_did\": \"did:kaizen:alice\", \"to_did\": \"did:kaizen:bob\", \"amount\": 12.5, \"reason\": \"tomatoes\"}}'
  curl {url}/lab3/compute/stats\n
Everything goes when you stop it (Ctrl-C)."
    )
}

async fn submit(engine: &Engine, command: Command) -> Result<(), Failure> {
    let fresh = Id::from_bytes(uuid::Uuid::now_v7().into_bytes());
    let submitted = engine.submit(Submission::new(Actor::Operator, None, fresh, command)).await;
    submitted.map(drop).map_err(|problem| Failure::Other(format!("the demo Hive could not be made: {problem}")))
}

fn did(name: &str) -> Result<Did, Failure> {
    Did::parse(&format!("did:kaizen:{name}")).map_err(|error| Failure::Other(error.to_string()))
}

fn whole(mic: i64) -> Amount {
    let factor = 10_i64.pow(u32::from(Asset::MIC.scale()));
    Amount::new(mic * factor)
}
