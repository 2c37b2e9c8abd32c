//! The names of what can be seen of a host; `causes/sign.rs` reads them off a report.

/// What can be seen of a host. `knowledge/causes/*.toml` names them in kebab-case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sign {
    /// The finding with this code stands: `finding:tls-key-unusable`.
    Finding(&'static str),
    /// The name resolves.
    NameResolves,
    /// The name resolves, and its addresses come to the same end.
    AddressesAgree,
    /// An address was given instead of a name.
    NameIsAddress,
    /// The name has no dot.
    SingleLabel,
    /// The name ends in `.local`.
    DotLocal,
    /// TCP connects.
    TcpAccepts,
    /// RST, or ICMP port unreachable, in answer to the SYN.
    TcpRefused,
    /// No answer to any SYN.
    TcpSilent,
    /// Another port than 3389 was asked.
    OtherPort,
    /// The port that was asked has no Remote Desktop, and 3389 of the same address has.
    UsualPortAnswers,
    /// The target is this very computer.
    ThisComputer,
    /// X.224 is confirmed.
    X224Confirms,
    /// The connection ends, or stays silent, where the Connection Confirm is due.
    X224Ends,
    /// NLA is required.
    NlaRequired,
    /// NLA is on offer and not required.
    NlaOptional,
    /// NLA is not on offer.
    NlaUnsupported,
    /// Standard RDP security is all there is.
    RdpOnly,
    /// The reference client's TLS handshake completes.
    TlsCompletes,
    /// TLS fails for the reference client.
    TlsFails,
    /// TLS 1.2 or later.
    TlsModern,
    /// TLS 1.1 or earlier.
    TlsOld,
    /// The certificate is in its dates.
    CertificateInDates,
    /// The certificate is self-signed.
    SelfSigned,
    /// The certificate's chain is trusted here.
    CertificateTrusted,
    /// The certificate is trusted neither here nor, being self-signed, anywhere.
    CertificateUntrusted,
    /// The certificate bears the name that was asked for.
    CertificateNamed,
    /// The host proved to hold its private key.
    KeyProved,
    /// CredSSP answers with a challenge.
    CredsspChallenges,
    /// CredSSP's version has the fix of 2018.
    CredsspCurrent,
    /// The host belongs to a domain.
    DomainMember,
    /// The host belongs to no domain.
    Workgroup,
    /// The host's clock is in step with ours.
    ClockInStep,
    /// The machine that answered bears another name.
    OtherNameAnswers,
    /// The credentials were accepted.
    LogonAccepted,
    /// The account may log on through Remote Desktop.
    LogonAuthorized,
    /// The reference client gets through to the logon.
    ClientConnects,
    /// The host lets clients in without a licence.
    LicenceGranted,
    /// UDP answers.
    UdpAnswers,
    /// UDP does not answer.
    UdpSilent,
}
