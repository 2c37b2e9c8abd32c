//! The public operation of RSA (RFC 8017 5.1.1), bounded. Nothing here is secret but what it encrypts, which is random
//! and used once.

use num_bigint::BigUint;

/// Keys beyond this size cost time that a host has no right to, in bits.
const MOST_BITS: u64 = 16_384;
/// An exponent is longer than this in no certificate in use, in bits.
const MOST_EXPONENT_BITS: u64 = 64;

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey {
    modulus: BigUint,
    exponent: BigUint,
}

impl PublicKey {
    /// From big-endian numbers; none where their sizes are none that is used.
    pub(crate) fn new(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        // Before a number is made of them: neither has leading zeros worth a kilobyte.
        let most = MOST_BITS.div_ceil(8) as usize + 8;
        if modulus.len() > most || exponent.len() > most {
            return None;
        }
        let (modulus, exponent) = (BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent));
        let bounded = (1..=MOST_BITS).contains(&modulus.bits()) && exponent.bits() <= MOST_EXPONENT_BITS;
        bounded.then_some(Self { modulus, exponent })
    }

    pub(crate) fn bits(&self) -> u32 {
        self.modulus.bits() as u32
    }

    /// Bytes of a number below the modulus.
    pub(crate) fn size(&self) -> usize {
        self.modulus.bits().div_ceil(8) as usize
    }

    /// The big-endian `message`, a number below the modulus, encrypted; big-endian and of the key's size.
    pub(crate) fn encrypt(&self, message: &[u8]) -> Vec<u8> {
        let encrypted = BigUint::from_bytes_be(message).modpow(&self.exponent, &self.modulus).to_bytes_be();
        let mut ciphertext = vec![0; self.size().saturating_sub(encrypted.len())];
        ciphertext.extend(encrypted);
        ciphertext
    }
}
