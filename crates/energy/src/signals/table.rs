//! Rows and columns of a CSV: commas, semicolons or tabs, quotes, and the line each row begins at.

use super::error::ImportError;
use super::format::Format;

/// Columns a table may have.
const COLUMNS_MAX: usize = 1000;

/// A CSV: a header, and rows with as many fields.
pub(super) struct Table<'a> {
    pub(super) header: Vec<String>,
    rows: Rows<'a>,
    /// Numbers may have a comma for a point: where the semicolon parts the fields.
    pub(super) decimal_comma: bool,
}

/// A row and the line it begins at, counted from 1.
pub(super) struct Row {
    pub(super) line: usize,
    fields: Vec<String>,
}

impl Row {
    /// What stands in a column, without space around it.
    pub(super) fn field(&self, column: usize) -> &str {
        self.text(column).trim()
    }

    /// What stands in a column, with the space that quotes keep.
    pub(super) fn text(&self, column: usize) -> &str {
        self.fields.get(column).map_or("", String::as_str)
    }
}

impl<'a> Table<'a> {
    /// Reads the header. Lines that begin with `#` before it are left out.
    pub(super) fn open(text: &'a str, format: Format) -> Result<Self, ImportError> {
        let mut rows = Rows { rest: text, line: 1, delimiter: ',', format };
        while rows.rest.starts_with('#') || rows.rest.starts_with(['\n', '\r']) {
            rows.skip_line();
        }
        rows.delimiter = delimiter(rows.rest.lines().next().unwrap_or_default());
        let header = rows.next().transpose()?.map(|row| row.fields).unwrap_or_default();
        if header.len() > COLUMNS_MAX {
            return Err(ImportError::malformed(format, format!("the header has {} columns, more than {COLUMNS_MAX}", header.len())));
        }
        let decimal_comma = rows.delimiter == ';';
        Ok(Table { header: header.iter().map(|name| name.trim().to_owned()).collect(), rows, decimal_comma })
    }

    /// The rows below the header.
    pub(super) fn rows(self) -> impl Iterator<Item = Result<Row, ImportError>> {
        let (columns, format) = (self.header.len(), self.rows.format);
        let is_blank = |row: &Row| row.fields.len() == 1 && row.field(0).is_empty();
        let rows = self.rows.filter(move |row| !row.as_ref().is_ok_and(is_blank));
        rows.map(move |row| {
            let row = row?;
            let has = row.fields.len();
            let what = || format!("line {} has {has} fields, the header has {columns}", row.line);
            if has == columns { Ok(row) } else { Err(ImportError::malformed(format, what())) }
        })
    }
}

/// What parts the fields: what the header has most of.
fn delimiter(header: &str) -> char {
    let count = |delimiter: char| header.matches(delimiter).count();
    // Of equals the last wins: the comma.
    [';', '\t', ','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(',')
}

struct Rows<'a> {
    rest: &'a str,
    line: usize,
    delimiter: char,
    format: Format,
}

impl Rows<'_> {
    fn skip_line(&mut self) {
        self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
        self.line += 1;
    }

    /// Takes a field and says whether the row goes on after it.
    fn field(&mut self) -> Result<(String, bool), ImportError> {
        match self.rest.strip_prefix('"') {
            Some(inside) => self.quoted(inside),
            None => Ok(self.bare()),
        }
    }

    fn bare(&mut self) -> (String, bool) {
        let end = self.rest.find([self.delimiter, '\n']).unwrap_or(self.rest.len());
        let (field, rest) = self.rest.split_at(end);
        let goes_on = rest.starts_with(self.delimiter);
        self.rest = rest.get(1..).unwrap_or("");
        self.line += usize::from(!goes_on);
        (field.trim().to_owned(), goes_on)
    }

    /// A field in quotes, of which two stand for one.
    fn quoted(&mut self, inside: &str) -> Result<(String, bool), ImportError> {
        let (begin, mut field, mut rest) = (self.line, String::new(), inside.len());
        loop {
            let part = &inside[inside.len() - rest..];
            let unclosed = || ImportError::malformed(self.format, format!("line {begin}: a quote is not closed"));
            let end = part.find('"').ok_or_else(unclosed)?;
            field.push_str(&part[..end]);
            rest -= end + 1;
            if !part[end + 1..].starts_with('"') {
                break;
            }
            field.push('"');
            rest -= 1;
        }
        self.line += field.matches('\n').count();
        self.rest = &self.rest[self.rest.len() - rest..];
        let (after, goes_on) = self.bare();
        if after.trim().is_empty() {
            return Ok((field, goes_on));
        }
        Err(ImportError::malformed(self.format, format!("line {begin}: {after:?} stands after a closing quote")))
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, mut fields) = (self.line, Vec::new());
        loop {
            match self.field() {
                Ok((field, goes_on)) => fields.push((field, goes_on)),
                Err(error) => {
                    self.rest = "";
                    return Some(Err(error));
                }
            }
            if fields.last().is_some_and(|(_, goes_on)| !goes_on) {
                let fields = fields.into_iter().map(|(field, _)| field).collect();
                return Some(Ok(Row { line, fields }));
            }
        }
    }
}
