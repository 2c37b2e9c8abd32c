//! JUnit XML: a suite for each target, a case for each phase and each demand.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Suites, TestCase, TestCaseStatus, TestSuite};
use rdprobe_report::{ExpectationOutcome, Finding, PhaseOutcome, Report, Severity};

use super::renderer::Renderer;
use crate::args::FailOn;
use crate::render::phases::{self, Row};

pub(super) struct Junit {
    fail_on: FailOn,
    suites: Suites,
}

impl Junit {
    pub(super) fn new(fail_on: FailOn) -> Self {
        Self { fail_on, suites: Suites::new("rdprobe") }
    }

    /// From which severity on a finding fails its phase: as it makes the exit code.
    fn least(&self) -> Option<Severity> {
        match self.fail_on {
            FailOn::Degraded => Some(Severity::Warning),
            FailOn::Broken => Some(Severity::Error),
            FailOn::Never => None,
        }
    }

    fn phase(&self, report: &Report, row: &Row) -> TestCase {
        let found: Vec<&Finding> = report
            .findings
            .iter()
            .filter(|finding| finding.phase == row.phase && !finding.ignored)
            .filter(|finding| !finding.code.as_str().starts_with("expectation-"))
            .collect();
        let failing =
            found.iter().find(|finding| self.least().is_some_and(|least| finding.severity >= least));
        let status = match (failing, row.outcome) {
            (Some(finding), _) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_type(finding.code.to_string()).set_message(finding.summary.clone());
                status.set_description(advice(finding));
                status
            }
            (None, PhaseOutcome::Ok) => TestCaseStatus::success(),
            (None, outcome) => skipped(outcome.as_str()),
        };
        let mut case = TestCase::new(row.phase.to_string(), status);
        case.set_classname(report.target.input.clone());
        if let Some(duration) = row.duration_ms {
            case.set_time(Duration::from_secs_f64(duration.max(0.0) / 1e3));
        }
        let notes: Vec<String> =
            found.iter().map(|finding| format!("{}: {}", finding.code, finding.summary)).collect();
        if !notes.is_empty() {
            case.set_system_out(notes.join("\n"));
        }
        case
    }
}

fn skipped(why: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(why.replace('_', " "));
    status
}

/// Causes and remedies, to be read in the build's log.
fn advice(finding: &Finding) -> String {
    let causes = finding.causes.iter().map(|cause| format!("cause: {cause}"));
    let fixes = finding.fixes.iter().map(|fix| format!("remedy: {}", fix.title));
    causes.chain(fixes).collect::<Vec<_>>().join("\n")
}

/// The verdict itself, where no phase bears it: what stayed open is no failure of the host.
fn open(report: &Report) -> Option<TestCase> {
    let verdict = &report.verdict;
    if verdict.status != rdprobe_report::Status::Inconclusive {
        return None;
    }
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type(verdict.code.to_string()).set_message(verdict.summary.clone());
    let mut case = TestCase::new("verdict", status);
    case.set_classname(report.target.input.clone());
    Some(case)
}

impl Renderer for Junit {
    fn report(&mut self, report: &Report) -> String {
        let mut suite = TestSuite::new(report.target.input.clone());
        suite.set_time(Duration::from_secs_f64(report.duration_ms.0.max(0.0) / 1e3));
        for row in phases::rows(report) {
            suite.add_test_case(self.phase(report, &row));
        }
        for demand in &report.expectations {
            let status = match demand.outcome {
                ExpectationOutcome::Held => TestCaseStatus::success(),
                ExpectationOutcome::Failed => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_type("expectation-failed").set_message(demand.reason.clone());
                    status
                }
                _ => skipped(&demand.reason),
            };
            let mut case = TestCase::new(format!("expect {}", demand.name), status);
            case.set_classname(report.target.input.clone());
            suite.add_test_case(case);
        }
        if let Some(case) = open(report).filter(|_| self.fail_on != FailOn::Never) {
            suite.add_test_case(case);
        }
        for (name, value) in &report.labels {
            suite.add_property((name.as_str(), value.as_str()));
        }
        self.suites.add_test_suite(suite);
        String::new()
    }

    fn finish(&mut self) -> String {
        self.suites.to_string().expect("text can be written as XML")
    }
}
