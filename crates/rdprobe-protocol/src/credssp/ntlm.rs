//! NTLM's NEGOTIATE and CHALLENGE ([MS-NLMP] 2.2.1.1, 2.2.1.2): enough to be told who the host is, and never to log
//! on.

mod av_pair;

pub use av_pair::{AvId, AvPair};

use crate::DecodeError;

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
const NEGOTIATE: u32 = 1;
const CHALLENGE: u32 = 2;
/// Where the fixed part of a CHALLENGE ends without and with its Version.
const FIXED_WITHOUT_VERSION: usize = 48;
const FIXED: usize = 56;

/// NegotiateFlags ([MS-NLMP] 2.2.2.5).
mod flag {
    pub(super) const UNICODE: u32 = 0x0000_0001;
    pub(super) const REQUEST_TARGET: u32 = 0x0000_0004;
    pub(super) const SIGN: u32 = 0x0000_0010;
    pub(super) const SEAL: u32 = 0x0000_0020;
    pub(super) const NTLM: u32 = 0x0000_0200;
    pub(super) const ALWAYS_SIGN: u32 = 0x0000_8000;
    pub(super) const EXTENDED_SESSIONSECURITY: u32 = 0x0008_0000;
    pub(super) const VERSION: u32 = 0x0200_0000;
    pub(super) const ENCRYPTION_128: u32 = 0x2000_0000;
    pub(super) const KEY_EXCHANGE: u32 = 0x4000_0000;
    pub(super) const ENCRYPTION_56: u32 = 0x8000_0000;
}

/// The NEGOTIATE message, without names. It states the version of the reference client, since servers state theirs only to
/// clients that do.
pub fn negotiate() -> Vec<u8> {
    let flags = flag::UNICODE
        | flag::REQUEST_TARGET
        | flag::SIGN
        | flag::SEAL
        | flag::NTLM
        | flag::ALWAYS_SIGN
        | flag::EXTENDED_SESSIONSECURITY
        | flag::VERSION
        | flag::ENCRYPTION_128
        | flag::KEY_EXCHANGE
        | flag::ENCRYPTION_56;
    let mut message = SIGNATURE.to_vec();
    message.extend_from_slice(&NEGOTIATE.to_le_bytes());
    message.extend_from_slice(&flags.to_le_bytes());
    // Domain and workstation: empty, at the end.
    message.extend_from_slice(&[0, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0]);
    message.extend_from_slice(&Version::WINDOWS_11_24H2.encode());
    message
}

/// VERSION ([MS-NLMP] 2.2.2.10): what the peer claims to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// ProductMajorVersion.
    pub major: u8,
    /// ProductMinorVersion.
    pub minor: u8,
    /// ProductBuild.
    pub build: u16,
}

impl Version {
    const WINDOWS_11_24H2: Self = Self { major: 10, minor: 0, build: 26100 };

    fn encode(self) -> [u8; 8] {
        let [low, high] = self.build.to_le_bytes();
        // NTLMSSP_REVISION_W2K3.
        [self.major, self.minor, low, high, 0, 0, 0, 0x0F]
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.build)
    }
}

/// The CHALLENGE message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// NegotiateFlags.
    pub flags: u32,
    /// TargetName.
    pub target_name: Option<String>,
    /// ServerChallenge.
    pub server_challenge: [u8; 8],
    /// TargetInfo, in order, the end mark left out.
    pub target_info: Vec<AvPair>,
    /// Version, where the flags say that it is there.
    pub version: Option<Version>,
}

impl Challenge {
    /// Reads a CHALLENGE; every offset in it is checked against its end.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.get(..8) != Some(&SIGNATURE[..]) {
            return Err(DecodeError::malformed("no NTLM message"));
        }
        match u32_at(bytes, 8) {
            Some(CHALLENGE) => {}
            Some(kind) => {
                return Err(DecodeError::malformed(format!("an NTLM message of type {kind}")));
            }
            None => return Err(DecodeError::malformed("a cut NTLM message")),
        }
        Self::read(bytes).ok_or_else(|| DecodeError::malformed("an offset does not fit the NTLM challenge"))
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let fixed = bytes.get(..FIXED_WITHOUT_VERSION)?;
        let flags = u32_at(fixed, 20)?;
        let target_name = payload(bytes, 12)?;
        let version =
            bytes.get(FIXED_WITHOUT_VERSION..FIXED).filter(|_| flags & flag::VERSION != 0).map(|version| {
                Version {
                    major: version[0],
                    minor: version[1],
                    build: u16::from_le_bytes([version[2], version[3]]),
                }
            });
        Some(Self {
            flags,
            target_name: (!target_name.is_empty()).then(|| match flags & flag::UNICODE {
                0 => String::from_utf8_lossy(target_name).into_owned(),
                _ => av_pair::utf16(target_name),
            }),
            server_challenge: fixed[24..32].try_into().ok()?,
            target_info: av_pair::read_all(payload(bytes, 40)?)?,
            version,
        })
    }

    /// The message, for a peer that plays the server.
    pub fn encode(&self) -> Vec<u8> {
        let name: Vec<u8> =
            self.target_name.iter().flat_map(|name| name.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let info = av_pair::write_all(&self.target_info);
        let version = if self.version.is_some() { flag::VERSION } else { 0 };
        let mut message = SIGNATURE.to_vec();
        message.extend_from_slice(&CHALLENGE.to_le_bytes());
        message.extend(fields(name.len(), FIXED));
        message.extend_from_slice(&(self.flags | flag::UNICODE | version).to_le_bytes());
        message.extend_from_slice(&self.server_challenge);
        message.extend_from_slice(&[0; 8]);
        message.extend(fields(info.len(), FIXED + name.len()));
        message.extend_from_slice(&self.version.map_or([0; 8], Version::encode));
        message.extend(name);
        message.extend(info);
        message
    }

    /// The value of the first pair with this id.
    pub fn pair(&self, id: AvId) -> Option<&AvPair> {
        self.target_info.iter().find(|pair| pair.id == id)
    }
}

/// Length, maximum length, offset.
fn fields(length: usize, offset: usize) -> Vec<u8> {
    let length = (length as u16).to_le_bytes();
    [&length[..], &length, &(offset as u32).to_le_bytes()].concat()
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

/// What the fields at `at` point to; an empty payload may have any offset.
fn payload(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let length = usize::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    if length == 0 {
        return Some(&[]);
    }
    let offset = usize::try_from(u32_at(bytes, at + 4)?).ok()?;
    bytes.get(offset..offset.checked_add(length)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{challenge, garbled};

    #[test]
    fn our_message_is_forty_bytes_and_asks_for_the_version() {
        let message = negotiate();
        assert_eq!(message.len(), 40);
        assert_eq!(hex::encode(&message[..16]), "4e544c4d5353500001000000358208e2");
        assert_eq!(hex::encode(&message[32..]), "0a00f4650000000f");
    }

    #[test]
    fn the_challenge_of_the_specification_is_read() {
        // [MS-NLMP] 4.2.4.3, NTLMv2 authentication.
        let bytes = hex::decode(concat!(
            "4e544c4d53535000020000000c000c003800000033828ae20123456789abcdef0000000000000000240024004400",
            "0000060070170000000f53006500720076006500720002000c0044006f006d00610069006e0001000c005300650072",
            "0076006500720000000000",
        ))
        .unwrap();
        let challenge = Challenge::decode(&bytes).unwrap();
        assert_eq!(challenge.target_name.as_deref(), Some("Server"));
        assert_eq!(challenge.version.unwrap().to_string(), "6.0.6000");
        assert_eq!(challenge.server_challenge, [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF]);
        assert_eq!(challenge.pair(AvId::NbDomainName).unwrap().text(), "Domain");
        assert_eq!(challenge.pair(AvId::NbComputerName).unwrap().text(), "Server");
    }

    #[test]
    fn a_challenge_is_read_back() {
        let challenge = challenge();
        assert_eq!(Challenge::decode(&challenge.encode()).unwrap().target_info, challenge.target_info);
    }

    #[test]
    fn a_challenge_without_a_version_has_none() {
        let mut bytes = challenge().encode();
        bytes[23] &= !0x02;
        assert_eq!(Challenge::decode(&bytes).unwrap().version, None);
        let mut old = b"NTLMSSP\0\x02\0\0\0".to_vec();
        old.resize(FIXED_WITHOUT_VERSION, 0);
        assert_eq!(Challenge::decode(&old).unwrap(), Challenge::default());
    }

    #[test]
    fn every_cut_and_other_messages_are_malformed() {
        let bytes = challenge().encode();
        for cut in 0..bytes.len() {
            assert!(Challenge::decode(&bytes[..cut]).is_err(), "{cut}");
        }
        assert!(Challenge::decode(&negotiate()).is_err());
    }

    proptest! {
        #[test]
        fn garbled_challenges_do_no_harm(bytes in garbled(challenge().encode())) {
            let _ = Challenge::decode(&bytes);
        }
    }
}
