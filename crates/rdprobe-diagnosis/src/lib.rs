//! Plan and diagnose: which experiment comes next, and what the observations mean. Pure.
