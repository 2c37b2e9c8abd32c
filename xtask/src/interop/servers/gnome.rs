//! gnome-remote-desktop, headless. It binds all addresses, so it runs in a namespace of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use anyhow::Result;
use serde::Deserialize;

use super::{Site, Start};
use crate::interop::bed::Launch;

/// The account for its NLA.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::interop) struct GnomeRemoteDesktop {
    user: String,
    password: String,
}

/// The session: settings, sound and picture plumbing, a compositor without a screen, then the server. It
/// ends when the server does.
const SESSION: &str = r#"
rdp=org.gnome.desktop.remote-desktop.rdp
gsettings set $rdp enable true
gsettings set $rdp tls-cert "$1"
gsettings set $rdp tls-key "$2"
grdctl --headless rdp set-credentials "$3" "$4"
pipewire & wireplumber &
mutter --headless --wayland --no-x11 --virtual-monitor 800x600 &
i=0
until [ -S "$XDG_RUNTIME_DIR/wayland-0" ] || [ $i -ge 200 ]; do sleep 0.1; i=$((i + 1)); done
exec /usr/libexec/gnome-remote-desktop-daemon --headless --rdp-port="$5"
"#;

impl Start for GnomeRemoteDesktop {
    fn programs(&self) -> &'static [&'static str] {
        &[
            "/usr/libexec/gnome-remote-desktop-daemon",
            "grdctl",
            "gsettings",
            "mutter",
            "pipewire",
            "wireplumber",
            "dbus-run-session",
            "openssl",
            "unshare",
        ]
    }

    fn start(&self, site: &Site<'_>) -> Result<()> {
        let home = site.folder()?;
        let script = home.join("session.sh");
        fs::write(&script, SESSION)?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o700))?;
        let pair = site.certificate()?;
        let home = home.display().to_string();
        let launch = Launch::new("dbus-run-session")
            .args(["--", "sh"])
            .arg(script.display().to_string())
            .arg(pair.certificate.display().to_string())
            .arg(pair.key.display().to_string())
            .args([&self.user, &self.password])
            .arg(site.address()?.port().to_string())
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", format!("{home}/.config"))
            .env("XDG_DATA_HOME", format!("{home}/.local/share"))
            .env("XDG_RUNTIME_DIR", "/run/user")
            .env("GSETTINGS_BACKEND", "keyfile")
            .private_run(["/run/user"]);
        site.serve(launch).map(drop)
    }
}
