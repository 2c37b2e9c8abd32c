//! Colours, and words of fixed width.

use anstyle::{AnsiColor, Style};
use rdprobe_report::{Severity, Status};

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default().bold();
pub(crate) const CYAN: Style = AnsiColor::Cyan.on_default();

pub(crate) fn status_style(status: Status) -> Style {
    match status {
        Status::Healthy => GREEN,
        Status::Degraded => YELLOW,
        Status::Broken => RED,
        Status::Inconclusive => AnsiColor::Magenta.on_default().bold(),
    }
}

pub(crate) fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Error => RED,
        Severity::Warning => YELLOW,
        Severity::Info => CYAN,
    }
}

pub(crate) fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// A duration in at most seven characters: `0.42 ms`, `84.1 ms`, `843 ms`, `4.0 s`.
pub(crate) fn time(millis: f64) -> String {
    match millis {
        0.0 => "0 ms".into(),
        _ if millis < 9.95 => format!("{millis:.2} ms"),
        _ if millis < 99.95 => format!("{millis:.1} ms"),
        _ if millis < 999.5 => format!("{millis:.0} ms"),
        _ => format!("{:.1} s", millis / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        let times: Vec<_> = [0.4, 9.96, 84.12, 99.97, 843.0, 999.7, 20_000.0].map(time).into();
        assert_eq!(times, ["0.40 ms", "10.0 ms", "84.1 ms", "100 ms", "843 ms", "1.0 s", "20.0 s"]);
    }
}
