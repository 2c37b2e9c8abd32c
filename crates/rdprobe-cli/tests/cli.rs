//! The program as it is started: exit codes, what goes to which stream, signals.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

fn rdprobe(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rdprobe"));
    command.args(arguments).env_remove("COLUMNS").env("LC_ALL", "C.UTF-8");
    command
}

fn run(arguments: &[&str]) -> Output {
    rdprobe(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Where nothing listens: nobody has run these services for decades.
const CLOSED: &str = "127.0.0.1:1";
const CLOSED_TOO: &str = "127.0.0.1:2";

#[test]
fn a_pipe_gets_one_object_and_the_exit_code_says_broken() {
    let output = run(&[CLOSED]);
    assert_eq!(output.status.code(), Some(2));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["verdict"]["code"], "tcp-refused");
    assert_eq!(report["target"]["input"], CLOSED);
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn several_targets_are_an_array_lines_or_blocks_with_a_table() {
    let array = run(&[CLOSED, CLOSED_TOO]);
    let reports: Vec<serde_json::Value> = serde_json::from_slice(&array.stdout).unwrap();
    assert_eq!(reports[1]["target"]["input"], CLOSED_TOO);
    let lines = run(&[CLOSED, CLOSED_TOO, "--format", "ndjson"]);
    assert_eq!(text(&lines.stdout).lines().count(), 2);
    let human = text(&run(&[CLOSED, CLOSED_TOO, "--format", "human"]).stdout);
    assert!(human.contains("2 hosts: 2 broken"), "{human}");
}

#[test]
fn targets_come_from_stdin_too() {
    let mut child = rdprobe(&["-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let list = format!("# ours\n\n{CLOSED} # closed\n");
    child.stdin.take().unwrap().write_all(list.as_bytes()).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(2));
}

#[test]
fn a_recorded_report_is_judged_again() {
    let recorded = run(&[CLOSED]);
    let mut child = rdprobe(&["replay", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&recorded.stdout).unwrap();
    let replayed = child.wait_with_output().unwrap();
    assert_eq!(replayed.status.code(), Some(2));
    assert_eq!(text(&replayed.stdout), text(&recorded.stdout));
}

#[test]
fn bad_usage_and_faults_of_our_own_exit_3_and_say_so_on_stderr() {
    for (arguments, hint) in [
        (&[][..], "rdprobe HOST"),
        (&["rdp://rds01"], "rdprobe rds01"),
        (&["--frobnicate", "h"], "--frobnicate"),
        (&["explain", "tls-key"], "tls-key-unusable"),
        (&["-f", "/nonexistent/hosts"], "cannot read"),
        (&["h", "--ca-file", "/nonexistent/ca.pem"], "--ca-file"),
        (&["replay", "/nonexistent/report.json"], "cannot read"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        assert!(text(&output.stderr).contains(hint), "{arguments:?}: {}", text(&output.stderr));
        assert_eq!(text(&output.stdout), "");
    }
}

#[test]
fn help_and_version_exit_0() {
    for arguments in [["--help"], ["-h"], ["--version"], ["codes"], ["schema"]] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(!output.stdout.is_empty());
    }
}

#[test]
fn what_a_user_holds_is_explained_in_fifteen_lines() {
    for (words, hint) in [
        ("0x904/0x7", "closed the connection"),
        ("2308", "socket was closed"),
        ("0x1B07", "certificate has expired"),
        ("An internal error has occured", "internal error"),
        ("CredSSP encryption oracle remediation", "CredSSP"),
        ("C000006D", "STATUS_LOGON_FAILURE"),
        ("event 36870", "private key"),
        ("ERRCONNECT_TLS_CONNECT_FAILED", "TLS"),
        ("E_PROXY_RAP_ACCESSDENIED", "RAP"),
        ("black screen after login", "Black screen"),
        ("tls-key-unusable", "tls-key-unusable"),
        ("window manager exited quickly", "window manager"),
    ] {
        let mut arguments = vec!["explain"];
        arguments.extend(words.split(' '));
        let output = run(&arguments);
        let text = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{words}");
        assert!(text.contains(hint), "{words}: {text}");
        assert!(text.lines().count() <= 15, "{words}: {text}");
    }
}

#[test]
fn what_is_unknown_is_said_to_be() {
    for (words, hint) in
        [("ERRCONNECT_TLS_CONNECT_FAILD", "ERRCONNECT_TLS_CONNECT_FAILED"), ("frobnicate", "unknown")]
    {
        let output = run(&["explain", words]);
        assert_eq!(output.status.code(), Some(3), "{words}");
        assert!(text(&output.stderr).contains(hint), "{words}: {}", text(&output.stderr));
    }
    let output = run(&["explain", "frobnicate", "--format", "json"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stdout).contains("\"known\": false"));
}

#[test]
fn a_reader_that_has_gone_is_no_fault() {
    let mut child = rdprobe(&["schema"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}

#[test]
#[cfg(unix)]
fn signals_print_what_is_known_so_far() {
    for signal in ["-INT", "-TERM"] {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap().to_string();
        let child = rdprobe(&[&address, "--no-udp"]).stdout(Stdio::piped()).spawn().unwrap();
        // Once it has said its request, its signal handler stands.
        let (mut connection, _) = silent.accept().unwrap();
        connection.read_exact(&mut [0; 4]).unwrap();
        let interrupt = Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(interrupt.unwrap().success());
        let output = child.wait_with_output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["cut_short"], true);
        assert_eq!(report["phases"]["tcp"]["outcome"], "ok");
        assert_eq!(output.status.code(), Some(3));
    }
}

/// 120 ports of loopback where nobody listens: what 64 descriptors cannot hold at once is no fault of theirs.
#[test]
#[cfg(target_os = "linux")]
fn few_descriptors_cost_time_and_no_verdict() {
    let targets: Vec<String> = (1..=120).map(|number| format!("127.0.1.{number}:1")).collect();
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -n 64; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_rdprobe")])
        .args(["-j", "512", "--no-udp", "--format", "ndjson", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(targets.join("\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let reports: Vec<serde_json::Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(reports.len(), 120);
    for report in reports {
        assert_eq!(report["verdict"]["code"], "tcp-refused", "{}", report["verdict"]["summary"]);
    }
}

#[test]
#[cfg(feature = "demo")]
fn every_host_of_the_demo_gets_the_verdict_that_it_should() {
    let output = run(&["demo"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
}
