//! The logon against a host that checks credentials, over real sockets: what is found, and what is never sent.
#![cfg(feature = "logon")]

use std::io::{Read, Write};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use rdprobe::{Account, Package, Probe, Timeouts, Trust};
use rdprobe_report::facts::{CredsspFacts, KerberosExchange, NtStatus};
use rdprobe_report::{Options, Purpose, Report, Status, Target, UdpQuestion};
use rdprobe_testkit::credssp_server::{Behaviour, NAME, Server, Twist};
use zeroize::Zeroizing;

const PASSWORD: &str = "Passw0rd!";

fn account(password: &str) -> Account {
    Account::new("alice", Zeroizing::new(password.to_owned())).package(Package::Ntlm)
}

struct Ask {
    account: Arc<Account>,
    trusted: bool,
    accept_untrusted: bool,
}

impl Ask {
    fn with(account: Account) -> Self {
        Self { account: Arc::new(account), trusted: true, accept_untrusted: false }
    }

    async fn of(&self, server: &Server) -> Report {
        let target = Target { input: NAME.into(), host: NAME.into(), port: server.address.port() };
        let options = Options {
            udp: UdpQuestion::Off,
            accept_untrusted_certificate: self.accept_untrusted,
            ..Options::default()
        };
        let roots = self.trusted.then(|| server.certificate.clone());
        let probed = Probe::new(target)
            .options(options)
            .only_address(Some(IpAddr::from([127, 0, 0, 1])))
            .trust(Arc::new(Trust::from_roots(roots.into_iter().collect())))
            .timeouts(Timeouts { phase: Duration::from_secs(2), ..Timeouts::default() })
            .logon(Some(Arc::clone(&self.account)))
            .run_on(&rdprobe::network::Tokio)
            .await;
        probed.lingering.finish().await;
        let record = server.record();
        assert!(!appears(PASSWORD, &record.plaintext), "the password went out in clear");
        assert_eq!(record.beyond, 0, "something followed CredSSP");
        probed.report
    }
}

async fn asked(behaviour: Behaviour, password: &str) -> (Report, Server) {
    let server = Server::start(behaviour);
    let report = Ask::with(account(password)).of(&server).await;
    (report, server)
}

fn of_version(version: u32) -> Behaviour {
    Behaviour { version, ..Behaviour::default() }
}

fn twisted(twist: Twist) -> Behaviour {
    Behaviour { twist, ..Behaviour::default() }
}

fn code(report: &Report) -> &str {
    report.verdict.code.as_str()
}

fn facts(report: &Report) -> &CredsspFacts {
    &report.phases.credssp.facts
}

#[tokio::test]
async fn a_good_password_is_proven_and_never_delegated_whatever_the_version() {
    for version in [2, 3, 5, 6] {
        let (report, server) = asked(of_version(version), PASSWORD).await;
        assert!(facts(&report).accepted, "{version}: {}", report.verdict.summary);
        assert_eq!(facts(&report).public_key_bound, Some(true));
        assert_eq!(facts(&report).version, Some(version));
        let expected = if version < 5 { "credssp-outdated" } else { "healthy" };
        assert_eq!(code(&report), expected, "{version}");
        assert_eq!(server.record().authenticates, 1);
        assert_eq!(server.record().delegated, None);
    }
}

#[tokio::test]
async fn a_wrong_password_is_a_refusal_whatever_the_version() {
    for version in [2, 3, 5, 6] {
        let (report, server) = asked(of_version(version), "wrong").await;
        let mut codes = report.findings.iter().map(|finding| finding.code.as_str());
        assert!(codes.any(|code| code == "logon-bad-credentials"), "{version}: {}", report.verdict.summary);
        assert!(!facts(&report).accepted);
        assert_eq!(server.record().authenticates, 1, "{version}");
    }
}

#[tokio::test]
async fn every_status_has_its_code() {
    for (status, expected) in [
        (0xC000_006D, "logon-bad-credentials"),
        (0xC000_0234, "logon-account-locked"),
        (0xC000_0072, "logon-account-disabled"),
        (0xC000_0193, "logon-account-expired"),
        (0xC000_0071, "logon-password-expired"),
        (0xC000_0224, "logon-password-must-change"),
        (0xC000_006F, "logon-hours"),
        (0xC000_0070, "logon-workstation"),
        (0xC000_015B, "logon-not-granted"),
        (0xC000_006E, "logon-restricted"),
        (0xC000_005E, "logon-no-domain-controller"),
        (0xC000_0133, "logon-clock-skew"),
        (0xC000_0022, "logon-access-denied"),
        (0xC000_0418, "credssp-ntlm-blocked"),
        (0xC000_009A, "logon-failed"),
        (0xC007_0775, "logon-account-locked"),
        (0xC007_00EA, "logon-bad-credentials"),
    ] {
        let (report, server) = asked(twisted(Twist::Refuse(status)), PASSWORD).await;
        assert_eq!(code(&report), expected, "{status:x}: {}", report.verdict.summary);
        assert_eq!(facts(&report).ntstatus, Some(NtStatus(status)));
        assert_eq!(server.record().authenticates, 1);
    }
}

#[tokio::test]
async fn what_a_host_does_instead_of_answering_is_told_apart() {
    let endless = vec![0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0];
    let ultimatum = vec![3, 0, 0, 9, 2, 0xF0, 0x80, 0x21, 0x80];
    for (twist, expected) in [
        (Twist::Close, "logon-bad-credentials"),
        (Twist::Silence, "credssp-timeout"),
        (Twist::WrongKey, "credssp-key-mismatch"),
        (Twist::ShortKey(0), "credssp-malformed"),
        (Twist::ShortKey(15), "credssp-malformed"),
        (Twist::ShortKey(16), "credssp-key-mismatch"),
        (Twist::Garbage(b"HTTP/1.1 400 Bad Request\r\n".to_vec()), "credssp-malformed"),
        (Twist::Garbage(endless), "credssp-malformed"),
        (Twist::Garbage(ultimatum), "logon-bad-credentials"),
    ] {
        let (report, server) = asked(twisted(twist.clone()), PASSWORD).await;
        assert_eq!(code(&report), expected, "{twist:?}: {}", report.verdict.summary);
        assert_eq!(report.verdict.status, Status::Broken);
        assert!(!facts(&report).accepted && facts(&report).authentication_sent);
        let mismatch = expected == "credssp-key-mismatch";
        assert_eq!(facts(&report).public_key_bound, mismatch.then_some(false), "{twist:?}");
        assert_eq!(server.record().authenticates, 1, "{twist:?}");
        assert_eq!(server.record().delegated, None);
    }
}

#[tokio::test]
async fn authorization_delegates_and_reads_the_result() {
    for (result, expected) in [(0, "healthy"), (5, "logon-access-denied"), (7, "logon-access-denied")] {
        let server = Server::start(Behaviour { authorization: Some(result), ..Behaviour::default() });
        let report = Ask::with(account(PASSWORD).authorization(true)).of(&server).await;
        assert_eq!(code(&report), expected, "{}", report.verdict.summary);
        assert_eq!(facts(&report).authorization_result, Some(result));
        assert!(facts(&report).accepted);
        let delegated = server.record().delegated;
        assert_eq!(delegated, Some(("alice".into(), PASSWORD.into())));
    }
}

#[tokio::test]
async fn nothing_is_delegated_where_no_result_would_come() {
    let server = Server::start(Behaviour::default());
    let report = Ask::with(account(PASSWORD).authorization(true)).of(&server).await;
    assert_eq!(code(&report), "logon-not-observable");
    assert_eq!(report.verdict.status, Status::Inconclusive);
    assert_eq!(server.record().delegated, None);
}

#[tokio::test]
async fn no_credentials_go_over_a_certificate_that_nobody_trusts() {
    let server = Server::start(Behaviour::default());
    let mut ask = Ask::with(account(PASSWORD));
    ask.trusted = false;
    let report = ask.of(&server).await;
    assert_eq!(code(&report), "logon-skipped");
    assert_eq!(report.verdict.status, Status::Inconclusive);
    assert_eq!(server.record().authenticates, 0);

    ask.accept_untrusted = true;
    let report = ask.of(&server).await;
    assert!(facts(&report).accepted, "{}", report.verdict.summary);
    assert_eq!(server.record().authenticates, 1);
}

#[tokio::test]
async fn no_credentials_go_over_another_certificate_than_the_judged_one() {
    let server = Server::start(twisted(Twist::OtherCertificate));
    let mut ask = Ask::with(account(PASSWORD));
    ask.accept_untrusted = true;
    let report = ask.of(&server).await;
    assert_eq!(code(&report), "logon-skipped", "{}", report.verdict.summary);
    assert!(report.verdict.summary.contains("another certificate"));
    assert_eq!(server.record().authenticates, 0);
}

#[tokio::test]
async fn a_host_without_nla_is_never_a_success() {
    let (report, server) = asked(twisted(Twist::NoNla), PASSWORD).await;
    assert_eq!(code(&report), "logon-not-observable");
    assert_eq!(report.verdict.status, Status::Inconclusive);
    assert_eq!(server.record().authenticates, 0);
}

#[tokio::test]
async fn the_logon_is_one_alone_and_last() {
    let (report, _) = asked(Behaviour::default(), PASSWORD).await;
    let is_logon = |attempt: &&rdprobe_report::Attempt| attempt.recipe.purpose == Purpose::Logon;
    let logons: Vec<_> = report.attempts.iter().filter(is_logon).collect();
    assert_eq!(logons.len(), 1);
    for other in report.attempts.iter().filter(|attempt| !is_logon(attempt)) {
        let ended = other.ended_ms.expect("every attempt has ended");
        assert!(ended.0 <= logons[0].started_ms.0, "attempt {} ran beside it", other.id);
    }
}

/// The challenge takes the first connection and the question whether NLA can be done without the second.
#[tokio::test]
async fn a_connection_lost_before_credssp_is_made_once_more() {
    let server = Server::start(twisted(Twist::HangUp(3..=3)));
    let report = Ask::with(account(PASSWORD)).of(&server).await;
    assert_eq!(report.verdict.status, Status::Healthy, "{}", report.verdict.summary);
    assert!(facts(&report).accepted);
    let codes: Vec<&str> = report.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert!(codes.contains(&"tcp-one-at-a-time"), "{codes:?}");
    assert_eq!(server.record().authenticates, 1);
}

#[tokio::test]
async fn a_connection_that_ends_before_tls_is_made_once_more() {
    let server = Server::start(twisted(Twist::Ultimatum(3..=3)));
    let report = Ask::with(account(PASSWORD)).of(&server).await;
    assert_eq!(report.verdict.status, Status::Healthy, "{}", report.verdict.summary);
    assert!(facts(&report).accepted);
    assert_eq!(server.record().authenticates, 1);
}

#[tokio::test]
async fn a_connection_lost_twice_is_no_logon() {
    let server = Server::start(twisted(Twist::HangUp(3..=u32::MAX)));
    let report = Ask::with(account(PASSWORD)).of(&server).await;
    assert_eq!(server.record().connections, 4);
    assert_ne!(report.verdict.status, Status::Healthy);
    assert_eq!(server.record().authenticates, 0);
}

#[tokio::test]
async fn the_first_refusal_stops_the_account_for_every_target() {
    let servers: Vec<Server> = (0..4).map(|_| Server::start(Behaviour::default())).collect();
    let ask = Ask::with(account("wrong"));
    let reports = join_all(servers.iter().map(|server| ask.of(server))).await;
    let tried: u32 = servers.iter().map(|server| server.record().authenticates).sum();
    assert_eq!(tried, 1);
    let mut codes: Vec<&str> = reports.iter().map(code).collect();
    codes.sort_unstable();
    assert_eq!(codes[0], "logon-bad-credentials");
    assert_eq!(codes[1..], ["logon-skipped"; 3]);
}

#[tokio::test]
async fn an_accepted_account_is_tried_on_every_target() {
    let servers: Vec<Server> = (0..3).map(|_| Server::start(Behaviour::default())).collect();
    let ask = Ask::with(account(PASSWORD));
    let reports = join_all(servers.iter().map(|server| ask.of(server))).await;
    assert!(reports.iter().all(|report| facts(report).accepted));
}

/// A KDC that gives every request the same answer; returns its address and how often it was asked.
fn kdc(answer: Vec<u8>) -> (String, Arc<Mutex<u32>>) {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            *count.lock().unwrap() += 1;
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(&answer);
        }
    });
    (address, asked)
}

/// A KRB-ERROR with this code alone, its length in front.
fn krb_error(code: u8) -> Vec<u8> {
    vec![0, 0, 0, 9, 0x7E, 7, 0x30, 5, 0xA6, 3, 2, 1, code]
}

#[tokio::test]
async fn every_refusal_of_the_kdc_has_its_code_and_is_asked_for_once() {
    for (answer, expected, code) in [
        (krb_error(6), "logon-bad-credentials", Some(6)),
        (krb_error(18), "logon-account-disabled", Some(18)),
        (krb_error(23), "logon-password-expired", Some(23)),
        (krb_error(37), "logon-clock-skew", Some(37)),
        (krb_error(68), "logon-failed", Some(68)),
        (vec![0xFF; 4], "logon-no-domain-controller", None),
        (Vec::new(), "logon-no-domain-controller", None),
    ] {
        let (address, asked) = kdc(answer);
        let server = Server::start(Behaviour::default());
        let account = account(PASSWORD)
            .package(Package::Kerberos)
            .domain("CORP.EXAMPLE")
            .kdc(Some(address.parse().unwrap()));
        let report = Ask::with(account).of(&server).await;
        assert_eq!(report.verdict.code.as_str(), expected, "{}", report.verdict.summary);
        let error = facts(&report).kerberos_error.clone().unwrap();
        assert_eq!((error.code, error.exchange), (code, Some(KerberosExchange::As)));
        assert_eq!(*asked.lock().unwrap(), 1);
        assert_eq!(server.record().authenticates, 0, "it fell back to NTLM");
    }
}

/// Takes every line of a subscriber that is told everything.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Whether a secret stands somewhere as text, in UTF-16, in hex, or as `Debug` writes bytes.
fn appears(secret: &str, haystack: &[u8]) -> bool {
    let utf8 = secret.as_bytes().to_vec();
    let utf16: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let numbers = |bytes: &[u8]| {
        let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
        numbers.join(", ").into_bytes()
    };
    let hex = |bytes: &[u8]| -> Vec<u8> {
        bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
    };
    [&utf8, &utf16]
        .into_iter()
        .flat_map(|bytes| [bytes.clone(), numbers(bytes), hex(bytes)])
        .any(|form| haystack.windows(form.len()).any(|window| window == form))
}

#[tokio::test]
async fn the_password_is_in_no_report_and_no_log_at_any_level() {
    // With one subscriber alone, tracing asks that of whichever thread comes first to a callsite, and the other tests'
    // threads have none: the log would be off for all.
    let quiet =
        tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::OFF).finish();
    let _second = tracing::Dispatch::new(quiet);
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let secret = "K3nnwort-das-niemand-sieht";
    let server = Server::start(Behaviour {
        account: ("alice", secret),
        authorization: Some(0),
        ..Behaviour::default()
    });
    let ask = Ask::with(account(secret).authorization(true));
    let report = ask.of(&server).await;
    assert!(facts(&report).accepted);
    assert_eq!(server.record().delegated, Some(("alice".into(), secret.into())));
    let log = lines.0.lock().unwrap().clone();
    let text = String::from_utf8_lossy(&log);
    assert!(text.contains("Logon"), "the log is not on: {text}");
    assert!(!text.contains("sspi"), "the library was heard: {text}");
    assert!(!appears(secret, &log), "in the log");
    let json = serde_json::to_vec(&report).unwrap();
    assert!(!appears(secret, &json), "in the report");
    assert!(!appears(secret, format!("{:?}", ask.account).as_bytes()), "in Debug");
}
