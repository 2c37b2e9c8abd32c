//! Not part of the task: compiled for a target as the product is, to see that a panic is caught there and unwinds.

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

static DROPPED: AtomicUsize = AtomicUsize::new(0);

struct Witness;

impl Drop for Witness {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

fn deep(levels: usize) -> usize {
    let _witness = Witness;
    match levels {
        0 => panic!("on purpose"),
        _ => deep(levels - 1) + 1,
    }
}

fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    assert!(catch_unwind(|| deep(9)).is_err());
    let threads: Vec<_> = (0..8).map(|_| thread::spawn(|| deep(9))).collect();
    assert!(threads.into_iter().all(|thread| thread.join().is_err()));
    assert_eq!(DROPPED.load(Ordering::Relaxed), 90);
    println!("9 panics were caught");
}
