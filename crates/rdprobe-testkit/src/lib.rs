//! A scripted RDP peer that behaves or fails on demand, on loopback and in a simulated network.
