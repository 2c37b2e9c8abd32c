//! The way of an attempt through the handshake: which phase follows ([MS-RDPBCGR] 1.3.1.1, [MS-RDPBCGR] 5.4.5).

use rdprobe_report::hello::LEGACY_TLS;
use rdprobe_report::{Ask, Depth, Facts, Offer, Phase, Protocol, Purpose, RUSTLS, Recipe};

use crate::credssp::Wrapping;

/// What is done next over a connection that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage<'r> {
    /// The X.224 negotiation with this offer.
    X224(&'r Offer),
    /// TLS, by the real handshake or with the hello of this profile.
    Tls(&'r str),
    /// The CredSSP challenge, its question wrapped like this.
    Credssp(Wrapping),
    /// The MCS Connect Initial under this protocol.
    Mcs(Protocol),
    /// From the MCS Connect Response to the first licence message.
    Licensing,
    /// CredSSP with credentials.
    Logon,
}

/// What follows the phases that ended well with these facts; none where the recipe, or what the host selected, leads
/// no further.
pub fn next<'r>(recipe: &'r Recipe, facts: &[Facts]) -> Option<Stage<'r>> {
    let Ask::Tcp { offer, hello, depth } = &recipe.ask else {
        return None;
    };
    let done = |phase| facts.iter().any(|facts| facts.phase() == phase);
    let selected = match offer {
        Some(offer) if !done(Phase::X224) => return Some(Stage::X224(offer)),
        Some(_) => selected(facts)?,
        None => Protocol::SSL,
    };
    let mcs = || match depth {
        Depth::Mcs | Depth::Licensing if !done(Phase::Mcs) => Some(Stage::Mcs(selected)),
        Depth::Licensing if !done(Phase::Licensing) => Some(Stage::Licensing),
        _ => None,
    };
    if !selected.uses_tls() && !selected.uses_credssp() {
        return mcs();
    }
    let hello = hello.as_deref().filter(|_| selected.uses_tls() && *depth >= Depth::Tls)?;
    if !done(Phase::Tls) {
        return Some(Stage::Tls(hello));
    }
    // Another hand-built hello ends with what can be read in clear.
    if ![RUSTLS, LEGACY_TLS].contains(&hello) || done(Phase::Credssp) {
        return None;
    }
    if !selected.uses_credssp() {
        return mcs();
    }
    match depth {
        // Old TLS carries no credentials.
        Depth::Logon if hello == RUSTLS => Some(Stage::Logon),
        Depth::Credssp if recipe.purpose == Purpose::Spnego => Some(Stage::Credssp(Wrapping::Spnego)),
        Depth::Credssp | Depth::Mcs | Depth::Licensing => Some(Stage::Credssp(Wrapping::Bare)),
        _ => None,
    }
}

/// The protocol that the host selected.
pub fn selected(facts: &[Facts]) -> Option<Protocol> {
    facts.iter().find_map(|facts| match facts {
        Facts::X224(facts) => facts.selected,
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use rdprobe_report::Protocols;
    use rdprobe_report::facts::{CredsspFacts, TlsFacts, X224Facts};
    use rdprobe_report::hello::ALL_SUITES;

    use super::*;

    fn recipe(purpose: Purpose, offer: bool, hello: Option<&str>, depth: Depth) -> Recipe {
        let offer = offer.then(|| Offer { protocols: Some(Protocols::DEFAULT), ..Offer::default() });
        Recipe {
            purpose,
            address: ([192, 0, 2, 7], 3389).into(),
            alone: false,
            beside: None,
            patience_ms: None,
            ask: Ask::Tcp { offer, hello: hello.map(Into::into), depth },
        }
    }

    /// The stages that follow one another where each ends well and the host selects `selected`.
    fn way(recipe: &Recipe, selected: Protocol) -> Vec<String> {
        let mut facts = Vec::new();
        let mut stages = Vec::new();
        while let Some(stage) = next(recipe, &facts) {
            stages.push(match stage {
                Stage::X224(_) => "X224".into(),
                other => format!("{other:?}"),
            });
            facts.push(match stage {
                Stage::X224(_) => {
                    Facts::X224(Box::new(X224Facts { selected: Some(selected), ..X224Facts::default() }))
                }
                Stage::Tls(_) => Facts::Tls(Box::<TlsFacts>::default()),
                Stage::Mcs(_) => Facts::Mcs(Box::default()),
                Stage::Licensing => Facts::Licensing(Box::default()),
                Stage::Credssp(_) | Stage::Logon => Facts::Credssp(Box::<CredsspFacts>::default()),
            });
        }
        stages
    }

    #[test]
    fn what_the_host_selects_leads_the_way() {
        let usual = recipe(Purpose::Default, true, Some(RUSTLS), Depth::Credssp);
        assert_eq!(way(&usual, Protocol::RDP), ["X224"]);
        assert_eq!(way(&usual, Protocol::SSL), ["X224", "Tls(\"rustls\")"]);
        assert_eq!(way(&usual, Protocol::HYBRID_EX), ["X224", "Tls(\"rustls\")", "Credssp(Bare)"]);
    }

    #[test]
    fn mcs_follows_where_no_credssp_was_selected() {
        let usual = recipe(Purpose::Default, true, Some(RUSTLS), Depth::Mcs);
        assert_eq!(way(&usual, Protocol::RDP).last().unwrap(), "Mcs(Protocol(0))");
        assert_eq!(way(&usual, Protocol::SSL), ["X224", "Tls(\"rustls\")", "Mcs(Protocol(1))"]);
        assert_eq!(way(&usual, Protocol::HYBRID), ["X224", "Tls(\"rustls\")", "Credssp(Bare)"]);
        let alone = recipe(Purpose::RdpOnly, true, None, Depth::Mcs);
        assert_eq!(way(&alone, Protocol::RDP).last().unwrap(), "Mcs(Protocol(0))");
    }

    #[test]
    fn licensing_follows_mcs() {
        let asked = recipe(Purpose::Default, true, Some(RUSTLS), Depth::Licensing);
        assert_eq!(way(&asked, Protocol::RDP), ["X224", "Mcs(Protocol(0))", "Licensing"]);
        assert_eq!(way(&asked, Protocol::SSL), ["X224", "Tls(\"rustls\")", "Mcs(Protocol(1))", "Licensing"]);
        assert_eq!(way(&asked, Protocol::HYBRID), ["X224", "Tls(\"rustls\")", "Credssp(Bare)"]);
    }

    #[test]
    fn the_recipe_ends_it() {
        let hello = recipe(Purpose::ReferenceHello, true, Some(ALL_SUITES), Depth::Credssp);
        assert_eq!(way(&hello, Protocol::HYBRID), ["X224", "Tls(\"all-suites\")"]);
        let shallow = recipe(Purpose::NlaQuestion, true, None, Depth::X224);
        assert_eq!(way(&shallow, Protocol::HYBRID), ["X224"]);
        let direct = recipe(Purpose::DirectTls, false, Some(ALL_SUITES), Depth::Tls);
        assert_eq!(way(&direct, Protocol::SSL), ["Tls(\"all-suites\")"]);
        let logon = recipe(Purpose::Logon, true, Some(RUSTLS), Depth::Logon);
        assert_eq!(way(&logon, Protocol::HYBRID).last().unwrap(), "Logon");
        let old = recipe(Purpose::LegacyTls, true, Some(LEGACY_TLS), Depth::Credssp);
        assert_eq!(way(&old, Protocol::HYBRID).last().unwrap(), "Credssp(Bare)");
        let never = recipe(Purpose::Logon, true, Some(LEGACY_TLS), Depth::Logon);
        assert_eq!(way(&never, Protocol::HYBRID).last().unwrap(), "Tls(\"legacy-tls\")");
        let spnego = recipe(Purpose::Spnego, true, Some(RUSTLS), Depth::Credssp);
        assert_eq!(way(&spnego, Protocol::HYBRID).last().unwrap(), "Credssp(Spnego)");
    }
}
