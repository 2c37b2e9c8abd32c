//! `.rdp` files: what the client that opens one would use, so that the probe asks as that client does.

use std::path::Path;

use ironrdp_rdpfile::{ErrorKind, parse};
use rdprobe_report::Target;

use super::value;

/// What is taken from the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RdpFile {
    pub(crate) target: Target,
    /// `enablecredsspsupport:i:0`.
    pub(crate) no_nla: bool,
    pub(crate) cookie: Option<String>,
    pub(crate) routing_token: Option<String>,
    /// The RD Gateway through which the client goes, at once or where the direct way fails.
    pub(crate) gateway: Option<String>,
}

/// Whether this argument names such a file.
pub(super) fn is_one(text: &str) -> bool {
    Path::new(text).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("rdp"))
}

/// Characters of the user's name that mstsc puts into its cookie ([MS-RDPBCGR] 2.2.1.1.1).
const COOKIE_NAME: usize = 9;
/// `gatewayusagemethod`: always, and where the direct way fails.
const THROUGH_GATEWAY: [i64; 2] = [1, 2];

impl RdpFile {
    /// From the text of a file.
    ///
    /// # Errors
    /// With the line that cannot be read, or what is missing.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let parsed = parse(&lower_keys(text));
        let wrong = parsed.errors.iter().find(|error| match &error.kind {
            // Saved passwords are `b`; there is nothing to take from them.
            ErrorKind::UnknownType { ty, .. } => !ty.eq_ignore_ascii_case("b"),
            ErrorKind::MalformedLine => {
                text.lines().nth(error.line.saturating_sub(1)).is_some_and(|line| !line.trim().is_empty())
            }
            ErrorKind::InvalidValue { .. } => true,
        });
        if let Some(error) = wrong {
            return Err(format!("{error}; each line is NAME:TYPE:VALUE"));
        }
        let word =
            |key: &str| parsed.properties.get::<&str>(key).map(str::trim).filter(|text| !text.is_empty());
        let number = |key: &str| parsed.properties.get::<i64>(key);
        let address = word("alternate full address").or(word("full address")).ok_or(
            "it names no host: the line `full address:s:HOST` is missing; a file from a feed may need its own client",
        )?;
        let mut target: Target = address.parse().map_err(|error| format!("{address:?}: {error}"))?;
        let says_port =
            address.rsplit_once(':').is_some_and(|(host, _)| !host.contains(':') || host.ends_with(']'));
        if let Some(port) = number("server port").filter(|_| !says_port) {
            target.port = u16::try_from(port)
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| format!("server port:i:{port} is no port: 1 to 65535"))?;
        }
        let routing_token = word("loadbalanceinfo").map(value::routing_token).transpose()?;
        let user = word("username").map(|name| name.rsplit('\\').next().unwrap_or(name));
        let cookie = user
            .filter(|_| routing_token.is_none())
            .map(|name| name.chars().take_while(|c| *c != '@').take(COOKIE_NAME).collect::<String>())
            .and_then(|name| value::cookie(&format!("mstshash={name}")).ok());
        let through = number("gatewayusagemethod").is_some_and(|method| THROUGH_GATEWAY.contains(&method));
        Ok(Self {
            target,
            no_nla: number("enablecredsspsupport") == Some(0),
            cookie,
            routing_token,
            gateway: word("gatewayhostname").filter(|_| through).map(Into::into),
        })
    }
}

/// mstsc minds no case in names and types.
fn lower_keys(text: &str) -> String {
    let line = |line: &str| {
        let mut parts = line.splitn(3, ':');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(key), Some(kind), Some(value)) => {
                format!("{}:{}:{value}", key.trim().to_lowercase(), kind.trim().to_lowercase())
            }
            _ => line.to_owned(),
        }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_its_client_would_use() {
        let file = RdpFile::parse(
            "screen mode id:i:2\r\nFull Address:s:rds01.corp.example:3390\r\nenablecredsspsupport:i:0\r\n\
             username:s:CORP\\alice.longname\r\npassword 51:b:0100AB\r\n\r\ngatewayusagemethod:i:1\r\n\
             gatewayhostname:s:gw.corp.example\r\n",
        )
        .unwrap();
        assert_eq!((file.target.host.as_str(), file.target.port), ("rds01.corp.example", 3390));
        assert!(file.no_nla);
        assert_eq!(file.cookie.as_deref(), Some("mstshash=alice.lon"));
        assert_eq!(file.gateway.as_deref(), Some("gw.corp.example"));
    }

    #[test]
    fn the_alternate_address_and_the_port_count() {
        let file =
            RdpFile::parse("full address:s:farm\nalternate full address:s:rds02\nserver port:i:3391\n")
                .unwrap();
        assert_eq!((file.target.host.as_str(), file.target.port), ("rds02", 3391));
        assert_eq!((file.no_nla, file.gateway, file.cookie), (false, None, None));
        let v6 = RdpFile::parse("full address:s:2001:db8::7\nserver port:i:3391").unwrap();
        assert_eq!(v6.target.port, 3391);
    }

    #[test]
    fn a_gateway_that_is_not_used_is_none() {
        let file = RdpFile::parse("full address:s:a\ngatewayusagemethod:i:0\ngatewayhostname:s:gw").unwrap();
        assert_eq!(file.gateway, None);
    }

    #[test]
    fn what_cannot_be_read_names_its_line() {
        assert!(RdpFile::parse("full address:s:a\nnonsense\n").unwrap_err().contains("line 2"));
        assert!(RdpFile::parse("full address:s:a\nserver port:i:x\n").unwrap_err().contains("line 2"));
        assert!(RdpFile::parse("audiomode:i:0\n").unwrap_err().contains("full address"));
    }
}
