//! The product as a whole, from the scripts of hosts to the verdict.

mod hostile;
mod inbound;
mod loopback;
mod scenarios;
mod stage;
