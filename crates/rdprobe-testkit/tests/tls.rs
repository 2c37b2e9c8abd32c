//! Hosts that speak TLS: the real one against rustls's own client, the paper one against a hello made by hand.

use std::sync::Arc;

use rdprobe::network::Network;
use rdprobe_testkit::Scenario;
use rdprobe_testkit::simulated::{SimulatedNetwork, SimulatedStream, simulate};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn one_host(rules: &str) -> Scenario {
    format!(
        "title = 'x'\ntarget = 'rds01.corp.example'\n[[hosts]]\naddress = '192.0.2.7'\nrules = [{{ do = [{rules}] }}]"
    )
    .parse()
    .unwrap()
}

async fn open(network: &SimulatedNetwork) -> SimulatedStream {
    network.connect("192.0.2.7:3389".parse().unwrap()).await.unwrap()
}

#[derive(Debug)]
struct Anything;

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let provider = rustls::crypto::ring::default_provider();
        rustls::crypto::verify_tls12_signature(
            message,
            certificate,
            signature,
            &provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let provider = rustls::crypto::ring::default_provider();
        rustls::crypto::verify_tls13_signature(
            message,
            certificate,
            signature,
            &provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// A whole handshake, then `question` and what comes back within TLS.
async fn talk(
    stream: &mut SimulatedStream,
    question: &[u8],
) -> Result<(ClientConnection, Vec<u8>), rustls::Error> {
    let provider = Arc::new(rdprobe::cbc_suites::provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anything))
        .with_no_client_auth();
    let name = ServerName::try_from("rds01.corp.example").unwrap();
    let mut tls = ClientConnection::new(Arc::new(config), name)?;
    let mut asked = false;
    let mut answer = Vec::new();
    loop {
        if !tls.is_handshaking() && !std::mem::replace(&mut asked, true) {
            std::io::Write::write_all(&mut tls.writer(), question).unwrap();
        }
        let mut out = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut out).unwrap();
        }
        stream.write_all(&out).await.unwrap();
        if asked && (question.is_empty() || !answer.is_empty()) {
            return Ok((tls, answer));
        }
        let mut bytes = vec![0; 4096];
        let length =
            stream.read(&mut bytes).await.map_err(|error| rustls::Error::General(error.to_string()))?;
        if length == 0 {
            return Err(rustls::Error::General("closed".into()));
        }
        let mut bytes = &bytes[..length];
        while !bytes.is_empty() {
            tls.read_tls(&mut bytes).unwrap();
            let state = tls.process_new_packets()?;
            let mut plaintext = vec![0; state.plaintext_bytes_to_read()];
            std::io::Read::read_exact(&mut tls.reader(), &mut plaintext).unwrap();
            answer.extend(plaintext);
        }
    }
}

/// Both sides are of rdprobe's making here; that others understand them is shown by the interop matrix.
#[test]
fn every_suite_with_cbc_is_spoken() {
    let rings = rustls::crypto::ring::default_provider().cipher_suites;
    for suite in rdprobe::cbc_suites::provider().cipher_suites.iter().filter(|suite| !rings.contains(suite)) {
        let name = rdprobe_report::CipherSuite(suite.suite().into()).to_string();
        let certificate = if name.contains("_ECDSA_") { "ecdsa" } else { "good" };
        let long = "5a".repeat(40_000);
        let rules = format!(
            "{{ tls = {{ certificate = '{certificate}', versions = ['TLS 1.2'], suites = ['{name}'] }} }}, \
             {{ expect_tls = 5 }}, {{ send_tls = '{long}' }}"
        );
        let simulation = simulate(&one_host(&rules), |network| async move {
            let mut stream = open(&network).await;
            let (tls, answer) = talk(&mut stream, b"hello").await.unwrap();
            let spoken: u16 = tls.negotiated_cipher_suite().unwrap().suite().into();
            (spoken, answer)
        });
        assert_eq!(simulation.output.0, u16::from(suite.suite()));
        assert!(!simulation.output.1.is_empty() && simulation.output.1.iter().all(|byte| *byte == 0x5A));
    }
}

#[test]
fn a_real_handshake_ends_with_close_notify() {
    for (step, version) in [
        ("{ tls = { certificate = 'good' } }", "TLSv1_3"),
        ("{ tls = { certificate = 'ecdsa', versions = ['TLS 1.2'] } }", "TLSv1_2"),
        (
            "{ tls = { certificate = 'ca-signed', suites = ['TLS_CHACHA20_POLY1305_SHA256'], groups = ['secp384r1'] } }",
            "TLSv1_3",
        ),
        ("{ tls = { certificate = 'windows' } }", "TLSv1_3"),
    ] {
        let simulation = simulate(&one_host(step), |network| async move {
            let mut stream = open(&network).await;
            let (mut tls, _) = talk(&mut stream, &[]).await.unwrap();
            tls.send_close_notify();
            let mut out = Vec::new();
            tls.write_tls(&mut out).unwrap();
            stream.write_all(&out).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.unwrap();
            format!("{:?}", tls.protocol_version().unwrap())
        });
        assert_eq!(simulation.output, version);
        let connection = &simulation.ledger.connections[0];
        assert!(connection.is_polite(), "{connection:?}");
        assert!(connection.journal.tls_established && connection.journal.close_notify);
        assert!(connection.journal.notes.is_empty(), "{:?}", connection.journal);
    }
}

#[test]
fn an_end_without_close_notify_is_impolite() {
    let simulation = simulate(&one_host("{ tls = {} }"), |network| async move {
        let mut stream = open(&network).await;
        talk(&mut stream, &[]).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
    });
    assert_eq!(simulation.ledger.impolite().count(), 1);
}

#[test]
fn what_is_said_within_tls_is_scripted() {
    let steps = "{ tls = {} }, { expect_tls = 3 }, { send_tls = 'c0 ff ee' }";
    let simulation = simulate(&one_host(steps), |network| async move {
        let mut stream = open(&network).await;
        talk(&mut stream, b"why").await.unwrap().1
    });
    assert_eq!(simulation.output, [0xC0, 0xFF, 0xEE]);
    // SYN, hello, and the question together with the client's last flight.
    assert_eq!(simulation.ledger.connections[0].round_trips, 3);

    let challenge = "{ tls = {} }, { challenge = { netbios_computer = 'RDS01', skew_ms = 600000 } }";
    let simulation = simulate(&one_host(challenge), |network| async move {
        let mut stream = open(&network).await;
        talk(&mut stream, &hex::decode("3003800102").unwrap()).await.unwrap().1
    });
    let answer = simulation.output;
    assert_eq!(answer[0], 0x30);
    assert!(answer.windows(8).any(|window| window == b"NTLMSSP\0"));
}

/// A ClientHello of TLS 1.2 at the most, without extensions.
fn hello(version: u16, suites: &[u16]) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend((suites.len() as u16 * 2).to_be_bytes());
    body.extend(suites.iter().flat_map(|suite| suite.to_be_bytes()));
    body.extend([1, 0]);
    let mut message = vec![1, 0];
    message.extend((body.len() as u16).to_be_bytes());
    message.extend(body);
    let mut record = vec![22, 3, 1];
    record.extend((message.len() as u16).to_be_bytes());
    record.extend(message);
    record
}

async fn send(network: &SimulatedNetwork, bytes: &[u8]) -> Result<Vec<u8>, std::io::Error> {
    let mut stream = open(network).await;
    stream.write_all(bytes).await?;
    let mut answer = vec![0; 1 << 16];
    let length = stream.read(&mut answer).await?;
    answer.truncate(length);
    Ok(answer)
}

#[test]
fn paper_chooses_as_a_server_does() {
    let paper = "{ paper_tls = { versions = ['TLS 1.0', 'TLS 1.1'], suites = ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', \
                 'TLS_RSA_WITH_AES_128_CBC_SHA'] } }";
    simulate(&one_host(paper), |network| async move {
        let answer = send(&network, &hello(0x0303, &[0x2F, 0xC013])).await.unwrap();
        // TLS 1.1, the server's own first suite.
        assert_eq!(hex::encode(&answer[..3]), "160302");
        assert_eq!(answer[5], 2);
        assert_eq!(hex::encode(&answer[9..11]), "0302");
        assert_eq!(hex::encode(&answer[44..46]), "c013");
        assert!(answer.len() > 1000);
        let answer = send(&network, &hello(0x0301, &[0x2F])).await.unwrap();
        assert_eq!(hex::encode(&answer[44..46]), "002f");
        let answer = send(&network, &hello(0x0301, &[0x05])).await.unwrap();
        assert_eq!(hex::encode(answer), "15030100020228");
        let answer = send(&network, &hello(0x0300, &[0x2F])).await.unwrap();
        assert_eq!(hex::encode(answer), "15030000020246");
    });
    for (refuse, expected) in
        [("fin", Some("")), ("rst", None), ("ultimatum", Some("150303000202280300000902f0802180"))]
    {
        let paper =
            format!("{{ paper_tls = {{ suites = ['TLS_RSA_WITH_AES_128_CBC_SHA'], refuse = '{refuse}' }} }}");
        let simulation =
            simulate(
                &one_host(&paper),
                |network| async move { send(&network, &hello(0x0303, &[0x05])).await },
            );
        assert_eq!(simulation.output.ok().map(hex::encode).as_deref(), expected);
    }
}

#[test]
fn rules_choose_by_hello() {
    let branch = "{ branch = [
        { when = { hello = { larger_than = 60 } }, do = ['rst'] },
        { when = { hello = { suite = ['TLS_RSA_WITH_RC4_128_SHA'] } }, do = [{ alert = { description = 71 } }] },
    ] }, 'fin'";
    simulate(&one_host(branch), |network| async move {
        assert!(send(&network, &hello(0x0303, &[1; 20])).await.is_err());
        let answer = send(&network, &hello(0x0303, &[5])).await.unwrap();
        assert_eq!(hex::encode(answer), "15030300020247");
        assert_eq!(send(&network, &hello(0x0303, &[6])).await.unwrap(), b"");
    });
}
