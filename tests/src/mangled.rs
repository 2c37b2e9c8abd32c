//! Reports as somebody else might hand them in: mangled, or from a later version. Read or refused, never a panic; and
//! what is read is judged again and again alike.

use rdprobe_report::{Observations, Report};
use serde_json::Value;

use crate::dice::Dice;
use crate::proof;

/// Reads `data` as a report and judges it again.
///
/// # Panics
/// Where the product does, where a replay's own replay differs, or where healthy is claimed and not shown.
pub fn replay(data: &[u8]) -> Option<Report> {
    let report: Report = serde_json::from_slice(data).ok()?;
    let judge = |report: &Report| {
        let seen: Observations = report.observations();
        rdprobe_diagnosis::diagnose(&seen, report.started_at, report.started_at)
    };
    let again = judge(&report);
    // The plan must bear whatever a report holds, too.
    drop(rdprobe_diagnosis::plan(&report.observations()));
    let text = serde_json::to_string(&again).expect("a report has string keys alone");
    let read: Report = serde_json::from_str(&text).expect("what is written can be read");
    assert_eq!(judge(&read).verdict, again.verdict, "a replay of a replay comes to the same verdict");
    assert_eq!(proof::unproven(&again), None);
    Some(again)
}

/// The recorded reports, to begin with.
pub const RECORDED: [&str; 3] = [
    include_str!("../../fixtures/observations/xrdp-tls13.json"),
    include_str!("../../fixtures/observations/nla.json"),
    include_str!("../../fixtures/observations/key-unusable.json"),
];

/// Changes one value somewhere: takes it away, makes it another kind of value, or puts another of the same report in its
/// place.
pub fn mangle(report: &mut Value, dice: &mut Dice) {
    let mut pointers = Vec::new();
    collect(report, String::new(), &mut pointers);
    let pointer = &pointers[dice.below(pointers.len())];
    let other = report.pointer(&pointers[dice.below(pointers.len())]).cloned().unwrap_or_default();
    let Some(value) = report.pointer_mut(pointer) else { return };
    match dice.below(16) {
        0 => *value = Value::Null,
        1 => *value = other,
        2 => *value = Value::from("of-a-later-version"),
        3 => *value = Value::from(dice.below(1 << 20)),
        4 => *value = Value::from(-1),
        5..9 => remove(value, dice),
        9..12 => duplicate(value, dice),
        _ => flip(value),
    }
}

fn collect(value: &Value, at: String, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                collect(value, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), into);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                collect(value, format!("{at}/{index}"), into);
            }
        }
        _ => {}
    }
    into.push(at);
}

fn remove(value: &mut Value, dice: &mut Dice) {
    match value {
        Value::Array(items) if !items.is_empty() => drop(items.remove(dice.below(items.len()))),
        Value::Object(fields) if !fields.is_empty() => {
            let key = fields.keys().nth(dice.below(fields.len())).cloned().unwrap_or_default();
            fields.remove(&key);
        }
        other => *other = Value::Array(Vec::new()),
    }
}

fn duplicate(value: &mut Value, dice: &mut Dice) {
    if let Value::Array(items) = value
        && !items.is_empty()
    {
        items.push(items[dice.below(items.len())].clone());
    }
}

fn flip(value: &mut Value) {
    *value = match value {
        Value::Bool(truth) => Value::from(!*truth),
        Value::String(text) if text == "ok" => Value::from("failed"),
        Value::String(text) if text == "failed" => Value::from("skipped"),
        _ => Value::from(true),
    };
}
