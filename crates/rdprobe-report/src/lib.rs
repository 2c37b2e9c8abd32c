//! The vocabulary of rdprobe: attempts, observations, findings, verdicts and the report. No I/O.
