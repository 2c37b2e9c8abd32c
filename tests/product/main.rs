//! The product as a whole, from the scripts of hosts to the verdict.

mod cost;
mod edge;
mod endings;
mod engine;
mod hostile;
mod inbound;
mod invariants;
mod loopback;
mod mangled;
mod recordings;
mod scenarios;
mod silence;
mod stage;
