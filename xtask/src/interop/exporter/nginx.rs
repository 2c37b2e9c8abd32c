//! The example of nginx before the exporter: TLS, a password, and what it lets through.

use std::fs;

use anyhow::{Result, ensure};

use super::super::Interop;
use super::super::servers::nginx;
use super::{adapted, curl, free, serve};

pub(in crate::interop) fn run(interop: &Interop<'_>) -> Result<()> {
    let folder = interop.bed.folder().join("nginx-serve");
    fs::create_dir_all(&folder)?;
    let (exporter, front) = (free()?, free()?);
    let _serve = serve(interop, "serve-behind-nginx", exporter, &[])?;
    let pair = interop.certs.get("good")?;
    let passwords = folder.join("htpasswd");
    fs::write(&passwords, "prometheus:{PLAIN}s3cret\n")?;
    let server = adapted(
        "nginx/rdprobe.conf",
        &[
            ("listen 9340 ssl", &format!("listen {front} ssl")),
            ("/etc/ssl/certs/prober.pem", &pair.certificate.display().to_string()),
            ("/etc/ssl/private/prober.key", &pair.key.display().to_string()),
            ("/etc/nginx/rdprobe.htpasswd", &passwords.display().to_string()),
            ("http://127.0.0.1:9339", &format!("http://{exporter}")),
        ],
    )?;
    let service = format!("http {{ access_log off;\n{server}\n}}");
    let launch = nginx::launch(&folder, "", &service)?;
    let nginx = interop.bed.spawn("nginx-before-serve", &launch)?;
    nginx.wait_listening(front)?;

    let url = |path: &str| format!("https://{front}{path}");
    let probe = url("/probe?target=127.0.10.199");
    let user = ["--user", "prometheus:s3cret"];
    for (arguments, wanted) in [
        (vec![probe.clone()], 401),
        (vec!["--user".into(), "prometheus:wrong".into(), probe.clone()], 401),
        (vec![user[0].into(), user[1].into(), probe.clone()], 200),
        (vec![user[0].into(), user[1].into(), url("/")], 200),
        (vec![user[0].into(), user[1].into(), url("/metrics")], 200),
        (vec![user[0].into(), user[1].into(), "--request".into(), "POST".into(), url("/-/reload")], 403),
        (vec![user[0].into(), user[1].into(), "--request".into(), "POST".into(), probe.clone()], 403),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (status, body) = curl(interop, &arguments)?;
        ensure!(status == wanted, "{}: {status} instead of {wanted}", arguments.join(" "));
        ensure!(status != 200 || !body.contains("s3cret"), "the password comes through");
    }
    let (_, body) = curl(interop, &[user[0], user[1], &probe])?;
    ensure!(body.contains("code=\"tcp-refused\""), "{body}");
    nginx.end();
    Ok(())
}
