//! How a phase or a step failed, in words.

use rdprobe_report::{Failure, FailureKind};

/// The kind in words, and what exactly.
pub(super) fn in_words(failure: &Failure) -> String {
    let kind = kind(&failure.kind);
    match failure.detail.trim_end_matches('.') {
        "" => kind.into(),
        // Where the explanation says the kind already, it is enough.
        detail if detail.to_lowercase().contains(kind) => detail.into(),
        detail => format!("{kind}: {detail}"),
    }
}

pub(super) fn kind(kind: &FailureKind) -> &str {
    match kind {
        FailureKind::Reset => "connection reset",
        FailureKind::Closed => "connection closed",
        FailureKind::Timeout => "silence",
        FailureKind::Refused => "refused",
        FailureKind::Unreachable => "unreachable",
        FailureKind::Prohibited => "prohibited",
        FailureKind::Alert => "TLS alert",
        FailureKind::Rejected => "rejected",
        FailureKind::Malformed => "not understood",
        FailureKind::Local => "given up on our side",
        other => other.as_str(),
    }
}
