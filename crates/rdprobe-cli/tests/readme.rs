//! The shell lines of the README's chapter on CI, run as they stand against a closed port.

use std::path::Path;
use std::process::Command;

const CLOSED: &str = "127.0.0.1:1";

/// What stands on a line after its list mark or key.
fn shell_line(line: &str) -> Option<&str> {
    let line = line.trim().trim_start_matches("- ");
    let line = line.strip_prefix("command_line  /usr/bin/").unwrap_or(line);
    line.starts_with("rdprobe ").then_some(line)
}

#[test]
fn the_lines_for_ci_do_what_they_say() {
    let readme = include_str!("../../../README.md");
    let chapter = readme.split("\n## ").find(|chapter| chapter.starts_with("In CI")).expect("the chapter");
    let folder = std::env::temp_dir().join(format!("rdprobe-readme-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("hosts.txt"), format!("{CLOSED}\n")).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_rdprobe")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let mut ran = 0;
    for line in chapter.lines().filter_map(shell_line) {
        // Nobody waits ten minutes for a port that stays closed.
        let line = line.replace("--wait 10m", "--wait 1s").replace("$HOSTADDRESS$", CLOSED);
        let output = Command::new("sh")
            .args(["-c", &line])
            .current_dir(&folder)
            .env("PATH", &path)
            .env("RDP_HOST", CLOSED)
            .env("GITHUB_RUN_ID", "7")
            .env("GITHUB_STEP_SUMMARY", "summary.md")
            .output()
            .unwrap();
        let expected = if line.contains("--fail-on never") { 0 } else { 2 };
        assert_eq!(
            output.status.code(),
            Some(expected),
            "{line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        ran += 1;
    }
    assert_eq!(ran, 7, "every line of the chapter is found");
    let written = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert!(written("rdp.xml").contains("tcp-refused"));
    assert!(written("rdp.prom").contains("rdp_probe_verdict_info"));
    assert!(written("report.json").contains("\"schema_version\": 1"));
    assert!(written("summary.md").contains("## BROKEN"));
    std::fs::remove_dir_all(&folder).unwrap();
}
