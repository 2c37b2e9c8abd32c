//! The network library: DNS, sockets and TLS. Drives the machines; the only I/O.
