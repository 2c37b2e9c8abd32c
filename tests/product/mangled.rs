//! Reports that were mangled, or that a later version wrote.

use rdprobe_report::{Phase, Report};
use rdprobe_tests::dice::Dice;
use rdprobe_tests::mangled::{RECORDED, mangle, replay};
use serde_json::{Value, json};

#[test]
fn no_replay_of_a_mangled_report_panics_or_calls_it_healthy_unproven() {
    let mut dice = Dice::default();
    let mut read = 0;
    for recorded in RECORDED {
        let whole: Value = serde_json::from_str(recorded).expect("JSON");
        for _ in 0..40 {
            // What can still be read is mangled further.
            let mut report = whole.clone();
            for _ in 0..20 {
                let mut changed = report.clone();
                mangle(&mut changed, &mut dice);
                if replay(changed.to_string().as_bytes()).is_some() {
                    report = changed;
                    read += 1;
                }
            }
        }
    }
    assert!(read > 300, "only {read} of 2400 could be read at all");
}

#[test]
fn what_a_later_version_adds_is_kept_and_not_judged() {
    let mut whole: Value = serde_json::from_str(RECORDED[1]).expect("JSON");
    whole["quantum"] = json!({ "entangled": true });
    whole["phases"]["gateway"] = json!({ "outcome": "ok", "duration_ms": 3.0 });
    let steps = whole["attempts"][1]["steps"].as_array_mut().expect("steps");
    let mut further = steps.last().cloned().expect("a step");
    further["phase"] = json!("gateway");
    further["facts"] = json!({ "status": 401 });
    steps.push(further);
    let mut attempt = whole["attempts"][2].clone();
    attempt["id"] = json!(99);
    attempt["purpose"] = json!("gateway-question");
    attempt["steps"][0]["failure"] =
        json!({ "kind": "proxied", "evidence": { "what": "proxy", "status": 407 } });
    whole["attempts"].as_array_mut().expect("attempts").push(attempt);

    let report: Report = serde_json::from_value(whole.clone()).expect("a later version's report can be read");
    let written = serde_json::to_value(&report).expect("JSON");
    for pointer in ["/quantum", "/phases/gateway", "/attempts/1/steps/5"] {
        assert_eq!(written.pointer(pointer), whole.pointer(pointer), "{pointer}");
    }
    assert_eq!(written["attempts"].as_array().map(Vec::len), whole["attempts"].as_array().map(Vec::len));

    let again = rdprobe::replay(&report, None);
    assert_eq!(again.verdict.code, report.verdict.code);
    assert!(again.other.contains_key("quantum") && again.phases.other.contains_key("gateway"));
    let told = again.not_judged.join("\n");
    for word in ["gateway", "gateway-question", "proxied"] {
        assert!(told.contains(word), "{word} in {told}");
    }
}

#[test]
fn nothing_seen_is_not_healthy() {
    let mut whole: Value = serde_json::from_str(RECORDED[1]).expect("JSON");
    whole["attempts"] = json!([]);
    let report = replay(whole.to_string().as_bytes()).expect("it can be read");
    assert_eq!(report.verdict.code.as_str(), "probe-incomplete");
    assert_eq!(report.verdict.phase, Some(Phase::Tcp));
}
