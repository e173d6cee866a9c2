//! `docs/verify/verify.py` on folders of logs.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/verify/verify.py");

/// Judges every folder named on a line, with the same arguments, in one process.
const ALL: &str = "
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import verify
for folder in sys.argv[3].split():
    print(verify.main([folder, *sys.argv[2].split()]))
";

/// Judges a folder served over HTTP, below `/lab3/log/`.
pub const SERVED: &str = "
import functools, http.server, sys, threading
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import verify
class Log(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass
log = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Log, directory=sys.argv[3]))
threading.Thread(target=log.serve_forever, daemon=True).start()
print(verify.main([f'http://127.0.0.1:{log.server_port}']))
";

/// Status and words for each folder; none without a Python new enough.
pub fn judge(arguments: &str, folders: &[PathBuf]) -> Option<Vec<(i32, String)>> {
    let folders: Vec<&str> = folders.iter().map(|folder| folder.to_str().unwrap()).collect();
    run(ALL, arguments, &folders.join("\n"), folders.len())
}

pub fn run(code: &str, arguments: &str, folders: &str, count: usize) -> Option<Vec<(i32, String)>> {
    let mut command = Command::new("python3");
    command.args(["-c", code]).arg(Path::new(PROGRAM).parent().unwrap()).args([arguments, folders]);
    let run = match command.output() {
        Ok(run) => run,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => panic!("{error}"),
    };
    let out = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.success(), "{out}{}", String::from_utf8_lossy(&run.stderr));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 2 * count, "{out}");
    Some(lines.chunks(2).map(|pair| (pair[1].parse().unwrap(), pair[0].to_owned())).collect())
}
