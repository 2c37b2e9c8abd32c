//! Bytes to facts and back: one sans-I/O machine per phase of the RDP handshake. No I/O, no clock.
