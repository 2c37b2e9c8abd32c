//! The same scripts on real sockets.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rdprobe_testkit::Scenario;
use rdprobe_testkit::demo::Demo;
use rdprobe_testkit::loopback::Loopback;

const REQUEST: &str = "030000130ee00000000000010008000b000000";

fn start(host: &str) -> (Loopback, SocketAddr) {
    let text = format!("title = 'x'\ntarget = 'h'\n[[hosts]]\naddress = '192.0.2.7'\n{host}");
    let scenario: Scenario = text.parse().unwrap();
    let loopback = Loopback::start(&[scenario]).unwrap();
    let address = loopback.address_of("192.0.2.7:3389".parse().unwrap()).unwrap();
    (loopback, address)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream
}

fn ask(stream: &mut TcpStream) {
    stream.write_all(&hex::decode(REQUEST).unwrap()).unwrap();
}

/// The same of a host that may be gone before: whether it had reset the connection by then.
fn ask_in_vain(stream: &mut TcpStream) -> Result<(), ErrorKind> {
    stream.write_all(&hex::decode(REQUEST).unwrap()).map_err(|error| error.kind())
}

/// Everything up to the end, and how it ended.
fn read(stream: &mut TcpStream) -> (Vec<u8>, Result<(), ErrorKind>) {
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes);
    (bytes, end.map(drop).map_err(|error| error.kind()))
}

#[test]
fn fin_and_rst_are_told_apart_as_in_the_simulation() {
    for (steps, expected) in [
        ("'fin'", Ok(())),
        ("'rst'", Err(ErrorKind::ConnectionReset)),
        ("{ delay = 100 }, 'fin_unread'", Err(ErrorKind::ConnectionReset)),
        ("'expect_request', 'fin_unread'", Ok(())),
    ] {
        let (_loopback, address) = start(&format!("rules = [{{ do = [{steps}] }}]"));
        let mut stream = connect(address);
        // Linux tells of a reset once: the write may be the call that learns of it.
        let asked = ask_in_vain(&mut stream);
        let (bytes, end) = read(&mut stream);
        assert_eq!((bytes, asked.and(end)), (vec![], expected), "{steps}");
    }
}

#[test]
fn an_rst_leaves_what_came_before_it() {
    let (_loopback, address) = start("rules = [{ do = [{ send_text = 'SSH' }, 'rst'] }]");
    let mut stream = connect(address);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(read(&mut stream), (b"SSH".to_vec(), Err(ErrorKind::ConnectionReset)));
}

#[test]
fn one_at_a_time_waits_and_a_closed_port_refuses() {
    let (_loopback, address) =
        start("one_at_a_time = true\nrules = [{ do = [{ confirm = { selected = 'SSL' } }] }]");
    let mut first = connect(address);
    let mut second = connect(address);
    ask(&mut first);
    ask(&mut second);
    let mut confirm = [0; 19];
    first.read_exact(&mut confirm).unwrap();
    second.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(second.read_exact(&mut confirm).is_err());
    first.shutdown(Shutdown::Write).unwrap();
    second.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    second.read_exact(&mut confirm).unwrap();
    let (_loopback, address) = start("tcp = 'refuse'");
    let error = TcpStream::connect(address).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn the_demo_starts_and_stops_at_once() {
    let demo = Demo::start().unwrap();
    assert_eq!(demo.hosts.len(), 8);
    assert!(demo.hosts.iter().all(|host| !host.status.is_empty() && !host.code.is_empty()));
    let mut silent = connect(demo.hosts[5].target.parse().unwrap());
    ask(&mut silent);
    let began = Instant::now();
    drop(demo);
    let (bytes, _) = read(&mut silent);
    assert!(bytes.is_empty());
    assert!(began.elapsed() < Duration::from_secs(2));
}
