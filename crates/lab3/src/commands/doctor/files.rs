//! Files: who else on the machine can read or change them, and how much room is left.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::Finding;
use crate::config::{Entry, Source};

/// Less room than this is bad, in bytes: 256 MiB.
const FREE_BAD: u64 = 256 << 20;

/// Less room than this is worth a look, in bytes: 2 GiB.
const FREE_LOOK: u64 = 2 << 30;

/// The data's folder, if it is there.
pub(super) fn folder(data: &Path) -> Option<Finding> {
    let mode = std::fs::metadata(data).ok()?.mode();
    let files = std::fs::read_dir(data).into_iter().flatten().flatten();
    let files = files.filter_map(|entry| entry.metadata().ok()).filter(std::fs::Metadata::is_file).fold(0, |all, file| all | file.mode());
    let shown = data.display();
    Some(if (mode | files) & 0o022 != 0 {
        let what = format!("others on this machine can write in {shown}: who can do that can make an operator's key");
        Finding::bad(what, format!("chmod -R go-w {shown}"))
    } else if mode & 0o055 != 0 && files & 0o044 != 0 {
        Finding::look(format!("others on this machine can read everybody's transactions in {shown}"), format!("chmod 700 {shown}"))
    } else {
        Finding::ok(format!("{shown} is its owner's alone"))
    })
}

/// The configuration file, if it has secrets in it.
pub(super) fn configuration(path: &Path, entries: &[Entry]) -> Option<Finding> {
    // A secret shows as this and nothing else does.
    let secrets = entries.iter().filter(|entry| entry.value == "(set)" && matches!(entry.source, Source::File { .. }));
    let secrets: Vec<&str> = secrets.map(|entry| &*entry.path).collect();
    let mode = std::fs::metadata(path).ok()?.mode();
    if secrets.is_empty() {
        return None;
    }
    let (shown, secrets) = (path.display(), secrets.join(", "));
    Some(if mode & 0o044 == 0 {
        Finding::ok(format!("{shown} has secrets ({secrets}) and only its owner reads it"))
    } else {
        let help = format!("chmod 600 {shown}; whoever may have read the secrets has them, so make new ones");
        Finding::bad(format!("{shown} has secrets ({secrets}) that others on this machine can read"), help)
    })
}

/// The room left where the data is, or would be.
pub(super) fn space(data: &Path) -> Option<Finding> {
    // A relative path's last ancestor is the empty one: here.
    let place = data.ancestors().map(|path| if path.as_os_str().is_empty() { Path::new(".") } else { path }).find(|path| path.exists())?;
    let stats = rustix::fs::statvfs(place).ok()?;
    Some(room(stats.f_bavail.saturating_mul(stats.f_frsize), data))
}

pub(super) fn room(free: u64, data: &Path) -> Finding {
    let what = format!("{} MiB are free for {}", free >> 20, data.display());
    let help = "make room, or move the folder to a larger disk: when it is full the desk refuses to write";
    match free {
        ..FREE_BAD => Finding::bad(what, help),
        FREE_BAD..FREE_LOOK => Finding::look(what, help),
        _ => Finding::ok(what),
    }
}
