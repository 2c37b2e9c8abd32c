//! A network in user space for kernels without netem: two TUN devices whose packets reach each other late.

use std::fs::File;
use std::io::{Read, Write};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::sys;

/// The two ends, and how far they are apart.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Name of the device that stays here
    #[arg(long)]
    here: String,
    /// Name of the device that is to be moved into a namespace
    #[arg(long)]
    there: String,
    /// Half of it each way
    #[arg(long)]
    round_trip_ms: f64,
}

/// Packets on their way in one direction, at the most; what comes on top is lost, as in any network.
const MOST_ON_THE_WAY: usize = 4096;
/// More than any MTU of a TUN device.
const LARGEST: usize = 65_536;

pub(crate) fn run(options: &Options) -> Result<bool> {
    let here = sys::tun(&options.here).with_context(|| format!("no TUN device {}", options.here))?;
    let there = sys::tun(&options.there).with_context(|| format!("no TUN device {}", options.there))?;
    let delay = Duration::from_secs_f64(options.round_trip_ms / 2e3);
    println!("ready");
    let back = (there.try_clone()?, here.try_clone()?);
    thread::spawn(move || carry(back.0, back.1, delay));
    carry(here, there, delay);
    Ok(true)
}

/// Brings every packet from one device to the other, each after the same time, so that their order stays.
fn carry(mut from: File, mut to: File, delay: Duration) {
    let (sender, on_the_way) = mpsc::sync_channel::<(Instant, Vec<u8>)>(MOST_ON_THE_WAY);
    thread::spawn(move || {
        for (due, packet) in on_the_way {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            // A device that is down takes nothing.
            let _ = to.write_all(&packet);
        }
    });
    let mut packet = vec![0; LARGEST];
    loop {
        match from.read(&mut packet) {
            Ok(length) => drop(sender.try_send((Instant::now() + delay, packet[..length].to_vec()))),
            // While it is down, until somebody configures it.
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    }
}
