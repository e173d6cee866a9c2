//! Error codes: one number for one thing that can go wrong, the same in a reply, a record, a log and the manual.

/// What went wrong. `docs/errors/` has a page for each; a number never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code {
    number: u16,
    status: u16,
    title: &'static str,
}

macro_rules! codes {
    ($($name:ident = $number:literal, $status:literal, $title:literal;)*) => {
        impl Code {
            $(#[doc = $title] pub const $name: Code = Code { number: $number, status: $status, title: $title };)*

            /// Every code there is, in the order of the numbers.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];
        }
    };
}

codes! {
    MALFORMED_BODY = 1, 400, "The body is not a JSON object in UTF-8";
    FIELD_MISSING = 2, 400, "A field is missing";
    FIELD_UNKNOWN = 3, 400, "A field is unknown";
    FIELD_TWICE = 4, 400, "A field stands twice";
    FIELD_TYPE = 5, 400, "A field has the wrong type";
    FIELD_RANGE = 6, 400, "A field is out of range";
    FIELD_PRECISION = 7, 400, "An amount has too many decimals";
    DID_MALFORMED = 8, 400, "A DID is malformed";
    ID_MALFORMED = 9, 400, "An id or key is malformed";
    PARAMETER = 10, 400, "A query parameter is wrong";
    CONTENT_TYPE = 11, 415, "The content type is not application/json";
    BODY_TOO_LARGE = 12, 413, "The body is too large";
    NO_SUCH_PATH = 13, 404, "There is no such path";
    METHOD = 14, 405, "The path does not know this method";
    QUERY_UNREADABLE = 15, 400, "The query cannot be read";
    WITNESS_NONE = 16, 404, "This desk is nobody's witness";
    LOG_UNWITNESSED = 17, 404, "No witness has seen the journal";
    SITE_NONE = 18, 404, "This desk has no site to plan";
    NOT_LOCAL = 29, 403, "An open Hive answers only its own machine";
    GRANT_UNAPPROVED = 32, 403, "A grant needs approval";
    PAYER_UNKNOWN = 33, 401, "Nobody is named who pays";
    UNNAMED = 34, 401, "Nobody is named who asks";
    KEY_INVALID = 35, 401, "The key or signature is not valid";
    NOT_ALLOWED = 36, 403, "This is not yours to do";
    INTENT_MISSING = 37, 403, "A signed intent is needed";
    INTENT_INVALID = 38, 403, "The signed intent does not hold";
    ACCOUNT_FROZEN = 39, 403, "The account is frozen";
    MIC_INSUFFICIENT = 40, 402, "Not enough MIC";
    POOL_INSUFFICIENT = 41, 402, "The PublicGoodsPool holds too little";
    QUOTA_EXHAUSTED = 42, 402, "The month's compute allowance is exhausted";
    TRANSACTION_UNKNOWN = 50, 404, "There is no such transaction";
    ALLOCATION_UNKNOWN = 51, 404, "There is no such allocation";
    ERROR_UNKNOWN = 52, 404, "There is no such error code";
    MODEL_UNKNOWN = 53, 404, "There is no such model";
    KEY_UNKNOWN = 54, 404, "There is no such key";
    EPOCH_UNPROVED = 55, 404, "That epoch's balances cannot be proved";
    BALANCE_ABSENT = 56, 404, "There was no such account";
    SIGNAL_UNKNOWN = 57, 404, "There is no such signal";
    BOOKING_UNKNOWN = 58, 404, "There is no such booking";
    CERTIFICATE_UNKNOWN = 59, 404, "There is no such certificate";
    KEY_REUSED = 60, 409, "The idempotency key was used for something else";
    ALLOCATION_ENDED = 61, 409, "The allocation has already ended";
    EPOCH_NOT_CURRENT = 62, 409, "That is not the current epoch";
    ALLOCATION_DIFFERS = 63, 409, "The allocation is another citizen's or another provider's";
    STANDING = 64, 409, "It stands otherwise by now";
    POWER_PROMISED = 65, 409, "The power is promised to others";
    HOUR_CLOSED = 66, 409, "The hour is not open";
    CERTIFICATE_USED = 67, 409, "The certificate cannot be used so";
    NO_PROVIDER_FITS = 70, 422, "No provider fits the query";
    PROVIDER_UNKNOWN = 71, 422, "There is no such provider";
    SAME_PARTY = 72, 422, "Sender and recipient are the same";
    BOOKS_LIMIT = 73, 422, "The books cannot count so much";
    PROVIDER_REFUSED = 74, 422, "The provider refused the query";
    DOCUMENT_UNREADABLE = 75, 422, "The DID's document cannot be read";
    PLAN_UNFINISHED = 76, 422, "No plan was found in the time";
    SIGNALS_UNREADABLE = 77, 422, "The signals or readings cannot be kept";
    JOBS_UNPLACED = 78, 422, "A job has no place";
    ALLOCATIONS_OPEN = 80, 429, "Too many allocations are open";
    TOO_FAST = 81, 429, "Too much is asked for in a minute";
    TOO_MANY_WRONG = 82, 429, "Too many keys or signatures were wrong";
    QUERIES_OPEN = 83, 429, "Too many queries are under way";
    SITE_UNPLANNED = 88, 503, "The site has no plan";
    READINGS_UNAVAILABLE = 89, 503, "Signals and telemetry are out of reach";
    QUEUE_FULL = 90, 503, "The desk is busy";
    OUTCOME_UNKNOWN = 91, 503, "The outcome is unknown";
    VIEW_BEHIND = 92, 503, "The history is catching up";
    STOPPING = 93, 503, "The desk is closing";
    NO_PROVIDER_UP = 94, 503, "No provider answers at the moment";
    JOURNAL_UNAVAILABLE = 95, 503, "The journal is out of reach";
    PROVIDER_FAILED = 96, 502, "The provider failed";
    PROVIDER_LATE = 97, 504, "The provider took too long";
    LOG_UNSIGNED = 98, 503, "The journal is not signed";
    INTERNAL = 99, 500, "Something went wrong on our side";
}

impl Code {
    /// The code's number, as the journal stores it.
    pub const fn number(self) -> u16 {
        self.number
    }

    /// The HTTP status it is answered with.
    pub const fn status(self) -> u16 {
        self.status
    }

    /// What went wrong, in one line.
    pub const fn title(self) -> &'static str {
        self.title
    }

    /// The code with that number.
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.number == number)
    }

    /// Reads `L3-0040`.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix("L3-").and_then(|digits| digits.parse().ok()).and_then(Self::from_number)
    }

    /// Whether a refusal with this code pins its idempotency key, as a success does: it was decided by a rule, and
    /// asking again would only ask the same question. A malformed request, a lack of authority and a busy desk do not pin.
    pub const fn pins_key(self) -> bool {
        matches!(self.status, 402 | 409 | 422)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "L3-{:04}", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_read_back() {
        for (at, code) in Code::ALL.iter().enumerate() {
            assert_eq!(Code::parse(&code.to_string()), Some(*code));
            assert!(Code::ALL[at + 1..].iter().all(|other| other.number > code.number), "{code} is out of order");
        }
        assert_eq!(Code::parse("L3-9999"), None);
    }
}
