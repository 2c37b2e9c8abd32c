//! The product as a whole, from the scripts of hosts to the verdict.

mod hostile;
mod loopback;
mod scenarios;
mod stage;
