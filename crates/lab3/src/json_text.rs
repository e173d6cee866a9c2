//! JSON laid out for reading, from its text: numbers keep their digits and fields their order.

/// How the layout is coloured: for a terminal, or not at all.
#[derive(Clone, Copy)]
pub struct Paint {
    /// Before a field's name.
    name: &'static str,
    /// Before a value.
    value: &'static str,
    /// After either.
    end: &'static str,
}

impl Paint {
    /// No colours.
    pub const PLAIN: Paint = Paint { name: "", value: "", end: "" };
    /// Names in cyan, values in green.
    pub const COLOUR: Paint = Paint { name: "\x1b[36m", value: "\x1b[32m", end: "\x1b[0m" };
}

/// The JSON text over several lines, each indented by two spaces a level. Expects valid JSON; other text comes out as it may.
pub fn pretty(json: &str, paint: Paint) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth: usize = 0;
    let mut rest = json.trim_start();
    while let Some(first) = rest.chars().next() {
        let len = token_len(rest, first);
        let (token, after) = rest.split_at(len);
        rest = after.trim_start();
        match first {
            '{' | '[' if rest.starts_with(['}', ']']) => out.push(first),
            '{' | '[' => {
                depth += 1;
                out.push(first);
                new_line(&mut out, depth);
            }
            '}' | ']' => {
                if !out.ends_with(['{', '[']) {
                    depth = depth.saturating_sub(1);
                    new_line(&mut out, depth);
                }
                out.push(first);
            }
            ',' => {
                out.push(',');
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => {
                out.push_str(if rest.starts_with(':') { paint.name } else { paint.value });
                out.push_str(&printable(token));
                out.push_str(paint.end);
            }
        }
    }
    out
}

/// Text from elsewhere without control characters, which could move the cursor or recolour the terminal.
pub fn printable(text: &str) -> String {
    let plain = |letter: char| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter };
    text.chars().map(plain).collect()
}

/// The length of the token the text starts with: a mark, a string, or a bare word such as a number.
fn token_len(text: &str, first: char) -> usize {
    match first {
        '{' | '}' | '[' | ']' | ',' | ':' => 1,
        '"' => {
            let mut escaped = false;
            let end = text.char_indices().skip(1).find(|&(_, letter)| {
                let ends = letter == '"' && !escaped;
                escaped = letter == '\\' && !escaped;
                ends
            });
            end.map_or(text.len(), |(at, _)| at + 1)
        }
        _ => text.find(|letter: char| ",:{}[]\"".contains(letter) || letter.is_whitespace()).unwrap_or(text.len()),
    }
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_order_are_kept() {
        let json = r#"{"z":9007199254740993.100000,"a":[1,"x, \"y\": {"],"e":{},"l":[],"n":null}"#;
        let expected = "{\n  \"z\": 9007199254740993.100000,\n  \"a\": [\n    1,\n    \"x, \\\"y\\\": {\"\n  ],\n  \"e\": {},\n  \"l\": [],\n  \"n\": null\n}";
        assert_eq!(pretty(json, Paint::PLAIN), expected);
        assert_eq!(pretty(expected, Paint::PLAIN), expected);
    }

    #[test]
    fn colours_name_and_value_apart() {
        assert_eq!(pretty(r#"{"a":1}"#, Paint::COLOUR), "{\n  \x1b[36m\"a\"\x1b[0m: \x1b[32m1\x1b[0m\n}");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(pretty("\"a\x1b[2J\u{9b}b\"", Paint::PLAIN), "\"a\u{fffd}[2J\u{fffd}b\"");
    }
}
