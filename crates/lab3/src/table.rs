//! Tables for people, on stdout.

use std::sync::OnceLock;

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle, presets};

/// A header, a line under it, and the rows.
const PLAIN: TableStyle = TableStyle::new().header_separator(LineStyle::new('─', '─', '─', '─'));

/// Two columns: a name and its value. What has no value is left out.
pub fn pairs(rows: &[(&str, String)]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        table.add_row([*name, value]);
    }
    if let Some(names) = table.column_mut(0) {
        names.set_padding((0, 1));
    }
    table.trim_fmt()
}

/// A table under a header; the columns in `numbers` stand to the right.
pub fn list(header: &[&str], numbers: &[usize], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(PLAIN);
    table.set_header(header.iter().copied());
    table.add_rows(rows);
    if let Some(width) = WIDTH.get().copied().flatten() {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    for &number in numbers {
        if let Some(column) = table.column_mut(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// Columns of the terminal, where a person reads; programs get lines of any length.
static WIDTH: OnceLock<Option<u16>> = OnceLock::new();

/// Fits the tables to the terminal stdout is, if it is one. Called once, when a command starts.
pub fn fit_terminal() {
    let size = terminal_size::terminal_size_of(std::io::stdout());
    WIDTH.get_or_init(|| size.map(|(width, _)| width.0.max(60)));
}
