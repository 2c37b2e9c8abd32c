//! The little of CredSSP that needs no secret: a TSRequest with an NTLM CHALLENGE, or with an error.
//!
//! It is written by hand from [MS-CSSP] 2.2.1 and [MS-NLMP] 2.2.1.2, apart from what rdprobe-protocol reads with.

use rdprobe_report::Timestamp;
use serde::Deserialize;

/// A host's answer to an NTLM NEGOTIATE.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Challenge {
    /// Version of the TSRequest.
    pub version: u32,
    /// Build number that the challenge claims.
    pub build: u16,
    /// NetBIOS name of the computer.
    pub netbios_computer: String,
    /// NetBIOS name of its domain; the computer's where it is in none.
    pub netbios_domain: Option<String>,
    /// DNS name of the computer.
    pub dns_computer: Option<String>,
    /// DNS name of its domain.
    pub dns_domain: Option<String>,
    /// DNS name of the forest.
    pub dns_forest: Option<String>,
    /// The host's clock minus the scenario's, in milliseconds.
    pub skew_ms: i64,
    /// The challenge bears no time.
    pub no_time: bool,
}

impl Default for Challenge {
    fn default() -> Self {
        Self {
            version: 6,
            build: 20348,
            netbios_computer: "RDS01".into(),
            netbios_domain: None,
            dns_computer: None,
            dns_domain: None,
            dns_forest: None,
            skew_ms: 0,
            no_time: false,
        }
    }
}

/// A TSRequest with an error code.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredsspError {
    /// Version of the TSRequest.
    #[serde(default = "newest")]
    pub version: u32,
    /// NTSTATUS, `0xC0000418`.
    pub ntstatus: u32,
}

fn newest() -> u32 {
    6
}

/// Length of the TSRequest at the beginning of `bytes`, once its header is there.
pub(crate) fn length(bytes: &[u8]) -> Option<usize> {
    match *bytes {
        [0x30, short, ..] if short < 0x80 => Some(2 + usize::from(short)),
        [0x30, 0x81, length, ..] => Some(3 + usize::from(length)),
        [0x30, 0x82, high, low, ..] => Some(4 + usize::from(u16::from_be_bytes([high, low]))),
        _ => None,
    }
}

impl Challenge {
    /// The TSRequest that answers `request`, in SPNEGO where the request used it.
    pub(crate) fn answer(&self, request: &[u8], now: Timestamp) -> Vec<u8> {
        const SPNEGO: [u8; 6] = [0x2B, 0x06, 0x01, 0x05, 0x05, 0x02];
        const NTLM: [u8; 10] = [0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0A];
        let challenge = self.challenge(now);
        let token = if request.windows(SPNEGO.len()).any(|window| window == SPNEGO) {
            let state = der(0xA0, &der(0x0A, &[1]));
            let mechanism = der(0xA1, &der(0x06, &NTLM));
            let token = der(0xA2, &der(0x04, &challenge));
            der(0xA1, &der(0x30, &[state, mechanism, token].concat()))
        } else {
            challenge
        };
        let token = der(0x30, &der(0xA0, &der(0x04, &token)));
        ts_request(self.version, &der(0xA1, &der(0x30, &token)))
    }

    fn challenge(&self, now: Timestamp) -> Vec<u8> {
        let domain = self.netbios_domain.as_ref().unwrap_or(&self.netbios_computer);
        let mut info = Vec::new();
        let dns_computer = self.dns_computer.clone();
        let names = [
            (2, Some(domain.clone())),
            (1, Some(self.netbios_computer.clone())),
            (4, self.dns_domain.clone().or_else(|| dns_computer.clone())),
            (3, dns_computer),
            (5, self.dns_forest.clone()),
        ];
        for (id, name) in names {
            if let Some(name) = name {
                push_av_pair(&mut info, id, &utf16(&name));
            }
        }
        if !self.no_time {
            let millis = now.unix_millis() + self.skew_ms;
            // FILETIME: 100 ns since 1601.
            let filetime = (millis + 11_644_473_600_000) * 10_000;
            push_av_pair(&mut info, 7, &filetime.to_le_bytes());
        }
        push_av_pair(&mut info, 0, &[]);

        const PAYLOAD: u32 = 56;
        let target = utf16(domain);
        let mut bytes = b"NTLMSSP\0".to_vec();
        bytes.extend(2_u32.to_le_bytes());
        push_field(&mut bytes, target.len(), PAYLOAD);
        bytes.extend(0xE28A_8235_u32.to_le_bytes());
        bytes.extend([1, 2, 3, 4, 5, 6, 7, 8]);
        bytes.extend([0; 8]);
        push_field(&mut bytes, info.len(), PAYLOAD + target.len() as u32);
        bytes.extend([10, 0]);
        bytes.extend(self.build.to_le_bytes());
        bytes.extend([0, 0, 0, 15]);
        bytes.extend(target);
        bytes.extend(info);
        bytes
    }
}

impl CredsspError {
    pub(crate) fn answer(&self) -> Vec<u8> {
        let mut code = vec![0];
        code.extend(self.ntstatus.to_be_bytes());
        ts_request(self.version, &der(0xA4, &der(0x02, &code)))
    }
}

fn ts_request(version: u32, rest: &[u8]) -> Vec<u8> {
    let version = der(0xA0, &der(0x02, &[version as u8]));
    der(0x30, &[&version, rest].concat())
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match content.len() {
        length @ 0..0x80 => bytes.push(length as u8),
        length @ 0x80..0x100 => bytes.extend([0x81, length as u8]),
        length => {
            bytes.push(0x82);
            bytes.extend((length as u16).to_be_bytes());
        }
    }
    bytes.extend(content);
    bytes
}

fn push_field(bytes: &mut Vec<u8>, length: usize, offset: u32) {
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(offset.to_le_bytes());
}

fn push_av_pair(bytes: &mut Vec<u8>, id: u16, value: &[u8]) {
    bytes.extend(id.to_le_bytes());
    bytes.extend((value.len() as u16).to_le_bytes());
    bytes.extend(value);
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}
