//! `rdprobe explain CODE`.

use rdprobe_diagnosis::registry::{HEALTHY, REGISTRY, RESERVED, lookup};

use crate::Failure;
use crate::args::Format;
use crate::output::Output;
use crate::render::explain::{Explanation, render, shown};
use crate::render::text::Page;
use crate::render::{codes, healthy, json};

/// Codes that are suggested for one that is unknown.
const SUGGESTED: usize = 4;

pub(crate) fn run(code: &str, output: &mut Output) -> Result<u8, Failure> {
    let code = code.trim().to_ascii_lowercase();
    let explanation = lookup(&code).and_then(Explanation::of);
    let text = if let Some(explanation) = explanation {
        render(&explanation, output.prose_format(), output.screen)
    } else if let Some(screen_code) = screen_code(&code) {
        on_screen(&screen_code, output)?
    } else if code == HEALTHY.as_str() {
        healthy::render(output.prose_format(), output.screen)
    } else {
        return Err(Failure::Fault(unknown(&code)));
    };
    output.write(&text)?;
    Ok(0)
}

/// `0x904`, or the first half of `0x904/0x7`, as the knowledge writes it.
fn screen_code(text: &str) -> Option<String> {
    let first = text.split(['/', ',', ' ']).next()?;
    let digits = first.strip_prefix("0x")?;
    let value = u32::from_str_radix(digits, 16).ok()?;
    Some(format!("0x{value:X}"))
}

/// The codes whose users see this on their screens.
fn on_screen(screen_code: &str, output: &Output) -> Result<String, Failure> {
    let bearers: Vec<Explanation> = codes::all()
        .filter(|code| code.client_errors.iter().any(|error| error.code.eq_ignore_ascii_case(screen_code)))
        .collect();
    if bearers.is_empty() {
        return Err(Failure::Fault(format!(
            "no code of rdprobe is known to show as {screen_code}; probe the host that shows it: rdprobe HOST"
        )));
    }
    if output.prose_format() != Format::Human {
        return Ok(match output.prose_format() {
            Format::Ndjson => bearers.iter().map(json::line).collect(),
            _ => json::pretty(&bearers),
        });
    }
    let mut page = Page::new(output.screen);
    let text = format!(
        "{screen_code} is what a client shows, and it has more than one cause. `rdprobe HOST` finds out which; these \
         are the codes that it may come to:"
    );
    page.paragraph(0, &text);
    for code in &bearers {
        page.blank();
        page.line(&format!("  {}", code.code));
        page.paragraph(4, code.title);
        let shows = code.client_errors.iter().filter(|error| error.code.eq_ignore_ascii_case(screen_code));
        for error in shows {
            page.paragraph(4, &shown(error));
        }
    }
    page.blank();
    page.paragraph(0, "Screen codes will be explained by themselves in a later version.");
    Ok(page.finish())
}

fn unknown(code: &str) -> String {
    if RESERVED.contains(&code) {
        return format!("{code} is reserved for a phase that this version does not look at yet");
    }
    let near = nearest(code);
    match near.is_empty() {
        true => format!("there is no code {code:?}; `rdprobe codes` lists them"),
        false => format!("there is no code {code:?}; did you mean {}?", near.join(", ")),
    }
}

/// Codes that are spelt alike or have words in common, the nearest first.
fn nearest(code: &str) -> Vec<&'static str> {
    let words: Vec<&str> = code.split(['-', '_', ' ']).filter(|word| word.len() > 2).collect();
    let likeness = |known: &str| {
        let shared = words.iter().filter(|word| known.split('-').any(|other| other == **word)).count();
        distance(code, known) as i64 - 6 * shared as i64
    };
    let limit = code.len() as i64 / 3 + 1;
    let mut near: Vec<(i64, &'static str)> =
        REGISTRY.iter().map(|row| (likeness(row.code), row.code)).filter(|(far, _)| *far <= limit).collect();
    near.sort_by_key(|(far, _)| *far);
    near.into_iter().take(SUGGESTED).map(|(_, code)| code).collect()
}

/// Levenshtein's distance in bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_forgiven() {
        assert_eq!(nearest("tls-key-unuseable").first(), Some(&"tls-key-unusable"));
        assert_eq!(nearest("tls-key").first(), Some(&"tls-key-unusable"));
        assert_eq!(nearest("cert-expire").first(), Some(&"cert-expired"));
        assert_eq!(nearest("tcp_timeout").first(), Some(&"tcp-timeout"));
        assert!(nearest("expired").contains(&"cert-expired"));
        assert!(nearest("zzzzzzzz").is_empty());
    }

    #[test]
    fn codes_on_a_screen_are_told_from_codes_of_ours() {
        assert_eq!(screen_code("0x904/0x7").as_deref(), Some("0x904"));
        assert_eq!(screen_code("0x00000904").as_deref(), Some("0x904"));
        assert_eq!(screen_code("tls-reset"), None);
    }

    #[test]
    fn distances_are_levenshtein_s() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
