//! Who asks: what a browser may be made to ask by a page of somebody else's is refused. Pure.

use std::net::IpAddr;

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};

/// Longer addresses than any target, module and what else there is could need.
const LONGEST_URI: usize = 2048;

/// Whether a request may be answered.
///
/// # Errors
/// The status and the reason.
pub(super) fn admit(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    exposed: bool,
) -> Result<(), (StatusCode, &'static str)> {
    if uri.path_and_query().is_some_and(|text| text.as_str().len() > LONGEST_URI) {
        return Err((StatusCode::URI_TOO_LONG, "the address of the request is too long\n"));
    }
    // A listener of this computer's own is asked by its own names. A page whose name was made to lead here is not.
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    if !exposed && !host.is_none_or(is_local) {
        return Err((StatusCode::MISDIRECTED_REQUEST, "ask for localhost or an address\n"));
    }
    // Only browsers say this. A link that leads here may be followed, but sets off nothing.
    let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
    let acts = uri.path() == "/probe" || *method == Method::POST;
    if acts && matches!(site, Some(b"cross-site" | b"same-site")) {
        return Err((StatusCode::FORBIDDEN, "another site's page cannot ask this\n"));
    }
    Ok(())
}

/// `localhost` or an address, with a port or without.
fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.split(':').next().unwrap_or(host),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(uri: &str, headers: &[(&'static str, &str)], exposed: bool) -> u16 {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let outcome = admit(&Method::GET, &uri.parse().unwrap(), &headers, exposed);
        outcome.map_or_else(|(status, _)| status.as_u16(), |()| 200)
    }

    #[test]
    fn a_name_that_was_turned_to_us_is_not_ours() {
        for host in ["localhost", "LOCALHOST:9339", "127.0.0.1:9339", "[::1]:9339", "[::1]"] {
            assert_eq!(status("/", &[("host", host)], false), 200, "{host}");
        }
        assert_eq!(status("/", &[("host", "evil.example:9339")], false), 421);
        assert_eq!(status("/", &[("host", "prober.corp.example")], true), 200);
        assert_eq!(status("/", &[], false), 200);
    }

    #[test]
    fn another_sites_page_probes_nothing() {
        assert_eq!(status("/probe?target=x", &[("sec-fetch-site", "cross-site")], true), 403);
        assert_eq!(status("/probe?target=x", &[("sec-fetch-site", "none")], true), 200);
        assert_eq!(status("/", &[("sec-fetch-site", "cross-site")], true), 200);
    }

    #[test]
    fn an_address_has_an_end() {
        assert_eq!(status(&format!("/probe?target={}", "x".repeat(3000)), &[], true), 414);
    }
}
