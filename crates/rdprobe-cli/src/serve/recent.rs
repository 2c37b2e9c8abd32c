//! The last probes, to be read on a page: so many, and so many bytes.

use std::collections::VecDeque;
use std::sync::Arc;

use rdprobe_report::{Report, Status, Timestamp};

/// What all reports together may take, in bytes of JSON.
const MOST_BYTES: usize = 64 << 20;

/// One probe. What a host said stands in it as it was said.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// From 1, in the order of their ends.
    pub(super) id: u64,
    pub(super) module: String,
    pub(super) target: String,
    pub(super) started_at: Timestamp,
    pub(super) duration_ms: f64,
    pub(super) status: Status,
    pub(super) code: String,
    pub(super) summary: String,
    /// The report in JSON.
    pub(super) json: Arc<str>,
}

/// The last ones, and the failed ones among those before them.
#[derive(Debug)]
pub(super) struct Recent {
    most: usize,
    next_id: u64,
    last: VecDeque<Entry>,
    failed: VecDeque<Entry>,
    bytes: usize,
}

impl Recent {
    /// Room for so many, and as many failed ones beside them.
    pub(super) fn new(most: usize) -> Self {
        Self { most, next_id: 1, last: VecDeque::new(), failed: VecDeque::new(), bytes: 0 }
    }

    /// Keeps a report, and forgets older ones.
    pub(super) fn add(&mut self, module: &str, report: &Report) {
        let verdict = &report.verdict;
        let json: Arc<str> = crate::render::json::pretty(report).into();
        self.bytes += json.len();
        self.last.push_back(Entry {
            id: self.next_id,
            module: module.into(),
            target: report.target.input.clone(),
            started_at: report.started_at,
            duration_ms: report.duration_ms.0,
            status: verdict.status,
            code: verdict.code.to_string(),
            summary: verdict.summary.clone(),
            json,
        });
        self.next_id += 1;
        self.forget();
    }

    fn forget(&mut self) {
        while self.last.len() > self.most {
            let Some(entry) = self.last.pop_front() else { break };
            match entry.status.is_up() {
                true => self.bytes -= entry.json.len(),
                false => self.failed.push_back(entry),
            }
        }
        while self.failed.len() > self.most || self.bytes > MOST_BYTES {
            // The newest one stays, however big.
            let oldest =
                self.failed.pop_front().or_else(|| (self.last.len() > 1).then(|| self.last.pop_front())?);
            let Some(oldest) = oldest else { break };
            self.bytes -= oldest.json.len();
        }
    }

    /// The newest first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Entry> {
        self.last.iter().rev().chain(self.failed.iter().rev())
    }

    pub(super) fn get(&self, id: u64) -> Option<&Entry> {
        self.all().find(|entry| entry.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    fn with(most: usize, statuses: &[Status]) -> Recent {
        let mut recent = Recent::new(most);
        let mut report = samples::all().remove(0);
        for status in statuses {
            report.verdict.status = *status;
            recent.add("default", &report);
        }
        recent
    }

    #[test]
    fn failed_ones_outlive_the_others() {
        use Status::{Broken, Healthy};
        let recent = with(2, &[Broken, Healthy, Broken, Healthy, Healthy]);
        assert_eq!(recent.all().map(|entry| entry.id).collect::<Vec<_>>(), [5, 4, 3, 1]);
        assert!(recent.get(2).is_none() && recent.get(3).is_some());
        let kept: usize = recent.all().map(|entry| entry.json.len()).sum();
        assert_eq!(recent.bytes, kept);
    }

    #[test]
    fn it_stays_within_its_bounds() {
        let recent = with(3, &[Status::Broken; 50]);
        assert_eq!(recent.all().count(), 6);
        let mut recent = with(3, &[Status::Broken; 6]);
        recent.bytes += MOST_BYTES;
        recent.forget();
        assert_eq!(recent.all().map(|entry| entry.id).collect::<Vec<_>>(), [6]);
    }
}
