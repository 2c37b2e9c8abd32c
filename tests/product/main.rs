//! The product as a whole, from the scripts of hosts to the verdict.

mod scenarios;
mod stage;
