//! The specification's five providers: the defaults of `[providers.<name>]`.

/// A provider every Hive knows until its operator says otherwise.
pub struct BuiltIn {
    pub name: &'static str,
    /// The specification's names for its API key; the first that is set counts.
    pub api_key_env: &'static [&'static str],
    /// Defaults by key, as they would stand in a file.
    defaults: &'static [(&'static str, &'static str)],
}

impl BuiltIn {
    /// The built-in default of a key, where it has one of its own.
    pub fn default_of(&self, key: &str) -> Option<&'static str> {
        self.defaults.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }
}

/// The built-in provider of that name.
pub fn built_in(name: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|provider| provider.name == name)
}

pub const BUILT_IN: &[BuiltIn] = &[
    BuiltIn {
        name: "anthropic_claude",
        api_key_env: &["ANTHROPIC_API_KEY", "CLAUDE_API_KEY"],
        defaults: &[
            ("aliases", "[\"anthropic\", \"claude\"]"),
            ("cost_gic_per_1k", "0.015"),
            ("latency_ms", "600"),
            ("quality", "0.97"),
            ("reliability", "0.99"),
            ("context_tokens_max", "200_000"),
        ],
    },
    BuiltIn {
        name: "openai_gpt4",
        api_key_env: &["OPENAI_API_KEY"],
        defaults: &[
            ("aliases", "[\"openai\"]"),
            ("cost_gic_per_1k", "0.010"),
            ("latency_ms", "800"),
            ("quality", "0.95"),
            ("reliability", "0.98"),
            ("context_tokens_max", "128_000"),
        ],
    },
    BuiltIn {
        name: "google_gemini",
        api_key_env: &["GOOGLE_GENAI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"],
        defaults: &[
            ("aliases", "[\"gemini\", \"google\"]"),
            ("cost_gic_per_1k", "0.008"),
            ("latency_ms", "700"),
            ("quality", "0.92"),
            ("reliability", "0.97"),
            ("context_tokens_max", "1_000_000"),
        ],
    },
    BuiltIn {
        name: "deepseek",
        api_key_env: &["DEEPSEEK_API_KEY"],
        defaults: &[
            ("cost_gic_per_1k", "0.002"),
            ("latency_ms", "1200"),
            ("quality", "0.88"),
            ("reliability", "0.95"),
            ("context_tokens_max", "64_000"),
        ],
    },
    BuiltIn {
        name: "local_llama",
        api_key_env: &[],
        defaults: &[
            ("aliases", "[\"local\", \"llama\"]"),
            ("cost_gic_per_1k", "0.0001"),
            ("latency_ms", "2500"),
            ("quality", "0.80"),
            ("reliability", "0.99"),
            ("context_tokens_max", "32_000"),
            ("fallback", "true"),
        ],
    },
];
