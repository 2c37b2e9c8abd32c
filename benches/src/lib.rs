//! The per-probe hot path.
