//! `docs/clients.md`: every client, what it offers and demands, and where that was read.

use rdprobe_diagnosis::knowledge::Client;
use rdprobe_diagnosis::symptom::client;

use super::client::facts;

pub(crate) fn page() -> String {
    let mut text = String::from(
        "# Clients\n\n\
         Generated from `knowledge/clients.toml`; `cargo xtask docs` writes it anew.\n\n\
         What is known of clients and of the libraries that they embed. What a row does not say was read nowhere: it is\n\
         unknown, not absent. `rdprobe explain NAME` tells the same, and `--client NAME` judges a host for one.\n",
    );
    for client in client::all() {
        text.push_str(&one(client));
    }
    text
}

fn one(client: &Client) -> String {
    let mut text = format!("\n## {}\n\n`{}`", client.title, client.id);
    if !client.platforms.is_empty() {
        text.push_str(&format!(", {}", client.platforms.join(", ")));
    }
    if let Some(versions) = client.versions {
        text.push_str(&format!("; {versions}"));
    }
    text.push_str("\n\n");
    for (name, fact) in facts(client) {
        text.push_str(&format!("- **{name}**: {fact}\n"));
    }
    for note in client.notes {
        text.push_str(&format!("- {note}\n"));
    }
    text.push_str("\nSources:\n\n");
    for source in client.sources {
        let fields = source.fields.join(", ").replace('*', "all");
        text.push_str(&format!("- {} ({fields})\n", source.source));
    }
    text
}
