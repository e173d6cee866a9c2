//! Why nothing was imported, in sentences that say where and what would help.

use super::format::Format;

/// Bytes a document may have. A year of five-minute values in JSON is a third of it.
pub const BYTES_MAX: usize = 16 * 1024 * 1024;

/// Why nothing was imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// More than [`BYTES_MAX`], or more steps than [`super::STEPS_MAX`].
    #[error("the document is too large ({what}): import it in parts, a year at a time")]
    Large {
        /// How large, and how large it may be.
        what: String,
    },
    /// An archive.
    #[error("this is a {archive} archive: unpack it first")]
    Packed {
        /// Which.
        archive: &'static str,
    },
    /// Not UTF-8.
    #[error("byte {byte} is not UTF-8 text: save the file as UTF-8")]
    Encoding {
        /// The first byte that is not, counted from 0.
        byte: usize,
    },
    /// None of the formats looks like this.
    #[error("the format is not known by its content: state one of {}", Format::names())]
    Unrecognised,
    /// Not what the format's documents are.
    #[error("this is no {} document: {detail}", format.name())]
    Malformed {
        /// The format it was read as.
        format: Format,
        /// Where and what.
        detail: String,
    },
    /// A value that is none, or is missing.
    #[error("{place}: {detail}")]
    Field {
        /// The row and column, the path, or the line and element.
        place: String,
        /// What is wrong and what would help.
        detail: String,
    },
    /// The publisher sent an answer without data.
    #[error("the publisher gave no data: {reason}")]
    Refused {
        /// What it said.
        reason: String,
    },
    /// Nothing in it is a value.
    #[error("the document has no values{detail}")]
    Empty {
        /// What it has instead, or nothing.
        detail: String,
    },
    /// A hint cannot be used, or one is needed.
    #[error("{field}: {detail}")]
    Hint {
        /// The hint's name.
        field: &'static str,
        /// What is wrong and what would help.
        detail: String,
    },
}

impl ImportError {
    pub(super) fn hint(field: &'static str, detail: impl Into<String>) -> Self {
        ImportError::Hint { field, detail: detail.into() }
    }

    pub(super) fn field(place: impl Into<String>, detail: impl Into<String>) -> Self {
        ImportError::Field { place: place.into(), detail: detail.into() }
    }

    pub(super) fn malformed(format: Format, detail: impl Into<String>) -> Self {
        ImportError::Malformed { format, detail: detail.into() }
    }

    /// The same, found deeper: `data[3]` before `.value`.
    pub(super) fn within(self, outer: &str) -> Self {
        match self {
            ImportError::Field { place, detail } if place.starts_with('[') => ImportError::field(format!("{outer}{place}"), detail),
            ImportError::Field { place, detail } => ImportError::field(format!("{outer}.{place}"), detail),
            other => other,
        }
    }
}
