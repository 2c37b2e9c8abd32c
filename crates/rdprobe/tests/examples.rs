//! The examples, run as they stand against a host that selects CredSSP and closes there.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rdprobe_testkit::Scenario;
use rdprobe_testkit::loopback::Loopback;

const VERDICT: &str = "x224-closed";

fn host() -> (Loopback, String) {
    let scenario: Scenario = "title = 'x'
        target = '192.0.2.7'
        [[hosts]]
        address = '192.0.2.7'
        rules = [{ do = ['expect_request', 'fin'] }]"
        .parse()
        .expect("a scenario");
    let hosts = Loopback::start(&[scenario]).expect("loopback");
    let address = hosts.addresses()[0].1.to_string();
    (hosts, address)
}

/// Cargo builds examples beside the folder of its test programs.
fn example(name: &str) -> Command {
    let test = std::env::current_exe().expect("this program");
    let profile = test.parent().and_then(|deps| deps.parent()).expect("target/PROFILE/deps");
    let program: PathBuf = [profile, "examples".as_ref(), name.as_ref()].iter().collect();
    Command::new(program.with_extension(std::env::consts::EXE_EXTENSION))
}

fn printed(command: &mut Command) -> String {
    let output = command.output().expect("cargo builds the examples before it runs tests");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Ended by itself where the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn one_host_and_two_threads() {
    let (_hosts, address) = host();
    assert!(printed(example("one_host").arg(&address)).starts_with(VERDICT));
    let both = printed(example("two_threads").args([&address, &address]));
    assert_eq!(both.matches(&format!("{address}: ")).count(), 2, "{both}");
}

#[test]
fn many_hosts() {
    let (_hosts, address) = host();
    let list = std::env::temp_dir().join(format!("rdprobe-example-{}", std::process::id()));
    // Documentation's own network: the gate refuses it before any packet.
    std::fs::write(&list, format!("{address}\n192.0.2.7\n")).expect("a file");
    let text = printed(example("many_hosts").arg(&list));
    std::fs::remove_file(&list).expect("it is there");
    assert!(text.contains(&format!("{address}: {VERDICT}")), "{text}");
    assert!(text.contains("192.0.2.7: not asked, 192.0.2.7 is not ours"), "{text}");
}

#[test]
fn a_web_handler_and_a_replay() {
    let (_hosts, address) = host();
    let child = example("web_handler").arg("127.0.0.1:0").stdout(Stdio::piped()).spawn();
    let mut server = Running(child.expect("cargo builds the examples before it runs tests"));
    let mut url = String::new();
    BufReader::new(server.0.stdout.take().expect("it is piped")).read_line(&mut url).expect("its address");
    let mut stream = TcpStream::connect(url.trim().trim_start_matches("http://")).expect("it listens");
    write!(stream, "GET /{address} HTTP/1.1\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, report) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");

    let child = example("replay").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut replay = child.expect("cargo builds the examples before it runs tests");
    replay.stdin.take().expect("it is piped").write_all(report.as_bytes()).expect("it reads");
    let output = replay.wait_with_output().expect("it ends");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.starts_with(&format!("then {VERDICT}, now {VERDICT}")), "{text}");
}
