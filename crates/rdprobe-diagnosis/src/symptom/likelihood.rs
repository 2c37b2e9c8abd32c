//! How likely a cause is: its prior times what every piece of evidence makes of it. Nothing but a proof makes any of
//! them zero, so that every layer can reach the top.

use rdprobe_report::{CauseStatus, Change, Stage};

use super::{Features, TagKind, tag};
use crate::causes::{Cause, Hint, Judgement, Scope};

/// A cause shares a family with the symptom.
const SAME_FAMILY: f64 = 9.0;
/// A client or surroundings that it needs were named.
const NEED_MET: f64 = 5.0;
/// It was seen of the host, which makes it no likelier than what needs nothing.
const NEED_SEEN: f64 = 2.0;
/// They were not.
const NEED_OPEN: f64 = 0.03;
/// Something was named that hardly ever has it.
const HARDLY: f64 = 0.1;
/// Something fits.
const FITS: f64 = 3.0;
/// The server that it needs was named.
const SERVER_NAMED: f64 = 1.5;
/// Another was.
const OTHER_SERVER: f64 = 0.06;
/// It needs a server other than Windows, and none was named.
const RARER_SERVER: f64 = 0.4;
/// Something that was seen speaks for it.
const HINTED: f64 = 5.0;
/// What was seen goes with it, and with much else.
const FITS_WITH: f64 = 1.6;
/// The least weight that a cause has among the first for which a symptom is known; what articles name besides has less.
const KNOWN_FOR: f64 = 8.0;
/// A proof outweighs everything.
const CONFIRMED: f64 = 1e6;

/// The weight of a cause; 0 where it is ruled out. `stops_all` says that the host stops every client.
pub(super) fn weigh(
    cause: &Cause,
    features: &Features,
    judgement: Option<&Judgement>,
    stops_all: bool,
) -> f64 {
    cause.prior
        * symptom(cause, features)
        * tags(cause, features)
        * features.resembles.get(cause.id).copied().unwrap_or(1.0)
        * stage(cause, features)
        * since(cause, features.since)
        * others(cause.scope, features.others_connect)
        * seen(judgement, stops_all || concerns(cause, features))
}

fn symptom(cause: &Cause, features: &Features) -> f64 {
    let named = features.named.get(cause.id).copied().unwrap_or(0.0);
    let family =
        cause.families.iter().filter_map(|family| features.families.get(family)).copied().fold(0.0, f64::max);
    // A named cause stands above its prior: rare ones are named because they show so.
    let rare = if named > 0.0 { (4.0 / cause.prior).max(1.0).sqrt() } else { 1.0 };
    (named * rare).max(1.0 + (SAME_FAMILY - 1.0) * family)
}

fn tags(cause: &Cause, features: &Features) -> f64 {
    let told = |list: &[&str]| list.iter().filter(|tag| features.tags.contains(*tag)).count();
    let seen = |list: &[&str]| list.iter().any(|tag| features.seen.contains(tag));
    let mut factor = match cause.needs {
        [] => 1.0,
        needs if told(needs) > 0 => NEED_MET,
        needs if seen(needs) => NEED_SEEN,
        _ => NEED_OPEN,
    };
    if told(cause.never) > 0 {
        factor *= HARDLY;
    }
    // What another of them implies says nothing new.
    let fits: Vec<_> = cause.fits.iter().filter(|tag| features.tags.contains(*tag)).collect();
    let implied = |id: &str| fits.iter().any(|other| tag(other).is_some_and(|tag| tag.implies.contains(&id)));
    let own: Vec<_> = fits.iter().filter_map(|id| tag(id).filter(|tag| !implied(tag.id))).collect();
    // Of several clients that were named only one is in use; the others are told of because they work.
    let clients = own.iter().filter(|tag| tag.kind == TagKind::Client).count();
    factor *= FITS.powi((own.len() - clients.saturating_sub(1)).min(3) as i32);
    let servers =
        features.tags.iter().filter(|id| tag(id).is_some_and(|tag| tag.kind == TagKind::Server)).count();
    factor
        * match (cause.server.is_empty(), servers) {
            (true, _) => 1.0,
            (false, 0) if seen(cause.server) || cause.server.contains(&"windows") => 1.0,
            (false, 0) => RARER_SERVER,
            (false, _) if told(cause.server) > 0 => SERVER_NAMED,
            // A Windows that was named beside a Linux host is what the client or the hypervisor runs on.
            (false, _) if features.tags.contains("linux") && runs_on_linux(cause.server) => 1.0,
            (false, _) => OTHER_SERVER,
        }
}

fn runs_on_linux(servers: &[&str]) -> bool {
    servers.iter().any(|server| tag(server).is_some_and(|tag| tag.implies.contains(&"linux")))
}

fn stage(cause: &Cause, features: &Features) -> f64 {
    let Some(stage) = features.stage else { return 1.0 };
    let far = cause.stages.iter().map(|own| (*own as i32 - stage as i32).abs()).min().unwrap_or(0);
    let factor: f64 = match far {
        0 => 1.0,
        1 => 0.22,
        _ => 0.06,
    };
    // A word in a sentence is less than an answer.
    if features.stage_told { factor } else { factor.sqrt() }
}

fn since(cause: &Cause, since: Option<Change>) -> f64 {
    match since {
        None => 1.0,
        Some(Change::Nothing) => {
            if cause.since.is_empty() {
                1.0
            } else {
                0.6
            }
        }
        Some(change) if cause.since.contains(&change) => 4.0,
        Some(_) => 0.7,
    }
}

fn others(scope: Scope, others_connect: Option<bool>) -> f64 {
    match (others_connect, scope) {
        (None, _) => 1.0,
        (Some(true), Scope::Host) => 0.2,
        (Some(true), Scope::Path) => 0.7,
        (Some(true), Scope::Client) => 3.0,
        (Some(true), Scope::Account) => 1.5,
        (Some(false), Scope::Host) => 1.8,
        (Some(false), Scope::Path) => 1.4,
        (Some(false), Scope::Client) => 0.3,
        (Some(false), Scope::Account) => 0.5,
    }
}

/// The symptom is one that the cause can have. A fault that is proved and has others is not behind this one for it.
fn concerns(cause: &Cause, features: &Features) -> bool {
    features.recognised.is_unknown()
        || features.named.get(cause.id).is_some_and(|weight| *weight >= KNOWN_FOR)
        || cause.families.iter().any(|family| features.families.contains_key(family))
}

fn seen(judgement: Option<&Judgement>, concerns: bool) -> f64 {
    match judgement {
        None => 1.0,
        Some(judgement) => match judgement.status {
            CauseStatus::Confirmed if concerns => CONFIRMED,
            CauseStatus::Confirmed => 1.0,
            CauseStatus::RuledOut => 0.0,
            CauseStatus::Possible | CauseStatus::NotObservable => match judgement.hint {
                Hint::Strong => HINTED,
                Hint::Weak => FITS_WITH,
                Hint::None => 1.0,
            },
        },
    }
}

/// The stages, for those who must ask.
pub(super) const STAGES: [Stage; 4] =
    [Stage::BeforePassword, Stage::AfterPassword, Stage::AfterPicture, Stage::Later];
