//! Prometheus scrapes two exporters over real hosts, evaluates the rules and answers the dashboard's queries.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::super::Interop;
use super::super::bed::Launch;
use super::{adapted, curl, free, serve, shipped};
use crate::apt::SEARCH_PATH;

/// Servers of the matrix: NLA with a challenge, TLS, an expired certificate, UDP.
const SERVERS: [&str; 4] = ["shadow2-nla", "xrdp-tls", "xrdp-expired", "udp-open"];
const HOSTS: [&str; 4] = ["127.0.10.121", "127.0.10.103", "127.0.10.104", "127.0.10.199"];
const UDP_HOST: &str = "198.19.4.11";
const MODULES: &str = "
allow = ['127.0.10.0/24:3389', '198.19.4.0/24']
[module.strict]
expect = ['nla-required', 'tls>=1.2']
[module.udp]
udp = true
udp-probes = 10
";
/// Within which every series that is waited for has come.
const PATIENCE: Duration = Duration::from_secs(60);

pub(in crate::interop) fn run(interop: &Interop<'_>) -> Result<()> {
    for server in SERVERS {
        interop.ensure_started(server)?;
    }
    let folder = interop.bed.folder().join("prometheus");
    fs::create_dir_all(&folder)?;
    let modules = folder.join("serve.toml");
    fs::write(&modules, MODULES)?;
    let modules = modules.display().to_string();
    let (one, two, ours) = (free()?, free()?, free()?);
    let arguments = ["--config", &modules];
    let _shards = (serve(interop, "serve-1", one, &arguments)?, serve(interop, "serve-2", two, &arguments)?);

    let hosts = HOSTS.map(|host| format!("\"{host}\"")).join(", ");
    let config = adapted(
        "prometheus/prometheus.yml",
        &[
            ("127.0.0.1:9339", &one.to_string()),
            ("127.0.0.1:9340", &two.to_string()),
            ("scrape_interval: 1m", "scrape_interval: 4s\n  evaluation_interval: 1s"),
            ("scrape_timeout: 15s", "scrape_timeout: 4s"),
            (r#""rds01.corp.example", "rds02.corp.example:3390", "192.0.2.7""#, &hosts),
            (
                r#"      - targets: ["rds03.corp.example"]"#,
                &format!(
                    "      - targets: [\"{UDP_HOST}\"]\n        labels: {{ __param_module: udp }}\n      - targets: [{hosts}]"
                ),
            ),
        ],
    )?;
    let file = folder.join("prometheus.yml");
    fs::write(&file, config)?;
    for rules in ["rules.yml", "rules.test.yml"] {
        fs::copy(shipped("prometheus").join(rules), folder.join(rules))?;
    }
    let promtool = |words: &[&str]| promtool(&folder, words);
    promtool(&["check", "config", "prometheus.yml"])?;
    promtool(&["check", "rules", "rules.yml"])?;
    promtool(&["test", "rules", "rules.test.yml"])?;

    let launch = Launch::new("prometheus")
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address={ours}"));
    let running = interop.bed.spawn("prometheus", &launch)?;
    running.wait_listening(ours)?;
    let url = format!("http://{ours}");
    let prometheus = Prometheus { interop, url: &url };

    let probes = 2 * HOSTS.len() + 1;
    prometheus.wait(&format!("count(probe_success{{job=\"rdp\"}}) == {probes}"))?;
    prometheus.wait("count(count by (module) (probe_success)) == 3")?;
    // Each of the two has its share.
    prometheus.wait("count(sum by (instance) (rdprobe_probes_total) > 0) == 2")?;
    prometheus.wait("count(up == 1) == count(up)")?;
    for wanted in [
        "probe_success{instance=\"127.0.10.121\", module=\"default\"} == 1",
        "probe_success{instance=\"127.0.10.199\", module=\"default\"} == 0",
        "rdp_probe_verdict_info{code=\"cert-expired\", instance=\"127.0.10.104\"} == 1",
        "rdp_probe_expectation{name=\"nla-required\", instance=\"127.0.10.103\"} == 0",
        "rdp_probe_expectation{name=\"nla-required\", instance=\"127.0.10.121\"} == 1",
        "rdp_probe_udp_loss_ratio{instance=\"198.19.4.11\"} == 0",
        "ALERTS{alertname=\"RemoteDesktopBroken\", instance=\"127.0.10.199\", alertstate=\"pending\"} == 1",
    ] {
        prometheus.wait(wanted)?;
    }
    prometheus.rules_are_healthy()?;
    let queries = dashboard()?;
    for query in &queries {
        prometheus.wait(query)?;
    }
    println!(
        "      serve-prometheus: {probes} probes over 2 shards, {} queries of the dashboard",
        queries.len()
    );
    for path in [format!("http://{one}/metrics"), format!("http://{one}/probe?target={}", HOSTS[0])] {
        let (status, text) = curl(interop, &[&path])?;
        ensure!(status == 200, "{path}: {status}");
        let file = folder.join("scrape.prom");
        fs::write(&file, text)?;
        let output =
            Command::new("promtool").args(["check", "metrics"]).stdin(File::open(&file)?).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success() && said.is_empty(), "promtool check metrics, {path}: {said}");
    }
    let (status, _) = curl(interop, &[&format!("http://{one}/probe?target=127.0.0.1")])?;
    ensure!(status == 403, "a target outside the list is answered with {status}");
    running.end();
    Ok(())
}

fn promtool(folder: &Path, words: &[&str]) -> Result<()> {
    let output =
        Command::new("promtool").args(words).current_dir(folder).env("PATH", SEARCH_PATH).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "promtool {}: {said}", words.join(" "));
    Ok(())
}

/// Every query of the dashboard, its variables filled in.
fn dashboard() -> Result<Vec<String>> {
    let dashboard: Value = serde_json::from_str(&adapted("grafana/rdprobe.json", &[])?)?;
    let panels = dashboard["panels"].as_array().context("it has no panels")?;
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let filled: Vec<String> = targets
        .filter_map(|target| target["expr"].as_str())
        .map(|query| {
            query
                .replace("$__rate_interval", "1m")
                .replace("$__range", "1m")
                .replace("$instance", ".*")
                .replace("$job", ".*")
        })
        .collect();
    ensure!(!filled.is_empty(), "the dashboard asks nothing");
    for query in &filled {
        ensure!(!query.contains('$'), "a variable is not filled in: {query}");
    }
    Ok(filled)
}

struct Prometheus<'a> {
    interop: &'a Interop<'a>,
    url: &'a str,
}

impl Prometheus<'_> {
    /// Waits until this query returns series.
    fn wait(&self, query: &str) -> Result<()> {
        let launch = || Launch::new("promtool").args(["query", "instant", self.url, query]);
        let began = Instant::now();
        loop {
            if !self.interop.bed.output(&launch())?.trim().is_empty() {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                let verdicts =
                    Launch::new("promtool").args(["query", "instant", self.url, "rdp_probe_verdict_info"]);
                bail!("no series: {query}\n{}", self.interop.bed.output(&verdicts)?);
            }
            thread::sleep(Duration::from_millis(300));
        }
    }

    /// Every rule was evaluated, and none in vain.
    fn rules_are_healthy(&self) -> Result<()> {
        let (_, text) = curl(self.interop, &[&format!("{}/api/v1/rules", self.url)])?;
        let answer: Value = serde_json::from_str(&text)?;
        let groups = answer["data"]["groups"].as_array().context("no groups")?;
        let rules = groups.iter().flat_map(|group| group["rules"].as_array().into_iter().flatten());
        let mut count = 0;
        for rule in rules {
            ensure!(rule["health"] == "ok", "{}: {}", rule["name"], rule["lastError"]);
            count += 1;
        }
        ensure!(count > 0, "Prometheus has no rules");
        Ok(())
    }
}
