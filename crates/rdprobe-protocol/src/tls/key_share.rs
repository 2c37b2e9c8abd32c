//! Key shares that a server accepts although nobody means to compute with them.
//!
//! Servers check that a share is a point of its curve (RFC 8446 4.2.8.2). The generator is one, and that it hides no
//! secret does no harm: the handshake is never completed.

use rdprobe_report::NamedGroup;

/// Generator of secp256r1 without compression (SEC 2, 2.4.2).
const SECP256R1_GENERATOR: &str = "04\
    6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
    4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

/// Generator of secp384r1 without compression (SEC 2, 2.5.1).
const SECP384R1_GENERATOR: &str = "04\
    aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7\
    3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f";

/// A share for `group`, none where this module knows no valid one. Any 32 bytes are a share of x25519
/// (RFC 7748 5); `random` are those.
pub(super) fn for_group(group: NamedGroup, random: &[u8; 32]) -> Option<Vec<u8>> {
    let generator = match group {
        NamedGroup::X25519 => return Some(random.to_vec()),
        NamedGroup::SECP256R1 => SECP256R1_GENERATOR,
        NamedGroup::SECP384R1 => SECP384R1_GENERATOR,
        _ => return None,
    };
    hex::decode(generator).ok()
}

#[cfg(test)]
mod tests {
    use rdprobe_report::HelloProfile;

    use super::*;

    #[test]
    fn points_are_uncompressed_and_of_the_curve_s_size() {
        for (group, size) in
            [(NamedGroup::X25519, 32), (NamedGroup::SECP256R1, 65), (NamedGroup::SECP384R1, 97)]
        {
            assert_eq!(for_group(group, &[9; 32]).unwrap().len(), size);
        }
    }

    #[test]
    fn every_share_of_every_profile_is_known() {
        for profile in HelloProfile::all() {
            for &group in &profile.key_shares {
                assert!(for_group(group, &[9; 32]).is_some(), "{}: {group}", profile.id);
            }
        }
    }
}
