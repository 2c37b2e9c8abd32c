//! The account to log on with. Its password is never an argument: every process may read those of all others.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use rdprobe::{Account, Kdc, Package};
use zeroize::Zeroizing;

/// The password, where it is not in a file.
const PASSWORD: &str = "RDPROBE_PASSWORD";

#[derive(Debug, Args)]
#[command(next_help_heading = "Logon")]
pub(crate) struct LogonArguments {
    /// Try the logon with this account, which asks for the password
    ///
    /// NAME, DOMAIN\NAME or NAME@REALM; the password comes from RDPROBE_PASSWORD, from --password-file, or is asked for.
    /// No session is started.
    #[arg(long, value_name = "NAME", value_parser = user, conflicts_with = "no_nla")]
    pub(crate) user: Option<String>,
    /// Its domain, or Kerberos' realm
    #[arg(long, value_name = "DOMAIN", requires = "user")]
    pub(crate) domain: Option<String>,
    /// Read the password from the first line of this file
    #[arg(long, value_name = "FILE", requires = "user")]
    pub(crate) password_file: Option<PathBuf>,
    /// How to prove it [default: negotiate, which is Kerberos with --kdc, and else NTLM]
    #[arg(long, value_name = "PACKAGE", requires = "user")]
    pub(crate) auth: Option<Auth>,
    /// The domain controller that Kerberos asks [port: 88]; nothing is looked up
    #[arg(long, value_name = "HOST[:PORT]", requires = "user")]
    pub(crate) kdc: Option<Kdc>,
    /// Go on to delegate the password, to learn whether the account may log on through Remote Desktop; still no
    /// session is started
    #[arg(long, requires = "user")]
    pub(crate) authorization: bool,
    /// Log on although the certificate is neither trusted nor pinned
    #[arg(long, requires = "user")]
    pub(crate) accept_untrusted_certificate: bool,
}

/// How the account proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Auth {
    /// NTLM and nothing else
    Ntlm,
    /// Kerberos and nothing else
    Kerberos,
    /// Kerberos where it can work, else NTLM
    Negotiate,
}

impl From<Auth> for Package {
    fn from(auth: Auth) -> Self {
        match auth {
            Auth::Ntlm => Self::Ntlm,
            Auth::Kerberos => Self::Kerberos,
            Auth::Negotiate => Self::Negotiate,
        }
    }
}

impl LogonArguments {
    /// The account, where one was named. Reads the password, and may ask for it.
    pub(crate) fn account(&self) -> Result<Option<Arc<Account>>, String> {
        let Some(user) = &self.user else { return Ok(None) };
        let mut account = Account::new(user, self.password(user)?)
            .package(self.auth.map_or(Package::Negotiate, Into::into))
            .kdc(self.kdc.clone())
            .authorization(self.authorization);
        if let Some(domain) = &self.domain {
            account = account.domain(domain);
        }
        Ok(Some(Arc::new(account)))
    }

    fn password(&self, user: &str) -> Result<Zeroizing<String>, String> {
        let (password, source) = if let Some(path) = &self.password_file {
            let cannot = |why: String| format!("cannot read --password-file {}: {why}", path.display());
            let bytes = Zeroizing::new(fs::read(path).map_err(|error| cannot(error.to_string()))?);
            (first_line(&bytes).map_err(cannot)?, "--password-file")
        } else if let Some(password) = std::env::var_os(PASSWORD) {
            let password = password.into_string().map_err(|_| format!("{PASSWORD} is no UTF-8"))?;
            (Zeroizing::new(password), PASSWORD)
        } else if io::stdin().is_terminal() {
            let password = rpassword::prompt_password(format!("Password of {user}: "))
                .map_err(|error| format!("cannot ask for the password: {error}"))?;
            (Zeroizing::new(password), "what was typed")
        } else {
            return Err(format!(
                "no password for {user}: set {PASSWORD}, give --password-file FILE, or run on a terminal to be asked"
            ));
        };
        if password.is_empty() {
            // An attempt with it would only count against the account.
            return Err(format!("the password of {user} is empty ({source})"));
        }
        Ok(password)
    }
}

/// The first line of a text file. The byte order mark that Windows' editors put before it is no part of it, and says
/// whether it is UTF-16.
fn first_line(bytes: &[u8]) -> Result<Zeroizing<String>, String> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units =
            Zeroizing::new(bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect::<Vec<_>>());
        String::from_utf16(&units).map_err(|_| "it is no UTF-16 though it begins as such".to_owned())
    };
    let text = Zeroizing::new(match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest)?,
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes)?,
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes)?,
        _ => utf8(bytes)?,
    });
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

fn utf8(bytes: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no UTF-8".to_owned())?;
    if text.contains('\0') {
        // UTF-16 without its mark, mostly: a password with zeros in it would only count against the account.
        return Err("it has zero bytes in it; save it as UTF-8".into());
    }
    Ok(text.to_owned())
}

pub(super) fn user(text: &str) -> Result<String, String> {
    let name = text.rsplit('\\').next().unwrap_or_default();
    if name.is_empty() || text.matches('\\').count() > 1 {
        return Err("write it as NAME, DOMAIN\\NAME or NAME@REALM".into());
    }
    if text.contains(':') {
        return Err(format!(
            "an account has no `:`; the password is not given here, but in {PASSWORD} or with --password-file"
        ));
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_file(contents: &str) -> (PathBuf, LogonArguments) {
        let path = std::env::temp_dir().join(format!("rdprobe-{}-{}", std::process::id(), contents.len()));
        fs::write(&path, contents).unwrap();
        let arguments = LogonArguments {
            user: Some("alice".into()),
            domain: None,
            password_file: Some(path.clone()),
            auth: None,
            kdc: None,
            authorization: false,
            accept_untrusted_certificate: false,
        };
        (path, arguments)
    }

    #[test]
    fn the_first_line_of_a_file_is_the_password() {
        for (contents, password) in [("s3cret", "s3cret"), ("s3cret\r\nmore", "s3cret"), (" s p \n", " s p ")]
        {
            let (path, arguments) = with_file(contents);
            assert_eq!(arguments.password("alice").unwrap().as_str(), password);
            fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_password() {
        let utf16 = |mark: &[u8], unit: fn(u16) -> [u8; 2]| {
            let text = "s3crét\r\n".encode_utf16().flat_map(unit);
            mark.iter().copied().chain(text).collect::<Vec<u8>>()
        };
        for bytes in [
            b"\xEF\xBB\xBFs3cr\xC3\xA9t\r\nmore".to_vec(),
            utf16(&[0xFF, 0xFE], u16::to_le_bytes),
            utf16(&[0xFE, 0xFF], u16::to_be_bytes),
        ] {
            assert_eq!(first_line(&bytes).unwrap().as_str(), "s3crét");
        }
        assert!(first_line(b"s\xE9cret").unwrap_err().contains("no UTF-8"));
        assert!(first_line(&utf16(&[], u16::to_le_bytes)).is_err());
        assert!(first_line(b"s\x003\x00").unwrap_err().contains("save it as UTF-8"));
        assert_eq!(first_line(b"\xEF\xBB\xBF").unwrap().as_str(), "");
    }

    #[test]
    fn an_empty_password_is_not_tried() {
        let (path, arguments) = with_file("\n");
        assert!(arguments.password("alice").unwrap_err().contains("is empty"));
        fs::remove_file(path).unwrap();
    }
}
