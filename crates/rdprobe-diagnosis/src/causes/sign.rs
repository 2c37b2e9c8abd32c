//! Signs: what can be read off a report, each with the sentence and the pointers that show it.

use rdprobe_report::facts::{Nla, SignatureCheck};
use rdprobe_report::{ClientOutcome, FailureKind, Phase, PhaseOutcome, Protocol, TlsVersion};

use super::Seen;
use crate::knowledge::Sign;
use crate::usual_port;

/// dwErrorCode ([MS-RDPBCGR] 2.2.1.12.1.3).
const STATUS_VALID_CLIENT: u32 = 7;

impl Seen<'_> {
    /// All of the signs were seen.
    pub(crate) fn shows(self, signs: &[Sign]) -> bool {
        signs.iter().all(|sign| sign.seen(self).is_some())
    }
}

impl Sign {
    /// Pointers to what shows it; none where it was not seen.
    pub(super) fn seen(self, seen: Seen<'_>) -> Option<Vec<String>> {
        if let Self::Finding(code) = self {
            let finding = seen.finding(code)?;
            let own = finding.evidence.clone();
            return Some(if own.is_empty() { vec![seen.pointer(finding.phase)] } else { own });
        }
        if self == Self::UsualPortAnswers {
            let look = usual_port::answers(&seen.report.attempts)?;
            return Some(vec![format!("/attempts/{}", look.id)]);
        }
        let (holds, phase, field) = self.read(seen);
        let pointer =
            if field.is_empty() { seen.pointer(phase) } else { format!("{}/{field}", seen.pointer(phase)) };
        holds.then(|| vec![pointer])
    }

    /// Whether it holds, and where that stands.
    fn read(self, seen: Seen<'_>) -> (bool, Phase, &'static str) {
        use Phase::{Certificate, Credssp, Dns, Licensing, Tcp, Tls, Udp, X224};
        let phases = &seen.report.phases;
        let certificate = &phases.certificate.facts;
        let credssp = &phases.credssp.facts;
        let host = seen.report.target.host.as_str();
        let failed = |kind| phases.tcp.failure.as_ref().is_some_and(|failure| failure.kind == kind);
        let version = phases.tls.facts.version;
        match self {
            Self::Finding(_) | Self::UsualPortAnswers => (false, Dns, ""),
            Self::NameResolves => (!phases.dns.facts.literal && seen.ok(Dns), Dns, "addresses"),
            Self::AddressesAgree => {
                let agree = seen.finding("dns-addresses-disagree").is_none();
                (!phases.dns.facts.literal && seen.ok(Dns) && agree, Dns, "addresses")
            }
            Self::NameIsAddress => (phases.dns.facts.literal, Dns, "literal"),
            Self::SingleLabel => (!phases.dns.facts.literal && !host.contains('.'), Dns, ""),
            Self::DotLocal => (host.to_ascii_lowercase().ends_with(".local"), Dns, ""),
            Self::TcpAccepts => (seen.ok(Tcp), Tcp, "outcome"),
            Self::TcpRefused => (failed(FailureKind::Refused), Tcp, "failure"),
            Self::TcpSilent => (failed(FailureKind::Timeout), Tcp, "failure"),
            Self::OtherPort => (!seen.is_default_port(), Tcp, ""),
            Self::ThisComputer => (seen.is_this_computer(), Tcp, ""),
            Self::X224Confirms => (seen.ok(X224), X224, "outcome"),
            Self::X224Ends => {
                let kind = phases.x224.failure.as_ref().map(|failure| failure.kind);
                let ends = [FailureKind::Reset, FailureKind::Closed, FailureKind::Timeout];
                (kind.is_some_and(|kind| ends.contains(&kind)), X224, "failure")
            }
            Self::NlaRequired => (seen.nla() == Some(Nla::Required), X224, "nla"),
            Self::NlaOptional => (seen.nla() == Some(Nla::Optional), X224, "nla"),
            Self::NlaUnsupported => (seen.nla() == Some(Nla::Unsupported), X224, "nla"),
            Self::RdpOnly => (seen.selected() == Some(Protocol::RDP), X224, "selected"),
            Self::TlsCompletes => (seen.ok(Tls), Tls, "outcome"),
            Self::TlsFails => (seen.outcome(Tls) == PhaseOutcome::Failed, Tls, "outcome"),
            Self::TlsModern => (
                seen.ok(Tls) && version.is_some_and(|version| version >= TlsVersion::TLS_1_2),
                Tls,
                "version",
            ),
            Self::TlsOld => {
                (seen.ok(Tls) && version.is_some_and(|version| version < TlsVersion::TLS_1_2), Tls, "version")
            }
            Self::CertificateInDates => {
                let wrong =
                    ["cert-expired", "cert-not-yet-valid"].iter().any(|code| seen.finding(code).is_some());
                (certificate.not_after.is_some() && !wrong, Certificate, "not_after")
            }
            Self::SelfSigned => (certificate.self_signed == Some(true), Certificate, "self_signed"),
            Self::CertificateTrusted => (certificate.trusted == Some(true), Certificate, "trusted"),
            Self::CertificateUntrusted => {
                (certificate.trusted == Some(false) && certificate.sha256.is_some(), Certificate, "trusted")
            }
            Self::CertificateNamed => (
                certificate.sha256.is_some() && seen.finding("cert-name-mismatch").is_none(),
                Certificate,
                "sha256",
            ),
            Self::KeyProved => (
                certificate.signature_check == Some(SignatureCheck::Verified),
                Certificate,
                "signature_check",
            ),
            Self::CredsspChallenges => (seen.ok(Credssp), Credssp, "outcome"),
            Self::CredsspCurrent => (credssp.version.is_some_and(|version| version >= 5), Credssp, "version"),
            Self::DomainMember => (seen.domain_member() == Some(true), Credssp, "netbios_domain"),
            Self::Workgroup => (seen.domain_member() == Some(false), Credssp, "netbios_domain"),
            Self::ClockInStep => {
                (credssp.skew_ms.is_some() && seen.finding("clock-skew").is_none(), Credssp, "skew_ms")
            }
            Self::OtherNameAnswers => {
                let label = |name: &str| name.split('.').next().unwrap_or_default().to_ascii_lowercase();
                let other = seen.computer().is_some_and(|name| label(name) != label(host));
                (other && !phases.dns.facts.literal, Credssp, "netbios_computer")
            }
            Self::LogonAccepted => (credssp.accepted, Credssp, "accepted"),
            Self::LogonAuthorized => {
                (credssp.authorization_result == Some(0), Credssp, "authorization_result")
            }
            Self::ClientConnects => {
                let outcome = seen.report.verdict.client_outcome;
                let connects = [ClientOutcome::Connects, ClientOutcome::ConnectsWithWarning];
                (connects.contains(&outcome), X224, "outcome")
            }
            Self::LicenceGranted => {
                let granted = phases.licensing.facts.error_code == Some(STATUS_VALID_CLIENT);
                (granted, Licensing, "error_code")
            }
            Self::UdpAnswers => (seen.ok(Udp), Udp, "outcome"),
            Self::UdpSilent => (phases.udp.facts.sent > 0 && phases.udp.facts.received == 0, Udp, "received"),
        }
    }

    /// What it says, as half a sentence.
    pub(super) fn says(self, seen: Seen<'_>) -> String {
        if let Self::Finding(code) = self {
            return seen.finding(code).map_or_else(|| code.to_owned(), |finding| finding.summary.clone());
        }
        match self {
            Self::Finding(_) => "",
            Self::NameResolves => "the name resolves",
            Self::AddressesAgree => "the name resolves, and all of its addresses answer alike",
            Self::NameIsAddress => "an address was given, so no name is involved",
            Self::SingleLabel => "the name has a single label",
            Self::DotLocal => "the name ends in .local",
            Self::TcpAccepts => "the port takes TCP connections",
            Self::TcpRefused => "the port refuses TCP connections",
            Self::TcpSilent => "no SYN was answered",
            Self::OtherPort => "another port than 3389 was asked",
            Self::UsualPortAnswers => "port 3389 of the same address answers as Remote Desktop",
            Self::ThisComputer => "the target is this very computer",
            Self::X224Confirms => "the listener answers as Remote Desktop",
            Self::X224Ends => "the connection gives no Connection Confirm",
            Self::NlaRequired => "the host requires NLA",
            Self::NlaOptional => "the host takes clients without NLA",
            Self::NlaUnsupported => "the host offers no NLA",
            Self::RdpOnly => "the host selects standard RDP security",
            Self::TlsCompletes => "the TLS handshake completes",
            Self::TlsFails => "the TLS handshake fails",
            Self::TlsModern => "TLS 1.2 or later is negotiated",
            Self::TlsOld => "TLS 1.1 or earlier is all there is",
            Self::CertificateInDates => "the certificate is in its dates",
            Self::SelfSigned => "the certificate is self-signed",
            Self::CertificateTrusted => "the certificate's chain is trusted here",
            Self::CertificateUntrusted => "the certificate's chain is not trusted here",
            Self::CertificateNamed => "the certificate bears the name that was asked for",
            Self::KeyProved => "the host proved that it can use its private key",
            Self::CredsspChallenges => "CredSSP answers with a challenge",
            Self::CredsspCurrent => "CredSSP's version has the fix of 2018",
            Self::DomainMember => "the host belongs to a domain",
            Self::Workgroup => "the host belongs to no domain",
            Self::ClockInStep => "the host's clock is in step with ours",
            Self::OtherNameAnswers => "the machine that answered bears another name",
            Self::LogonAccepted => "the credentials were accepted",
            Self::LogonAuthorized => "the account may log on through Remote Desktop",
            Self::ClientConnects => "the reference client gets through to the logon",
            Self::LicenceGranted => "the host lets a client in that has no licence",
            Self::UdpAnswers => "UDP answers",
            Self::UdpSilent => "UDP does not answer",
        }
        .into()
    }
}
