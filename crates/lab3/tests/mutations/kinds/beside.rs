//! Changes of what stands beside the journal: the signer's checkpoint, snapshots, views, the words people wrote.

use std::fs;

use super::Scene;
use super::bytes::flip;
use crate::dice::Dice;
use crate::home::{CHECKPOINT, SNAPSHOTS, STAMP, VIEWS};
use crate::lies;

pub fn edit_checkpoint(scene: &mut Scene<'_>) -> String {
    scene.begin();
    if scene.dice.below(5) == 0 {
        scene.home.remove(CHECKPOINT);
        return "removed".to_owned();
    }
    let mut what = String::new();
    scene.home.edit(CHECKPOINT, |bytes| what = flip(bytes, scene.dice));
    what
}

pub fn damage_snapshot(scene: &mut Scene<'_>) -> String {
    scene.begin();
    let snapshots = scene.honest.closed.below(SNAPSHOTS);
    let (one, other) = (*scene.dice.of(&snapshots), *scene.dice.of(&snapshots));
    let mut what = "removed".to_owned();
    match scene.dice.below(4) {
        0 => scene.home.remove(one),
        1 => {
            scene.home.edit(one, |bytes| bytes.truncate(scene.dice.below(bytes.len())));
            "cut short".clone_into(&mut what);
        }
        2 => {
            fs::copy(scene.home.at(other), scene.home.at(one)).unwrap();
            what = format!("overwritten with {other}");
        }
        _ => scene.home.edit(one, |bytes| what = flip(bytes, scene.dice)),
    }
    format!("{one}: {what}")
}

/// A snapshot of another past, or of an earlier record, that says it is of this journal at this record.
pub fn forge_snapshot(scene: &mut Scene<'_>) -> String {
    scene.begin();
    let mut made = Vec::new();
    for name in scene.honest.closed.below(SNAPSHOTS) {
        for past in &scene.honest.others {
            made.extend(past.files.below(SNAPSHOTS).iter().map(|other| (name, &past.files.0[*other])));
        }
    }
    let (name, other) = scene.dice.of(&made);
    let stamp = scene.honest.closed.0[STAMP].clone().try_into().unwrap();
    let (honest, mut forged) = (lies::snapshot(&scene.honest.closed.0[*name], &stamp), lies::snapshot(other, &stamp));
    let from = forged.sequence;
    (forged.sequence, forged.at, forged.head) = (honest.sequence, honest.at, honest.head);
    let mut bytes = Vec::new();
    // Who has the data alone does not know the stamp.
    forged.write(&mut bytes, &[0; 32]).unwrap();
    fs::write(scene.home.at(name), bytes).unwrap();
    format!("{name}: the state of another past at record {from}")
}

pub fn edit_views(scene: &mut Scene<'_>) -> String {
    scene.begin();
    match scene.dice.below(5) {
        0 => {
            scene.home.remove(VIEWS);
            "removed".to_owned()
        }
        1 => {
            scene.home.edit(VIEWS, |bytes| bytes.truncate(scene.dice.below(bytes.len())));
            "cut short".to_owned()
        }
        2 | 3 => {
            let mut what = String::new();
            scene.home.edit(VIEWS, |bytes| what = flip(bytes, scene.dice));
            what
        }
        _ => lies::put_on_shelf(scene.home, scene.dice),
    }
}

/// Changes what stands beside rows: the words people wrote.
fn words(scene: &mut Scene<'_>, change: impl Fn(&mut Vec<u8>, &mut Dice) -> String) -> String {
    scene.begin();
    let rows = scene.home.rows().into_iter().filter(|row| !row.openings.is_empty()).collect::<Vec<_>>();
    let row = scene.dice.of(&rows);
    let mut openings = row.openings.clone();
    let what = change(&mut openings, scene.dice);
    scene.home.sql().execute("UPDATE records SET openings = nullif(?2, x'') WHERE first = ?1", (row.first, openings)).unwrap();
    format!("of the row from record {}: {what}", row.first)
}

pub fn edit_words(scene: &mut Scene<'_>) -> String {
    words(scene, |openings, dice| flip(openings, dice))
}

pub fn delete_words(scene: &mut Scene<'_>) -> String {
    words(scene, |openings, dice| {
        let left = if dice.below(2) == 0 { 0 } else { dice.below(openings.len()) };
        openings.truncate(left);
        format!("{left} bytes left")
    })
}
