//! A query: what a client asks of a model, whatever dialect it came in.
//!
//! What no other dialect knows is only named here ([`Query::only_here`]): it passes when client and provider speak the same one.

use serde_json::{Number, Value};

use crate::dialect::Unreadable;

/// What a client asks of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// The model, as the client named it.
    pub model: String,
    /// Instructions that stand before the conversation.
    pub system: Vec<Part>,
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// Functions the model may call.
    pub tools: Vec<Tool>,
    /// Which of them it may or must call.
    pub tool_choice: ToolChoice,
    /// Whether it may call several at once; `None` is the provider's default.
    pub parallel_tools: Option<bool>,
    /// Tools the provider runs itself and charges for (web search, code), by the name the dialect gives them. A provider that has
    /// no price for one refuses the query.
    pub hosted_tools: Vec<String>,
    /// Most tokens of an answer, as the client says; `None` when it does not.
    pub output_tokens_max: Option<u64>,
    /// How many answers are wanted; as a rule one.
    pub answers: u32,
    /// How much the answer may vary, in the dialect's own words.
    pub temperature: Option<Number>,
    /// Share of probability considered.
    pub top_p: Option<Number>,
    /// Tokens considered.
    pub top_k: Option<u64>,
    /// Makes an answer repeatable, as far as the provider can.
    pub seed: Option<i64>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// Discourages repetition.
    pub frequency_penalty: Option<Number>,
    /// Discourages what was said before.
    pub presence_penalty: Option<Number>,
    /// The answer's form.
    pub format: Format,
    /// How much the model may think before it answers.
    pub effort: Option<Effort>,
    /// Whether the client wants the answer as it is made.
    pub stream: bool,
    /// Whether a streamed answer shall end with its usage, in dialects where that is asked for.
    pub stream_usage: bool,
    /// Headers of the request that go with its own bytes to a provider of the same dialect. A reader sees none: who has the headers
    /// sets them, by what the dialect lets pass ([`crate::dialect::anthropic::betas`]).
    pub headers: Vec<(&'static str, String)>,
    /// When it was asked, in seconds since 1970, for replies to say. Nothing here reads a clock: a reader leaves 0, and who has a
    /// clock sets it.
    pub asked_at: u64,
    /// What else was asked that only providers of the same dialect can be told: each as what the client is to hear when there is
    /// no such provider.
    pub only_here: Vec<Unreadable>,
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub parts: Vec<Part>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The person, or the program that asks. Results of tools are told by it, too.
    User,
    /// The model.
    Assistant,
    /// Instructions in the midst of a conversation.
    System,
}

/// Part of what is said.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Words.
    Text(String),
    /// A picture.
    Image(Image),
    /// A document (PDF), as base64.
    Document {
        /// Such as `application/pdf`.
        media_type: String,
        /// The bytes, as base64.
        data: String,
    },
    /// The model's call of a function.
    ToolCall(ToolCall),
    /// What a function gave.
    ToolResult {
        /// The call's id.
        id: String,
        /// The function's name, where the dialect tells it.
        name: Option<String>,
        /// What it gave: text and images.
        parts: Vec<Part>,
        /// Whether it failed.
        is_error: bool,
    },
    /// What the model thought, with the provider's signature where it has one.
    Thinking {
        /// The thoughts; empty when they are hidden.
        text: String,
        /// What proves to the provider that they are its own.
        signature: Option<String>,
    },
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Image {
    /// Where it is.
    Url(String),
    /// What it is.
    Data {
        /// Such as `image/png`.
        media_type: String,
        /// The bytes, as base64.
        data: String,
    },
}

/// The model's call of a function.
pub use crate::piece::ToolCall;

/// A function the model may call.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it does; may be empty.
    pub description: String,
    /// JSON Schema of its arguments.
    pub parameters: Value,
    /// Whether arguments must match the schema exactly.
    pub strict: Option<bool>,
}

/// Which tools the model may call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ToolChoice {
    /// Whichever it likes, or none.
    #[default]
    Auto,
    /// None.
    None,
    /// At least one.
    Any,
    /// This one.
    Named(String),
}

/// The answer's form.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Format {
    /// As the model likes.
    #[default]
    Text,
    /// A JSON object.
    Json,
    /// JSON of this schema.
    Schema {
        /// The schema's name.
        name: String,
        /// The schema.
        schema: Value,
        /// Whether it must be matched exactly.
        strict: Option<bool>,
    },
}

/// How much the model may think before it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effort {
    /// In a word of the dialect: none, minimal, low, medium, high.
    Word(String),
    /// At most so many tokens; 0 is not at all.
    Tokens(u64),
}
