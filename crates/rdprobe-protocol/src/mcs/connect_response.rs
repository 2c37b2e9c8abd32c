//! The MCS Connect Response with its GCC Conference Create Response ([MS-RDPBCGR] 2.2.1.4).

use rdprobe_report::facts::McsFacts;

use x509_parser::prelude::parse_x509_certificate;

use crate::decode::Reader;
use crate::rsa::PublicKey;

/// More channels than this are not kept; one was asked for.
const MOST_CHANNELS: usize = 32;
/// A chain of more certificates than this is none.
const MOST_CERTIFICATES: u32 = 16;
/// The server's H.221 key ([MS-RDPBCGR] 2.2.1.4).
const KEY: &[u8] = b"McDn";

/// What Standard RDP Security goes on with ([MS-RDPBCGR] 5.3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerSecurity {
    pub(crate) random: Vec<u8>,
    /// None where it is of no kind or size that is used.
    pub(crate) key: Option<PublicKey>,
}

/// Reads the response behind the X.224 header into `facts` and, where there is any, `security`. None where a length or
/// a tag does not fit; what came before is kept.
pub(super) fn read(bytes: &[u8], facts: &mut McsFacts, keys: &mut Option<ServerSecurity>) -> Option<()> {
    let mut reader = Reader(bytes);
    let mut response = ber(&mut reader, &[0x7F, 0x66])?;
    let result = ber(&mut response, &[0x0A])?.0.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
    facts.result = Some(result);
    facts.result_name = result_name(result).map(Into::into);
    // calledConnectId and the domain parameters
    ber(&mut response, &[0x02])?;
    ber(&mut response, &[0x30])?;
    if result != 0 {
        return Some(());
    }
    let mut user_data = ber(&mut response, &[0x04])?;
    // The object identifier of T.124, the length of the rest, nodeID.
    user_data.take(7)?;
    per_length(&mut user_data)?;
    user_data.take(3)?;
    // tag, an integer in as many bytes as the first says; GCC's own result; one set of user data, its key.
    user_data.vector8()?;
    user_data.take(1 + 3)?;
    if user_data.take(KEY.len())? != KEY {
        return None;
    }
    let length = per_length(&mut user_data)?;
    // FreeRDP and xrdp count what they send; some servers count less than they send.
    let mut blocks = Reader(user_data.take(length)?);
    while !blocks.is_empty() {
        let kind = blocks.u16_le()?;
        let length = usize::from(blocks.u16_le()?).checked_sub(4)?;
        let block = Reader(blocks.take(length)?);
        match kind {
            0x0C01 => core(block, facts)?,
            0x0C02 => *keys = security(block, facts)?,
            0x0C03 => network(block, facts)?,
            0x0C04 => facts.message_channel = Some({ block }.u16_le()?),
            0x0C08 => facts.multitransport_flags = Some({ block }.u32_le()?),
            _ => {}
        }
    }
    Some(())
}

/// [MS-RDPBCGR] 2.2.1.4.2, whose last two fields may be missing.
fn core(mut block: Reader<'_>, facts: &mut McsFacts) -> Option<()> {
    facts.version = Some(format!("0x{:08X}", block.u32_le()?));
    facts.requested_protocols = block.u32_le();
    facts.early_capability_flags = block.u32_le();
    Some(())
}

/// [MS-RDPBCGR] 2.2.1.4.3.
fn security(mut block: Reader<'_>, facts: &mut McsFacts) -> Option<Option<ServerSecurity>> {
    let (method, level) = (block.u32_le()?, block.u32_le()?);
    facts.encryption_method = Some(method);
    facts.encryption_method_name = METHODS.iter().find(|row| row.0 == method).map(|row| row.1.to_owned());
    facts.encryption_level = Some(level);
    facts.encryption_level_name = LEVELS.get(level as usize).map(|name| (*name).to_owned());
    if block.is_empty() || (method, level) == (0, 0) {
        return Some(None);
    }
    let (random, certificate) = (block.u32_le()? as usize, block.u32_le()? as usize);
    let random = block.take(random)?.to_vec();
    let key = certificate_key(Reader(block.take(certificate)?), facts)?;
    facts.key_bits = key.as_ref().map(PublicKey::bits);
    Some(Some(ServerSecurity { random, key }))
}

/// Kind of the certificate, and its key ([MS-RDPBCGR] 2.2.1.4.3.1). The outer none is a length that does not fit.
fn certificate_key(mut certificate: Reader<'_>, facts: &mut McsFacts) -> Option<Option<PublicKey>> {
    const TEMPORARY: u32 = 1 << 31;
    match certificate.u32_le()? & !TEMPORARY {
        1 => {
            facts.certificate = Some("proprietary".into());
            proprietary(certificate)
        }
        2 => {
            facts.certificate = Some("x509".into());
            chain(certificate)
        }
        _ => Some(None),
    }
}

/// [MS-RDPBCGR] 2.2.1.4.3.1.1.1: numbers are little-endian here.
fn proprietary(mut certificate: Reader<'_>) -> Option<Option<PublicKey>> {
    // dwSigAlgId, dwKeyAlgId, wPublicKeyBlobType and -Len, the blob's magic
    certificate.take(4 + 4 + 2 + 2 + 4)?;
    let length = certificate.u32_le()? as usize;
    // bitlen and datalen say the same in other units
    certificate.take(4 + 4)?;
    let mut exponent = certificate.take(4)?.to_vec();
    let mut modulus = certificate.take(length)?.to_vec();
    exponent.reverse();
    modulus.reverse();
    Some(PublicKey::new(&modulus, &exponent))
}

/// [MS-RDPBCGR] 5.3.3.2: the leaf comes last. Its key is read without a look at the algorithm's identifier, since
/// Terminal Servers name a signature's there.
fn chain(mut certificate: Reader<'_>) -> Option<Option<PublicKey>> {
    let count = certificate.u32_le()?;
    let mut leaf = None;
    for _ in 0..count.min(MOST_CERTIFICATES) {
        let length = certificate.u32_le()? as usize;
        leaf = Some(certificate.take(length)?);
    }
    let key = leaf.and_then(|leaf| {
        let (_, leaf) = parse_x509_certificate(leaf).ok()?;
        let mut key = ber(&mut Reader(&leaf.public_key().subject_public_key.data), &[0x30])?;
        let (modulus, exponent) = (ber(&mut key, &[0x02])?, ber(&mut key, &[0x02])?);
        PublicKey::new(modulus.0, exponent.0)
    });
    Some(key)
}

/// [MS-RDPBCGR] 2.2.1.4.4.
fn network(mut block: Reader<'_>, facts: &mut McsFacts) -> Option<()> {
    facts.io_channel = Some(block.u16_le()?);
    let count = block.u16_le()?;
    for _ in 0..usize::from(count).min(MOST_CHANNELS) {
        facts.channels.push(block.u16_le()?);
    }
    Some(())
}

/// The contents of an element with this tag (X.690 8.1).
fn ber<'a>(reader: &mut Reader<'a>, tag: &[u8]) -> Option<Reader<'a>> {
    if reader.take(tag.len())? != tag {
        return None;
    }
    let length = match reader.u8()? {
        0x81 => reader.u8()?.into(),
        0x82 => reader.u16()?.into(),
        short @ 0..=0x7F => short.into(),
        _ => return None,
    };
    reader.take(length).map(Reader)
}

/// X.691 10.9.3.
pub(super) fn per_length(reader: &mut Reader<'_>) -> Option<usize> {
    let first = reader.u8()?;
    match first & 0x80 {
        0 => Some(first.into()),
        _ => Some(usize::from(first & 0x7F) << 8 | usize::from(reader.u8()?)),
    }
}

/// Name of a result, of a Connect Response and of the confirms after it.
pub(crate) fn result_name(result: u32) -> Option<&'static str> {
    RESULTS.get(result as usize).copied()
}

/// T.125 7, Result.
const RESULTS: [&str; 16] = [
    "rt-successful",
    "rt-domain-merging",
    "rt-domain-not-hierarchical",
    "rt-no-such-channel",
    "rt-no-such-domain",
    "rt-no-such-user",
    "rt-not-admitted",
    "rt-other-user-id",
    "rt-parameters-unacceptable",
    "rt-token-not-available",
    "rt-token-not-possessed",
    "rt-too-many-channels",
    "rt-too-many-tokens",
    "rt-too-many-users",
    "rt-unspecified-failure",
    "rt-user-rejected",
];

/// [MS-RDPBCGR] 2.2.1.4.3.
const METHODS: [(u32, &str); 5] = [(0, "none"), (1, "40-bit"), (2, "128-bit"), (8, "56-bit"), (16, "fips")];
const LEVELS: [&str; 5] = ["none", "low", "client-compatible", "high", "fips"];
