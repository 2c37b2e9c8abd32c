//! CredSSP over old TLS where the real handshake did not get there, once more inside SPNEGO where bare NTLM was refused,
//! and at last the logon: once more where its connection was lost before CredSSP began, and so before the account was
//! named.

use rdprobe_report::{Depth, FailureKind, Protocol, Purpose, RUSTLS, Recipe, TlsVersion, hello};

use crate::rules::logon;
use crate::rules::tls::{self, outcome};
use crate::view::{View, certificate, credssp, x224_facts};

pub(super) fn wanted(view: View<'_>) -> Vec<Recipe> {
    let mut wanted = Vec::new();
    let failed = view.settled(Purpose::Default).and_then(credssp).and_then(|(step, _)| step.failure.as_ref());
    // Whatever the host did to bare NTLM, SPNEGO asks anew; what our own side could not do, it cannot either.
    let refused = failed.is_some_and(|failure| failure.kind != FailureKind::Local);
    if refused {
        wanted.push(within_spnego(view).alone());
    }
    wanted.extend(over_legacy_tls(view));
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

/// Where the client gets TLS that the real handshake lacks, with an RSA key, that key may serve for static RSA too.
fn over_legacy_tls(view: View<'_>) -> Option<Recipe> {
    let own = outcome::gets(view).filter(|_| tls::library_lacks(view))?;
    let nla =
        view.x224().and_then(|(_, step)| x224_facts(step)?.selected).is_some_and(Protocol::uses_credssp);
    let before_1_3 = outcome::facts(own).version < Some(TlsVersion::TLS_1_3);
    let has_rsa_key =
        certificate(own).and_then(|facts| facts.key.as_ref()).is_some_and(|key| key.algorithm == "RSA");
    let may = nla && before_1_3 && has_rsa_key && !view.seen.options.without_legacy_tls;
    let hello = Some(hello::LEGACY_TLS);
    may.then(|| {
        let recipe = view.recipe(Purpose::LegacyTls, Some(view.usual_protocols()), hello, Depth::Credssp);
        recipe.alone()
    })
}

pub(super) fn within_spnego(view: View<'_>) -> Recipe {
    view.recipe(Purpose::Spnego, Some(view.usual_protocols()), Some(RUSTLS), Depth::Credssp)
}
