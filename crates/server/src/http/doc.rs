//! What the API's document says of an operation: its parameters, its body, its replies, and every code it refuses with.

use std::collections::BTreeMap;

use lab3_trust::Rule;
use lab3_units::Code;
use utoipa::ToSchema;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, Response, ResponseBuilder};

use crate::errors;
use crate::http::key::IDEMPOTENCY_KEY_NAME;
use crate::http::parameters::Query;
use crate::json::{Leaf, Object, Parameter};

/// What every request with a body can be refused with.
const BODY_CODES: &[Code] = &[
    Code::MALFORMED_BODY,
    Code::FIELD_MISSING,
    Code::FIELD_UNKNOWN,
    Code::FIELD_TWICE,
    Code::FIELD_TYPE,
    Code::FIELD_RANGE,
    Code::FIELD_PRECISION,
    Code::DID_MALFORMED,
    Code::ID_MALFORMED,
    Code::PARAMETER,
    Code::CONTENT_TYPE,
    Code::BODY_TOO_LARGE,
];

/// What every command to the writer can be refused with.
const WRITE_CODES: &[Code] = &[
    Code::KEY_REUSED,
    Code::QUEUE_FULL,
    Code::OUTCOME_UNKNOWN,
    Code::VIEW_BEHIND,
    Code::STOPPING,
    Code::JOURNAL_UNAVAILABLE,
    Code::INTERNAL,
];

/// What every question to the engine can be refused with.
const READ_CODES: &[Code] =
    &[Code::PARAMETER, Code::QUEUE_FULL, Code::VIEW_BEHIND, Code::STOPPING, Code::JOURNAL_UNAVAILABLE, Code::INTERNAL];

/// One operation's documentation.
pub(crate) struct Doc {
    operation: OperationBuilder,
    schemas: Vec<(String, RefOr<Schema>)>,
    codes: Vec<Code>,
    keyed: bool,
    reply: Option<(String, Response)>,
}

impl Doc {
    /// An operation named `id` under the heading `tag`.
    pub(crate) fn new(tag: &str, id: &str, summary: &str) -> Self {
        let operation = OperationBuilder::new().tag(tag).operation_id(Some(id)).summary(Some(summary));
        Self { operation, schemas: Vec::new(), codes: vec![Code::INTERNAL], keyed: false, reply: None }
    }

    /// More about it.
    pub(crate) fn about(mut self, text: &str) -> Self {
        self.operation = self.operation.description(Some(text));
        self
    }

    /// It is a command, with a body and perhaps a key.
    pub(crate) fn reads<T: Object>(mut self) -> Self {
        let content = ContentBuilder::new().schema(Some(T::reference())).build();
        let required = if T::OPTIONAL { Required::False } else { Required::True };
        let body = RequestBodyBuilder::new().content("application/json", content).required(Some(required));
        let key = ParameterBuilder::new()
            .name(IDEMPOTENCY_KEY_NAME)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some("Makes asking twice harmless: the same key with the same body gives the same reply."))
            .schema(Some(<crate::json::ClientId as Leaf>::schema()));
        self.operation = self.operation.request_body(Some(body.build())).parameter(key);
        self.schemas.extend(T::schemas());
        self.keyed = true;
        self.refuses(BODY_CODES).refuses(WRITE_CODES)
    }

    /// It takes no query.
    pub(crate) fn plain(self) -> Self {
        self.refuses(&[Code::PARAMETER])
    }

    /// It asks the engine.
    pub(crate) fn asks_engine(self) -> Self {
        self.refuses(READ_CODES)
    }

    /// Its path names something.
    pub(crate) fn names<T: Parameter>(mut self, name: &str, about: &str, malformed: Code) -> Self {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some(about))
            .schema(Some(T::schema()));
        self.operation = self.operation.parameter(parameter);
        self.refuses(&[malformed, Code::PARAMETER])
    }

    /// It takes a query, of which those parameters may not be left out.
    pub(crate) fn asks<Q: Query>(mut self, required: &[&str]) -> Self {
        let mut parameters = Q::documented();
        for parameter in &mut parameters {
            parameter.required = if required.contains(&&*parameter.name) { Required::True } else { Required::False };
        }
        self.operation = self.operation.parameters(Some(parameters));
        self.refuses(&[Code::PARAMETER])
    }

    /// It asks of whoever comes what the rule says.
    pub(crate) fn guarded(mut self, rule: Rule) -> Self {
        if rule.kinds.has_nobody() {
            self.operation = self.operation.security(SecurityRequirement::default());
            return self.refuses(&[Code::TOO_FAST]);
        }
        for scope in std::iter::once(rule.scope).chain(rule.others.map(|(_, scope)| scope)) {
            self.operation = self.operation.security(SecurityRequirement::new("key", [scope.as_str()]));
        }
        // An open Hive needs none from its own machine.
        self.operation = self.operation.security(SecurityRequirement::default());
        self.refuses(&[Code::NOT_LOCAL, Code::UNNAMED, Code::KEY_INVALID, Code::NOT_ALLOWED, Code::TOO_FAST, Code::TOO_MANY_WRONG])
    }

    /// It replies with a JSON object.
    pub(crate) fn answers<T: ToSchema>(mut self, about: &str) -> Self {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(T::name()))).build();
        self.reply = Some((about.to_owned(), ResponseBuilder::new().content("application/json", content).build()));
        self
    }

    /// It replies with text of that content type.
    pub(crate) fn answers_text(mut self, content_type: &str, about: &str) -> Self {
        let content = ContentBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String))).build();
        self.reply = Some((about.to_owned(), ResponseBuilder::new().content(content_type, content).build()));
        self
    }

    /// It replies with bytes.
    pub(crate) fn answers_bytes(mut self, about: &str) -> Self {
        let binary = SchemaFormat::KnownFormat(KnownFormat::Binary);
        let content = ContentBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String).format(Some(binary))));
        self.reply = Some((about.to_owned(), ResponseBuilder::new().content("application/octet-stream", content.build()).build()));
        self
    }

    /// It replies with a JSON object of no schema of ours.
    pub(crate) fn answers_json(mut self, about: &str) -> Self {
        let content = ContentBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::Object))).build();
        self.reply = Some((about.to_owned(), ResponseBuilder::new().content("application/json", content).build()));
        self
    }

    /// It can be refused with these codes.
    pub(crate) fn refuses(mut self, codes: &[Code]) -> Self {
        self.codes.extend_from_slice(codes);
        self
    }

    /// The operation, and the schemas it refers to.
    pub(crate) fn finish(mut self) -> (Operation, Vec<(String, RefOr<Schema>)>) {
        if let Some((about, mut response)) = self.reply.take() {
            response.description = about;
            if self.keyed {
                let replayed = "`true` when the key was used before and this is the first reply again.";
                response.headers.insert("Idempotency-Replayed".into(), RefOr::T(text_header(replayed)));
                let receipt =
                    "The log's promise, signed, that what was done is in it: a note in base 64. Not there while the log is not signed.";
                response.headers.insert("Lab3-Receipt".into(), RefOr::T(text_header(receipt)));
            }
            self.operation = self.operation.response("200", response);
        }
        self.codes.sort_by_key(|code| code.number());
        self.codes.dedup();
        let mut by_status = BTreeMap::<u16, Vec<Code>>::new();
        for code in self.codes {
            by_status.entry(code.status()).or_default().push(code);
        }
        for (status, codes) in by_status {
            self.operation = self.operation.response(status.to_string(), refusal(status, &codes));
        }
        (self.operation.build(), self.schemas)
    }
}

/// Each code's example, as its page has it, to be referred to.
pub(crate) fn examples() -> impl Iterator<Item = (String, Example)> {
    Code::ALL.iter().filter_map(|&code| {
        let example = serde_json::from_str(errors::example(code)?).ok();
        Some((code.to_string(), ExampleBuilder::new().summary(code.title()).value(example).build()))
    })
}

fn text_header(about: &str) -> utoipa::openapi::Header {
    HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String))).description(Some(about)).build()
}

fn refusal(status: u16, codes: &[Code]) -> Response {
    let lines = codes.iter().map(|code| format!("[`{code}`](/lab3/errors/{code}) {}", code.title()));
    let example = |code: &Code| (code.to_string(), RefOr::Ref(Ref::new(format!("#/components/examples/{code}"))));
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).examples_from_iter(codes.iter().map(example));
    let response =
        ResponseBuilder::new().description(lines.collect::<Vec<_>>().join("; ")).content("application/problem+json", content.build());
    let response = match status {
        429 | 503 => response.header("Retry-After", text_header("Seconds after which asking again makes sense.")),
        401 => response.header("WWW-Authenticate", text_header("`Bearer`.")),
        _ => response,
    };
    response.build()
}
