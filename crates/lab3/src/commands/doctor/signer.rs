//! The folder of the log's signer: there, its owner's alone, of this journal, not ahead of it, and apart from the data.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use lab3_store::ApartFolder;
use lab3_tlog::{Checkpoint, Note, Signer};
use lab3_trust::Inscription;

use super::Finding;

pub(super) fn findings(inscription: Option<&Inscription>, records: u64, data: &Path) -> Vec<Finding> {
    let path = ApartFolder::beside(data);
    let Some(inscription) = inscription else {
        return vec![Finding::look("the journal is signed by nobody yet", "lab3 serve makes its signer when it opens the desk")];
    };
    let back = format!("put {} back from where you keep it apart; without it the desk works unsigned", path.display());
    let Ok(folder) = std::fs::metadata(&path) else {
        return vec![Finding::bad(format!("the signer's folder {} is not there", path.display()), back)];
    };
    let mut findings = vec![permissions(&path, &folder)];
    let apart = match ApartFolder::open(&path) {
        Ok(apart) => apart,
        Err(error) => return vec![Finding::bad(error.to_string(), back)],
    };
    findings.push(match apart.secret() {
        Ok(Some(secret)) => key(secret.trim(), inscription, &path, back),
        Ok(None) => Finding::bad(format!("{} has no key", path.display()), back),
        Err(error) => Finding::bad(format!("the signer's key cannot be read: {error}"), "run this as the desk's user"),
    });
    findings.push(match apart.checkpoint() {
        Ok(note) => checkpoint(note.as_deref(), records, &path),
        Err(error) => Finding::bad(format!("the last checkpoint cannot be read: {error}"), "run this as the desk's user"),
    });
    if std::fs::metadata(data).is_ok_and(|data| data.dev() == folder.dev()) {
        let what =
            format!("{} is on the same disk as the data: who puts an old copy of the disk back has the old signer too", path.display());
        findings.push(Finding::look(what, "mount another disk there, and leave it out of the data's backups"));
    }
    findings
}

fn permissions(path: &Path, folder: &std::fs::Metadata) -> Finding {
    let open_to_others = |path: &Path| std::fs::metadata(path).is_ok_and(|file| file.mode() & 0o077 != 0);
    if folder.mode() & 0o077 != 0 || ["log.key", "witness.key"].iter().any(|key| open_to_others(&path.join(key))) {
        let what = format!("others on this machine can get into {}", path.display());
        return Finding::bad(
            what,
            format!("chmod -R go= {0}; whoever may have read the keys there can sign in the desk's name", path.display()),
        );
    }
    Finding::ok(format!("{} is its owner's alone", path.display()))
}

fn key(secret: &str, inscription: &Inscription, path: &Path, back: String) -> Finding {
    match Signer::parse(secret) {
        Err(error) => Finding::bad(format!("the key in {}: {error}", path.display()), back),
        Ok(signer) if *signer.verifier().public() != inscription.log_key => {
            Finding::bad(format!("the key in {} is not the one this journal was begun with", path.display()), back)
        }
        Ok(_) => Finding::ok("the signer's key is the one this journal was begun with"),
    }
}

fn checkpoint(note: Option<&str>, records: u64, path: &Path) -> Finding {
    let Some(note) = note else {
        return Finding::look("nothing is signed yet", "the desk signs while it is open: lab3 serve");
    };
    let read = Note::parse(note.as_bytes()).ok().and_then(|note| Checkpoint::parse(note.text()).ok());
    match read.map(|checkpoint| checkpoint.size) {
        None => Finding::bad(format!("the last checkpoint in {} cannot be understood", path.display()), "put the signer's folder back"),
        Some(size) if size > records => Finding::bad(
            format!("the first {size} records were signed, and the journal has {records}: an older copy of it was put back"),
            "find the newer copy; members may hold receipts for what is missing",
        ),
        Some(size) if size == records => Finding::ok(format!("all {records} records are signed")),
        Some(size) => Finding::ok(format!("{size} of {records} records are signed; the desk signs the rest while it is open")),
    }
}
