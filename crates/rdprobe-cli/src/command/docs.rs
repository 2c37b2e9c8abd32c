//! The generated pages of the documentation: written, or checked.

use std::fs;
use std::path::Path;

use crate::Failure;
use crate::command::schema;
use crate::render::{causes, clients, codes};

/// Name and text of each page.
fn pages() -> Vec<(&'static str, String)> {
    vec![
        ("causes.md", causes::page()),
        ("clients.md", clients::page()),
        ("codes.md", codes::page()),
        ("report.schema.json", schema::text()),
        #[cfg(feature = "serve")]
        ("serve-config.md", crate::serve::reference::page()),
    ]
}

pub(crate) fn run(directory: &Path, check: bool) -> Result<u8, Failure> {
    let mut stale = Vec::new();
    for (name, text) in pages() {
        let path = directory.join(name);
        if fs::read_to_string(&path).is_ok_and(|present| present == text) {
            continue;
        }
        if check {
            stale.push(path.display().to_string());
            continue;
        }
        fs::create_dir_all(directory)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    match stale.is_empty() {
        true => Ok(0),
        false => Err(Failure::Fault(format!(
            "out of date: {}; `cargo xtask docs` writes them anew",
            stale.join(", ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_pages_are_up_to_date() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        if let Err(Failure::Fault(text)) = run(&docs, true) {
            panic!("{text}");
        }
    }
}
