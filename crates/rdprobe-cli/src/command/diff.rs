//! Two recorded reports, or two lists of them, compared.

use rdprobe_diagnosis::compare;
use rdprobe_report::{Comparison, Report};

use crate::Failure;
use crate::args::{Format, Source};
use crate::output::Output;
use crate::render::{comparison, json};

/// Exit code where something differs, as diff(1) has it.
const DIFFERENT: u8 = 1;

pub(crate) fn run(old: &Source, new: &Source, output: &mut Output) -> Result<u8, Failure> {
    if (old, new) == (&Source::Stdin, &Source::Stdin) {
        return Err(Failure::Fault("stdin can hold one of the two reports, and not both".into()));
    }
    let before = read(old)?;
    let after = read(new)?;
    let pairs = pairs(&before, &after);
    let compared: Vec<Comparison> = pairs.iter().filter_map(|pair| Some(compare(pair.0?, pair.1?))).collect();
    let alone: Vec<(&str, &Report)> = pairs
        .iter()
        .filter_map(|pair| match pair {
            (Some(gone), None) => Some(("only in the earlier", *gone)),
            (None, Some(come)) => Some(("only in the later", *come)),
            _ => None,
        })
        .collect();
    let text = match (output.prose_format(), &compared[..]) {
        (Format::Json, [one]) if alone.is_empty() => json::pretty(one),
        (Format::Json, all) => json::pretty(&all),
        (Format::Ndjson, all) => all.iter().map(json::line).collect(),
        (_, all) => {
            let missing =
                alone.iter().map(|(where_, report)| format!("{}: {where_} file", report.target.input));
            comparison::page(all, missing.collect(), output.screen)
        }
    };
    output.write(&text)?;
    let equal = alone.is_empty() && compared.iter().all(|comparison| comparison.changes.is_empty());
    Ok(if equal { 0 } else { DIFFERENT })
}

fn read(source: &Source) -> Result<Vec<Report>, String> {
    let reports = super::replay::read(&source.read()?).map_err(|error| format!("{source} {error}"))?;
    Ok(reports)
}

/// The reports of one host each, by name and port; where each file has but one, those are compared whatever they are
/// called: one host may be reached by two names.
fn pairs<'a>(old: &'a [Report], new: &'a [Report]) -> Vec<(Option<&'a Report>, Option<&'a Report>)> {
    if let ([old], [new]) = (old, new) {
        return vec![(Some(old), Some(new))];
    }
    let same = |left: &Report, right: &Report| {
        left.target.host.eq_ignore_ascii_case(&right.target.host) && left.target.port == right.target.port
    };
    let mut pairs: Vec<_> =
        old.iter().map(|old| (Some(old), new.iter().find(|new| same(old, new)))).collect();
    let come = new.iter().filter(|new| !old.iter().any(|old| same(old, new)));
    pairs.extend(come.map(|new| (None, Some(new))));
    pairs
}
