//! One test binary over the whole product, and what it shares with the fuzz target.

pub mod dice;
pub mod inbound;
pub mod mangled;
pub mod proof;
