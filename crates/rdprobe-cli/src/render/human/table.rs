//! The table at the end of a run over many targets.

use rdprobe_report::{ClientError, Report, Status};

use crate::output::Screen;
use crate::render::style::{status_style, time};
use crate::render::text::Page;

/// The longest host that gets its code on the same line.
const WIDEST_HOST: usize = 40;

/// What is kept of a report that was printed.
pub(crate) struct Row {
    pub(crate) input: String,
    pub(crate) status: Status,
    pub(crate) code: String,
    pub(crate) duration_ms: f64,
    pub(crate) shown: Option<ClientError>,
}

impl Row {
    pub(crate) fn of(report: &Report) -> Self {
        Self {
            input: report.target.input.clone(),
            status: report.verdict.status,
            code: report.verdict.code.to_string(),
            duration_ms: report.duration_ms.0,
            shown: report.verdict.client_errors.first().cloned(),
        }
    }
}

pub(crate) fn table(rows: &[Row], screen: Screen) -> String {
    let mut page = Page::new(screen);
    let count = |status| rows.iter().filter(|row| row.status == status).count();
    let counts: Vec<String> = [Status::Broken, Status::Degraded, Status::Inconclusive, Status::Healthy]
        .into_iter()
        .filter(|status| count(*status) > 0)
        .map(|status| format!("{} {status}", count(status)))
        .collect();
    page.heading(&format!("{} hosts: {}", rows.len(), counts.join(", ")));
    let longest = rows.iter().map(|row| row.input.len()).max().unwrap_or_default();
    // Status and time leave this much; what does not fit takes a line of its own.
    let wide = longest.min(WIDEST_HOST).min(screen.width.saturating_sub(37).max(8));
    for row in rows {
        let status = page.paint(status_style(row.status), &format!("{:<13}", row.status.to_string()));
        let mut rest = format!("{:>7}  {}", time(row.duration_ms), row.code);
        if let Some(shown) = &row.shown {
            let both = format!(" ({} {})", shown.client, shown.code);
            if 19 + wide + rest.len() + both.len() <= screen.width {
                rest.push_str(&both);
            }
        }
        let start = format!("    {status}{:<wide$}  ", row.input);
        if row.input.len() > wide {
            page.hanging(&format!("    {status}"), 17, &row.input);
            page.hanging(&" ".repeat(19), 19, &rest);
        } else {
            page.hanging(&start, 19, &rest);
        }
    }
    page.finish()
}
