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
        (&["h", "--client", "remina"], "Is it Remmina?"),
        (&["explain", "remina"], "Remmina"),
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
        ("guacd", "ignore-cert=true"),
        ("Remmina 1.4", "Embeds: FreeRDP 3"),
        ("FreeRDP 3.30", "Security level: 2"),
        ("Royal TS", "not known by itself; this is its nearest relative"),
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
fn a_client_has_its_facts_and_their_sources() {
    let output = run(&["explain", "guacd", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["known"], &told["client"]["id"]), (&true.into(), &"guacd".into()));
    assert_eq!(told["client"]["embedded_by"][0], "jumpserver-lion");
    assert_eq!(told["client"]["port_option"], "port");
    assert_eq!(told["client"]["tls_min"], serde_json::Value::Null);
    let full = text(&run(&["explain", "guacd", "--full"]).stdout).replace("\n      ", " ");
    for source in told["client"]["sources"].as_array().unwrap() {
        assert!(full.contains(source["source"].as_str().unwrap()), "{source}: {full}");
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

/// A recorded report with the status and code that these demands and conditions make of it.
fn judged(arguments: &[&str]) -> Option<i32> {
    let recorded = run(&[CLOSED]);
    let mut child = rdprobe(&[&["replay", "-"], arguments].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&recorded.stdout).unwrap();
    child.wait().unwrap().code()
}

#[test]
fn the_exit_code_of_every_status_under_every_fail_on() {
    // One report of each status: of this list, and of every pair of it, the worst counts, 2 over 1 over 3 over 0.
    let observed = |name: &str| {
        let path = format!("{}/../../fixtures/observations/{name}.json", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    };
    let broken = observed("key-unusable");
    let healthy = observed("nla");
    // Judged long after its certificate has begun to run out, or under a deadline that cut it off.
    let mut cut: serde_json::Value = serde_json::from_str(&healthy).unwrap();
    cut["cut_short"] = true.into();
    cut["attempts"] = serde_json::json!([]);
    let inconclusive = cut.to_string();
    let mut accepted: serde_json::Value = serde_json::from_str(&healthy).unwrap();
    accepted["options"]["cert_days"] = serde_json::json!({ "warning": 9999.0, "error": 0.0 });
    let degraded = accepted.to_string();
    let code = |reports: &[&str], fail_on: &str| {
        let mut child = rdprobe(&["replay", "-", "-o", "ndjson", "--fail-on", fail_on])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(reports.join("\n").as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        output.status.code().unwrap()
    };
    let states =
        [("healthy", &healthy), ("degraded", &degraded), ("broken", &broken), ("open", &inconclusive)];
    let table = [("degraded", [0, 1, 2, 3]), ("broken", [0, 0, 2, 3]), ("never", [0, 0, 0, 0])];
    for (fail_on, codes) in table {
        for ((name, report), expected) in states.iter().zip(codes) {
            assert_eq!(code(&[report], fail_on), expected, "{name} with --fail-on {fail_on}");
        }
    }
    let order = [&healthy, &inconclusive, &degraded, &broken];
    for (place, worse) in order.iter().enumerate() {
        for better in &order[..place] {
            let expected = code(&[worse], "degraded");
            assert_eq!(code(&[better, worse], "degraded"), expected);
            assert_eq!(code(&[worse, better], "degraded"), expected);
        }
    }
}

#[test]
fn a_demand_that_cannot_be_made_is_bad_usage() {
    for arguments in [["--expect", "nonsense"], ["--ignore", "tls-reset"], ["--cert-days", "7"]] {
        let output = run(&[arguments[0], arguments[1], CLOSED]);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        assert!(text(&output.stderr).contains("For more information"), "{arguments:?}");
    }
    assert_eq!(judged(&["--fail-on", "never"]), Some(0));
}

#[test]
fn a_bad_line_is_said_by_its_number_and_the_rest_goes_on() {
    let mut child = rdprobe(&["-", "-o", "ndjson", "--fail-on", "broken"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let list = format!("{CLOSED}\nrdp://x\n{CLOSED}\n{CLOSED_TOO}\n");
    child.stdin.take().unwrap().write_all(list.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout).lines().count(), 2);
    let said = text(&output.stderr);
    assert!(said.contains("stdin, line 2") && said.contains("more than once: 127.0.0.1:1"), "{said}");
}

#[test]
fn waiting_ends_when_the_host_comes_up() {
    // Nobody listens there yet.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let child = rdprobe(&["--wait", "30s", "--no-udp", "-o", "json", &address.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut child = child;
    // The first round has found it closed before the host comes up.
    let mut said = [0; 64];
    let read = child.stderr.as_mut().unwrap().read(&mut said).unwrap();
    assert!(text(&said[..read]).contains("Z "), "{}", text(&said[..read]));
    let listener = TcpListener::bind(address).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            std::thread::spawn(move || {
                // A Confirm without negotiation data: Standard RDP Security ([MS-RDPBCGR] 2.2.1.2).
                let mut request = [0; 512];
                let _ = stream.read(&mut request);
                let _ = stream.write_all(&[3, 0, 0, 11, 6, 0xD0, 0, 0, 0x12, 0x34, 0]);
                let _ = stream.read(&mut request);
            });
        }
    });
    let output = child.wait_with_output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["verdict"]["code"], "security-rdp-only");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn rounds_are_lines_and_their_sum_goes_elsewhere() {
    let output = run(&["--every", "50ms", "--count", "3", "--no-udp", CLOSED]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout).lines().count(), 3);
    assert!(text(&output.stderr).contains("3 rounds: tcp-refused 3"), "{}", text(&output.stderr));
}

#[test]
fn two_reports_are_equal_or_they_differ() {
    let folder = std::env::temp_dir().join(format!("rdprobe-diff-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (old, new) = (folder.join("old.json"), folder.join("new.json"));
    std::fs::write(&old, run(&[CLOSED]).stdout).unwrap();
    std::fs::write(
        &new,
        run(&["--server-name", "other", "no-such.invalid:2", "--only-address", "127.0.0.1"]).stdout,
    )
    .unwrap();
    let (old, new) = (old.to_str().unwrap(), new.to_str().unwrap());
    assert_eq!(run(&["diff", old, old]).status.code(), Some(0));
    let different = run(&["diff", old, new, "-o", "json"]);
    assert_eq!(different.status.code(), Some(1));
    let comparison: serde_json::Value = serde_json::from_slice(&different.stdout).unwrap();
    assert!(!comparison["changes"].as_array().unwrap().is_empty());
    assert_eq!(run(&["diff", old, "/no/such/file"]).status.code(), Some(3));
    std::fs::remove_dir_all(&folder).unwrap();
}
