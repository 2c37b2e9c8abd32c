//! The differential: every cause judged against the host and weighed by what was told.

use rdprobe_report::{
    CauseStatus, JudgedCause, JudgedClaim, Report, Stage, SymptomReport, Told, WeighedRemedy,
};

use super::fixes::{answers, fixes};
use super::likelihood::weigh;
use super::regressions::regressions;
use super::{Features, client, questions};
use crate::causes::{self, Asked, Cause, Hint, Judgement, Seen};

/// A cause with its judgement and its share of the likelihood.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// The cause.
    pub cause: &'static Cause,
    /// What the host makes of it; none without a report.
    pub judgement: Option<Judgement>,
    /// Share of the likelihood over all causes, 0 to 1.
    pub likelihood: f64,
}

impl Ranked {
    /// What was seen excludes it.
    pub fn is_out(&self) -> bool {
        self.judgement.as_ref().is_some_and(|judgement| judgement.status == CauseStatus::RuledOut)
    }

    /// What was seen proves it, or is what it would show.
    pub fn is_hinted(&self) -> bool {
        self.judgement.as_ref().is_some_and(|judgement| {
            judgement.status == CauseStatus::Confirmed || judgement.hint == Hint::Strong
        })
    }
}

/// Causes that are told though the symptom is not known for them.
const ALSO: usize = 3;

/// Surroundings in which a client does not take the direct way.
const THROUGH_GATEWAY: &[&str] = &["gateway", "avd"];

/// Every cause, the likeliest first; ruled out ones come last.
pub fn rank(features: &Features, report: Option<&Report>) -> Vec<Ranked> {
    let features = &report.map_or_else(|| features.clone(), |report| features.clone().with_seen(report));
    // A word for a later stage is too little to judge by; a handshake that fails is a fact of the symptom itself.
    let stage = features.stage.filter(|stage| features.stage_told || *stage == Stage::BeforePassword);
    let named = report.is_some_and(|report| report.options.gateway.is_some());
    let told = THROUGH_GATEWAY.iter().any(|tag| features.tags.contains(tag));
    let asked = Asked { stage, through_gateway: named || told };
    let stops_all = report.is_some_and(|report| Seen::new(report).ends_at().is_some());
    let mut ranked: Vec<(f64, Ranked)> = causes::all()
        .iter()
        .map(|cause| {
            let judgement = report.map(|report| causes::judge(cause, Seen::new(report), asked));
            let weight = weigh(cause, features, judgement.as_ref(), stops_all);
            (weight, Ranked { cause, judgement, likelihood: 0.0 })
        })
        .collect();
    let total: f64 = ranked.iter().map(|(weight, _)| weight).sum();
    // Stable, so that equals keep the order of the knowledge.
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    ranked
        .into_iter()
        .map(|(weight, ranked)| Ranked {
            likelihood: if total > 0.0 { weight / total } else { 0.0 },
            ..ranked
        })
        .collect()
}

/// The symptom that was told against the host of the report; none where nothing was told but the client.
pub fn differential(report: &Report, told: &Told) -> Option<SymptomReport> {
    if (Told { client: None, ..told.clone() }).is_empty() {
        return None;
    }
    let features = Features::of(told).with_seen(report);
    let ranked = rank(&features, Some(report));
    let best = features.recognised.best();
    let own = best.map_or(&[][..], |symptom| symptom.causes);
    let also = if features.named.is_empty() { ALSO * 4 } else { ALSO };
    let belongs = |place: usize, ranked: &Ranked| {
        let judgement = ranked.judgement.as_ref();
        let confirmed = judgement.is_some_and(|judgement| judgement.status == CauseStatus::Confirmed);
        let left = judgement.is_none_or(|judgement| judgement.status != CauseStatus::RuledOut);
        let needs = ranked.cause.needs;
        let met = needs.is_empty() || needs.iter().any(|tag| features.has(tag));
        confirmed || own.contains(&ranked.cause.id) && (met || !left) || left && place < also
    };
    let causes = ranked
        .iter()
        .enumerate()
        .filter(|(place, ranked)| belongs(*place, ranked))
        .filter_map(|(_, ranked)| judged(ranked, &features, report))
        .collect();
    let meaning = best.map_or_else(
        || "This is no symptom that rdprobe knows; the causes are weighed by the rest.".into(),
        |symptom| symptom.meaning.to_owned(),
    );
    Some(SymptomReport {
        input: told.symptom.clone().unwrap_or_default(),
        code: best.map(|symptom| symptom.id.into()),
        meaning,
        is_not: best.and_then(|symptom| symptom.is_not).map(Into::into),
        client: told.client.as_deref().and_then(nearest),
        causes,
        regressions: regressions(&features, report),
        claims: claims(&features),
        remedies: remedies(&features, &ranked),
        question: questions(report, told).first().map(|question| question.text.into()),
    })
}

fn judged(ranked: &Ranked, features: &Features, report: &Report) -> Option<JudgedCause> {
    let judgement = ranked.judgement.as_ref()?;
    let seen = Seen::new(report);
    let fixes = match judgement.status {
        CauseStatus::RuledOut => Vec::new(),
        _ => fixes(ranked.cause, features, Some(report)),
    };
    Some(JudgedCause {
        id: ranked.cause.id.into(),
        title: ranked.cause.title.into(),
        status: judgement.status,
        likelihood: (ranked.likelihood * 1e4).round() / 1e4,
        evidence: judgement.evidence.clone(),
        reason: judgement.reason.clone(),
        check: seen.fill(if answers(ranked.cause.check, seen) {
            ranked.cause.check
        } else {
            ranked.cause.question
        }),
        fixes,
    })
}

/// The client in the registry's words, with the profile that stands for it.
fn nearest(words: &str) -> Option<String> {
    let judged = client::judged_as(words)?;
    Some(format!("{}, judged as {}", judged.title, judged.profile))
}

fn claims(features: &Features) -> Vec<JudgedClaim> {
    let concerns = |codes: &[&str]| {
        codes.iter().any(|code| {
            features.recognised.matches.iter().any(|found| found.symptom.id == *code)
                || features.families.contains_key(code)
        })
    };
    causes::claims()
        .iter()
        .filter(|claim| concerns(claim.codes))
        .map(|claim| JudgedClaim {
            id: claim.id.into(),
            text: claim.text.into(),
            judgement: claim.judgement,
            why: claim.why.into(),
        })
        .collect()
}

/// What is recommended against causes that the symptom can have; what is for a cause that is left says so.
fn remedies(features: &Features, ranked: &[Ranked]) -> Vec<WeighedRemedy> {
    let place = |id: &str| ranked.iter().find(|ranked| ranked.cause.id == id);
    causes::remedies()
        .iter()
        .filter(|remedy| remedy.causes.iter().any(|id| features.named.contains_key(id)))
        .map(|remedy| {
            let left = remedy.causes.iter().filter_map(|id| place(id)).any(|ranked| {
                ranked.judgement.as_ref().is_none_or(|judgement| judgement.status != CauseStatus::RuledOut)
            });
            let why = match left {
                true => remedy.why.into(),
                false => format!("{} Here what it is for is ruled out.", remedy.why),
            };
            WeighedRemedy {
                id: remedy.id.into(),
                title: remedy.title.into(),
                effect: remedy.effect,
                when: remedy.when.into(),
                why,
            }
        })
        .collect()
}
