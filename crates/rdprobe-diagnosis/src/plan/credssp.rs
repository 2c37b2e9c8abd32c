//! CredSSP once more inside SPNEGO where bare NTLM was refused, and at last the logon: once more where its connection
//! was lost before CredSSP began, and so before the account was named.

use rdprobe_report::{Depth, FailureKind, Purpose, RUSTLS, Recipe};

use crate::rules::logon;
use crate::view::{View, credssp};

pub(super) fn wanted(view: View<'_>) -> Vec<Recipe> {
    let mut wanted = Vec::new();
    let failed = view.settled(Purpose::Default).and_then(credssp).and_then(|(step, _)| step.failure.as_ref());
    // Whatever the host did to bare NTLM, SPNEGO asks anew; what our own side could not do, it cannot either.
    let refused = failed.is_some_and(|failure| failure.kind != FailureKind::Local);
    if refused {
        wanted.push(within_spnego(view).alone());
    }
    if wanted.is_empty() && logon::may_be_tried(view) {
        let offer = Some(view.usual_protocols());
        let logon = view.recipe(Purpose::Logon, offer, Some(RUSTLS), Depth::Logon).alone();
        if logon::lost(view) {
            wanted.push(Recipe { purpose: Purpose::Control, ..logon.clone() });
        }
        wanted.insert(0, logon);
    }
    wanted
}

pub(super) fn within_spnego(view: View<'_>) -> Recipe {
    view.recipe(Purpose::Spnego, Some(view.usual_protocols()), Some(RUSTLS), Depth::Credssp)
}
