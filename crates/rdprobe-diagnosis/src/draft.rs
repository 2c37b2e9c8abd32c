//! A finding as a rule writes it; the registry and the knowledge supply the rest.

use std::borrow::Cow;

use rdprobe_report::{Code, Confidence, Finding, Phase, Severity};

use crate::knowledge::{self, KnownClientError};
use crate::registry;

/// A finding in the making.
pub(crate) struct Draft(Finding);

impl Draft {
    /// With the severity and the confidence of the registry.
    pub(crate) fn new(code: Code, phase: Phase, summary: impl Into<String>) -> Self {
        let row = registry::lookup(code.as_str()).expect("rules use the registry's constants");
        debug_assert!(
            row.group == phase.as_str() || row.group == "general",
            "{} stands under {}",
            row.code,
            row.group
        );
        let known = knowledge::entry(code.as_str());
        Self(Finding {
            phase,
            severity: row.severity,
            confidence: row.confidence,
            summary: summary.into(),
            evidence: Vec::new(),
            causes: known
                .map(|entry| entry.causes.iter().map(|&cause| cause.into()).collect())
                .unwrap_or_default(),
            // Which of them hold is known once the host is: `diagnose` fills them in.
            fixes: Vec::new(),
            client_errors: known
                .map(|entry| entry.client_errors.iter().map(KnownClientError::to_report).collect())
                .unwrap_or_default(),
            ignored: false,
            code,
        })
    }

    /// Another severity than the registry's, for a reason that `explain` names.
    pub(crate) fn severity(mut self, severity: Severity) -> Self {
        self.0.severity = severity;
        self
    }

    /// Less confidence than the registry's; what is only possible is a warning at most.
    pub(crate) fn confidence(mut self, confidence: Confidence) -> Self {
        self.0.confidence = self.0.confidence.min(confidence);
        if self.0.confidence == Confidence::Possible {
            self.0.severity = self.0.severity.min(Severity::Warning);
        }
        self
    }

    /// Adds JSON pointers.
    pub(crate) fn evidence(mut self, pointers: impl IntoIterator<Item = String>) -> Self {
        self.0.evidence.extend(pointers);
        self
    }

    /// Puts a cause that this very evidence suggests before the general ones.
    pub(crate) fn cause(mut self, cause: impl Into<Cow<'static, str>>) -> Self {
        self.0.causes.insert(0, cause.into());
        self
    }

    pub(crate) fn finish(self) -> Finding {
        self.0
    }
}
