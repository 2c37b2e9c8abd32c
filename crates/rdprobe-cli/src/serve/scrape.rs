//! What a scrape's headers ask for: how long it waits, and which format it reads. Pure.

use std::time::Duration;

use crate::exposition::Exposition;

/// Prometheus says by this how long it waits.
pub(super) const TIMEOUT: &str = "x-prometheus-scrape-timeout-seconds";
/// For somebody who does not say how long he waits.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long a probe may take so that its answer arrives in time: less than the scrape waits by `offset`, or half of
/// it where that is less.
///
/// # Errors
/// Where the header names no time.
pub(super) fn limit(header: Option<&str>, offset: Duration) -> Result<Duration, String> {
    let Some(text) = header else { return Ok(PATIENCE) };
    let wrong = || format!("{TIMEOUT}: {text:?} is no number of seconds");
    let seconds: f64 = text.trim().parse().map_err(|_| wrong())?;
    let waits = Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?;
    if waits.is_zero() {
        return Err(wrong());
    }
    Ok(waits.saturating_sub(offset).max(waits / 2).min(PATIENCE))
}

/// The format that `Accept` prefers; the text format where it does not say, or wants neither.
pub(super) fn exposition(accept: Option<&str>) -> Exposition {
    let ranges = accept.unwrap_or_default().split(',').map(range);
    let (mut open_metrics, mut text) = (0.0_f32, 0.0_f32);
    for (media, version, quality) in ranges {
        match (media.as_str(), version.as_deref()) {
            ("application/openmetrics-text", None | Some("1.0.0")) => {
                open_metrics = open_metrics.max(quality);
            }
            ("text/plain", None | Some("0.0.4")) | ("text/*" | "*/*", _) => text = text.max(quality),
            _ => {}
        }
    }
    if open_metrics > 0.0 && open_metrics >= text { Exposition::OpenMetrics } else { Exposition::Text }
}

/// One media range: what, its version, and how much it is liked.
fn range(text: &str) -> (String, Option<String>, f32) {
    let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
    let media = parts.next().unwrap_or_default();
    let (mut version, mut quality) = (None, 1.0);
    for parameter in parts {
        match parameter.split_once('=') {
            Some(("version", value)) => version = Some(value.trim_matches('"').to_owned()),
            Some(("q", value)) => quality = value.parse().unwrap_or(0.0),
            _ => {}
        }
    }
    (media, version, quality)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probe_ends_before_the_scrape_does() {
        let offset = Duration::from_millis(500);
        let limit = |header| limit(header, offset).map(|limit| limit.as_secs_f64());
        assert_eq!(limit(Some("10")), Ok(9.5));
        assert_eq!(limit(Some("0.6")), Ok(0.3));
        assert_eq!(limit(Some("86400")), Ok(120.0));
        assert_eq!(limit(None), Ok(120.0));
        for wrong in ["", "soon", "-1", "NaN", "inf", "0", "1e400"] {
            assert!(limit(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_format_is_what_the_reader_likes_best() {
        const PROMETHEUS: &str = "application/openmetrics-text;version=1.0.0,\
            application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(exposition(Some(PROMETHEUS)), Exposition::OpenMetrics);
        for text in [
            None,
            Some("*/*"),
            Some("text/html, */*;q=0.8"),
            Some("text/plain"),
            Some("application/openmetrics-text;q=0, text/plain;q=0.1"),
            Some("application/openmetrics-text;version=2.0.0"),
            Some("application/openmetrics-text;q=0.1, text/plain;version=0.0.4"),
            Some(";;;q=x,,"),
        ] {
            assert_eq!(exposition(text), Exposition::Text, "{text:?}");
        }
    }
}
