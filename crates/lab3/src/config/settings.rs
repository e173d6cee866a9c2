//! The settings themselves: plain typed values, one struct a section.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use lab3_finance::Share;
use lab3_server::LimitSettings;
use lab3_units::{Amount, Duration, FeeRate, Ratio, TokenRate};

use super::{BaseUrl, DrawList, FetchList, LogKeys, Models, Prices, Range, Raw, Secret, Setting, WitnessList};

/// An enum whose variants are words of the configuration.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// Every word, in the order of the variants.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word of this variant.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl Setting for $name {
            fn accepts(&self, _: Range) -> String {
                let words: Vec<String> = Self::WORDS.iter().map(|word| format!("{word:?}")).collect();
                format!("one of {}", words.join(", "))
            }

            fn read(&mut self, raw: &Raw, _: Range) -> bool {
                match raw.text() {
                    $(Some($word) => *self = Self::$variant,)+
                    _ => return false,
                }
                true
            }

            fn show(&self) -> String {
                self.word().to_owned()
            }
        }
    };
}

words! {
    /// How much of the journal is checked before the desk opens.
    VerifyOnStart {
        /// Every record's hash, from the first.
        All = "all",
        /// Only what the newest snapshot does not cover.
        Tail = "tail",
    }
}

words! {
    /// Who may give grants from the pool.
    Grants {
        /// Whoever can reach the desk.
        Open = "open",
        /// Only with an approval: a key of the operator or a treasurer.
        Governed = "governed",
        /// Open while the desk listens on loopback, governed elsewhere.
        Auto = "auto",
    }
}

words! {
    /// What a provider speaks.
    Kind {
        /// Nothing: it is chosen for allocations, and asked by whoever asked for one.
        None = "none",
        /// Anthropic's messages.
        Anthropic = "anthropic",
        /// OpenAI's chat completions, at OpenAI itself.
        OpenAi = "openai",
        /// DeepSeek's chat completions.
        DeepSeek = "deepseek",
        /// OpenAI's chat completions, as other servers understand them: vLLM, llama.cpp.
        OpenAiCompatible = "openai_compatible",
        /// Google's Gemini.
        Gemini = "gemini",
        /// Ollama.
        Ollama = "ollama",
    }
}

words! {
    /// What a log line looks like.
    LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

words! {
    /// The least severity that is logged.
    LogLevel {
        /// Nothing.
        Off = "off",
        /// What failed.
        Error = "error",
        /// What needs attention.
        Warn = "warn",
        /// What happened.
        Info = "info",
        /// What helps finding a fault.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

/// Every setting of a Hive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `server.*`
    pub server: Server,
    /// `limits.*`
    pub limits: LimitSettings,
    /// `data.*`
    pub data: Data,
    /// `engine.*`
    pub engine: Engine,
    /// `journal.*`
    pub journal: Journal,
    /// `hive.*`
    pub hive: Hive,
    /// `trust.*`
    pub trust: Trust,
    /// `compute.*`
    pub compute: Compute,
    /// `gateway.*`
    pub gateway: Gateway,
    /// `energy.*`
    pub energy: Energy,
    /// `finance.*`
    pub finance: Finance,
    /// `log.*`
    pub log: Log,
    /// `witness.*`
    pub witness: Witness,
    /// `providers.*`: the specification's five first, then those the file adds, in its order.
    pub providers: Vec<Provider>,
}

/// The HTTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where it listens; port 0 takes any free port.
    pub listen: SocketAddr,
    /// Largest request body, in bytes.
    pub body_bytes_max: usize,
}

/// The data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// Where journal and snapshots lie.
    pub dir: PathBuf,
}

/// The writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// Commands that may wait for the writer.
    pub queue_len_max: usize,
    /// Commands made durable in one batch, at most.
    pub batch_len_max: usize,
    /// Records between two snapshots.
    pub snapshot_every_records: u64,
}

/// The journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// What is checked before the desk opens.
    pub verify_on_start: VerifyOnStart,
}

/// The Hive itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hive {
    /// Its name.
    pub name: String,
}

/// Who may do what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The most a member who has no key to sign with pays unsigned.
    pub unsigned_max: Amount,
}

/// Module 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compute {
    /// What a citizen may use in a calendar month.
    pub quota: Amount,
    /// Whether an exhausted quota, a cost limit or an outage falls back to the local model.
    pub local_fallback: bool,
    /// How long an allocation is held.
    pub hold: Duration,
    /// Open allocations a citizen may have.
    pub open_allocations_max: u32,
    /// Least quality when a request names none.
    pub min_quality: Ratio,
}

/// The gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Queries of a citizen in a minute; 0 is no limit.
    pub queries_per_minute: u32,
    /// Tokens of a citizen's queries and answers in a minute; 0 is no limit.
    pub tokens_per_minute: u32,
    /// Queries of a citizen at once; 0 is no limit.
    pub queries_open_max: usize,
    /// How long a query waits at most before it is refused.
    pub wait: Duration,
    /// Megabytes of answers kept.
    pub cache_mb: usize,
    /// How long an answer is kept.
    pub cache: Duration,
    /// What it costs then, in percent.
    pub cache_price_percent: u32,
}

/// Module 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Energy {
    /// Days that telemetry is kept.
    pub keep_days: u32,
    /// The zone whose signals hold for the site's grid; empty is the only one there is.
    pub zone: String,
    /// The file that describes the site; empty is none.
    pub site: String,
    /// The zone of its clocks.
    pub time_zone: String,
    /// How far plans of it reach, in hours.
    pub plan_hours: u32,
    /// Most power that jobs may be promised at once, in W; 0 is no limit.
    pub jobs_w_max: u32,
    /// What a kWh of the site's grid emits where no signal says so, in g CO2e.
    pub carbon_g_per_kwh: u32,
    /// The same of one more kWh; 0 takes the average.
    pub carbon_marginal_g_per_kwh: u32,
    /// What queries draw.
    pub draws: DrawList,
    /// The signals that are fetched.
    pub fetch: FetchList,
}

/// Module 4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finance {
    /// What the pool holds at genesis.
    pub pool_initial_balance: Amount,
    /// The fee on a transfer.
    pub fee: FeeRate,
    /// Who may give grants; [`Settings::grants_governed`] decides `auto`.
    pub grants: Grants,
    /// Days of an epoch.
    pub epoch_days: u32,
    /// MIC minted when an epoch closes.
    pub epoch_reward: Amount,
    /// Who receives it; adds up to 100 percent.
    pub epoch_shares: Vec<Share>,
}

/// The log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// What a line looks like.
    pub format: LogFormat,
    /// The least severity.
    pub level: LogLevel,
    /// Who cosigns the journal's checkpoints.
    pub witnesses: WitnessList,
    /// How often they are asked, at most.
    pub witness_every: Duration,
}

/// What this Hive is to others' logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The keys of the logs it is a witness of.
    pub logs: LogKeys,
}

/// A provider of compute, as the operator states it.
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// The name replies give.
    pub name: String,
    /// Whether queries go there.
    pub enabled: bool,
    /// Other names requests may use.
    pub aliases: Vec<String>,
    /// Price of a token.
    pub cost: TokenRate,
    /// Prices by what a token was, where they differ.
    pub prices: Prices,
    /// Expected latency.
    pub latency_ms: u32,
    /// Capability of the model.
    pub quality: Ratio,
    /// Expected share of queries that succeed.
    pub reliability: Ratio,
    /// Longest query, in tokens.
    pub context_tokens_max: u64,
    /// Longest answer, in tokens.
    pub output_tokens_max: u64,
    /// What it speaks.
    pub kind: Kind,
    /// Where it is.
    pub base_url: BaseUrl,
    /// Its models; the first is asked when a query names none.
    pub models: Models,
    /// The model file the desk runs itself.
    pub gguf: Option<PathBuf>,
    /// Whether the operator stated the quality: as another than the default.
    pub quality_is_stated: bool,
    /// The key its API asks for.
    pub api_key: Secret,
    /// Whether its models make embeddings, and no answers.
    pub embeds: bool,
    /// Answers it makes at once, at most.
    pub answers_max: usize,
    /// How long it may take to be reached.
    pub connect: Duration,
    /// How long it may take to begin its answer.
    pub first_byte: Duration,
    /// How long it may be silent within an answer.
    pub idle: Duration,
    /// Whether this is the local fallback. At most one is.
    pub fallback: bool,
}

impl Settings {
    /// Whether a grant needs an approval: as `finance.grants` says; `auto` means everywhere but on loopback.
    pub fn grants_governed(&self) -> bool {
        match self.finance.grants {
            Grants::Open => false,
            Grants::Governed => true,
            Grants::Auto => !self.server.listen.ip().is_loopback(),
        }
    }

    /// The provider of last resort, when there is one and it may be used.
    pub fn fallback_provider(&self) -> Option<&Provider> {
        self.providers.iter().find(|provider| self.compute.local_fallback && provider.enabled && provider.fallback)
    }

    /// Settings into which the defaults have yet to be read.
    pub(super) fn blank() -> Self {
        Self {
            server: Server { listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0), body_bytes_max: 0 },
            limits: LimitSettings {
                requests_per_minute: 0,
                address_requests_per_minute: 0,
                wrong_per_minute: 0,
                connections_max: 0,
                connections_per_address: 0,
                bodies_mb: 0,
            },
            data: Data { dir: PathBuf::new() },
            engine: Engine { queue_len_max: 0, batch_len_max: 0, snapshot_every_records: 0 },
            journal: Journal { verify_on_start: VerifyOnStart::All },
            hive: Hive { name: String::new() },
            trust: Trust { unsigned_max: Amount::ZERO },
            compute: Compute {
                quota: Amount::ZERO,
                local_fallback: false,
                hold: Duration::from_millis(0),
                open_allocations_max: 0,
                min_quality: Ratio::ZERO,
            },
            gateway: Gateway {
                queries_per_minute: 0,
                tokens_per_minute: 0,
                queries_open_max: 0,
                wait: Duration::from_millis(0),
                cache_mb: 0,
                cache: Duration::from_millis(0),
                cache_price_percent: 0,
            },
            energy: Energy {
                keep_days: 0,
                zone: String::new(),
                site: String::new(),
                time_zone: String::new(),
                plan_hours: 0,
                jobs_w_max: 0,
                carbon_g_per_kwh: 0,
                carbon_marginal_g_per_kwh: 0,
                draws: DrawList::default(),
                fetch: FetchList::default(),
            },
            finance: Finance {
                pool_initial_balance: Amount::ZERO,
                fee: FeeRate::default(),
                grants: Grants::Auto,
                epoch_days: 0,
                epoch_reward: Amount::ZERO,
                epoch_shares: Vec::new(),
            },
            log: Log {
                format: LogFormat::Text,
                level: LogLevel::Info,
                witnesses: WitnessList::default(),
                witness_every: Duration::from_millis(0),
            },
            witness: Witness { logs: LogKeys::default() },
            providers: Vec::new(),
        }
    }
}

impl Provider {
    /// A provider into which the defaults have yet to be read.
    pub(super) fn blank(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            enabled: false,
            aliases: Vec::new(),
            cost: TokenRate::default(),
            prices: Prices::default(),
            latency_ms: 0,
            quality: Ratio::ZERO,
            reliability: Ratio::ZERO,
            context_tokens_max: 0,
            output_tokens_max: 0,
            kind: Kind::None,
            base_url: BaseUrl::default(),
            models: Models::default(),
            gguf: None,
            quality_is_stated: false,
            api_key: Secret::default(),
            embeds: false,
            answers_max: 0,
            connect: Duration::from_millis(0),
            first_byte: Duration::from_millis(0),
            idle: Duration::from_millis(0),
            fallback: false,
        }
    }
}
