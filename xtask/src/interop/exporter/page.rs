//! The pages in a real browser, under their own security policy.

use std::io::Write as _;
use std::net::TcpListener;
use std::thread;

use anyhow::{Result, ensure};

use super::super::Interop;
use super::super::bed::Launch;
use super::{curl, free, serve};

/// What a hostile host says in place of X.224.
const BANNER: &[u8] = b"SSH-2.0-<script>document.title='taken'</script>\r\n";

pub(in crate::interop) fn run(interop: &Interop<'_>) -> Result<()> {
    let exporter = free()?;
    let _serve = serve(interop, "serve-page", exporter, &[])?;
    let host = TcpListener::bind("127.0.0.1:0")?;
    let target = host.local_addr()?;
    thread::spawn(move || {
        for mut stream in host.incoming().flatten() {
            // A probe that has gone is no loss.
            let _ = stream.write_all(BANNER);
        }
    });
    let (status, _) = curl(interop, &[&format!("http://{exporter}/probe?target={target}")])?;
    ensure!(status == 200, "the probe is answered with {status}");
    for (path, wanted) in [("/", "x224-not-rdp"), ("/recent/1", "&lt;script&gt;")] {
        let profile = interop.bed.folder().join("chromium");
        let launch = Launch::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .env("HOME", profile.display().to_string())
            .arg(format!("http://{exporter}{path}"));
        let page = interop.bed.output(&launch)?;
        ensure!(page.contains(wanted), "{path} shows no {wanted}: {page:.600}");
        ensure!(
            page.contains("<title>") && !page.contains("<title>taken"),
            "{path}: a script of the host's ran"
        );
        ensure!(!page.contains("<script"), "{path}: a script of the host's is in the page");
    }
    Ok(())
}
