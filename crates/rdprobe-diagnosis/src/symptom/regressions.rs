//! Faults of known versions that fit a symptom: hints, never a verdict.

use rdprobe_report::{Change, Confidence, KnownRegression, Report};

use super::Features;
use crate::knowledge::Regression;
use crate::knowledge::tables::REGRESSIONS;

/// Every row of the knowledge.
pub fn all() -> &'static [Regression] {
    REGRESSIONS
}

/// Those that fit what was told, and the build that the host claims.
pub(super) fn regressions(features: &Features, report: &Report) -> Vec<KnownRegression> {
    let build = report.phases.credssp.facts.build.map(u32::from);
    let fits = |row: &&Regression| {
        (row.builds.is_empty() || build.is_some_and(|build| row.builds.contains(&build)))
            && (row.tags.is_empty() || row.tags.iter().any(|tag| features.tags.contains(tag)))
            && row.families.iter().any(|family| features.families.contains_key(family))
    };
    REGRESSIONS.iter().filter(fits).map(|row| known(row, features)).collect()
}

fn known(row: &Regression, features: &Features) -> KnownRegression {
    let since = features.since == Some(Change::Update) || features.tags.contains("client-version");
    KnownRegression {
        id: row.id.into(),
        title: row.title.into(),
        mends: row.mends.into(),
        confidence: if since { Confidence::Likely } else { Confidence::Possible },
        source: row.source.into(),
    }
}
