//! The pages about error codes: what happened, an example, what helps. The same text in the manual, in the API, on the terminal.

use lab3_units::Code;

/// The pages, by the codes' numbers. A code without a page, or a page without a code, fails a test.
macro_rules! pages {
    ($($number:literal => $name:literal,)+) => {
        /// The page about a code, as Markdown: a file of `docs/errors/`.
        pub fn page(code: Code) -> Option<&'static str> {
            match code.number() {
                $($number => Some(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors/", $name, ".md"))),)+
                _ => None,
            }
        }
    };
}

/// The example on the page about a code: a problem document.
pub(crate) fn example(code: Code) -> Option<&'static str> {
    let (_, rest) = page(code)?.split_once("```json\n")?;
    rest.split_once("```").map(|(example, _)| example)
}

pages! {
    1 => "L3-0001",
    2 => "L3-0002",
    3 => "L3-0003",
    4 => "L3-0004",
    5 => "L3-0005",
    6 => "L3-0006",
    7 => "L3-0007",
    8 => "L3-0008",
    9 => "L3-0009",
    10 => "L3-0010",
    11 => "L3-0011",
    12 => "L3-0012",
    13 => "L3-0013",
    14 => "L3-0014",
    15 => "L3-0015",
    16 => "L3-0016",
    17 => "L3-0017",
    18 => "L3-0018",
    29 => "L3-0029",
    32 => "L3-0032",
    33 => "L3-0033",
    34 => "L3-0034",
    35 => "L3-0035",
    36 => "L3-0036",
    37 => "L3-0037",
    38 => "L3-0038",
    39 => "L3-0039",
    40 => "L3-0040",
    41 => "L3-0041",
    42 => "L3-0042",
    50 => "L3-0050",
    51 => "L3-0051",
    52 => "L3-0052",
    53 => "L3-0053",
    54 => "L3-0054",
    55 => "L3-0055",
    56 => "L3-0056",
    57 => "L3-0057",
    58 => "L3-0058",
    59 => "L3-0059",
    60 => "L3-0060",
    61 => "L3-0061",
    62 => "L3-0062",
    63 => "L3-0063",
    64 => "L3-0064",
    65 => "L3-0065",
    66 => "L3-0066",
    67 => "L3-0067",
    70 => "L3-0070",
    71 => "L3-0071",
    72 => "L3-0072",
    73 => "L3-0073",
    74 => "L3-0074",
    75 => "L3-0075",
    76 => "L3-0076",
    77 => "L3-0077",
    78 => "L3-0078",
    80 => "L3-0080",
    81 => "L3-0081",
    82 => "L3-0082",
    83 => "L3-0083",
    88 => "L3-0088",
    89 => "L3-0089",
    90 => "L3-0090",
    91 => "L3-0091",
    92 => "L3-0092",
    93 => "L3-0093",
    94 => "L3-0094",
    95 => "L3-0095",
    96 => "L3-0096",
    97 => "L3-0097",
    98 => "L3-0098",
    99 => "L3-0099",
}
