//! CredSSP once more inside SPNEGO where bare NTLM was refused, and at last the logon.

use rdprobe_report::{Depth, FailureKind, Purpose, RUSTLS, Recipe};

use crate::rules::logon;
use crate::view::{View, credssp};

pub(super) fn wanted(view: View<'_>) -> Vec<Recipe> {
    let mut wanted = Vec::new();
    let offer = Some(view.usual_protocols());
    let default = view.settled(Purpose::Default);
    let refused =
        default.and_then(credssp).and_then(|(step, _)| step.failure.as_ref()).is_some_and(|failure| {
            matches!(
                failure.kind,
                FailureKind::Reset
                    | FailureKind::Closed
                    | FailureKind::Rejected
                    | FailureKind::Alert
                    | FailureKind::Malformed
                    | FailureKind::Timeout
            )
        });
    if refused {
        wanted.push(view.recipe(Purpose::Spnego, offer, Some(RUSTLS), Depth::Credssp).alone());
    }
    if wanted.is_empty() && logon::may_be_tried(view) {
        wanted.push(view.recipe(Purpose::Logon, offer, Some(RUSTLS), Depth::Logon).alone());
    }
    wanted
}
