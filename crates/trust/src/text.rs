//! Words people give: short, on one line, printable.

use lab3_units::{Code, Problem};

/// Longest note or reason, in characters.
const NOTE_MAX: usize = 200;

/// Longest name of a module, meter or log, in bytes.
const WORD_MAX: usize = 128;

/// Refuses a note that is long or has a line break or another control character.
pub(crate) fn check_note(text: &str, field: &'static str) -> Result<(), Problem> {
    if text.chars().count() <= NOTE_MAX && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Problem::new(Code::FIELD_RANGE, format!("At most {NOTE_MAX} characters, on one line.")).in_field(field))
}

/// Refuses a reason that is no note, or says nothing.
pub(crate) fn check_reason(text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() {
        return Err(Problem::new(Code::FIELD_RANGE, "A reason is required, for everybody to read.").in_field("reason"));
    }
    check_note(text, "reason")
}

/// Refuses a name that is empty, long, or has other than visible ASCII characters.
pub(crate) fn check_word(text: &str, field: &'static str) -> Result<(), Problem> {
    if (1..=WORD_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Problem::new(Code::FIELD_RANGE, format!("A name has 1 to {WORD_MAX} visible ASCII characters, no spaces.")).in_field(field))
}
