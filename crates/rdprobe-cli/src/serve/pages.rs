//! The pages for people: the last probes, and the report of each.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use rdprobe_report::Report;

use super::app::App;
use super::html::{STYLE, Text, page};
use super::recent::{Entry, Recent};

/// How wide a report is shown.
pub(super) const COLUMNS: usize = 110;

pub(super) async fn index(State(app): State<Arc<App>>) -> Html<String> {
    let config = app.config();
    Html(page("rdprobe", &list(&app.recent(), &config.names())))
}

pub(super) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

pub(super) fn report(app: &App, id: u64) -> Response {
    let Some(entry) = app.recent().get(id).cloned() else { return gone() };
    match serde_json::from_str::<Report>(&entry.json) {
        Ok(report) => Html(page(&entry.target, &shown(&entry, &report))).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

pub(super) fn json(app: &App, id: u64) -> Response {
    let Some(entry) = app.recent().get(id).cloned() else { return gone() };
    ([(header::CONTENT_TYPE, "application/json")], entry.json.to_string()).into_response()
}

fn gone() -> Response {
    (StatusCode::NOT_FOUND, "no such report: it is too old, or there never was one\n").into_response()
}

/// The page of all of them.
fn list(recent: &Recent, modules: &[&str]) -> String {
    let mut body =
        String::from("<h1>rdprobe</h1>\n<p><a href=\"/metrics\">Metrics of the exporter itself</a></p>\n");
    let _ = write!(body, "<p>Modules: {}</p>\n<h2>Recent probes</h2>\n", Text(&modules.join(", ")));
    if recent.all().next().is_none() {
        return body + "<p>None yet: ask for /probe?target=HOST</p>\n";
    }
    body.push_str(
        "<table>\n<tr><th>Time</th><th>Target</th><th>Module</th><th>Status</th><th>Verdict</th>\
         <th>Took</th><th></th></tr>\n",
    );
    for entry in recent.all() {
        let id = entry.id;
        let _ = writeln!(
            body,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"{status}\">{status}</td>\
             <td title=\"{}\">{}</td><td>{:.0} ms</td>\
             <td><a href=\"/recent/{id}\">report</a> <a href=\"/recent/{id}.json\">JSON</a></td></tr>",
            Text(&entry.started_at.to_string()),
            Text(&entry.target),
            Text(&entry.module),
            Text(&entry.summary),
            Text(&entry.code),
            entry.duration_ms,
            status = entry.status,
        );
    }
    body + "</table>\n"
}

/// The page of one.
fn shown(entry: &Entry, report: &Report) -> String {
    format!(
        "<p><a href=\"/\">All probes</a> · <a href=\"/recent/{}.json\">JSON</a></p>\n<h1>{}</h1>\n\
         <p>{}, module {}</p>\n<pre>{}</pre>\n",
        entry.id,
        Text(&entry.target),
        Text(&entry.started_at.to_string()),
        Text(&entry.module),
        Text(&crate::human(report, COLUMNS)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn what_a_host_said_is_text_on_both_pages() {
        let mut sample = samples::expired();
        sample.target.input = "<img src=x>".into();
        sample.verdict.summary = "\"><script>alert(1)</script>\u{202e}".into();
        sample.phases.certificate.facts.subject = Some("CN=<b>&".into());
        let mut recent = Recent::new(3);
        recent.add("default", &sample);
        let entry = recent.get(1).unwrap();
        let report: Report = serde_json::from_str(&entry.json).unwrap();
        for page in [list(&recent, &["default"]), shown(entry, &report)] {
            for raw in ["<img", "<script", "<b>", "\u{202e}"] {
                assert!(!page.contains(raw), "{raw} in {page}");
            }
            assert!(page.contains("&lt;img src=x&gt;") && page.contains("&lt;script&gt;"), "{page}");
        }
    }
}
