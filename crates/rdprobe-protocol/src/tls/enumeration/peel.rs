//! One version: its suites, and the groups of its key exchange.

use rdprobe_report::{Authentication, Cipher, CipherSuite, KeyExchange, Mac, NamedGroup, TlsVersion};

use super::pool::Pool;
use super::question::{all_groups, is_usual};

/// What is known of one version.
#[derive(Debug)]
pub(super) struct Peel {
    pub(super) version: TlsVersion,
    /// Whether the host speaks it.
    pub(super) accepted: Option<bool>,
    pub(super) suites: Pool<CipherSuite>,
    pub(super) groups: Pool<NamedGroup>,
    /// Suites and groups may be peeled with the same hello.
    pub(super) narrows: bool,
    /// TLS 1.3 wants a key share with the hello.
    pub(super) key_shares: bool,
    /// A hello of this enumeration was answered.
    pub(super) answered: bool,
    /// Kinds of certificates that were seen.
    kinds: Vec<Authentication>,
    pub(super) preference_asked: bool,
}

impl Peel {
    pub(super) fn new(version: TlsVersion, lanes: usize) -> Self {
        let mut suites: Vec<CipherSuite> =
            CipherSuite::registered().filter(|suite| suite.fits(version)).collect();
        suites.sort_by_key(|suite| rank(*suite, version));
        // In TLS 1.2 and below a finite-field group is not chosen from the list.
        let is_13 = version >= TlsVersion::TLS_1_3;
        let groups =
            all_groups(version).into_iter().filter(|group| is_13 || !group.is_finite_field()).collect();
        Self {
            version,
            accepted: None,
            // Three suites of TLS 1.3 are no reason for parts.
            suites: Pool::new(suites, 1, if is_13 { 1 } else { lanes }),
            groups: Pool::new(groups, lanes, lanes),
            narrows: true,
            key_shares: false,
            answered: false,
            kinds: Vec::new(),
            preference_asked: false,
        }
    }

    pub(super) fn find(&mut self, suite: CipherSuite, group: Option<NamedGroup>) {
        self.accepted = Some(true);
        self.suites.find(suite);
        if let Some(group) = group {
            self.groups.find(group);
        }
        if let Some(kind) = suite.authentication()
            && !self.kinds.contains(&kind)
        {
            self.kinds.push(kind);
        }
    }

    /// Whether the host may be expected to have this suite, by what was found so far.
    pub(super) fn expects(&self) -> impl Fn(CipherSuite) -> bool + use<> {
        let (version, kinds) = (self.version, self.kinds.clone());
        move |suite| {
            let kind = suite.authentication();
            is_likely(suite, version) && (kinds.is_empty() || kind.is_some_and(|kind| kinds.contains(&kind)))
        }
    }

    /// Suites that are known to be accepted and that show a group.
    pub(super) fn ephemeral(&self) -> Vec<CipherSuite> {
        self.suites.found().iter().copied().filter(|suite| shows_group(*suite)).collect()
    }
}

/// Whether the key exchange of the suite is in a group from the list.
pub(super) fn shows_group(suite: CipherSuite) -> bool {
    matches!(suite.key_exchange(), Some(KeyExchange::Ecdhe | KeyExchange::Tls13))
}

/// Whether a group may be expected of a host.
pub(super) fn is_likely_group(group: NamedGroup) -> bool {
    is_usual(group)
}

/// What common libraries offer as they are shipped.
fn is_likely(suite: CipherSuite, version: TlsVersion) -> bool {
    use Cipher::{Aes128Cbc, Aes128Gcm, Aes256Cbc, Aes256Gcm, ChaCha20Poly1305};
    if suite.mac() == Some(Mac::Ripemd160) {
        return false;
    }
    let certified = matches!(suite.authentication(), Some(Authentication::Rsa | Authentication::Ecdsa));
    let exchanged =
        matches!(suite.key_exchange(), Some(KeyExchange::Ecdhe | KeyExchange::Dhe | KeyExchange::Rsa));
    match suite.cipher() {
        _ if version >= TlsVersion::TLS_1_3 => matches!(suite.0, 0x1301..=0x1303),
        Some(Aes128Cbc | Aes256Cbc) => {
            certified && exchanged && (version >= TlsVersion::TLS_1_2 || suite.mac() == Some(Mac::Sha1))
        }
        Some(Aes128Gcm | Aes256Gcm | ChaCha20Poly1305) => {
            certified && exchanged && version >= TlsVersion::TLS_1_2
        }
        // TLS_RSA_WITH_3DES_EDE_CBC_SHA and TLS_RSA_WITH_RC4_128_SHA, which hosts of that age have.
        _ if version < TlsVersion::TLS_1_2 => matches!(suite.0, 0x000A | 0x0005),
        _ => false,
    }
}

/// The order of a hello: what is likely first, by the key exchange and then by the cipher. A server that reads only so
/// many suites, or has all of them, shows what matters first.
fn rank(suite: CipherSuite, version: TlsVersion) -> (bool, u8, u8, u16) {
    let exchange = match (suite.key_exchange(), suite.authentication()) {
        (Some(KeyExchange::Ecdhe), Some(Authentication::Ecdsa)) => 0,
        (Some(KeyExchange::Ecdhe), Some(Authentication::Rsa)) => 1,
        (Some(KeyExchange::Dhe), Some(Authentication::Rsa)) => 2,
        (Some(KeyExchange::Rsa), Some(Authentication::Rsa)) => 3,
        _ => 4,
    };
    let cipher = match suite.cipher() {
        Some(Cipher::Aes256Gcm) => 0,
        Some(Cipher::Aes128Gcm) => 1,
        Some(Cipher::ChaCha20Poly1305) => 2,
        Some(Cipher::Aes256Cbc) => 3,
        Some(Cipher::Aes128Cbc) => 4,
        _ => 5,
    };
    match is_likely(suite, version) {
        true => (false, exchange, cipher, suite.0),
        false => (true, 0, 0, suite.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_version_cannot_negotiate_is_not_asked() {
        let count = |version| {
            let mut peel = Peel::new(version, 4);
            peel.suites.deal_all().len()
        };
        assert!(count(TlsVersion::TLS_1_2) > 360 && count(TlsVersion::TLS_1_3) < 20);
    }

    #[test]
    fn an_rsa_certificate_makes_other_kinds_unlikely() {
        let mut peel = Peel::new(TlsVersion::TLS_1_2, 4);
        let (ecdsa, rsa) = (CipherSuite(0xC02B), CipherSuite(0xC02F));
        assert!(peel.expects()(ecdsa) && peel.expects()(rsa));
        peel.find(rsa, None);
        assert!(!peel.expects()(ecdsa) && peel.expects()(CipherSuite(0xC030)));
    }
}
