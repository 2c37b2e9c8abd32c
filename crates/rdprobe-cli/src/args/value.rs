//! How single values are read, and what is said where they cannot be.

use std::time::Duration;

use rdprobe::Pin;
use rdprobe_diagnosis::symptom::client;
use rdprobe_report::{HelloProfile, Target};

/// A limit of a probe: `5s`, `800ms`, `2m`, or plain seconds; an hour at the most.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    within(text, Duration::from_secs(3600), "an hour")
}

/// A time over many probes; a week at the most.
pub(super) fn long_duration(text: &str) -> Result<Duration, String> {
    within(text, Duration::from_secs(7 * 24 * 3600), "a week")
}

fn within(text: &str, most: Duration, in_words: &str) -> Result<Duration, String> {
    let text = text.trim();
    let unit = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let seconds = match unit {
        "ms" => 1e-3,
        "" | "s" | "sec" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err("write it as 5s, 800ms or plain seconds".into()),
    };
    let number: f64 =
        number.trim().parse().map_err(|_| "write it as 5s, 800ms or plain seconds".to_owned())?;
    let duration = Duration::try_from_secs_f64(number * seconds).unwrap_or_default();
    if duration < Duration::from_millis(1) || duration > most {
        return Err(format!("it must lie between 1ms and {in_words}"));
    }
    Ok(duration)
}

/// The id of a client whose hello is known, or a client in words that has a relative among them.
pub(super) fn client(id: &str) -> Result<String, String> {
    if super::told::profile(id).is_some() {
        return Ok(id.into());
    }
    let known: Vec<String> =
        HelloProfile::clients().map(|client| format!("\n  {:<18} {}", client.id, client.title)).collect();
    let near: Vec<&str> = client::alike(id).iter().map(|client| client.title).collect();
    let near = match near.is_empty() {
        true => String::new(),
        false => format!(" Is it {}?", near.join(", or ")),
    };
    Err(format!(
        "no such client, and none that it is known to embed.{near} `rdprobe explain NAME` tells of one; those whose hello \
         is known are:{}",
        known.concat()
    ))
}

/// A fingerprint, `sha256:` and 64 hex digits or base64.
pub(super) fn pin(text: &str) -> Result<Pin, String> {
    let digits = text.replace([':', ' '], "");
    let digits = digits.strip_prefix("sha1").unwrap_or(&digits);
    if digits.len() == 40 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("that is a SHA-1 thumbprint, as Windows shows it; a pin is sha256: and 64 hex digits \
             (`phases.certificate.sha256` of a report)"
            .into());
    }
    text.parse()
}

/// One line of the Connection Request; X.224 has room for little more than 240 bytes of it.
fn request_line(text: &str) -> Result<String, String> {
    if !text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return Err("it is one line of printable ASCII".into());
    }
    if text.is_empty() || text.len() > 200 {
        return Err("it has 1 to 200 characters".into());
    }
    Ok(text.into())
}

/// The text after `Cookie: `.
pub(super) fn cookie(text: &str) -> Result<String, String> {
    if let Some(rest) = text.strip_prefix("Cookie:") {
        return Err(format!("leave the `Cookie: ` away: --cookie {}", rest.trim()));
    }
    request_line(text)
}

/// A routing token as a load balancer made it.
pub(super) fn routing_token(text: &str) -> Result<String, String> {
    request_line(text)
}

/// A name for SNI and the certificate.
pub(super) fn server_name(text: &str) -> Result<String, String> {
    Target::check_name(text).map(|()| text.into()).map_err(|error| error.to_string())
}

/// A port, or the name of a service that has one.
pub(super) fn udp_port(text: &str) -> Result<u16, String> {
    match text {
        "gateway" => Ok(3391),
        "avd" => Ok(3390),
        _ => match text.parse() {
            Ok(0) | Err(_) => Err("it is 1 to 65535, gateway (3391) or avd (3390)".into()),
            Ok(port) => Ok(port),
        },
    }
}
