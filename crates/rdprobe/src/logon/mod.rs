//! The logon with credentials: CredSSP ([MS-CSSP]) from the first token to the verified `pubKeyAuth`.
//!
//! The exchange is driven here, on a security context of `sspi`, so that what a host answers is kept before a library
//! makes an error of it, and so that nothing is sent that was not asked for: without `--authorization` the password
//! is never put into a message.

pub(crate) mod account;
mod credssp;
mod kdc;
mod mechanism;
mod security;
mod stop;

pub use account::{Account, Package};
pub use kdc::Kdc;

use rdprobe_diagnosis::{Ground, unsafe_for_credentials};
use rdprobe_protocol::{Concluded, certificate, path};
use rdprobe_report::facts::CredsspFacts;
use rdprobe_report::{Facts, Failure, FailureKind, LocalFault, Protocol};
use tokio::time::timeout_at;

use self::account::Turn;
use self::credssp::Exchange;
use self::mechanism::Mechanism;
use self::stop::Stop;
use crate::channel::Channel;
use crate::context::Context;
use crate::drive::Until;
use crate::network::Network;

/// A logon whose turn has come.
pub(crate) struct Ready {
    turn: Turn,
    mechanism: Mechanism,
    reason: Option<String>,
}

/// Decides how to log on and waits for the account's turn.
///
/// # Errors
/// Why no logon can be tried.
pub(crate) async fn prepare<N: Network>(context: &Context<'_, N>, spnego: bool) -> Result<Ready, String> {
    let account = context.account.ok_or("no account was given")?;
    let (mechanism, reason) = choose(account, context.server_name, spnego)?;
    let turn = timeout_at(context.deadline(), account.turn())
        .await
        .map_err(|_| "its turn after the other targets did not come before the deadline")??;
    Ok(Ready { turn, mechanism, reason })
}

/// The mechanism, and for `negotiate` why it is this one.
fn choose(account: &Account, host: &str, spnego: bool) -> Result<(Mechanism, Option<String>), String> {
    let ntlm = if spnego { Mechanism::NtlmInSpnego } else { Mechanism::Ntlm };
    match (account.wanted_package(), no_kerberos(account, host)) {
        (Package::Ntlm, _) => Ok((ntlm, None)),
        (Package::Kerberos, None) => Ok((Mechanism::Kerberos, None)),
        (Package::Kerberos, Some(why)) => Err(format!("Kerberos cannot work: {why}")),
        (Package::Negotiate, None) => {
            Ok((Mechanism::Kerberos, Some("a KDC was named and the host is known by name".into())))
        }
        (Package::Negotiate, Some(why)) => Ok((ntlm, Some(format!("no Kerberos: {why}")))),
    }
}

/// Why Kerberos cannot work here, as far as that is known beforehand.
fn no_kerberos(account: &Account, host: &str) -> Option<String> {
    if host.parse::<std::net::IpAddr>().is_ok() {
        return Some(format!(
            "{host} is an address, and tickets are issued for names (TERMSRV/name); give the host's name, or \
             --server-name"
        ));
    }
    if account.realm().is_none() {
        return Some("the account has no realm; give --domain REALM or user@realm".into());
    }
    if account.key_distribution_centre().is_none() {
        return Some(
            "no key distribution centre is looked up here; name a domain controller with --kdc HOST[:PORT]"
                .into(),
        );
    }
    None
}

/// What came of a logon.
pub(crate) struct Outcome {
    pub(crate) concluded: Concluded,
    /// The time ran out first.
    pub(crate) timed_out: bool,
}

/// Runs the logon over a channel whose phases ended with these facts, where it too is good enough to send credentials
/// over.
pub(crate) async fn run<N: Network>(
    context: &Context<'_, N>,
    channel: &mut Channel<N::Stream>,
    ready: Ready,
    ground: &Ground,
    facts: &[Facts],
    until: Until,
) -> Outcome {
    let public_key = match safe_key(context, ground, facts) {
        Ok(public_key) => public_key,
        Err(why) => return Outcome { concluded: not_tried(context, why), timed_out: false },
    };
    let mut exchange = Exchange {
        network: context.network,
        channel,
        facts: CredsspFacts {
            package: Some(ready.mechanism.package()),
            package_reason: ready.reason,
            account: Some(ready.turn.account().name()),
            spnego: ready.mechanism != Mechanism::Ntlm,
            ..CredsspFacts::default()
        },
        turn: ready.turn,
        mechanism: ready.mechanism,
        target: format!("TERMSRV/{}", context.server_name.trim_end_matches('.')),
        public_key,
        early_authorization: path::selected(facts) == Some(Protocol::HYBRID_EX),
        until,
        timed_out: false,
    };
    let stop = exchange.run().await.err();
    let mut facts = exchange.facts;
    let failure = stop.map(|stop| match stop {
        Stop::NotTried(why) => {
            facts.not_tried = Some(why.clone());
            Failure::local(LocalFault::Options, why)
        }
        Stop::Kerberos(error) => {
            let kind = if error.code.is_some() { FailureKind::Rejected } else { FailureKind::Unreachable };
            let name = error.name.clone().or_else(|| error.text.clone());
            facts.kerberos_error = Some(*error);
            Failure::new(kind, name.unwrap_or_else(|| "a Kerberos error".into()))
        }
        Stop::Failed(failure) => failure,
    });
    Outcome {
        concluded: Concluded { facts: Facts::Credssp(Box::new(facts)), failure },
        timed_out: exchange.timed_out,
    }
}

/// The key of the certificate that this connection showed, to which the logon is bound.
///
/// # Errors
/// Why no credentials go over it: the certificate is not the one that was judged, or would not have been judged good
/// enough.
fn safe_key<N: Network>(
    context: &Context<'_, N>,
    ground: &Ground,
    facts: &[Facts],
) -> Result<Vec<u8>, String> {
    let shown = facts.iter().find_map(|facts| match facts {
        Facts::Certificate(facts) => Some(facts),
        _ => None,
    });
    let shown = shown.ok_or("the connection for it showed no certificate")?;
    if shown.sha256.is_none() || shown.sha256 != ground.certificate {
        return Err("the connection for it showed another certificate than the one that was judged".into());
    }
    if let Some(why) = unsafe_for_credentials(shown, context.server_name, context.options) {
        return Err(why);
    }
    certificate::subject_public_key(shown).ok_or_else(|| "the certificate's key cannot be read".into())
}

/// The step of a logon that was not tried.
pub(crate) fn not_tried<N: Network>(context: &Context<'_, N>, why: String) -> Concluded {
    let facts = CredsspFacts {
        account: context.account.map(|account| account.name()),
        not_tried: Some(why.clone()),
        ..CredsspFacts::default()
    };
    Concluded {
        facts: Facts::Credssp(Box::new(facts)),
        failure: Some(Failure::local(LocalFault::Options, why)),
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn account(package: Package, kdc: bool) -> Account {
        Account::new("alice", Zeroizing::default())
            .domain("CORP.EXAMPLE")
            .package(package)
            .kdc(kdc.then(|| "192.0.2.1".parse().unwrap()))
    }

    #[test]
    fn kerberos_says_why_it_cannot_work() {
        let by_address = choose(&account(Package::Kerberos, true), "192.0.2.7", false).unwrap_err();
        assert!(by_address.contains("192.0.2.7 is an address"), "{by_address}");
        let no_kdc = choose(&account(Package::Kerberos, false), "host", false).unwrap_err();
        assert!(no_kdc.contains("--kdc HOST"), "{no_kdc}");
        let no_realm = account(Package::Kerberos, true).domain("");
        let no_realm = choose(&no_realm, "host", false).unwrap_err();
        assert!(no_realm.contains("--domain REALM"), "{no_realm}");
    }

    #[test]
    fn negotiate_says_what_it_took() {
        let (mechanism, reason) = choose(&account(Package::Negotiate, true), "host", false).unwrap();
        assert_eq!(mechanism, Mechanism::Kerberos);
        assert!(reason.is_some());
        let (mechanism, reason) = choose(&account(Package::Negotiate, true), "192.0.2.7", true).unwrap();
        assert_eq!(mechanism, Mechanism::NtlmInSpnego);
        assert!(reason.unwrap().contains("is an address"));
        assert_eq!(choose(&account(Package::Ntlm, true), "host", false), Ok((Mechanism::Ntlm, None)));
    }
}
