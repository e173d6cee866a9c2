//! Why a model cannot be opened, or cannot answer: in sentences a person can act on.

/// Why a model cannot be opened, or cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file cannot be read at all.
    #[error("the model file {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not a GGUF file, or not a whole one.
    #[error("the model file {path} is damaged or no GGUF file ({detail}); fetch it again")]
    Broken {
        /// The file.
        path: String,
        /// What was found.
        detail: String,
    },
    /// The file is well, but of a kind that cannot be run here.
    #[error("the model file {path} cannot be run here: {detail}")]
    Unsupported {
        /// The file.
        path: String,
        /// What it is, and what would do.
        detail: String,
    },
    /// The query asks for what this model cannot do.
    #[error("{detail}")]
    Unfit {
        /// The field to blame, by its path (`messages[2]`).
        field: String,
        /// What is wrong, and what would help.
        detail: String,
    },
    /// The query leaves no room for an answer.
    #[error(
        "the query takes {tokens} tokens, but this model reads at most {context_tokens}, its answer included; shorten the conversation"
    )]
    TooLong {
        /// Tokens of the query, template included.
        tokens: u64,
        /// Tokens the model can read, answer included.
        context_tokens: u64,
    },
    /// The computation failed; another query may work.
    #[error("the model failed while it answered: {0}")]
    Failed(String),
}

impl ModelError {
    pub(crate) fn unfit(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Unfit { field: field.into(), detail: detail.into() }
    }
}
