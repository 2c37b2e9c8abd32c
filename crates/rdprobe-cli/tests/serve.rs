//! `rdprobe serve` as it is started: what it answers, what it refuses, how it ends.
#![cfg(all(unix, feature = "serve", feature = "demo"))]

use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rdprobe_testkit::demo::Demo;

/// A running exporter; it is killed when dropped.
struct Serve {
    child: Child,
    address: SocketAddr,
    log: BufReader<std::process::ChildStderr>,
}

/// An answer.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rdprobe"));
    command.arg("serve").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("NO_COLOR", "1").env("LC_ALL", "C.UTF-8");
    command
}

fn refused(arguments: &[&str]) -> String {
    let Output { status, stderr, .. } = command(arguments).output().unwrap();
    assert_eq!(status.code(), Some(3), "{arguments:?}");
    String::from_utf8(stderr).unwrap()
}

/// A file of this test's own.
fn file(text: impl AsRef<[u8]>) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("rdprobe-serve-{}-{number}", std::process::id()));
    fs::write(&path, text).unwrap();
    path
}

/// The same, which nobody else may read.
#[cfg(feature = "logon")]
fn private_file(text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;

    let path = file(text);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

impl Serve {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command(&[&["--listen", "127.0.0.1:0"], arguments].concat()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("listening on http://") {
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "it ended");
        }
        let address = line.split("http://").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
        Self { child, address, log }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address))
    }

    fn get_with(&self, path: &str, header: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n\r\n"))
    }

    fn reload(&self) -> Answer {
        self.ask("POST /-/reload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    }

    /// Sends bytes and reads to the end.
    fn ask(&self, request: &str) -> Answer {
        let mut stream = self.connect();
        // What is too much is refused before all of it was sent.
        let _ = stream.write_all(request.as_bytes());
        Answer::read(stream)
    }

    fn signal(&self, name: &str) {
        let done = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(done.unwrap().success());
    }

    /// Waits until a line with this word was logged.
    fn logged(&mut self, word: &str) {
        let mut line = String::new();
        while !line.contains(word) {
            line.clear();
            assert_ne!(self.log.read_line(&mut line).unwrap(), 0, "no {word:?} in the log");
        }
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Answer {
    fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        if let Err(error) = stream.read_to_end(&mut bytes) {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "an answer in time");
        }
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        Self { status, head: head.to_ascii_lowercase(), body: body.into() }
    }

    fn value(&self, series: &str) -> Option<f64> {
        self.body
            .lines()
            .find_map(|line| line.strip_prefix(series)?.trim_start_matches("{}").trim().parse().ok())
    }
}

/// Takes connections and says nothing.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap().to_string();
    (listener, target)
}

#[test]
fn a_probe_is_answered_with_metrics_and_kept_with_its_report() {
    let demo = Demo::start().unwrap();
    let ca = file(demo.ca.as_ref());
    let config = file(format!(
        "[module.default]\nca-file = '{}'\n[module.strict]\nexpect = ['nla-required']",
        ca.display()
    ));
    let serve = Serve::start(&["--config", config.to_str().unwrap()]);
    for host in &demo.hosts {
        let answer = serve.get(&format!("/probe?target={}", host.target));
        assert_eq!(answer.status, 200);
        let up = matches!(host.status.as_str(), "healthy" | "degraded");
        assert_eq!(answer.value("probe_success"), Some(f64::from(u8::from(up))), "{}", host.title);
        let info = format!("rdp_probe_verdict_info{{code=\"{}\",status=\"{}\"", host.code, host.status);
        assert!(answer.body.contains(&info), "{}", answer.body);
        assert!(answer.value("probe_duration_seconds").is_some());
    }
    let healthy = &demo.hosts[0].target;
    let strict = serve.get(&format!("/probe?target={healthy}&module=strict"));
    assert!(strict.body.contains("rdp_probe_expectation{name=\"nla-required\"} 0.0"), "{}", strict.body);
    assert!(strict.body.contains("rdp_probe_finding{code=\"expectation-failed\""));

    let own = serve.get("/metrics");
    assert!(
        own.value("rdprobe_probes_total{module=\"strict\",status=\"broken\"}") == Some(1.0),
        "{}",
        own.body
    );
    assert_eq!(own.value("rdprobe_probes_in_flight"), Some(0.0));
    let page = serve.get("/");
    let last = demo.hosts.len() + 1;
    assert!(
        page.body.contains(&format!("/recent/{last}.json")) && page.body.contains(healthy),
        "{}",
        page.body
    );
    let report = serve.get(&format!("/recent/{last}"));
    assert!(report.body.contains("expectation-failed"), "{}", report.body);
    let json: serde_json::Value =
        serde_json::from_str(&serve.get(&format!("/recent/{last}.json")).body).unwrap();
    assert_eq!(json["verdict"]["code"], "expectation-failed");
    for gone in ["/recent/999", "/recent/x", "/recent/-1.json", "/nowhere"] {
        assert_eq!(serve.get(gone).status, 404, "{gone}");
    }
    assert_eq!(serve.get("/-/healthy").body, "healthy\n");
}

#[test]
fn the_content_type_is_that_of_what_is_sent() {
    let serve = Serve::start(&[]);
    for path in ["/metrics", "/probe?target=127.0.0.1:1"] {
        let text = serve.get(path);
        assert!(
            text.head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"),
            "{}",
            text.head
        );
        assert!(!text.body.contains("# EOF"));
        let open =
            serve.get_with(path, "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
        assert!(
            open.head.contains("content-type: application/openmetrics-text; version=1.0.0"),
            "{}",
            open.head
        );
        assert!(open.body.ends_with("# EOF\n"));
    }
    let debug = serve.get("/probe?target=127.0.0.1:1&debug=true");
    assert!(debug.head.contains("content-type: text/plain; charset=utf-8"), "{}", debug.head);
    assert!(debug.body.contains("tcp-refused") && debug.body.contains("# TYPE probe_success gauge"));
    assert!(serve.get("/recent/1").head.contains("content-type: text/html; charset=utf-8"));
    assert!(serve.get("/recent/1.json").head.contains("content-type: application/json"));
}

#[test]
fn a_target_outside_the_list_gets_no_packet() {
    let (listener, target) = silent();
    let datagrams = UdpSocket::bind(&target).unwrap();
    listener.set_nonblocking(true).unwrap();
    datagrams.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (other, nobody) = (format!("127.0.0.1:{}", port ^ 1), "192.0.2.0/24");
    let serve = Serve::start(&["--allow", &other, "--allow", nobody, "--allow", "rds01.corp.example"]);
    for target in [target.clone(), format!("localhost:{port}"), format!("[::ffff:127.0.0.1]:{port}")] {
        let answer = serve.get(&format!("/probe?target={target}"));
        assert_eq!(answer.status, 403, "{target}: {}", answer.body);
        assert!(answer.body.contains("not on the list"));
    }
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(datagrams.recv(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
    let own = serve.get("/metrics");
    assert_eq!(own.value("rdprobe_requests_refused_total{reason=\"not_allowed\"}"), Some(3.0));
    drop(serve);

    let serve = Serve::start(&["--allow", "127.0.0.0/8"]);
    assert_eq!(
        serve.get_with(&format!("/probe?target={target}"), "X-Prometheus-Scrape-Timeout-Seconds: 1").status,
        200
    );
    assert!(listener.accept().is_ok());
}

#[test]
fn a_request_that_is_wrong_says_why() {
    let serve = Serve::start(&[]);
    for (path, word) in [
        ("/probe", "target"),
        ("/probe?target=", "missing"),
        ("/probe?target=rdp://x", "rdprobe x"),
        ("/probe?target=a%0Ab", ""),
        ("/probe?target=127.0.0.1:1&module=no-such", "default"),
        ("/probe?target=127.0.0.1:1&module=%3Cb%3E", "default"),
        ("/probe?target=127.0.0.1:1&modul=default", "modul"),
        ("/probe?target=127.0.0.1:1&target=127.0.0.1:2", "target"),
        ("/probe?target=127.0.0.1:1&debug=perhaps", "debug"),
    ] {
        let answer = serve.get(path);
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.body.contains(word), "{path}: {}", answer.body);
        assert!(answer.head.contains("content-type: text/plain") && answer.head.contains("nosniff"));
    }
    let header = |value: &str| format!("X-Prometheus-Scrape-Timeout-Seconds: {value}");
    assert_eq!(serve.get_with("/probe?target=127.0.0.1:1", &header("soon")).status, 400);
    assert_eq!(serve.ask("POST /probe?target=127.0.0.1:1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").status, 405);
    assert_eq!(serve.ask("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").status, 421);
    assert_eq!(serve.get_with("/probe?target=127.0.0.1:1", "Sec-Fetch-Site: cross-site").status, 403);
    assert_eq!(serve.get("/metrics").value("rdprobe_probes_total"), None, "nothing was probed");
}

#[test]
fn floods_and_dribbles_end() {
    let serve = Serve::start(&[]);
    let head = "GET /probe?target=127.0.0.1:1 HTTP/1.1\r\nHost: localhost\r\n";
    let lines: String = (0..200).map(|number| format!("X-{number}: x\r\n")).collect();
    assert_eq!(serve.ask(&format!("{head}{lines}\r\n")).status, 431);
    assert_eq!(serve.ask(&format!("{head}X-Long: {}\r\n\r\n", "x".repeat(100_000))).status, 431);
    assert_eq!(serve.get(&format!("/probe?target={}", "x".repeat(5000))).status, 414);
    let huge = serve.get(&format!("/probe?target={}", "x".repeat(1_000_000)));
    assert!(matches!(huge.status, 0 | 414 | 431), "{}", huge.status);
    let began = Instant::now();
    let slow: Vec<TcpStream> = (0..20).map(|_| serve.connect()).collect();
    let drip = thread::spawn({
        let mut stream = slow[0].try_clone().unwrap();
        move || {
            while stream.write_all(b"G").is_ok() && began.elapsed() < Duration::from_secs(20) {
                thread::sleep(Duration::from_millis(200));
            }
        }
    });
    for stream in slow {
        // Closed, or told that it took too long.
        let answer = Answer::read(stream);
        assert!(matches!(answer.status, 0 | 400 | 408), "{}", answer.head);
    }
    let took = began.elapsed();
    assert!(took > Duration::from_secs(3) && took < Duration::from_secs(15), "{took:?}");
    drip.join().unwrap();
    assert_eq!(serve.get("/metrics").value("rdprobe_probes_total"), None, "nothing was probed");
}

#[test]
fn the_scrapes_own_time_is_kept_and_what_it_cut_short_is_inconclusive() {
    let (_listener, target) = silent();
    let serve = Serve::start(&["--timeout-offset", "1s"]);
    let began = Instant::now();
    let answer = serve.get_with(&format!("/probe?target={target}"), "X-Prometheus-Scrape-Timeout-Seconds: 3");
    let took = began.elapsed();
    assert!(took > Duration::from_millis(1900) && took < Duration::from_secs(3), "{took:?}");
    assert_eq!((answer.status, answer.value("probe_success")), (200, Some(0.0)));
    assert!(answer.body.contains("status=\"inconclusive\""), "{}", answer.body);
}

#[test]
fn beyond_the_cap_there_is_503_and_a_time_to_come_again() {
    let (_listener, target) = silent();
    let serve = Serve::start(&["--max-probes", "1"]);
    let mut first = serve.connect();
    write!(first, "GET /probe?target={target} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    while serve.get("/metrics").value("rdprobe_probes_in_flight") != Some(1.0) {}
    let busy = serve.get("/probe?target=127.0.0.1:1");
    assert_eq!(busy.status, 503);
    assert!(busy.head.contains("retry-after: 1"), "{}", busy.head);
    // Whoever asked goes away, and his probe ends.
    drop(first);
    let began = Instant::now();
    while serve.get("/metrics").value("rdprobe_probes_in_flight") != Some(0.0) {
        assert!(began.elapsed() < Duration::from_secs(3), "the probe goes on for nobody");
    }
    assert_eq!(serve.get("/probe?target=127.0.0.1:1").status, 200);
}

#[test]
fn one_listener_has_four_connections_over_all_requests() {
    let (listener, target) = silent();
    listener.set_nonblocking(true).unwrap();
    let serve = Serve::start(&[]);
    let path = format!("/probe?target={target}");
    let ask = || serve.get_with(&path, "X-Prometheus-Scrape-Timeout-Seconds: 2.5").status;
    let most = thread::scope(|scope| {
        let scrapes: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        let mut open: Vec<TcpStream> = Vec::new();
        let mut most = 0;
        while !scrapes.iter().all(|scrape| scrape.is_finished()) {
            open.retain(|stream| {
                let gone = |error: &std::io::Error| error.kind() != ErrorKind::WouldBlock;
                let read = loop {
                    match (&*stream).read(&mut [0; 512]) {
                        Ok(1..) => {}
                        other => break other,
                    }
                };
                // Whoever has shut down for writing has ended.
                !matches!(&read, Ok(0)) && !read.is_err_and(|error| gone(&error))
            });
            while let Ok((stream, _)) = listener.accept() {
                stream.set_nonblocking(true).unwrap();
                open.push(stream);
            }
            most = most.max(open.len());
            thread::sleep(Duration::from_millis(5));
        }
        assert!(scrapes.into_iter().all(|scrape| scrape.join().unwrap() == 200));
        most
    });
    assert!((1..=4).contains(&most), "{most} connections at once");
}

#[test]
fn a_bad_file_changes_nothing_and_is_told() {
    let config = file("[module.one]\n");
    let mut serve = Serve::start(&["--config", config.to_str().unwrap()]);
    let knows = |serve: &Serve, module: &str| {
        serve.get(&format!("/probe?target=127.0.0.1:1&module={module}")).status == 200
    };
    let well = |serve: &Serve| serve.get("/metrics").value("rdprobe_config_last_reload_successful");
    assert!(knows(&serve, "one") && !knows(&serve, "two"));
    fs::write(&config, "[module.two]\n").unwrap();
    assert!(serve.reload().body.contains("default, two"));
    assert!(knows(&serve, "two") && !knows(&serve, "one"));

    fs::write(&config, "[module.three]\nclientt = 'x'\n").unwrap();
    let answer = serve.reload();
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains("line 2") && answer.body.contains("clientt"), "{}", answer.body);
    serve.logged("not reloaded");
    assert_eq!(well(&serve), Some(0.0));
    assert!(knows(&serve, "two"));

    fs::write(&config, "[module.three]\n").unwrap();
    serve.signal("HUP");
    serve.logged("reloaded: modules default, three");
    assert_eq!(well(&serve), Some(1.0));
    assert!(knows(&serve, "three"));
    assert_eq!(serve.get("/-/reload").status, 405);
}

#[test]
fn what_is_open_to_all_or_unreadable_does_not_start() {
    assert!(refused(&["--listen", "0.0.0.0:0"]).contains("--allow"));
    assert!(refused(&["--allow", "10.0.0.1/8"]).contains("10.0.0.0/8"));
    assert!(refused(&["--config", "/nonexistent/serve.toml"]).contains("/nonexistent/serve.toml"));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(refused(&["--listen", &taken.local_addr().unwrap().to_string()]).contains("cannot listen"));

    let bad = file("[module.a]\nexpect = ['nla!']");
    assert!(refused(&["--check", bad.to_str().unwrap()]).contains("line 2"));
    let good = file("allow = ['rds01']\n[module.a]\nexpect = ['nla']");
    let output = command(&["--check", good.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("good; modules a, default"));
}

#[cfg(feature = "logon")]
#[test]
fn credentials_that_others_may_read_are_refused() {
    use std::os::unix::fs::PermissionsExt as _;

    let credentials = private_file("[monitor]\nuser = 'probe'\npassword = 's3cret'");
    let config = file("allow = ['127.0.0.1']\n[module.logon]\ncredentials = 'monitor'");
    let (credentials, config) = (credentials.to_str().unwrap(), config.to_str().unwrap());
    fs::set_permissions(credentials, fs::Permissions::from_mode(0o644)).unwrap();
    let error = refused(&["--credentials", credentials, "--config", config]);
    assert!(error.contains("others may read it") && !error.contains("s3cret"), "{error}");
    fs::set_permissions(credentials, fs::Permissions::from_mode(0o600)).unwrap();
    let serve = Serve::start(&["--credentials", credentials, "--config", config]);
    assert_eq!(serve.get("/metrics").value("rdprobe_credentials_disabled{name=\"monitor\"}"), Some(0.0));
    assert!(refused(&["--config", config]).contains("no account"));
}

#[cfg(feature = "logon")]
#[test]
fn a_refused_account_is_not_tried_again_until_a_restart() {
    use rdprobe_testkit::credssp_server::{Behaviour, Server, Twist};

    const LOGON_FAILURE: u32 = 0xC000_006D;
    let host = Server::start(Behaviour { twist: Twist::Refuse(LOGON_FAILURE), ..Behaviour::default() });
    let credentials = private_file("[monitor]\nuser = 'alice'\npassword = 's3cret'\nauth = 'ntlm'");
    let config = file(
        "allow = ['127.0.0.1']\n[module.logon]\ncredentials = 'monitor'\naccept-untrusted-certificate = true\n",
    );
    let arguments = ["--credentials", credentials.to_str().unwrap(), "--config", config.to_str().unwrap()];
    let serve = Serve::start(&arguments);
    let ask = || serve.get(&format!("/probe?target={}&module=logon", host.address)).body;
    let first = ask();
    assert!(first.contains("code=\"logon-bad-credentials\""), "{first}");
    serve.reload();
    let second = ask();
    assert!(second.contains("code=\"logon-skipped\""), "{second}");
    assert_eq!(host.record().authenticates, 1, "the password went out once");
    let own = serve.get("/metrics");
    assert_eq!(own.value("rdprobe_credentials_disabled{name=\"monitor\"}"), Some(1.0));
    for path in ["/", "/recent/1", "/recent/1.json", "/metrics"] {
        assert!(!serve.get(path).body.contains("s3cret"), "{path}");
    }
}

#[test]
fn what_a_host_says_is_text_on_the_page() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(b"SSH-2.0-<script>alert('x')</script>\x1b[31m\r\n");
        }
    });
    let serve = Serve::start(&[]);
    let probed = serve.get(&format!("/probe?target={target}"));
    assert!(probed.body.contains("x224-not-rdp"), "{}", probed.body);
    for path in ["/", "/recent/1"] {
        let page = serve.get(path);
        assert!(!page.body.contains("<script") && !page.body.contains('\x1b'), "{}", page.body);
        assert!(page.head.contains("content-security-policy: default-src 'none'"), "{}", page.head);
    }
    assert!(serve.get("/recent/1").body.contains("&lt;script&gt;"), "{}", serve.get("/recent/1").body);
    assert!(serve.get("/recent/1.json").head.contains("nosniff"));
}

#[test]
fn a_signal_lets_what_runs_be_answered() {
    let (_listener, target) = silent();
    let mut serve = Serve::start(&["--grace", "300ms"]);
    let mut scrape = serve.connect();
    write!(scrape, "GET /probe?target={target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    while serve.get("/metrics").value("rdprobe_probes_in_flight") != Some(1.0) {}
    let began = Instant::now();
    serve.signal("TERM");
    serve.logged("ending");
    assert!(TcpStream::connect(serve.address).is_err(), "it still listens");
    let answer = Answer::read(scrape);
    assert_eq!((answer.status, answer.value("probe_success")), (200, Some(0.0)));
    assert!(answer.body.contains("status=\"inconclusive\""), "{}", answer.body);
    assert_eq!(serve.child.wait().unwrap().code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(3));

    let mut idle = Serve::start(&[]);
    idle.signal("TERM");
    assert_eq!(idle.child.wait().unwrap().code(), Some(0));
}
