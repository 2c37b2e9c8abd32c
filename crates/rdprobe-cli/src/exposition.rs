//! How metrics are written down: OpenMetrics as prometheus-client has it, or the older text format made of it.

use prometheus_client::registry::Registry;

/// A format of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exposition {
    /// The text format 0.0.4: what promtool, node_exporter's textfile collector and every Prometheus read.
    Text,
    /// OpenMetrics 1.0.0.
    #[cfg(feature = "serve")]
    OpenMetrics,
}

impl Exposition {
    /// What a response says of itself.
    #[cfg(feature = "serve")]
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// Everything in the registry, series in a stable order and no family without any.
    pub(crate) fn write(self, registry: &Registry) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, registry).expect("memory can be written to");
        let mut written = families(&text, self);
        if self != Self::Text {
            written.push_str("# EOF\n");
        }
        written
    }
}

/// The families that have series. In the text format a counter's family is called as its series are.
fn families(text: &str, exposition: Exposition) -> String {
    let mut families: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for line in text.lines().filter(|line| *line != "# EOF") {
        if line.starts_with("# HELP ") {
            families.push(Default::default());
        }
        let Some((head, series)) = families.last_mut() else { continue };
        if line.starts_with('#') { head.push(line) } else { series.push(line) }
    }
    let mut kept = String::with_capacity(text.len());
    for (head, mut series) in families.into_iter().filter(|(_, series)| !series.is_empty()) {
        let is_counter = head.iter().any(|line| line.starts_with("# TYPE ") && line.ends_with(" counter"));
        series.sort_unstable();
        for line in head {
            let mut words = line.splitn(4, ' ');
            match (words.next(), words.next(), words.next(), words.next()) {
                (Some(hash), Some(what), Some(name), Some(rest))
                    if is_counter && exposition == Exposition::Text =>
                {
                    kept.push_str(&format!("{hash} {what} {name}_total {rest}\n"));
                }
                _ => {
                    kept.push_str(line);
                    kept.push('\n');
                }
            }
        }
        for line in series {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::family::Family;
    use prometheus_client::metrics::gauge::Gauge;

    use super::*;

    #[test]
    fn a_counter_bears_the_name_of_its_series_in_text_and_nothing_is_empty() {
        let mut registry = Registry::default();
        let asked = Counter::<u64>::default();
        asked.inc();
        registry.register("asked", "Questions", asked);
        registry.register("empty", "Nothing", Family::<Vec<(String, String)>, Gauge>::default());
        let text = Exposition::Text.write(&registry);
        assert_eq!(text, "# HELP asked_total Questions.\n# TYPE asked_total counter\nasked_total 1\n");
        #[cfg(feature = "serve")]
        {
            let text = Exposition::OpenMetrics.write(&registry);
            assert_eq!(text, "# HELP asked Questions.\n# TYPE asked counter\nasked_total 1\n# EOF\n");
        }
    }
}
