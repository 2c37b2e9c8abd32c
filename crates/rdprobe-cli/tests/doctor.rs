//! `rdprobe doctor` on a terminal, which is where it asks.
#![cfg(unix)]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Command, Output, Stdio};

/// Where nothing listens.
const CLOSED: &str = "127.0.0.1:1";

/// Runs the doctor with a terminal for questions and answers, and a pipe for the report: what came through the pipe, and
/// what stood on the terminal.
fn on_a_terminal(arguments: &[&str], answers: &str) -> (Output, String) {
    let terminal = nix::pty::openpty(None, None).unwrap();
    let side = || Stdio::from(terminal.slave.try_clone().unwrap());
    let mut user = File::from(terminal.master);
    // Typed ahead: a terminal keeps it until it is read.
    user.write_all(answers.as_bytes()).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_rdprobe"))
        .arg("doctor")
        .args(arguments)
        .args(["--format", "json", CLOSED])
        .env("LC_ALL", "C.UTF-8")
        .stdin(side())
        .stderr(side())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(terminal.slave);
    let output = child.wait_with_output().unwrap();
    let mut shown = Vec::new();
    // Linux ends a terminal whose other side is closed with an error.
    let _ = user.read_to_end(&mut shown);
    (output, String::from_utf8_lossy(&shown).into_owned())
}

fn told(output: &Output) -> serde_json::Value {
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    report["options"].clone()
}

#[test]
fn an_answer_is_evidence_and_what_is_not_known_is_not() {
    let (output, shown) = on_a_terminal(&["--symptom", "0x204"], "?\n?\n?\n");
    assert!(shown.contains("I don't know"), "{shown}");
    let without = told(&output);
    assert_eq!(output.status.code(), Some(2));
    let first = shown.lines().find(|line| line.trim_start().starts_with("p  ")).map(str::trim);
    assert_eq!(first, Some("p  the port"), "{shown}");
    let (output, shown) = on_a_terminal(&["--symptom", "0x204"], "p\n?\n?\n");
    assert_ne!(told(&output), without, "{shown}");
    assert!(told(&output).to_string().contains("new-port"), "{}", told(&output));
}

#[test]
fn no_more_than_three_questions_are_asked_and_a_wrong_key_is_asked_again() {
    let (_, shown) = on_a_terminal(&["--symptom", "An internal error has occurred"], "zzz\n?\n?\n?\n?\n?\n");
    let asked = shown.matches("I don't know").count();
    assert!((1..=3).contains(&asked), "{asked}: {shown}");
    assert_eq!(shown.matches("> ").count(), asked + 1, "{shown}");
}

#[test]
fn the_end_of_input_ends_the_questions() {
    // Ctrl-D.
    let (output, shown) = on_a_terminal(&["--symptom", "0x204"], "\u{4}");
    assert_eq!(shown.matches("I don't know").count(), 1, "{shown}");
    assert_eq!(output.status.code(), Some(2));
}
