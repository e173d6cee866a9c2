//! Changes by who knows nothing of the format: bytes and pages of the journal's files, rows of its table.

use super::Scene;
use crate::dice::Dice;
use crate::home::{JOURNAL, LOG};

/// Either of the journal's files that has something in it.
fn journal_file(scene: &mut Scene<'_>) -> &'static str {
    scene.begin();
    if scene.home.has(LOG) && scene.dice.below(2) == 0 { LOG } else { JOURNAL }
}

pub fn flip(bytes: &mut [u8], dice: &mut Dice) -> String {
    let at = dice.below(bytes.len());
    let before = bytes[at];
    bytes[at] =
        if dice.below(2) == 0 { before ^ (1 << dice.below(8)) } else { before.wrapping_add(1 + u8::try_from(dice.below(255)).unwrap()) };
    format!("byte {at} from {before} to {}", bytes[at])
}

pub fn flip_file(scene: &mut Scene<'_>) -> String {
    let file = journal_file(scene);
    let mut what = String::new();
    scene.home.edit(file, |bytes| what = flip(bytes, scene.dice));
    format!("{file}: {what}")
}

pub fn copy_page(scene: &mut Scene<'_>) -> String {
    let file = journal_file(scene);
    let mut what = String::new();
    scene.home.edit(file, |bytes| {
        let pages = bytes.len() / 4096;
        let (from, to) = (scene.dice.below(pages), scene.dice.below(pages));
        if scene.dice.below(2) == 0 {
            bytes.copy_within(from * 4096..from * 4096 + 4096, to * 4096);
            what = format!("page {from} over page {to}");
        } else {
            bytes[to * 4096..to * 4096 + 4096].fill(0);
            what = format!("page {to} zeroed");
        }
    });
    format!("{file}: {what}")
}

pub fn cut_file(scene: &mut Scene<'_>) -> String {
    let file = journal_file(scene);
    let mut what = String::new();
    scene.home.edit(file, |bytes| {
        bytes.truncate(scene.dice.below(bytes.len()));
        what = format!("{} bytes left", bytes.len());
    });
    format!("{file}: {what}")
}

pub fn edit_row(scene: &mut Scene<'_>) -> String {
    scene.shuffle(|rows, dice| {
        let at = dice.below(rows.len());
        let row = &mut rows[at];
        match dice.below(8) {
            0 if row.len > 1 => {
                row.len -= 1;
                format!("row {at}: it says {} records", row.len)
            }
            0 | 1 => {
                row.len += 1;
                format!("row {at}: it says {} records", row.len)
            }
            2 => {
                row.body.truncate(dice.below(row.body.len()));
                format!("row {at} cut to {} bytes", row.body.len())
            }
            _ => format!("row {at}: {}", flip(&mut row.body, dice)),
        }
    })
}

pub fn delete_row(scene: &mut Scene<'_>) -> String {
    scene.shuffle(|rows, dice| {
        let at = dice.below(rows.len());
        let gone = rows.remove(at);
        // Half of the thieves close the gap.
        if dice.below(2) == 0 {
            rows[at..].iter_mut().for_each(|row| row.first -= i64::from(gone.len));
        }
        format!("row {at}, of {} records", gone.len)
    })
}

pub fn swap_rows(scene: &mut Scene<'_>) -> String {
    scene.shuffle(|rows, dice| {
        let at = dice.below(rows.len());
        let other = dice.other(at, rows.len());
        rows.swap(at, other);
        let mut next = 1;
        for row in rows.iter_mut() {
            row.first = next;
            next += i64::from(row.len);
        }
        format!("rows {at} and {other}")
    })
}

pub fn insert_row(scene: &mut Scene<'_>) -> String {
    scene.shuffle(|rows, dice| {
        let (from, to) = (dice.below(rows.len()), dice.below(rows.len() + 1));
        let mut copy = rows[from].clone();
        copy.first = rows.get(to).map_or_else(|| rows.last().map_or(1, |row| row.first + i64::from(row.len)), |row| row.first);
        let len = i64::from(copy.len);
        rows[to..].iter_mut().for_each(|row| row.first += len);
        rows.insert(to, copy);
        format!("row {from} once more before row {to}")
    })
}

pub fn truncate_rows(scene: &mut Scene<'_>) -> String {
    scene.shuffle(|rows, dice| {
        rows.truncate(dice.below(rows.len()));
        format!("{} rows left", rows.len())
    })
}
