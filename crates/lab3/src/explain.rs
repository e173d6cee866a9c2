//! The page of an error code: what happened, and what helps.

use lab3_units::Code;

use crate::Failure;

/// The page of the code as a person wrote it: `L3-0040`, `l3-40` or `40`. A code without a page is told in one line.
pub fn explain(text: &str) -> Result<String, Failure> {
    let code = canonical(text);
    if let Some(known) = Code::parse(&code) {
        let in_one_line = || format!("{known}: {} (HTTP status {})", known.title(), known.status());
        return Ok(lab3_server::errors::page(known).map_or_else(in_one_line, str::to_owned));
    }
    let codes = Code::ALL.iter().map(ToString::to_string);
    let nearest = codes.min_by_key(|known| strsim::damerau_levenshtein(&code, known));
    let hint = nearest.map_or_else(String::new, |nearest| format!("; the nearest is {nearest}"));
    Err(Failure::Other(format!("there is no error code {code}{hint}")))
}

/// `l3-40` and `40` as `L3-0040`; anything else in upper case.
fn canonical(text: &str) -> String {
    let upper = text.trim().to_ascii_uppercase();
    let digits = upper.strip_prefix("L3-").unwrap_or(&upper);
    match digits.parse::<u16>() {
        Ok(number) => format!("L3-{number:04}"),
        Err(_) => upper,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(text: &str) -> Result<String, String> {
        explain(text).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_code_is_understood_however_it_is_written() {
        let expected = ask("L3-0040");
        assert!(expected.as_ref().is_ok_and(|page| page.contains("Not enough MIC")), "{expected:?}");
        for text in ["l3-0040", "L3-40", "40", " 0040 "] {
            assert_eq!(ask(text), expected, "{text}");
        }
    }

    #[test]
    fn an_unknown_code_is_answered_with_the_nearest() {
        assert_eq!(ask("L3-0100"), Err("error: there is no error code L3-0100; the nearest is L3-0010".to_owned()));
        assert_eq!(ask("L3-00990"), Err("error: there is no error code L3-0990; the nearest is L3-0090".to_owned()));
        assert_eq!(ask("nonsense"), Err("error: there is no error code NONSENSE; the nearest is L3-0001".to_owned()));
    }
}
