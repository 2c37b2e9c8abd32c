//! Recorded reports of real hosts get the verdict that they had.

use rdprobe_report::Report;

use crate::stage::fixtures;

#[test]
fn recorded_hosts_keep_their_verdicts() {
    let folder = fixtures().join("observations");
    let mut judged = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a file");
        let recorded: Report =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let again = rdprobe::replay(&recorded, None).verdict;
        let verdict = &recorded.verdict;
        assert_eq!(
            (again.status, &again.code, again.phase, again.client_outcome),
            (verdict.status, &verdict.code, verdict.phase, verdict.client_outcome),
            "{}",
            path.display()
        );
        judged += 1;
    }
    assert!(judged >= 3, "{judged}");
}
