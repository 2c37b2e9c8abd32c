//! Recorded frames and reports.

use std::path::{Path, PathBuf};

use rdprobe_report::Report;
use rdprobe_testkit::Scenario;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name)
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A frame of `fixtures/wire/frames.json`.
pub(crate) fn frame(name: &str) -> Vec<u8> {
    let frames: serde_json::Value =
        serde_json::from_str(&text(&folder("wire").join("frames.json"))).expect("JSON");
    let frames = frames["frames"].as_array().expect("a list");
    let frame = frames.iter().find(|frame| frame["name"] == name);
    let bytes = frame.and_then(|frame| frame["hex"].as_str());
    hex::decode(bytes.unwrap_or_else(|| panic!("no frame {name}"))).expect("hex")
}

/// The reports of `fixtures/observations`, made by real runs.
pub(crate) const RECORDINGS: [&str; 3] = ["xrdp-tls13", "key-unusable", "nla"];

/// A report of `fixtures/observations`.
pub(crate) fn recording(name: &str) -> Report {
    let path = folder("observations").join(format!("{name}.json"));
    serde_json::from_str(&text(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A scenario of `fixtures/scenarios`.
pub(crate) fn scenario(name: &str) -> Scenario {
    Scenario::load(&folder("scenarios").join(format!("{name}.toml")))
        .unwrap_or_else(|error| panic!("{error}"))
}
