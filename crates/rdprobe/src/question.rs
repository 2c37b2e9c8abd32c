//! What a probe asks, by setters.

use std::fmt;

use rdprobe_report::{HelloProfile, TlsPolicy, UdpQuestion};

use crate::probe::Probe;

/// No reference client has this id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownClient(String);

impl fmt::Display for UnknownClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<&str> = HelloProfile::clients().map(|client| client.id.as_str()).collect();
        write!(f, "no client is called {:?}; known are {}", self.0, known.join(", "))
    }
}

impl std::error::Error for UnknownClient {}

impl Probe {
    /// Whose verdict it is: the client that the user has, by the id of its hello profile.
    ///
    /// # Errors
    /// Where no client has this id.
    pub fn client(mut self, id: &str) -> Result<Self, UnknownClient> {
        if HelloProfile::client(id).is_none() {
            return Err(UnknownClient(id.into()));
        }
        self.options.client = id.into();
        Ok(self)
    }

    /// A name for TLS and the certificate, instead of the host.
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.options.server_name = Some(name.into());
        self
    }

    /// The text after `Cookie: ` in every Connection Request.
    pub fn cookie(mut self, cookie: impl Into<String>) -> Self {
        self.options.cookie = Some(cookie.into());
        self
    }

    /// A load balancer's routing token in every Connection Request.
    pub fn routing_token(mut self, token: impl Into<String>) -> Self {
        self.options.routing_token = Some(token.into());
        self
    }

    /// The user's client uses no NLA.
    pub fn without_nla(mut self) -> Self {
        self.options.no_nla = true;
        self
    }

    /// Asks about RDSTLS and Entra ID too.
    pub fn all_offers(mut self) -> Self {
        self.options.offers = true;
        self
    }

    /// Asks the default questions one after the other where one may answer the next: for many targets.
    pub fn in_turn(mut self) -> Self {
        self.options.in_turn = true;
        self
    }

    /// Goes on to the MCS Connect Response where the host selects no CredSSP: one round trip more.
    pub fn mcs(mut self) -> Self {
        self.options.mcs = true;
        self
    }

    /// Goes on to the first licence message where the host selects no CredSSP: four round trips more. It is read and
    /// never answered; a host that lets the client in goes on unasked, and a Windows host may make a session there.
    pub fn licensing(mut self) -> Self {
        self.options.licensing = true;
        self.options.mcs = true;
        self
    }

    /// Enumerates every version, suite and group that the host speaks, and asks it as every client does, after all that
    /// decides the verdict: some fifty connections more.
    pub fn enumerate_tls(mut self) -> Self {
        self.options.tls = true;
        self
    }

    /// The same, and says what the host would have to change for this policy.
    pub fn tls_policy(mut self, policy: TlsPolicy) -> Self {
        self.options.tls_policy = Some(policy);
        self.enumerate_tls()
    }

    /// Connections to the host at once, one at the least.
    pub fn parallel(mut self, connections: u32) -> Self {
        self.options.parallel = connections.max(1);
        self
    }

    /// How much is asked over UDP.
    pub fn udp(mut self, question: UdpQuestion) -> Self {
        self.options.udp = question;
        self
    }

    /// The port of the UDP listener, where it is not the TCP one.
    pub fn udp_port(mut self, port: u16) -> Self {
        self.options.udp_port = Some(port);
        self
    }

    /// Allows the logon over a certificate that is neither trusted nor pinned.
    #[cfg(feature = "logon")]
    pub fn accept_untrusted_certificate(mut self) -> Self {
        self.options.accept_untrusted_certificate = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_client_is_an_error_when_it_is_set() {
        let probe = || Probe::new("rds01".parse().unwrap());
        assert!(probe().client("mstsc-win11-24h2").is_ok());
        let error = probe().client("mstsc").err().unwrap().to_string();
        assert!(error.contains("\"mstsc\"") && error.contains("mstsc-win11-24h2"), "{error}");
    }
}
