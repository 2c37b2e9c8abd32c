//! A ClientHello as a server reads it (RFC 8446 4.1.2).

use rdprobe_report::{CipherSuite, NamedGroup, TlsVersion};

/// What a ClientHello offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientHello {
    /// Its records as they came.
    pub(crate) raw: Vec<u8>,
    /// `legacy_version`.
    pub(crate) legacy_version: u16,
    /// The session id, which TLS 1.3 echoes.
    pub(crate) session_id: Vec<u8>,
    pub(crate) suites: Vec<CipherSuite>,
    /// `supported_versions`, empty where the extension is missing.
    pub(crate) versions: Vec<TlsVersion>,
    /// `supported_groups`; none where the extension is missing.
    pub(crate) groups: Option<Vec<NamedGroup>>,
    /// Groups for which there is a key share.
    pub(crate) key_shares: Vec<NamedGroup>,
    pub(crate) server_name: Option<String>,
    pub(crate) renegotiation_info: bool,
    pub(crate) extended_master_secret: bool,
}

impl ClientHello {
    /// Whether `version` may be chosen: without `supported_versions` everything up to the legacy version.
    pub(crate) fn offers_version(&self, version: TlsVersion) -> bool {
        if self.versions.is_empty() {
            version.0 <= self.legacy_version && version <= TlsVersion::TLS_1_2
        } else {
            self.versions.contains(&version)
        }
    }

    /// From whole TLS records. `Ok(None)` where more is needed, `Err` where this is no ClientHello.
    pub(crate) fn parse(records: &[u8]) -> Result<Option<(Self, usize)>, &'static str> {
        let mut message = Vec::new();
        let mut rest = records;
        loop {
            if let [kind, _, _, _, ..] = message[..]
                && kind != 1
            {
                return Err("a handshake message that is no ClientHello");
            }
            if message.len() >= 4 {
                let length = u32::from_be_bytes([0, message[1], message[2], message[3]]) as usize;
                if message.len() >= 4 + length {
                    let used = records.len() - rest.len();
                    let hello = Self::body(&message[4..4 + length], &records[..used])
                        .ok_or("a ClientHello that cannot be read")?;
                    return Ok(Some((hello, used)));
                }
            }
            match rest {
                [22, 3, _, high, low, after @ ..] => {
                    let length = usize::from(u16::from_be_bytes([*high, *low]));
                    if length > 1 << 14 {
                        return Err("a record that is too long");
                    }
                    if after.len() < length {
                        return Ok(None);
                    }
                    message.extend(&after[..length]);
                    rest = &after[length..];
                }
                [] | [22] | [22, 3] | [22, 3, _] | [22, 3, _, _] => return Ok(None),
                _ => return Err("bytes that are no TLS handshake record"),
            }
        }
    }

    fn body(body: &[u8], raw: &[u8]) -> Option<Self> {
        let mut reader = Reader(body);
        let mut hello = Self { raw: raw.to_vec(), legacy_version: reader.u16()?, ..Self::default() };
        reader.take(32)?;
        hello.session_id = reader.vector8()?.0.to_vec();
        hello.suites = reader.vector16()?.u16s().map(CipherSuite).collect();
        reader.vector8()?;
        if reader.0.is_empty() {
            return Some(hello);
        }
        let mut extensions = reader.vector16()?;
        while !extensions.0.is_empty() {
            let kind = extensions.u16()?;
            let mut data = extensions.vector16()?;
            match kind {
                0x0000 => {
                    let mut list = data.vector16()?;
                    list.take(1)?;
                    hello.server_name = Some(String::from_utf8_lossy(list.vector16()?.0).into_owned());
                }
                0x000A => hello.groups = Some(data.vector16()?.u16s().map(NamedGroup).collect()),
                0x0017 => hello.extended_master_secret = true,
                0x002B => hello.versions = data.vector8()?.u16s().map(TlsVersion).collect(),
                0x0033 => {
                    let mut shares = data.vector16()?;
                    while !shares.0.is_empty() {
                        hello.key_shares.push(NamedGroup(shares.u16()?));
                        shares.vector16()?;
                    }
                }
                0xFF01 => hello.renegotiation_info = true,
                _ => {}
            }
        }
        if hello.suites.contains(&CipherSuite::EMPTY_RENEGOTIATION_INFO_SCSV) {
            hello.renegotiation_info = true;
        }
        Some(hello)
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn vector8(&mut self) -> Option<Reader<'a>> {
        let length = self.take(1)?[0];
        self.take(length.into()).map(Reader)
    }

    fn vector16(&mut self) -> Option<Reader<'a>> {
        let length = self.u16()?;
        self.take(length.into()).map(Reader)
    }

    fn u16s(self) -> impl Iterator<Item = u16> {
        self.0.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
    }
}
