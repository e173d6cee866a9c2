//! What proves to a provider that thoughts are its own. Through a client of another dialect it goes with a mark, and comes back only to
//! who made it: any other would refuse it.

/// The mark of Anthropic's. What clients of its own dialect send without a mark is Anthropic's, too.
pub(super) const ANTHROPIC: &str = "anthropic:";

/// The mark of Google's.
pub(super) const GEMINI: &str = "gemini:";

/// Whether somebody's mark is on it.
pub(super) fn is_marked(signature: &str) -> bool {
    [ANTHROPIC, GEMINI].iter().any(|mark| signature.starts_with(mark))
}

/// Whether a mark may be in a body: few have one, and the others need not be searched.
pub(super) fn may_be_in(json: &str) -> bool {
    [ANTHROPIC, GEMINI].iter().any(|mark| json.contains(mark))
}
