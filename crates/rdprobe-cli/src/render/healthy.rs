//! What `healthy` says and does not say: where the cause lay for people with an error on the screen all the same.

use rdprobe_diagnosis::knowledge;
use serde::Serialize;

use super::text::Page;
use crate::args::Format;
use crate::output::Screen;
use crate::render::json;

#[derive(Serialize)]
struct Healthy {
    code: &'static str,
    layers: Vec<Layer>,
    not_visible: &'static [&'static str],
}

#[derive(Serialize)]
struct Layer {
    id: &'static str,
    share: f64,
    title: &'static str,
    why: &'static str,
    question: &'static str,
    check: &'static str,
}

pub(crate) fn render(format: Format, screen: Screen) -> String {
    let layer = |known: &knowledge::Layer| Layer {
        id: known.id,
        share: known.share,
        title: known.title,
        why: known.why,
        question: known.question,
        check: known.check,
    };
    let healthy = Healthy {
        code: "healthy",
        layers: knowledge::layers().iter().map(layer).collect(),
        not_visible: knowledge::not_visible(),
    };
    match format {
        Format::Json => json::pretty(&healthy),
        Format::Ndjson => json::line(&healthy),
        _ => page(&healthy, screen),
    }
}

fn page(healthy: &Healthy, screen: Screen) -> String {
    let mut page = Page::new(screen);
    page.paragraph(
        0,
        "healthy is no fault: nothing that can be seen before the logon stops a client. Where somebody has an error on \
         the screen all the same, the cause lay here, likeliest first:",
    );
    for layer in &healthy.layers {
        page.heading(layer.title);
        page.paragraph(4, layer.why);
        page.paragraph(4, layer.question);
        page.hanging(&format!("    {} ", page.sign("→", "->")), 6, layer.check);
    }
    page.heading("Not visible from outside");
    for line in healthy.not_visible {
        page.bullet(4, line);
    }
    page.finish()
}
