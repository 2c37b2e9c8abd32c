//! Standard RDP Security as a client has it ([MS-RDPBCGR] 5.3). It protects nothing worth the name; it is spoken here
//! because hosts without TLS say nothing of licences before it.

use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use hmac::{Hmac, Mac as _};
use md5::Md5;
use rc4::{KeyInit as _, Rc4, StreamCipher as _};
use sha1::{Digest as _, Sha1};

use crate::decode::Reader;
use crate::mcs::ServerSecurity;

/// Flags of the security header ([MS-RDPBCGR] 2.2.8.1.1.2.1).
pub(super) const EXCHANGE: u16 = 0x0001;
pub(super) const ENCRYPT: u16 = 0x0008;
pub(super) const INFO: u16 = 0x0040;
pub(super) const LICENSE: u16 = 0x0080;

/// encryptionMethod ([MS-RDPBCGR] 2.2.1.4.3).
const METHOD_40: u32 = 1;
const METHOD_128: u32 = 2;
const METHOD_56: u32 = 8;
const METHOD_FIPS: u32 = 16;
/// A server's random has this length; [MS-RDPBCGR] 5.3.4 uses no more of it.
const RANDOM: usize = 32;
const SIGNATURE: usize = 8;
const BLOCK: usize = 8;
/// Under FIPS, of both directions ([MS-RDPBCGR] 5.3.6.2).
const IV: [u8; BLOCK] = [0x12, 0x34, 0x56, 0x78, 0x90, 0xAB, 0xCD, 0xEF];

/// A message with the basic header alone.
pub(super) fn message(flags: u16, content: &[u8]) -> Vec<u8> {
    [&flags.to_le_bytes()[..], &[0, 0], content].concat()
}

/// Flags and content of a message that nothing encrypts.
pub(super) fn opened(message: &[u8]) -> Option<(u16, Vec<u8>)> {
    let mut reader = Reader(message);
    let flags = reader.u16_le()?;
    reader.u16_le()?;
    // With the flag there would be a key.
    (flags & ENCRYPT == 0).then(|| (flags, reader.0.to_vec()))
}

/// Keys that both sides have.
pub(super) enum Security {
    Rc4 {
        mac_key: Vec<u8>,
        seal: Box<Rc4>,
        open: Box<Rc4>,
    },
    Fips {
        mac_key: [u8; 20],
        seal: Box<cbc::Encryptor<des::TdesEde3>>,
        open: Box<cbc::Decryptor<des::TdesEde3>>,
        sent: u32,
    },
}

impl Security {
    /// The keys, and the contents of the Security Exchange PDU that tells the server ours ([MS-RDPBCGR] 2.2.1.10.1).
    /// None where the server's part cannot be used.
    pub(super) fn agree(
        method: u32,
        server: &ServerSecurity,
        random: &[u8; RANDOM],
    ) -> Option<(Self, Vec<u8>)> {
        let key = server.key.as_ref()?;
        let server_random: &[u8; RANDOM] = server.random.get(..RANDOM)?.try_into().ok()?;
        let security = Self::derive(method, random, server_random)?;
        // Numbers are little-endian here, and eight bytes of zeros follow ([MS-RDPBCGR] 5.3.4.1).
        let mut ours = *random;
        ours.reverse();
        let mut encrypted = key.encrypt(&ours);
        encrypted.reverse();
        encrypted.extend([0; 8]);
        let length = encrypted.len() as u32;
        Some((security, [&length.to_le_bytes()[..], &encrypted].concat()))
    }

    fn derive(method: u32, client: &[u8; RANDOM], server: &[u8; RANDOM]) -> Option<Self> {
        if method == METHOD_FIPS {
            return Self::fips(client, server);
        }
        let salted = |secret: &[u8], label: &[u8]| {
            let inner = Sha1::new()
                .chain_update(label)
                .chain_update(secret)
                .chain_update(client)
                .chain_update(server);
            Md5::new().chain_update(secret).chain_update(inner.finalize()).finalize()
        };
        let three = |secret: &[u8], labels: [&[u8]; 3]| labels.map(|label| salted(secret, label).to_vec());
        // 5.3.5.1
        let premaster = [&client[..24], &server[..24]].concat();
        let master = three(&premaster, [b"A", b"BB", b"CCC"]).concat();
        let blob = three(&master, [b"X", b"YY", b"ZZZ"]);
        let last = |key: &[u8]| {
            Md5::new().chain_update(key).chain_update(client).chain_update(server).finalize().to_vec()
        };
        let [mac, open, seal] =
            [blob[0].clone(), last(&blob[1]), last(&blob[2])].map(|key| shortened(method, key));
        Some(Self::Rc4 {
            mac_key: mac?,
            seal: Box::new(Rc4::new_from_slice(&seal?).ok()?),
            open: Box::new(Rc4::new_from_slice(&open?).ok()?),
        })
    }

    /// 5.3.5.2.
    fn fips(client: &[u8; RANDOM], server: &[u8; RANDOM]) -> Option<Self> {
        let sha = |parts: [&[u8]; 2]| -> [u8; 20] {
            Sha1::new().chain_update(parts[0]).chain_update(parts[1]).finalize().into()
        };
        let seal = sha([&client[16..], &server[16..]]);
        let open = sha([&client[..16], &server[..16]]);
        Some(Self::Fips {
            mac_key: sha([&open, &seal]),
            seal: Box::new(cbc::Encryptor::new_from_slices(&des_key(&seal), &IV).ok()?),
            open: Box::new(cbc::Decryptor::new_from_slices(&des_key(&open), &IV).ok()?),
            sent: 0,
        })
    }

    /// An encrypted message ([MS-RDPBCGR] 2.2.8.1.1.2.2 and .3).
    pub(super) fn seal(&mut self, flags: u16, content: &[u8]) -> Vec<u8> {
        match self {
            Self::Rc4 { mac_key, seal, .. } => {
                let mut sealed = content.to_vec();
                seal.apply_keystream(&mut sealed);
                message(flags | ENCRYPT, &[&signature(mac_key, content)[..], &sealed].concat())
            }
            Self::Fips { mac_key, seal, sent, .. } => {
                let signature = fips_signature(mac_key, content, *sent);
                *sent = sent.wrapping_add(1);
                let mut sealed = content.to_vec();
                let padding = content.len().next_multiple_of(BLOCK) - content.len();
                sealed.extend(vec![0; padding]);
                for block in sealed.chunks_exact_mut(BLOCK) {
                    seal.encrypt_block(block.try_into().expect("chunks of a block"));
                }
                // The header's own length, and version 1.
                let header = [0x10, 0, 1, padding as u8];
                message(flags | ENCRYPT, &[&header[..], &signature, &sealed].concat())
            }
        }
    }

    /// Flags and content of a message of the server's. Nothing is said to it any more, so its signature is not looked at.
    pub(super) fn open(&mut self, sealed: &[u8]) -> Option<(u16, Vec<u8>)> {
        let mut reader = Reader(sealed);
        let flags = reader.u16_le()?;
        reader.u16_le()?;
        if flags & ENCRYPT == 0 {
            return Some((flags, reader.0.to_vec()));
        }
        Some((
            flags,
            match self {
                Self::Rc4 { open, .. } => {
                    reader.take(SIGNATURE)?;
                    let mut content = reader.0.to_vec();
                    open.apply_keystream(&mut content);
                    content
                }
                Self::Fips { open, .. } => {
                    reader.take(3)?;
                    let padding = usize::from(reader.u8()?);
                    reader.take(SIGNATURE)?;
                    let mut content = reader.0.to_vec();
                    if content.len() % BLOCK != 0 {
                        return None;
                    }
                    for block in content.chunks_exact_mut(BLOCK) {
                        open.decrypt_block(block.try_into().expect("chunks of a block"));
                    }
                    content.truncate(content.len().checked_sub(padding)?);
                    content
                }
            },
        ))
    }
}

/// As much of a key as the method has; the rest is known to everybody.
fn shortened(method: u32, mut key: Vec<u8>) -> Option<Vec<u8>> {
    let known: &[u8] = match method {
        METHOD_128 => return Some(key),
        METHOD_56 => &[0xD1],
        METHOD_40 => &[0xD1, 0x26, 0x9E],
        _ => return None,
    };
    key.truncate(8);
    key[..known.len()].copy_from_slice(known);
    Some(key)
}

/// 5.3.6.1.
fn signature(mac_key: &[u8], content: &[u8]) -> [u8; SIGNATURE] {
    let length = (content.len() as u32).to_le_bytes();
    let inner =
        Sha1::new().chain_update(mac_key).chain_update([0x36; 40]).chain_update(length).chain_update(content);
    let outer =
        Md5::new().chain_update(mac_key).chain_update([0x5C; 48]).chain_update(inner.finalize()).finalize();
    std::array::from_fn(|at| outer[at])
}

/// 5.3.6.2.
fn fips_signature(mac_key: &[u8; 20], content: &[u8], sent: u32) -> [u8; SIGNATURE] {
    let mut mac = Hmac::<Sha1>::new_from_slice(mac_key).expect("any length is a key of HMAC");
    mac.update(content);
    mac.update(&sent.to_le_bytes());
    let whole = mac.finalize().into_bytes();
    std::array::from_fn(|at| whole[at])
}

/// 168 bits, of which the first 8 come again at the end, seven in each byte from the lowest bit on; the eighth, the
/// parity, is not looked at.
fn des_key(key: &[u8; 20]) -> [u8; 24] {
    let bit = |at: usize| key[at / 8 % key.len()] >> (at % 8) & 1;
    std::array::from_fn(|byte| (0..7).fold(0, |sum, at| sum | bit(byte * 7 + at) << at))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The server's side of the same keys.
    fn turned(method: u32) -> [Security; 2] {
        let ours = || Security::derive(method, &[1; 32], &[2; 32]).unwrap();
        [ours(), ours()]
    }

    #[test]
    fn what_is_sealed_is_opened_with_the_other_sides_keys() {
        for method in [METHOD_40, METHOD_56, METHOD_128, METHOD_FIPS] {
            let [mut client, theirs] = turned(method);
            let sealed = client.seal(INFO, b"nothing that anybody should read");
            // What the client seals with is what the server opens with.
            let mut server = match theirs {
                Security::Rc4 { mac_key, seal, open } => Security::Rc4 { mac_key, seal: open, open: seal },
                Security::Fips { mac_key, sent, .. } => {
                    let key =
                        des_key(&Sha1::new().chain_update([1; 16]).chain_update([2; 16]).finalize().into());
                    let iv = |key: &[u8; 24]| Box::new(cbc::Decryptor::new_from_slices(key, &IV).unwrap());
                    Security::Fips {
                        mac_key,
                        seal: Box::new(cbc::Encryptor::new_from_slices(&key, &IV).unwrap()),
                        open: iv(&key),
                        sent,
                    }
                }
            };
            let (flags, content) = server.open(&sealed).unwrap();
            assert_eq!(flags, INFO | ENCRYPT);
            assert_eq!(content, b"nothing that anybody should read", "method {method}");
        }
        assert!(Security::derive(3, &[1; 32], &[2; 32]).is_none());
    }

    #[test]
    fn a_short_message_opens_to_none() {
        for method in [METHOD_40, METHOD_FIPS] {
            let [mut keys, _] = turned(method);
            for length in 0..12 {
                assert!(keys.open(&[ENCRYPT as u8; 12][..length]).is_none(), "{length}");
            }
        }
    }
}
