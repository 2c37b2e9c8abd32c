//! The network library of rdprobe: DNS, sockets and TLS. It drives the machines of rdprobe-protocol by the plan of
//! rdprobe-diagnosis, and holds the only I/O.

pub mod network;
mod os;
