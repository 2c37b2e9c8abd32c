//! Records under the CBC suites: MAC, then pad, then encrypt ([RFC 5246] 6.2.3.2, [RFC 2246] 6.2.3.2).
//!
//! The sequence of these three lets a peer learn of the plaintext by how long a refusal takes, so what is opened is
//! checked in time that depends on the length of the record alone, and is refused in one way.
//!
//! [RFC 5246]: https://www.rfc-editor.org/rfc/rfc5246
//! [RFC 2246]: https://www.rfc-editor.org/rfc/rfc2246

use aes::{Aes128, Aes256};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use cbc::{Decryptor, Encryptor};
use hmac::{Hmac, KeyInit, Mac};
use rdprobe_report::{Cipher, CipherSuite, Mac as SuiteMac, TlsVersion};
use sha1::Sha1;
use sha2::{Sha256, Sha384};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _, ConstantTimeGreater as _};

/// A padding has this many bytes at the most, beside the one that says how many.
const MOST_PADDING: usize = 255;

/// What of a record is authenticated beside its contents.
#[derive(Clone, Copy, Debug)]
pub struct RecordHeader {
    /// Records before it under the same keys.
    pub sequence: u64,
    /// Its type.
    pub kind: u8,
    /// Its version.
    pub version: TlsVersion,
}

impl RecordHeader {
    /// `seq_num`, type, version and length as they go into the MAC.
    fn bytes(&self, length: u16) -> [u8; 13] {
        let mut bytes = [0; 13];
        bytes[..8].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[8] = self.kind;
        bytes[9..11].copy_from_slice(&self.version.0.to_be_bytes());
        bytes[11..].copy_from_slice(&length.to_be_bytes());
        bytes
    }
}

/// The block cipher and the hash of the MAC of a CBC suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CbcAlgorithms {
    cipher: BlockCipher,
    hash: MacHash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BlockCipher {
    Aes128,
    Aes256,
    #[cfg(feature = "legacy-tls")]
    TripleDes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MacHash {
    Sha1,
    Sha256,
    Sha384,
}

impl CbcAlgorithms {
    /// Those of a suite; none where it is no CBC suite or one of which this module has not both.
    pub fn of(suite: CipherSuite) -> Option<Self> {
        let cipher = match suite.cipher()? {
            Cipher::Aes128Cbc => BlockCipher::Aes128,
            Cipher::Aes256Cbc => BlockCipher::Aes256,
            #[cfg(feature = "legacy-tls")]
            Cipher::TripleDesCbc => BlockCipher::TripleDes,
            _ => return None,
        };
        let hash = match suite.mac()? {
            SuiteMac::Sha1 => MacHash::Sha1,
            SuiteMac::Sha256 => MacHash::Sha256,
            SuiteMac::Sha384 => MacHash::Sha384,
            _ => return None,
        };
        Some(Self { cipher, hash })
    }

    /// Bytes of the cipher's key.
    pub fn key_len(self) -> usize {
        match self.cipher {
            BlockCipher::Aes128 => 16,
            BlockCipher::Aes256 => 32,
            #[cfg(feature = "legacy-tls")]
            BlockCipher::TripleDes => 24,
        }
    }

    /// Bytes of a block, and so of an initialisation vector.
    pub fn block_len(self) -> usize {
        match self.cipher {
            BlockCipher::Aes128 | BlockCipher::Aes256 => 16,
            #[cfg(feature = "legacy-tls")]
            BlockCipher::TripleDes => 8,
        }
    }

    /// Bytes of a MAC, and so of its key.
    pub fn mac_len(self) -> usize {
        match self.hash {
            MacHash::Sha1 => 20,
            MacHash::Sha256 => 32,
            MacHash::Sha384 => 48,
        }
    }

    /// Bytes of the ciphertext of so many bytes, its initialisation vector apart.
    pub fn sealed_len(self, plain: usize) -> usize {
        (plain + self.mac_len() + 1).next_multiple_of(self.block_len())
    }
}

/// The keys of one direction.
pub struct CbcKeys {
    algorithms: CbcAlgorithms,
    key: Vec<u8>,
    mac_key: Vec<u8>,
}

impl CbcKeys {
    /// None where the keys have not the sizes that `algorithms` names.
    pub fn new(algorithms: CbcAlgorithms, key: &[u8], mac_key: &[u8]) -> Option<Self> {
        let fits = key.len() == algorithms.key_len() && mac_key.len() == algorithms.mac_len();
        fits.then(|| Self { algorithms, key: key.to_vec(), mac_key: mac_key.to_vec() })
    }

    /// What the keys are for.
    pub fn algorithms(&self) -> CbcAlgorithms {
        self.algorithms
    }

    /// The ciphertext of one record, without its initialisation vector. None where that has not the size of a block
    /// or `plain` is too long for a record.
    pub fn seal(&self, header: RecordHeader, iv: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let length = u16::try_from(plain.len()).ok()?;
        let mut bytes = plain.to_vec();
        let mut mac = self.empty_mac()?;
        mac.update(&header.bytes(length));
        mac.update(plain);
        bytes.extend(mac.finalize());
        let sealed = self.algorithms.sealed_len(plain.len());
        let padding = u8::try_from(sealed - bytes.len() - 1).ok()?;
        bytes.resize(sealed, padding);
        match self.algorithms.cipher {
            BlockCipher::Aes128 => self.encrypt::<Encryptor<Aes128>>(iv, &mut bytes)?,
            BlockCipher::Aes256 => self.encrypt::<Encryptor<Aes256>>(iv, &mut bytes)?,
            #[cfg(feature = "legacy-tls")]
            BlockCipher::TripleDes => self.encrypt::<Encryptor<des::TdesEde3>>(iv, &mut bytes)?,
        }
        Some(bytes)
    }

    /// Decrypts a record in place and says how many of its first bytes are plaintext. None where it is none of these
    /// keys, for whatever reason.
    pub fn open(&self, header: RecordHeader, iv: &[u8], bytes: &mut [u8]) -> Option<usize> {
        let room = bytes.len().checked_sub(self.algorithms.mac_len() + 1)?;
        match self.algorithms.cipher {
            BlockCipher::Aes128 => self.decrypt::<Decryptor<Aes128>>(iv, bytes)?,
            BlockCipher::Aes256 => self.decrypt::<Decryptor<Aes256>>(iv, bytes)?,
            #[cfg(feature = "legacy-tls")]
            BlockCipher::TripleDes => self.decrypt::<Decryptor<des::TdesEde3>>(iv, bytes)?,
        }
        let (padding, well_padded) = padding(bytes, room)?;
        let length = u16::try_from(room).ok()?.checked_sub(padding.into())?;
        let authentic = self.is_authentic(header, bytes, room, length)?;
        bool::from(well_padded & authentic).then_some(length.into())
    }

    /// Whether the MAC behind the first `length` bytes is right, in time that `room` alone decides: the MAC of every
    /// length that a padding may leave is computed, and the right one picked.
    fn is_authentic(&self, header: RecordHeader, bytes: &[u8], room: usize, length: u16) -> Option<Choice> {
        let mac_len = self.algorithms.mac_len();
        let least = room.saturating_sub(MOST_PADDING);
        let mut mac = self.empty_mac()?;
        mac.update(&header.bytes(length));
        mac.update(bytes.get(..least)?);
        let mut computed = vec![0; mac_len];
        let mut received = vec![0; mac_len];
        for end in least..=room {
            let is_it = u16::try_from(end).ok()?.ct_eq(&length);
            pick(&mut computed, &mac.clone().finalize(), is_it);
            pick(&mut received, bytes.get(end..end + mac_len)?, is_it);
            mac.update(&bytes[end..=end]);
        }
        Some(computed.ct_eq(&received))
    }

    fn empty_mac(&self) -> Option<AnyMac> {
        Some(match self.algorithms.hash {
            MacHash::Sha1 => AnyMac::Sha1(Hmac::new_from_slice(&self.mac_key).ok()?),
            MacHash::Sha256 => AnyMac::Sha256(Hmac::new_from_slice(&self.mac_key).ok()?),
            MacHash::Sha384 => AnyMac::Sha384(Hmac::new_from_slice(&self.mac_key).ok()?),
        })
    }

    fn encrypt<C: KeyIvInit + BlockModeEncrypt>(&self, iv: &[u8], bytes: &mut [u8]) -> Option<()> {
        let length = bytes.len();
        let cipher = C::new_from_slices(&self.key, iv).ok()?;
        cipher.encrypt_padded::<NoPadding>(bytes, length).ok().map(drop)
    }

    /// None where it is no whole number of blocks.
    fn decrypt<C: KeyIvInit + BlockModeDecrypt>(&self, iv: &[u8], bytes: &mut [u8]) -> Option<()> {
        let cipher = C::new_from_slices(&self.key, iv).ok()?;
        cipher.decrypt_padded::<NoPadding>(bytes).ok().map(drop)
    }
}

/// The length of the padding and whether every byte of it says so. One that is wrong is taken for none, and the MAC
/// is checked all the same (RFC 5246 6.2.3.2).
fn padding(bytes: &[u8], room: usize) -> Option<(u8, Choice)> {
    let (&padding, before) = bytes.split_last()?;
    let mut right = !u32::from(padding).ct_gt(&u32::try_from(room).ok()?);
    for (distance, byte) in (1..=255_u8).zip(before.iter().rev()) {
        let is_data = u32::from(distance).ct_gt(&u32::from(padding));
        right &= is_data | byte.ct_eq(&padding);
    }
    Some((u8::conditional_select(&0, &padding, right), right))
}

/// Takes `from` where `chosen`.
fn pick(into: &mut [u8], from: &[u8], chosen: Choice) {
    for (into, from) in into.iter_mut().zip(from) {
        into.conditional_assign(from, chosen);
    }
}

#[derive(Clone)]
enum AnyMac {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
}

impl AnyMac {
    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(mac) => mac.update(bytes),
            Self::Sha256(mac) => mac.update(bytes),
            Self::Sha384(mac) => mac.update(bytes),
        }
    }

    fn finalize(self) -> Vec<u8> {
        match self {
            Self::Sha1(mac) => mac.finalize().into_bytes().to_vec(),
            Self::Sha256(mac) => mac.finalize().into_bytes().to_vec(),
            Self::Sha384(mac) => mac.finalize().into_bytes().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITES: [u16; 4] = [0xC013, 0xC014, 0xC027, 0xC028];
    const IV: [u8; 16] = [7; 16];
    const HEADER: RecordHeader = RecordHeader { sequence: 3, kind: 23, version: TlsVersion::TLS_1_2 };

    fn keys(suite: u16) -> CbcKeys {
        let algorithms = CbcAlgorithms::of(CipherSuite(suite)).unwrap();
        let (key, mac_key) = (vec![1; algorithms.key_len()], vec![2; algorithms.mac_len()]);
        CbcKeys::new(algorithms, &key, &mac_key).unwrap()
    }

    #[test]
    fn what_was_sealed_is_opened() {
        for suite in SUITES {
            let keys = keys(suite);
            for length in [0, 1, 11, 12, 15, 16, 300, 1 << 14] {
                let plain: Vec<u8> = (0..length).map(|at| at as u8).collect();
                let mut bytes = keys.seal(HEADER, &IV, &plain).unwrap();
                assert_eq!(bytes.len(), keys.algorithms.sealed_len(plain.len()));
                assert_eq!(keys.open(HEADER, &IV, &mut bytes), Some(plain.len()));
                assert_eq!(bytes[..plain.len()], plain);
            }
        }
    }

    /// OpenSSL: `openssl enc -aes-128-cbc -nopad` over the MAC of `openssl dgst -sha1 -mac hmac`.
    #[test]
    fn a_record_is_what_other_implementations_make_of_it() {
        let sealed = keys(0xC013).seal(HEADER, &IV, b"attack at dawn").unwrap();
        assert_eq!(hex::encode(sealed), SEALED_BY_OPENSSL);
    }

    const SEALED_BY_OPENSSL: &str =
        "a081913a4429e6620583be8eeb4a97eb333a085e82a805531ab50e90a69f1a623018c05ee97c4237a07f7a251a7135f1";

    #[test]
    fn every_changed_bit_is_seen() {
        for suite in SUITES {
            let keys = keys(suite);
            let sealed = keys.seal(HEADER, &IV, b"TSRequest").unwrap();
            for at in 0..8 * sealed.len() {
                let mut bytes = sealed.clone();
                bytes[at / 8] ^= 1 << (at % 8);
                assert_eq!(keys.open(HEADER, &IV, &mut bytes), None, "bit {at}");
            }
            let later = RecordHeader { sequence: 4, ..HEADER };
            assert_eq!(keys.open(later, &IV, &mut sealed.clone()), None);
        }
    }

    /// A peer may pad by more than one block.
    #[test]
    fn every_length_of_a_padding_is_taken_and_no_wrong_byte_in_it() {
        let keys = keys(0xC013);
        let plain = b"0123456789a";
        for padding in
            (0..=255_u8).filter(|padding| (plain.len() + 20 + 1 + usize::from(*padding)).is_multiple_of(16))
        {
            let padded = |wrong: Option<usize>| {
                let mut mac = keys.empty_mac().unwrap();
                mac.update(&HEADER.bytes(plain.len() as u16));
                mac.update(plain);
                let mut bytes = plain.to_vec();
                bytes.extend(mac.finalize());
                let end = bytes.len();
                bytes.resize(end + 1 + usize::from(padding), padding);
                if let Some(at) = wrong {
                    bytes[end + at] ^= 1;
                }
                keys.encrypt::<Encryptor<Aes128>>(&IV, &mut bytes).unwrap();
                bytes
            };
            assert_eq!(keys.open(HEADER, &IV, &mut padded(None)), Some(plain.len()), "{padding}");
            for at in 0..=usize::from(padding) {
                assert_eq!(keys.open(HEADER, &IV, &mut padded(Some(at))), None, "{padding}, byte {at}");
            }
        }
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for suite in SUITES {
            let keys = keys(suite);
            for length in (0..80).chain([1000, 1008, 18432]) {
                for byte in [0, 15, 255] {
                    assert_eq!(keys.open(HEADER, &IV, &mut vec![byte; length]), None);
                }
            }
            assert_eq!(keys.open(HEADER, &IV[..8], &mut keys.seal(HEADER, &IV, b"").unwrap()), None);
        }
    }

    #[test]
    fn other_suites_have_none() {
        for suite in [0x1301, 0xC030, 0x0005, 0x0041, 0xFEED] {
            assert_eq!(CbcAlgorithms::of(CipherSuite(suite)), None);
        }
        assert!(CbcKeys::new(CbcAlgorithms::of(CipherSuite(0xC013)).unwrap(), &[0; 15], &[0; 20]).is_none());
    }
}
