//! From a document to kept signals, for whoever pushes one and for whoever fetches one.

use lab3_energy::Mark;
use lab3_energy::signals::{Finding, Format, Hints, ImportError, Quantity, Signal, read};
use lab3_units::{Code, Problem, Time};

use super::{Pushed, Readings, sentence};

/// What became of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// The format it was read as.
    pub format: Format,
    /// Its signals, each with what is odd about it.
    pub signals: Vec<(Pushed, Vec<Finding>)>,
}

impl Import {
    /// How many values were kept.
    pub fn written(&self) -> u64 {
        self.signals.iter().map(|(pushed, _)| pushed.written).sum()
    }
}

impl Readings {
    /// Reads a document's signals and keeps them, all or none.
    ///
    /// Errors: `SIGNALS_UNREADABLE`, with row and column where there are any, and those of [`Readings::ask`].
    pub async fn import(&self, content: Vec<u8>, format: Option<Format>, hints: Hints, now: Time) -> Result<Import, Problem> {
        self.ask(move |memory| {
            let mut imported = read(&content, format, &hints).map_err(|error| unreadable(&error))?;
            imported.signals.iter_mut().for_each(|signal| foresee(signal, now));
            let pushed = memory.push(&imported.signals, now)?;
            let findings = imported.signals.into_iter().map(|signal| signal.findings);
            Ok(Import { format: imported.format, signals: pushed.into_iter().zip(findings).collect() })
        })
        .await
    }
}

/// What is to come nobody has measured, whatever a document says. Prices are made before: they are what they are.
fn foresee(signal: &mut Signal, now: Time) {
    if signal.kind.quantity() == Quantity::Price {
        return;
    }
    for series in &mut signal.series {
        let begins: Vec<bool> = (0..series.len()).map(|step| series.begin_of(step) > now).collect();
        for (mark, is_to_come) in series.marks.iter_mut().zip(begins) {
            if is_to_come && *mark == Mark::Measured {
                *mark = Mark::Forecast;
            }
        }
    }
}

fn unreadable(error: &ImportError) -> Problem {
    let field = match error {
        ImportError::Hint { field: "step_s", .. } => "step_minutes",
        ImportError::Hint { field: "fill_s", .. } => "fill_minutes",
        ImportError::Hint { field, .. } => field,
        ImportError::Unrecognised => "format",
        _ => "content",
    };
    Problem::new(Code::SIGNALS_UNREADABLE, sentence(&error.to_string())).in_field(field)
}
