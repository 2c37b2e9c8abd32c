//! What the tests of the machines share: recorded frames, a driver, and the properties that every machine keeps.

use proptest::prelude::*;

use rdprobe_report::{Limit, Millis};

use crate::credssp::ntlm::{AvId, AvPair, Challenge, Version};
use crate::tls::HelloSeed;
use crate::{Concluded, Ending, Machine};

/// A frame of `fixtures/wire/frames.json`, by name.
/// The whole time of a phase.
pub(crate) const SILENT: Ending = Ending::Silent { silent_ms: Millis(5000.0), limit: Limit::Phase };

pub(crate) fn frame(name: &str) -> Vec<u8> {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../../fixtures/wire/frames.json")).unwrap();
    let frame = file["frames"]
        .as_array()
        .unwrap()
        .iter()
        .find(|frame| frame["name"] == name)
        .unwrap_or_else(|| panic!("no frame {name}"));
    let mut bytes = hex::decode(frame["hex"].as_str().unwrap()).unwrap();
    if let Some(length) = frame["padded_to"].as_u64() {
        bytes.resize(length as usize, 0);
    }
    bytes
}

/// A challenge such as Windows Server 2022 sends.
pub(crate) fn challenge() -> Challenge {
    Challenge {
        flags: 0xE28A_8235,
        target_name: Some("CONTOSO".into()),
        server_challenge: [7; 8],
        target_info: vec![
            AvPair::name(AvId::NbDomainName, "CONTOSO"),
            AvPair::name(AvId::NbComputerName, "RDS01"),
            AvPair::name(AvId::DnsDomainName, "corp.contoso.example"),
            AvPair::name(AvId::DnsComputerName, "rds01.corp.contoso.example"),
            AvPair::name(AvId::DnsTreeName, "contoso.example"),
            AvPair { id: AvId::Timestamp, value: 134_400_000_000_000_000u64.to_le_bytes().to_vec() },
            AvPair { id: AvId::Unknown(42), value: vec![1, 2, 3] },
        ],
        version: Some(Version { major: 10, minor: 0, build: 20348 }),
    }
}

/// Randomness that is none.
pub(crate) fn seed() -> HelloSeed {
    HelloSeed::from(std::array::from_fn(|index| index as u8 + 1))
}

/// Feeds `bytes` in pieces of the given sizes (over and over; never more than is wanted), then ends. Also says how
/// many bytes were read.
pub(crate) fn drive<M: Machine>(
    mut machine: M,
    bytes: &[u8],
    pieces: &[usize],
    ending: Ending,
) -> (Concluded, usize) {
    machine.outgoing();
    assert!(machine.outgoing().is_empty(), "bytes are yielded once");
    let mut read = 0;
    let mut pieces = pieces.iter().cycle();
    while machine.wanted() > 0 && read < bytes.len() {
        let piece = (*pieces.next().unwrap()).clamp(1, machine.wanted());
        let piece = piece.min(bytes.len() - read);
        machine.receive(&bytes[read..read + piece]);
        read += piece;
    }
    if machine.wanted() > 0 {
        machine.end(ending);
    }
    assert_eq!(machine.wanted(), 0);
    (Box::new(machine).conclude(), read)
}

/// Feeds `bytes` whole.
pub(crate) fn conclude<M: Machine>(machine: M, bytes: &[u8], ending: Ending) -> Concluded {
    drive(machine, bytes, &[usize::MAX], ending).0
}

pub(crate) fn endings() -> [Ending; 3] {
    [Ending::Closed, Ending::Reset, SILENT]
}

/// Cut at every offset and ended in every way, a machine concludes, and fails where it had not read all.
pub(crate) fn survives_every_cut<M: Machine>(make: impl Fn() -> M, bytes: &[u8]) {
    let (_, needed) = drive(make(), bytes, &[1], Ending::Closed);
    for cut in 0..=bytes.len() {
        for ending in endings() {
            let concluded = conclude(make(), &bytes[..cut], ending.clone());
            assert!(concluded.failure.is_some() || cut >= needed, "cut at {cut}, {ending:?}: {concluded:?}");
        }
    }
}

/// Bytes however they are cut into pieces, and how it ends.
pub(crate) fn pieces_and_ending() -> impl Strategy<Value = (Vec<usize>, Ending)> {
    (proptest::collection::vec(1usize..40, 1..8), proptest::sample::select(endings().to_vec()))
}

/// Some of the bytes of `valid` overwritten: much likelier than noise to reach the depths of a reader.
pub(crate) fn garbled(valid: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let length = valid.len();
    proptest::collection::vec((0..length, any::<u8>()), 1..6).prop_map(move |changes| {
        let mut bytes = valid.clone();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        bytes
    })
}

/// The pieces in which bytes come change neither the conclusion nor how much is read.
pub(crate) fn pieces_do_not_matter<M: Machine>(
    make: impl Fn() -> M,
    bytes: &[u8],
    pieces: &[usize],
    ending: &Ending,
) -> Result<(), TestCaseError> {
    let (one_by_one, _) = drive(make(), bytes, &[1], ending.clone());
    let (in_pieces, _) = drive(make(), bytes, pieces, ending.clone());
    let (whole, _) = drive(make(), bytes, &[usize::MAX], ending.clone());
    prop_assert_eq!(&one_by_one, &in_pieces);
    prop_assert_eq!(&one_by_one, &whole);
    Ok(())
}

/// A certificate of `fixtures/certs/odd`, in DER.
pub(crate) fn odd_certificate(name: &str) -> Vec<u8> {
    let pem = match name {
        "ec-p521" => include_str!("../../../fixtures/certs/odd/ec-p521.pem"),
        "ed448-year-9999" => include_str!("../../../fixtures/certs/odd/ed448-year-9999.pem"),
        "issuer-of-the-same-name" => {
            include_str!("../../../fixtures/certs/odd/issuer-of-the-same-name.pem")
        }
        "rsa-pss-sha384" => include_str!("../../../fixtures/certs/odd/rsa-pss-sha384.pem"),
        "rsa1024-sha1" => include_str!("../../../fixtures/certs/odd/rsa1024-sha1.pem"),
        _ => panic!("no certificate {name}"),
    };
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
    pem.contents
}
