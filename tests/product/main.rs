//! The product as a whole, from the scripts of hosts to the verdict.

mod cases;
mod causes;
mod compare;
mod cost;
mod differential;
mod edge;
mod endings;
mod engine;
mod hostile;
mod inbound;
mod invariants;
mod loopback;
mod mangled;
mod page;
mod recordings;
mod regressions;
mod scenarios;
mod silence;
mod stage;
