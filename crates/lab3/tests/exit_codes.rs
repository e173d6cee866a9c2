//! The binary from outside: exit codes, and what goes to stdout and what to stderr.

#![allow(clippy::unwrap_used, reason = "outside of #[test] functions clippy does not see that this is a test")]

use std::process::{Command, Output, Stdio};

fn lab3(arguments: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab3"));
    command.args(arguments).env_clear().envs(env.iter().copied()).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

#[test]
fn done_is_0_and_speaks_on_stdout() {
    let output = lab3(&["config", "check"], &[]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    assert!(text(&output.stdout).starts_with("the configuration can be used: "));
}

#[test]
fn failed_is_1_and_speaks_on_stderr() {
    let output = lab3(&["config", "check"], &[("LAB3__LOG__LEVL", "info")]);
    let message = "error: the configuration cannot be used\n  environment LAB3__LOG__LEVL: unknown key `log.levl`; did you mean `LAB3__LOG__LEVEL`?\n";
    assert_eq!((output.status.code(), text(&output.stdout), text(&output.stderr)), (Some(1), "", message));
    let closed = lab3(&["stats"], &[("LAB3_URL", "http://127.0.0.1:1")]);
    let message =
        "error: no desk answers at http://127.0.0.1:1\n  help: start one with `lab3 serve`, or name another with --url or LAB3_URL\n";
    assert_eq!((closed.status.code(), text(&closed.stdout), text(&closed.stderr)), (Some(1), "", message));
}

#[test]
fn asked_wrongly_is_2() {
    for arguments in [&["balance", "alice"][..], &["stats", "--url", "nowhere"], &["wombat"], &[]] {
        let output = lab3(arguments, &[]);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{arguments:?}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab3"));
    let mut child = command.args(["config", "show"]).env_clear().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}
