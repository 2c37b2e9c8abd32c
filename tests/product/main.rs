//! The product as a whole, from the scripts of hosts to the verdict.

mod cases;
mod causes;
mod cost;
mod differential;
mod hostile;
mod inbound;
mod invariants;
mod loopback;
mod page;
mod recordings;
mod scenarios;
mod stage;
