//! Asks a model a question and shows the answer as it is made: `cargo run --release -p lab3-model --example ask -- MODEL.gguf "question"`.
//! What it took goes to stderr. `LAB3_MODEL_THREADS` says how many threads compute.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use lab3_model::{Flow, Model, ModelError};
use lab3_providers::{Message, Part, Piece, Query, Role};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(question)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: ask MODEL.gguf \"question\"");
        return ExitCode::FAILURE;
    };
    match ask(Path::new(&path), question) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

fn ask(path: &Path, question: String) -> Result<(), ModelError> {
    let begun = Instant::now();
    let threads = std::env::var("LAB3_MODEL_THREADS").ok().and_then(|threads| threads.parse::<NonZeroUsize>().ok());
    let model = threads.map_or_else(|| Model::open(path), |threads| Model::open_with(path, threads))?;
    eprintln!("{}: loaded in {:.2?}, {}", model.name(), begun.elapsed(), memory());

    let message = Message { role: Role::User, parts: vec![Part::Text(question)] };
    let query = Query { messages: vec![message], ..Query::default() };
    let (begun, mut first) = (Instant::now(), None);
    let usage = model.answer(&query, 512, &mut |piece| {
        if let Piece::Text(text) = piece {
            first.get_or_insert_with(|| begun.elapsed());
            print!("{text}");
            // Who reads the answer may have gone; then it need not go on.
            if std::io::stdout().flush().is_err() {
                return Flow::Break(());
            }
        }
        Flow::Continue(())
    })?;
    println!();
    let (whole, first) = (begun.elapsed(), first.unwrap_or_default());
    eprintln!("{} tokens read in {first:.2?}, {} made in {:.2?}, {}", usage.input, usage.output, whole.saturating_sub(first), memory());
    Ok(())
}

/// What the process holds in memory, where the system tells.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or_else(|| "memory unknown".to_owned(), |line| format!("{} resident", line.trim()))
}
