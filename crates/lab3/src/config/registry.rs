//! The specification's five providers: the defaults of `[providers.<name>]`.

/// A provider every Hive knows until its operator says otherwise.
pub struct BuiltIn {
    pub name: &'static str,
    /// The specification's names for its API key; the first that is set counts.
    pub api_key_env: &'static [&'static str],
    /// The names that the providers' own clients read the base URL from.
    pub base_url_env: &'static [&'static str],
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
        base_url_env: &["ANTHROPIC_BASE_URL"],
        defaults: &[
            ("aliases", "[\"anthropic\", \"claude\"]"),
            ("cost_gic_per_1k", "0.015"),
            ("latency_ms", "600"),
            ("quality", "0.97"),
            ("reliability", "0.99"),
            ("context_tokens_max", "200_000"),
            ("output_tokens_max", "64_000"),
            ("kind", "\"anthropic\""),
            ("base_url", "\"https://api.anthropic.com\""),
            ("models", "[\"claude-sonnet-4-5\"]"),
        ],
    },
    BuiltIn {
        name: "openai_gpt4",
        api_key_env: &["OPENAI_API_KEY"],
        base_url_env: &["OPENAI_BASE_URL"],
        defaults: &[
            ("aliases", "[\"openai\"]"),
            ("cost_gic_per_1k", "0.010"),
            ("latency_ms", "800"),
            ("quality", "0.95"),
            ("reliability", "0.98"),
            ("context_tokens_max", "128_000"),
            ("output_tokens_max", "16_384"),
            ("kind", "\"openai\""),
            ("base_url", "\"https://api.openai.com/v1\""),
            ("models", "[\"gpt-4o\"]"),
        ],
    },
    BuiltIn {
        name: "google_gemini",
        api_key_env: &["GOOGLE_GENAI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"],
        base_url_env: &["GOOGLE_GENAI_BASE_URL"],
        defaults: &[
            ("aliases", "[\"gemini\", \"google\"]"),
            ("cost_gic_per_1k", "0.008"),
            ("latency_ms", "700"),
            ("quality", "0.92"),
            ("reliability", "0.97"),
            ("context_tokens_max", "1_000_000"),
            ("output_tokens_max", "65_536"),
            ("kind", "\"gemini\""),
            ("base_url", "\"https://generativelanguage.googleapis.com\""),
            ("models", "[\"gemini-2.5-pro\"]"),
        ],
    },
    BuiltIn {
        name: "deepseek",
        api_key_env: &["DEEPSEEK_API_KEY"],
        base_url_env: &["DEEPSEEK_BASE_URL"],
        defaults: &[
            ("cost_gic_per_1k", "0.002"),
            ("latency_ms", "1200"),
            ("quality", "0.88"),
            ("reliability", "0.95"),
            ("context_tokens_max", "64_000"),
            ("output_tokens_max", "8_192"),
            ("kind", "\"deepseek\""),
            ("base_url", "\"https://api.deepseek.com\""),
            ("models", "[\"deepseek-chat\"]"),
        ],
    },
    BuiltIn {
        name: "local_llama",
        api_key_env: &[],
        base_url_env: &["LOCAL_LLM_URL"],
        defaults: &[
            ("aliases", "[\"local\", \"llama\"]"),
            ("cost_gic_per_1k", "0.0001"),
            ("latency_ms", "2500"),
            ("quality", "0.80"),
            ("reliability", "0.99"),
            ("context_tokens_max", "32_000"),
            ("fallback", "true"),
            ("output_tokens_max", "4_096"),
            ("kind", "\"openai_compatible\""),
            ("models", "[\"local\"]"),
        ],
    },
];
