//! Hosts with TLS 1.3 and CredSSP, until stdin ends.

use std::io::{BufRead as _, BufReader, Read};

use rdprobe_testkit::Scenario;
use rdprobe_testkit::loopback::Loopback;

const HOSTS: usize = 200;
const HOST: &str = "title = 'x'
target = '192.0.2.7'
[[hosts]]
address = '192.0.2.7'
udp = { answer = {} }
rules = [{ do = [{ negotiate = { supports = ['HYBRID', 'HYBRID_EX'], flags = 0x1F } },
                 { tls = { certificate = 'ca-signed' } }, { challenge = {} }] }]";

pub(crate) fn serve() {
    let scenario: Scenario = HOST.parse().expect("a scenario");
    let hosts = Loopback::start(&vec![scenario; HOSTS]).expect("sockets on loopback");
    let addresses: Vec<String> = hosts.addresses().iter().map(|(_, bound)| bound.to_string()).collect();
    println!("{}", serde_json::json!({ "addresses": addresses, "ca": hex::encode(hosts.ca()) }));
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

/// Where they listen, and who signed their certificates.
pub(crate) fn told(from: impl Read) -> (Vec<String>, rustls::pki_types::CertificateDer<'static>) {
    let mut line = String::new();
    BufReader::new(from).read_line(&mut line).expect("a pipe");
    let told: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    let addresses = told["addresses"].as_array().expect("a list").iter();
    let addresses = addresses.map(|address| address.as_str().expect("text").to_owned()).collect();
    let ca = hex::decode(told["ca"].as_str().expect("text")).expect("hex");
    (addresses, ca.into())
}
