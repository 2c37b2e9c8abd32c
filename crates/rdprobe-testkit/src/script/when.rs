//! Conditions of rules.

use rdprobe_report::{CipherSuite, Protocols, TlsVersion};
use serde::Deserialize;

use super::hello::ClientHello;
use super::wire::Request;

/// Holds where each part that is given holds.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// The connection's number on this address, from 1, in the order of acceptance.
    pub nth: Option<Numbers>,
    /// The connection's number is at least this.
    pub nth_from: Option<u32>,
    /// The connection was accepted while another of the same client was open to this host.
    pub beside: Option<bool>,
    /// The client sent a TLS record first, not X.224.
    pub direct_tls: Option<bool>,
    /// Exactly these protocols are offered; `["RDP"]` where no bit is set.
    pub offer: Option<Protocols>,
    /// One at least of these protocols is offered.
    pub offer_has: Option<Protocols>,
    /// None of these protocols is offered.
    pub offer_lacks: Option<Protocols>,
    /// The request bears negotiation data.
    pub negotiation: Option<bool>,
    /// The request bears a cookie or a routing token.
    pub cookie: Option<bool>,
    /// What the ClientHello is like.
    pub hello: Option<HelloWhen>,
}

/// What a ClientHello is like.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HelloWhen {
    /// This version is offered.
    pub version: Option<TlsVersion>,
    /// This version is not offered.
    pub lacks_version: Option<TlsVersion>,
    /// One at least of these suites is offered.
    pub suite: Vec<CipherSuite>,
    /// It has a server name.
    pub server_name: Option<bool>,
    /// It is larger than so many bytes, record header included.
    pub larger_than: Option<usize>,
}

/// One number or several.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Numbers {
    /// One.
    One(u32),
    /// Several.
    Many(Vec<u32>),
}

/// What is known of a connection so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) nth: u32,
    pub(crate) beside: bool,
    pub(crate) direct_tls: bool,
    pub(crate) request: Option<Request>,
    pub(crate) hello: Option<ClientHello>,
}

impl When {
    /// The client's first bytes must be read before this can be judged.
    pub(crate) fn needs_request(&self) -> bool {
        self.direct_tls.is_some()
            || self.offer.is_some()
            || self.offer_has.is_some()
            || self.offer_lacks.is_some()
            || self.negotiation.is_some()
            || self.cookie.is_some()
    }

    /// The ClientHello must be read before this can be judged.
    pub(crate) fn needs_hello(&self) -> bool {
        self.hello.is_some()
    }

    pub(crate) fn holds(&self, seen: &Seen) -> bool {
        let protocols = seen.request.as_ref().and_then(|request| request.protocols);
        let bits = protocols.map_or(0, |protocols| protocols.0);
        self.nth.as_ref().is_none_or(|nth| match nth {
            Numbers::One(number) => *number == seen.nth,
            Numbers::Many(numbers) => numbers.contains(&seen.nth),
        }) && self.nth_from.is_none_or(|first| seen.nth >= first)
            && self.beside.is_none_or(|beside| beside == seen.beside)
            && self.direct_tls.is_none_or(|direct| direct == seen.direct_tls)
            && self.offer.is_none_or(|offer| protocols == Some(offer))
            && self.offer_has.is_none_or(|offer| bits & offer.0 != 0)
            && self.offer_lacks.is_none_or(|offer| bits & offer.0 == 0)
            && self.negotiation.is_none_or(|wanted| wanted == protocols.is_some())
            && self.cookie.is_none_or(|wanted| {
                wanted == seen.request.as_ref().is_some_and(|request| request.cookie.is_some())
            })
            && self
                .hello
                .as_ref()
                .is_none_or(|wanted| seen.hello.as_ref().is_some_and(|hello| wanted.holds(hello)))
    }
}

impl HelloWhen {
    fn holds(&self, hello: &ClientHello) -> bool {
        self.version.is_none_or(|version| hello.offers_version(version))
            && self.lacks_version.is_none_or(|version| !hello.offers_version(version))
            && (self.suite.is_empty() || self.suite.iter().any(|suite| hello.suites.contains(suite)))
            && self.server_name.is_none_or(|wanted| wanted == hello.server_name.is_some())
            && self.larger_than.is_none_or(|limit| hello.raw.len() > limit)
    }
}
