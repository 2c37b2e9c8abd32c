//! The platforms that the product is built for from here.

/// One of them.
pub(super) struct Target {
    /// Rust's name for it.
    pub(super) triple: &'static str,
}

pub(super) const TARGETS: [Target; 2] =
    [Target { triple: "x86_64-pc-windows-gnu" }, Target { triple: "x86_64-unknown-linux-musl" }];

impl Target {
    /// The triple as it stands in names of variables.
    pub(super) fn variable(&self) -> String {
        self.triple.replace('-', "_")
    }
}
