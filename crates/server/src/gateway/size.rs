//! How large a query is, before anybody counted it: never more tokens than the bound, likely about as many as the estimate.

use lab3_providers::{Part, Query, Source};

/// Tokens that a dialect adds around a message or a tool, at most.
const AROUND_TOKENS_MAX: u64 = 32;

/// Tokens of a picture, at most: the largest that any provider of the table states, rounded up.
const IMAGE_TOKENS_MAX: u64 = 8192;

/// Tokens of the instructions that providers add when a query has tools, at most.
const TOOLS_TOKENS_MAX: u64 = 1024;

/// Bytes of text a token has as a rule.
const BYTES_PER_TOKEN: u64 = 4;

/// How large a query is, in tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    /// No provider counts more.
    pub(crate) tokens_max: u64,
    /// About so many.
    pub(crate) tokens: u64,
}

/// The size of a query that came in so many bytes. Tokenizers of every provider take at least a byte for a token, so bytes bound
/// them from above; what the query does not carry itself is bounded by the whole of them.
pub(crate) fn of(query: &Query, body_bytes: usize) -> Size {
    let mut sum = Sum::default();
    sum.parts(&query.system);
    for message in &query.messages {
        sum.around += 1;
        sum.parts(&message.parts);
    }
    sum.tools = !query.tools.is_empty();
    for tool in &query.tools {
        sum.around += 1;
        sum.bytes += len(&tool.name) + len(&tool.description) + len(&tool.parameters.to_string());
    }
    if let lab3_providers::Format::Schema { schema, .. } = &query.format {
        sum.bytes += len(&schema.to_string());
    }
    if !query.only_here.is_empty() {
        sum.documents += body_bytes as u64;
    }
    sum.size()
}

/// The size of texts that are no more tokens than that.
pub(crate) fn bounded(tokens_max: u64) -> Size {
    Size { tokens_max, tokens: tokens_max / BYTES_PER_TOKEN }
}

/// The size for one source, which may be able to tell it exactly.
pub(crate) fn at(source: &dyn Source, query: &Query, size: Size) -> Size {
    source.count(query).map_or(size, |tokens| Size { tokens_max: tokens, tokens })
}

#[derive(Default)]
struct Sum {
    bytes: u64,
    around: u64,
    images: u64,
    tools: bool,
    /// Base64 of documents, and what only one dialect knows: their tokens are bounded by their bytes, too.
    documents: u64,
}

impl Sum {
    fn parts(&mut self, parts: &[Part]) {
        for part in parts {
            match part {
                Part::Text(text) => self.bytes += len(text),
                Part::Image(_) => self.images += 1,
                Part::Document { data, .. } => self.documents += len(data),
                Part::ToolCall(call) => {
                    self.around += 1;
                    self.bytes += len(&call.id) + len(&call.name) + len(&call.arguments);
                }
                Part::ToolResult { id, name, parts, .. } => {
                    self.around += 1;
                    self.bytes += len(id) + name.as_deref().map_or(0, len);
                    self.parts(parts);
                }
                Part::Thinking { text, signature } => self.bytes += len(text) + signature.as_deref().map_or(0, len),
            }
        }
    }

    fn size(&self) -> Size {
        let fixed = self.images * IMAGE_TOKENS_MAX + if self.tools { TOOLS_TOKENS_MAX } else { 0 };
        Size {
            tokens_max: AROUND_TOKENS_MAX * (self.around + 1) + self.bytes + self.documents + fixed,
            tokens: 4 * (self.around + 1) + (self.bytes + self.documents) / BYTES_PER_TOKEN + fixed / 8,
        }
    }
}

fn len(text: &str) -> u64 {
    text.len() as u64
}

#[cfg(test)]
mod tests {
    use lab3_providers::{Image, Message, Role};

    use super::*;

    #[test]
    fn a_query_is_bounded_by_its_bytes_and_pictures() {
        let text = Part::Text("héllo".to_owned());
        let image = Part::Image(Image::Data { media_type: "image/png".to_owned(), data: "x".repeat(1_000_000) });
        let message = Message { role: Role::User, parts: vec![text, image] };
        let size = of(&Query { messages: vec![message], ..Query::default() }, 1_000_100);
        assert_eq!(size, Size { tokens_max: 64 + 6 + 8192, tokens: 8 + 1 + 1024 });
    }
}
