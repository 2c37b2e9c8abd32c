//! One question of an enumeration, and the hello that asks it.

use rdprobe_report::facts::{About, Asked, SuiteList};
use rdprobe_report::hello::{Extension, Limits, ProfileKind};
use rdprobe_report::{CipherSuite, HelloProfile, NamedGroup, SignatureScheme, TlsVersion};

/// A name that no host has (RFC 6761 6.4).
pub const NOBODY: &str = "rdprobe-asks-for-nobody.invalid";
/// Protocols for which a web server would be asked.
const APPLICATION_PROTOCOLS: [&str; 2] = ["h2", "http/1.1"];
/// Groups that come first in a hello, as clients have them.
const USUAL_GROUPS: [u16; 5] = [0x001D, 0x0017, 0x0018, 0x0019, 0x001E];
/// DEFLATE (RFC 3749) before none.
const COMPRESSION: [u8; 2] = [1, 0];

/// What a question is dealt from, and so what its answer settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Whether there is such a version at all, with every suite.
    Opening,
    /// A part of the suites; of the groups too, where both are peeled at once.
    Suites {
        /// Only a part of the groups is offered.
        narrowed: bool,
    },
    /// A part of the groups with suites that are known to be accepted.
    Groups,
    /// Two suites, in the order against which none was chosen yet.
    Preference,
    /// Another name than the host's, or an application protocol, with a part of the suites (dealt) or known ones.
    Aside {
        /// The suites are a part that was dealt.
        dealt: bool,
    },
    /// The hello of a client.
    Client,
    /// A hello that was answered before.
    Control,
}

/// One question.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) asked: Asked,
    pub(super) kind: Kind,
    /// The part of the groups that was dealt for it.
    pub(super) groups: Vec<NamedGroup>,
    /// How often it was asked already.
    pub(super) tries: u32,
    /// To be asked while nothing else is.
    pub(super) alone: bool,
}

impl Question {
    pub(super) fn new(kind: Kind, about: About, version: TlsVersion, suites: Vec<CipherSuite>) -> Self {
        let asked = Asked {
            about,
            client: None,
            version: Some(version),
            suites: SuiteList(suites),
            groups: None,
            key_shares: false,
            server_name: None,
        };
        Self { asked, kind, groups: Vec::new(), tries: 0, alone: false }
    }

    pub(super) fn version(&self) -> TlsVersion {
        self.asked.version.unwrap_or(TlsVersion::TLS_1_2)
    }

    pub(super) fn suites(&self) -> &[CipherSuite] {
        &self.asked.suites.0
    }
}

/// The groups that a hello offers for a version, where none are left out: the usual ones first.
pub(super) fn all_groups(version: TlsVersion) -> Vec<NamedGroup> {
    let usual = USUAL_GROUPS.map(NamedGroup);
    let rest = NamedGroup::registered().filter(|group| group.fits(version) && !usual.contains(group));
    let (known, odd): (Vec<_>, Vec<_>) = rest.partition(|group| is_usual(*group));
    usual.into_iter().chain(known).chain(odd).collect()
}

/// A group that many hosts have.
pub(super) fn is_usual(group: NamedGroup) -> bool {
    USUAL_GROUPS.contains(&group.0) || group.is_finite_field()
}

/// The hello that asks this; none where it names a client that is not known.
pub fn profile(asked: &Asked) -> Option<HelloProfile> {
    if let Some(client) = &asked.client {
        return HelloProfile::client(client).cloned();
    }
    let version = asked.version.unwrap_or(TlsVersion::TLS_1_2);
    let is_13 = version >= TlsVersion::TLS_1_3;
    let groups = asked.groups.clone().unwrap_or_else(|| all_groups(version));
    let shares = [NamedGroup::X25519, NamedGroup::SECP256R1, NamedGroup::SECP384R1];
    let mut extensions = vec![Extension::ServerName, Extension::SupportedGroups];
    if is_13 {
        extensions.extend([
            Extension::SignatureAlgorithms,
            Extension::SupportedVersions,
            Extension::PskKeyExchangeModes,
            Extension::KeyShare,
        ]);
    } else {
        extensions.push(Extension::EcPointFormats);
        if version >= TlsVersion::TLS_1_2 {
            extensions.push(Extension::SignatureAlgorithms);
        }
        if asked.about == About::Alpn {
            extensions.push(Extension::ApplicationLayerProtocolNegotiation);
        }
        extensions.extend([Extension::ExtendedMasterSecret, Extension::RenegotiationInfo]);
    }
    if version <= TlsVersion::SSL_3_0 {
        // SSL 3.0 has none.
        extensions.clear();
    }
    Some(HelloProfile {
        id: "tls-enumeration".into(),
        title: "one hello of an enumeration".into(),
        short: String::new(),
        kind: ProfileKind::Experiment,
        basis: "an experiment, no client".into(),
        source: String::new(),
        record_version: version.min(TlsVersion::TLS_1_0),
        versions: vec![version],
        suites: asked.suites.0.clone(),
        key_shares: if asked.key_shares {
            shares.into_iter().filter(|share| groups.contains(share)).collect()
        } else {
            Vec::new()
        },
        groups,
        signature_schemes: SignatureScheme::registered().collect(),
        extensions,
        session_id: true,
        compression: if is_13 { vec![0] } else { COMPRESSION.to_vec() },
        point_formats: vec![0],
        alpn: APPLICATION_PROTOCOLS.map(str::to_owned).to_vec(),
        limits: Limits::default(),
    })
}
