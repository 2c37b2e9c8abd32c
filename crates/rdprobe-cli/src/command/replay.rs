//! Recorded reports, judged again.

use rdprobe_report::{Report, SCHEMA_VERSION, Timestamp};
use serde::Deserialize as _;

use crate::Failure;
use crate::args::{FailOn, Source};
use crate::output::Output;
use crate::render::Printer;

pub(crate) fn run(
    source: &Source,
    now: Option<Timestamp>,
    fail_on: FailOn,
    output: &mut Output,
) -> Result<u8, Failure> {
    let reports = read(&source.read()?).map_err(|error| format!("{source} {error}"))?;
    let mut printer = Printer::new(output, reports.len() > 1, fail_on);
    for report in &reports {
        printer.report(&crate::run::replay(report, now))?;
    }
    let states = printer.finish()?;
    Ok(fail_on.exit_code(states).unwrap_or(crate::FAULT))
}

/// One report, an array of them, or one after the other.
pub(super) fn read(text: &str) -> Result<Vec<Report>, String> {
    let mut reports = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter() {
        let value: serde_json::Value = value.map_err(|error| format!("is no JSON: {error}"))?;
        match value {
            serde_json::Value::Array(values) => {
                for value in values {
                    reports.push(report(value)?);
                }
            }
            value => reports.push(report(value)?),
        }
    }
    if reports.is_empty() {
        return Err("holds no report; `rdprobe --format json HOST` writes one".into());
    }
    Ok(reports)
}

fn report(value: serde_json::Value) -> Result<Report, String> {
    let version = value.get("schema_version").and_then(serde_json::Value::as_u64);
    match version {
        None => return Err("is no report of rdprobe: it has no schema_version".into()),
        Some(version) if version > u64::from(SCHEMA_VERSION) => {
            return Err(format!(
                "is a report of version {version}; this rdprobe reads up to version {SCHEMA_VERSION}"
            ));
        }
        Some(_) => {}
    }
    Report::deserialize(value).map_err(|error| format!("cannot be read as a report: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn one_report_an_array_and_lines_are_read_alike() {
        let one = serde_json::to_string(&samples::healthy()).unwrap();
        assert_eq!(read(&one).unwrap().len(), 1);
        assert_eq!(read(&format!("[{one},\n{one}]")).unwrap().len(), 2);
        assert_eq!(read(&format!("{one}\n{one}\n")).unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_report_is_said() {
        for (text, hint) in [
            ("", "holds no report"),
            ("{}", "no schema_version"),
            ("{\"schema_version\": 9}", "version 9"),
            ("{\"schema_version\": 1}", "cannot be read as a report"),
            ("no", "is no JSON"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }

    #[test]
    fn judging_again_comes_to_the_same_verdict() {
        for report in samples::all() {
            let read = read(&serde_json::to_string(&report).unwrap()).unwrap();
            assert_eq!(crate::run::replay(&read[0], None).verdict, report.verdict);
        }
    }
}
