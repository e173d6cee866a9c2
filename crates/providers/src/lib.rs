//! The wire protocols of AI providers: what clients ask and what providers answer, in every dialect, to and from one form.
//!
//! A [`dialect`] reads a client's request into a [`Query`], writes a query as a provider's request, reads the provider's stream
//! into [`Piece`]s and writes pieces as the client's stream or whole reply. Where client and provider speak the same dialect
//! the request's own bytes go on, with only what must change changed ([`Envelope`]). [`Connections`] carries requests out and streams back; the rest does no I/O.

mod connection;
pub mod dialect;
mod envelope;
mod events;
mod piece;
mod query;
mod redact;
mod source;
mod split;

pub use connection::{AskError, Base, Connections, Patience, Stream};
pub use envelope::Envelope;
pub use events::{Event, EventReader, LineReader};
pub use piece::{Answer, Chunk, Finish, Piece, ToolCall};
pub use query::{Effort, Format, Image, Message, Part, Query, Role, Tool, ToolChoice};
pub use source::{Answering, Asked, Boxed, Dialect, Remote, Source};
