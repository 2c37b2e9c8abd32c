//! The benchmarks are under `benches/`.
