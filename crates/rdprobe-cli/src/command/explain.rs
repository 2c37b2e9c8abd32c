//! `rdprobe explain WORDS…`: a code of ours, a client, or what a user holds.

use rdprobe_diagnosis::registry::{HEALTHY, REGISTRY, lookup};
use rdprobe_diagnosis::symptom::{Features, client, differential, nearest};
use rdprobe_report::Told;

use crate::Failure;
use crate::args::{Format, Source};
use crate::output::Output;
use crate::render::explain::{Explanation, render};
use crate::render::{client as client_page, differential as differential_page, healthy, json, symptom};

/// Codes and symptoms that are suggested for what is unknown.
const SUGGESTED: usize = 4;
/// What is recognised less surely than this is unknown.
const SURE: f64 = 0.4;

pub(crate) fn run(
    told: &Told,
    report: Option<&Source>,
    full: bool,
    output: &mut Output,
) -> Result<u8, Failure> {
    let words = told.symptom.as_deref().unwrap_or_default().trim();
    let code = words.to_ascii_lowercase();
    let format = output.prose_format();
    if let Some(source) = report {
        return against(told, source, full, output);
    }
    if let Some(explanation) = lookup(&code).and_then(Explanation::of) {
        output.write(&render(&explanation, format, full, output.screen))?;
        return Ok(0);
    }
    if code == HEALTHY.as_str() {
        output.write(&healthy::render(format, output.screen))?;
        return Ok(0);
    }
    if let Some(client) = client::named_alone(words) {
        output.write(&client_page::render(words, client, full, format, output.screen))?;
        return Ok(0);
    }
    let features = Features::of(told);
    let known = features.recognised.matches.first().is_some_and(|found| found.strength >= SURE);
    if known {
        output.write(&symptom::render(words, &features, full, format, output.screen))?;
        return Ok(0);
    }
    if let Some(relative) = client::relative_alone(words) {
        output.write(&client_page::render(words, relative, full, format, output.screen))?;
        return Ok(0);
    }
    if format == Format::Human {
        return Err(Failure::Fault(unknown(words)));
    }
    let value = symptom::unknown(words, &near_codes(&code), &nearest(words, SUGGESTED));
    output.write(&if format == Format::Ndjson { json::line(&value) } else { json::pretty(&value) })?;
    Ok(crate::FAULT)
}

/// The causes of a symptom, judged against recorded reports.
fn against(told: &Told, source: &Source, full: bool, output: &mut Output) -> Result<u8, Failure> {
    let reports = super::replay::read(&source.read()?).map_err(|error| format!("{source} {error}"))?;
    let mut known = false;
    for report in &reports {
        let Some(found) = differential(report, told) else { continue };
        known |= found.code.is_some();
        let text = match output.prose_format() {
            Format::Json => json::pretty(&found),
            Format::Ndjson => json::line(&found),
            _ => differential_page::page(report, &found, full, output.screen),
        };
        output.write(&text)?;
    }
    Ok(if known { 0 } else { crate::FAULT })
}

fn unknown(words: &str) -> String {
    let code = words.to_ascii_lowercase();
    let mut near: Vec<String> = near_codes(&code).into_iter().map(Into::into).collect();
    let symptoms = nearest(words, SUGGESTED);
    near.extend(client::alike(words).iter().map(|client| format!("{} (client)", client.title)));
    near.extend(symptoms.iter().map(|symptom| format!("{} ({})", symptom.title, symptom.kind.title())));
    let hint = match near.is_empty() {
        true => "probe the host that shows it: rdprobe HOST --symptom \"...\"".to_owned(),
        false => format!("nearest are:\n  {}", near.join("\n  ")),
    };
    format!("{words:?} is unknown; {hint}")
}

/// Codes of ours that are spelt alike or have words in common, the nearest first.
fn near_codes(code: &str) -> Vec<&'static str> {
    let words: Vec<&str> = code.split(['-', '_', ' ']).filter(|word| word.len() > 2).collect();
    let likeness = |known: &str| {
        let shared = words.iter().filter(|word| known.split('-').any(|other| other == **word)).count();
        strsim::levenshtein(code, known) as i64 - 6 * shared as i64
    };
    let limit = code.len() as i64 / 3 + 1;
    let mut near: Vec<(i64, &'static str)> =
        REGISTRY.iter().map(|row| (likeness(row.code), row.code)).filter(|(far, _)| *far <= limit).collect();
    near.sort_by_key(|(far, _)| *far);
    near.into_iter().take(SUGGESTED).map(|(_, code)| code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_forgiven() {
        assert_eq!(near_codes("tls-key-unuseable").first(), Some(&"tls-key-unusable"));
        assert_eq!(near_codes("tls-key").first(), Some(&"tls-key-unusable"));
        assert_eq!(near_codes("cert-expire").first(), Some(&"cert-expired"));
        assert_eq!(near_codes("tcp_timeout").first(), Some(&"tcp-timeout"));
        assert!(near_codes("expired").contains(&"cert-expired"));
        assert!(near_codes("zzzzzzzz").is_empty());
    }
}
