//! Bytes to facts and back.

use divan::{Bencher, black_box};
use rdprobe_protocol::certificate::certificate_facts;
use rdprobe_protocol::credssp::{CredsspMachine, Wrapping};
use rdprobe_protocol::tls::{HelloMachine, HelloSeed, client_hello};
use rdprobe_protocol::x224::{ConnectionRequest, X224Machine};
use rdprobe_protocol::{Concluded, Machine};
use rdprobe_report::hello::DEFAULT_CLIENT;
use rdprobe_report::{HelloProfile, Offer, Protocols};

use crate::fixtures::frame;

const NAME: Option<&str> = Some("rds01.corp.example");

fn offer() -> Offer {
    Offer {
        protocols: Some(Protocols::DEFAULT),
        flags: 0,
        cookie: Some("mstshash=elton".into()),
        routing_token: None,
    }
}

fn seed() -> HelloSeed {
    HelloSeed::from([7; 96])
}

fn reference() -> &'static HelloProfile {
    HelloProfile::client(DEFAULT_CLIENT).expect("the default client has a profile")
}

/// Feeds a machine as the driver does.
fn feed<M: Machine>(mut machine: M, mut bytes: &[u8]) -> Concluded {
    black_box(machine.outgoing());
    while machine.wanted() > 0 && !bytes.is_empty() {
        let (now, rest) = bytes.split_at(machine.wanted().min(bytes.len()));
        machine.receive(now);
        bytes = rest;
    }
    assert_eq!(machine.wanted(), 0, "the bytes are a whole answer");
    Box::new(machine).conclude()
}

#[divan::bench]
fn x224_request_encode(bencher: Bencher<'_, '_>) {
    let offer = offer();
    bencher.bench(|| ConnectionRequest::from(black_box(&offer)).encode());
}

#[divan::bench]
fn x224_request_decode(bencher: Bencher<'_, '_>) {
    let request = frame("x224_cr_ssl_hybrid");
    bencher.bench(|| ConnectionRequest::decode(black_box(&request)));
}

#[divan::bench]
fn x224_confirm_read(bencher: Bencher<'_, '_>) {
    let (offer, confirm) = (offer(), frame("x224_cc_hybrid_win10"));
    bencher.bench(|| feed(X224Machine::new(&offer), black_box(&confirm)));
}

#[divan::bench]
fn client_hello_build(bencher: Bencher<'_, '_>) {
    let (profile, seed) = (reference(), seed());
    bencher.bench(|| client_hello(black_box(profile), NAME, &seed));
}

#[divan::bench]
fn server_flight_read(bencher: Bencher<'_, '_>) {
    let (seed, flight) = (seed(), frame("tls_server_flight_win10"));
    bencher.bench(|| feed(HelloMachine::new(reference(), NAME, &seed), black_box(&flight)));
}

#[divan::bench]
fn certificate_read(bencher: Bencher<'_, '_>) {
    let mut machine = HelloMachine::new(reference(), NAME, &seed());
    machine.receive(&frame("tls_server_flight_win10"));
    let chain = machine.chain().to_vec();
    assert!(!chain.is_empty(), "TLS 1.2 shows its certificate");
    bencher.bench(|| certificate_facts(black_box(&chain)));
}

#[divan::bench]
fn credssp_challenge_read(bencher: Bencher<'_, '_>) {
    let challenge = frame("credssp_challenge_freerdp2_shadow");
    bencher.bench(|| feed(CredsspMachine::new(Wrapping::Bare), black_box(&challenge)));
}
