//! Programs that read the formats, given the reports of all rows: what they cannot read is wrong.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Interop;
use super::install::find;

/// Programs, or files that tell of a package, which the readers need.
pub(super) const PROGRAMS: [&str; 6] = [
    "promtool",
    "prometheus-node-exporter",
    "/usr/lib/nagios/plugins/negate",
    "/usr/lib/python3/dist-packages/junitparser",
    "/usr/lib/python3/dist-packages/jsonschema",
    "/usr/lib/python3/dist-packages/markdown_it",
];

/// How long node_exporter may take to listen.
const STARTED_WITHIN: Duration = Duration::from_secs(20);

const JUNIT: &str = "
import sys
from junitparser import JUnitXml
suites = list(JUnitXml.fromfile(sys.argv[1]))
assert len(suites) == int(sys.argv[2]), f'{len(suites)} suites'
assert all(len(list(suite)) == suite.tests for suite in suites), 'the counts are wrong'
";

const SCHEMA: &str = "
import json, sys, jsonschema
schema = json.load(open(sys.argv[2]))
reports = json.load(open(sys.argv[1]))
validator = jsonschema.Draft202012Validator(schema)
for report in reports:
    for error in validator.iter_errors(report):
        sys.exit(f\"{report['target']['input']}: {list(error.absolute_path)}: {error.message[:200]}\")
assert len(reports) == int(sys.argv[3]), f'{len(reports)} reports'
";

const MARKDOWN: &str = "
import sys
from markdown_it import MarkdownIt
tokens = MarkdownIt('commonmark').enable('table').parse(open(sys.argv[1]).read())
titles = [token for token in tokens if token.type == 'heading_open' and token.tag == 'h2']
assert len(titles) == int(sys.argv[2]), f'{len(titles)} hosts'
html = [inline.content for token in tokens for inline in (token.children or []) if inline.type == 'html_inline']
assert all(html in ('<sub>', '</sub>') for html in html), f'markup of a host: {html}'
assert sum(token.type == 'table_open' for token in tokens) > len(titles), 'no table at the end'
";

/// Has every format read; each reader with what it complains of.
pub(super) fn read_all(interop: &Interop<'_>) -> Result<Vec<(&'static str, Result<()>)>> {
    let folder = interop.bed.folder().join("formats");
    fs::create_dir_all(&folder)?;
    let reports = interop.bed.folder().join("reports");
    let mut all = Vec::new();
    for file in fs::read_dir(&reports)? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            all.extend(fs::read(&path)?);
        }
    }
    let recorded = folder.join("all.json");
    fs::write(&recorded, all)?;
    let mut readers = Readers { probe: &interop.probe, recorded, folder, count: 0 };
    readers.count = fs::read_to_string(readers.written("ndjson", "rdp.ndjson")?)?.lines().count();
    Ok(vec![
        ("reads-prometheus", readers.promtool()),
        ("reads-textfile", readers.node_exporter()),
        ("reads-junit", readers.python("junit", JUNIT, &[])),
        ("reads-markdown", readers.python("markdown", MARKDOWN, &[])),
        ("reads-json", readers.schema()),
        ("reads-nagios", readers.negate()),
    ])
}

struct Readers<'a> {
    probe: &'a Path,
    recorded: PathBuf,
    folder: PathBuf,
    /// Reports of single hosts.
    count: usize,
}

/// Ended with the run.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Readers<'_> {
    /// All reports in this format, in a file.
    fn written(&self, format: &str, name: &str) -> Result<PathBuf> {
        let output = Command::new(self.probe)
            .args(["replay", "--format", format, "--fail-on", "never"])
            .arg(&self.recorded)
            .output()
            .context("the probe")?;
        ensure!(output.status.success(), "replay: {}", String::from_utf8_lossy(&output.stderr));
        let path = self.folder.join(name);
        fs::write(&path, output.stdout)?;
        Ok(path)
    }

    fn promtool(&self) -> Result<()> {
        let file = fs::File::open(self.written("prometheus", "rdp.prom")?)?;
        let output = Command::new("promtool").args(["check", "metrics"]).stdin(file).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// The textfile collector, scraped.
    fn node_exporter(&self) -> Result<()> {
        let folder = self.folder.join("textfile");
        fs::create_dir_all(&folder)?;
        fs::copy(self.written("prometheus", "rdp.prom")?, folder.join("rdp.prom"))?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child = Command::new(find("prometheus-node-exporter").context("it is installed")?)
            .arg("--collector.disable-defaults")
            .arg("--collector.textfile")
            .arg(format!("--collector.textfile.directory={}", folder.display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let _running = Running(child);
        let deadline = Instant::now() + STARTED_WITHIN;
        let mut stream = loop {
            match TcpStream::connect(address) {
                Ok(stream) => break stream,
                Err(error) if Instant::now() > deadline => return Err(error).context("node_exporter"),
                Err(_) => thread::sleep(Duration::from_millis(50)),
            }
        };
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        ensure!(text.contains("node_textfile_scrape_error 0"), "the collector could not read the file");
        ensure!(text.contains("rdp_probe_verdict_info{"), "the scrape lacks the verdicts");
        Ok(())
    }

    fn schema(&self) -> Result<()> {
        let schema = crate::docs::workspace_root().join("docs/report.schema.json");
        self.python("json", SCHEMA, &[&schema.display().to_string()])
    }

    /// Runs a script over the format; its arguments are the file, these, and the number of hosts.
    fn python(&self, format: &str, script: &str, arguments: &[&str]) -> Result<()> {
        let file = self.written(format, &format!("rdp.{format}"))?;
        let output = Command::new("/usr/bin/python3")
            .args(["-c", script])
            .arg(file)
            .args(arguments)
            .arg(self.count.to_string())
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}", said.lines().last().unwrap_or_default());
        Ok(())
    }

    /// `negate` of the monitoring plug-ins turns the state of a plug-in's exit code and text.
    fn negate(&self) -> Result<()> {
        let output = Command::new("/usr/lib/nagios/plugins/negate")
            .args(["--critical=ok", "--substitute"])
            .arg(self.probe)
            .args(["replay", "--format", "nagios"])
            .arg(&self.recorded)
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success() && text.starts_with("RDP OK - "), "it says {text:.200}");
        Ok(())
    }
}
