//! Records of an established connection: sealed and opened under CBC, with initialisation vectors as each version has
//! them (RFC 2246 6.2.3.2: the last block of the record before; RFC 4346 6.2.3.2 and later: one in each record).

use rdprobe_report::TlsVersion;

use super::prf::prf;
use crate::tls::cbc::{CbcKeys, RecordHeader};
use crate::tls::record;

/// One direction.
pub(super) struct Records {
    keys: CbcKeys,
    version: TlsVersion,
    sequence: u64,
    /// Before TLS 1.1, the next initialisation vector.
    chained: Option<Vec<u8>>,
}

impl Records {
    /// `iv` is what the key block has for it, and counts before TLS 1.1 alone.
    pub(super) fn new(keys: CbcKeys, version: TlsVersion, iv: &[u8]) -> Self {
        let chained = (version <= TlsVersion::TLS_1_0).then(|| iv.to_vec());
        Self { keys, version, sequence: 0, chained }
    }

    fn header(&mut self, kind: u8) -> RecordHeader {
        let header = RecordHeader { sequence: self.sequence, kind, version: self.version };
        self.sequence += 1;
        header
    }

    fn chain(&mut self, last: &[u8]) {
        if let Some(chained) = &mut self.chained {
            let block = chained.len();
            *chained = last[last.len().saturating_sub(block)..].to_vec();
        }
    }

    /// A whole record. `secret` makes the vectors that nobody may foresee. None where `plain` is too long for one.
    pub(super) fn seal(&mut self, kind: u8, plain: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        let iv = match &self.chained {
            Some(chained) => chained.clone(),
            None => {
                let block = self.keys.algorithms().block_len();
                let iv = prf(TlsVersion::TLS_1_2, secret, "iv", &self.sequence.to_be_bytes(), block);
                body.clone_from(&iv);
                iv
            }
        };
        let header = self.header(kind);
        let sealed = self.keys.seal(header, &iv, plain)?;
        self.chain(&sealed);
        body.extend(sealed);
        whole(kind, self.version, &body)
    }

    /// The plaintext of a record's body; none where it is not of these keys.
    pub(super) fn open(&mut self, kind: u8, body: &[u8]) -> Option<Vec<u8>> {
        let block = self.keys.algorithms().block_len();
        let (iv, sealed) = match &self.chained {
            Some(chained) => (chained.clone(), body),
            None => body.split_at_checked(block).map(|(iv, sealed)| (iv.to_vec(), sealed))?,
        };
        let header = self.header(kind);
        let mut bytes = sealed.to_vec();
        let length = self.keys.open(header, &iv, &mut bytes)?;
        self.chain(sealed);
        bytes.truncate(length);
        Some(bytes)
    }
}

/// A record; none where the body is too long for one.
pub(super) fn whole(kind: u8, version: TlsVersion, body: &[u8]) -> Option<Vec<u8>> {
    let length =
        u16::try_from(body.len()).ok().filter(|length| usize::from(*length) <= record::MAX_LENGTH)?;
    let mut bytes = vec![kind];
    bytes.extend(version.0.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend_from_slice(body);
    Some(bytes)
}

/// Puts records together from bytes as they come.
#[derive(Default)]
pub(super) struct Assembler(Vec<u8>);

impl Assembler {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// How many bytes the record under way still lacks, as far as is known.
    pub(super) fn missing(&self) -> usize {
        let had = self.0.len();
        self.length().map_or(record::HEADER.saturating_sub(had), |length| {
            (record::HEADER + length).saturating_sub(had)
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn length(&self) -> Option<usize> {
        let length = self.0.get(3..record::HEADER)?;
        Some(usize::from(u16::from_be_bytes([length[0], length[1]])))
    }

    /// The next whole record. An error where none has such a header.
    pub(super) fn next(&mut self) -> Result<Option<Record>, String> {
        let Some(length) = self.length() else { return Ok(None) };
        if length > record::MAX_LENGTH {
            return Err(format!("a TLS record that claims {length} bytes"));
        }
        let end = record::HEADER + length;
        if self.0.len() < end {
            return Ok(None);
        }
        let rest = self.0.split_off(end);
        let whole = std::mem::replace(&mut self.0, rest);
        let version = TlsVersion(u16::from_be_bytes([whole[1], whole[2]]));
        Ok(Some(Record { kind: whole[0], version, body: whole[record::HEADER..].to_vec() }))
    }
}

/// A record as it came.
pub(super) struct Record {
    pub(super) kind: u8,
    pub(super) version: TlsVersion,
    pub(super) body: Vec<u8>,
}
