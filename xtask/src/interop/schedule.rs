//! Which row may run next: one whose servers nobody asks at the moment.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

/// Jobs in order, each with the names of what it must have for itself.
pub(super) struct Queue<'q, T> {
    state: Mutex<State<'q, T>>,
    freed: Condvar,
}

struct State<'q, T> {
    waiting: Vec<(T, Vec<&'q str>)>,
    taken: BTreeSet<&'q str>,
}

impl<'q, T: Send> Queue<'q, T> {
    pub(super) fn new(waiting: Vec<(T, Vec<&'q str>)>) -> Queue<'q, T> {
        Queue { state: Mutex::new(State { waiting, taken: BTreeSet::new() }), freed: Condvar::new() }
    }

    /// Does every job on this many threads and returns what came of them, in the order in which they ended.
    pub(super) fn work<R: Send>(&self, threads: usize, job: impl Fn(T) -> R + Sync) -> Vec<R> {
        let results = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some((next, locks)) = self.take() {
                        // The locks are freed even where the job panics.
                        let _held = Held { queue: self, locks };
                        let result = job(next);
                        results.lock().unwrap_or_else(PoisonError::into_inner).push(result);
                    }
                });
            }
        });
        results.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first job whose locks are all free; waits where there are jobs but none is.
    fn take(&self) -> Option<(T, Vec<&'q str>)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.waiting.is_empty() {
                return None;
            }
            let free = |(_, locks): &(T, Vec<&str>)| locks.iter().all(|lock| !state.taken.contains(lock));
            if let Some(at) = state.waiting.iter().position(free) {
                let (job, locks) = state.waiting.remove(at);
                state.taken.extend(&locks);
                return Some((job, locks));
            }
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

struct Held<'h, 'q, T> {
    queue: &'h Queue<'q, T>,
    locks: Vec<&'q str>,
}

impl<T> Drop for Held<'_, '_, T> {
    fn drop(&mut self) {
        let mut state = self.queue.state.lock().unwrap_or_else(PoisonError::into_inner);
        for lock in &self.locks {
            state.taken.remove(lock);
        }
        self.queue.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn jobs_that_share_a_lock_never_overlap_and_all_are_done() {
        let jobs = (0..12)
            .map(|number| (number, if number % 2 == 0 { vec!["a"] } else { vec!["b", "c"] }))
            .collect();
        let running = [AtomicUsize::new(0), AtomicUsize::new(0)];
        let queue = Queue::new(jobs);
        let mut done = queue.work(4, |number: usize| {
            let mine = &running[number % 2];
            assert_eq!(mine.fetch_add(1, Ordering::SeqCst), 0);
            thread::sleep(Duration::from_millis(2));
            mine.fetch_sub(1, Ordering::SeqCst);
            number
        });
        done.sort_unstable();
        assert_eq!(done, (0..12).collect::<Vec<_>>());
    }
}
