//! MIT Kerberos' key distribution centre with a realm of the run's own.

use std::fs;

use anyhow::Result;
use serde::Deserialize;

use super::{Site, Start};
use crate::interop::bed::Launch;

/// One KDC. Its keytab is `servers/NAME/keytab`, its client configuration `servers/NAME/krb5.conf`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::interop) struct Kdc {
    realm: String,
    /// User to password.
    users: std::collections::BTreeMap<String, String>,
    /// Services whose keys go to the keytab: `TERMSRV/host`.
    services: Vec<String>,
    /// Hosts that belong to the realm.
    hosts: Vec<String>,
}

impl Start for Kdc {
    fn programs(&self) -> &'static [&'static str] {
        &["krb5kdc", "kdb5_util", "kadmin.local"]
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn start(&self, site: &Site<'_>) -> Result<()> {
        let folder = site.folder()?;
        let path = |name: &str| folder.join(name).display().to_string();
        let address = site.address()?;
        let realm = &self.realm;
        let hosts: String = self.hosts.iter().map(|host| format!(" {host} = {realm}\n")).collect();
        fs::write(
            folder.join("krb5.conf"),
            format!(
                "[libdefaults]\n default_realm = {realm}\n dns_lookup_kdc = false\n dns_lookup_realm = false\n \
                 dns_canonicalize_hostname = false\n rdns = false\n qualify_shortname = \"\"\n \
                 udp_preference_limit = 1\n[realms]\n {realm} = {{\n  kdc = {address}\n }}\n[domain_realm]\n{hosts}"
            ),
        )?;
        fs::write(
            folder.join("kdc.conf"),
            format!(
                "[kdcdefaults]\n kdc_listen = {address}\n kdc_tcp_listen = {address}\n[realms]\n {realm} = {{\n  \
                 database_name = {}\n  key_stash_file = {}\n  acl_file = {}\n  max_life = 10h\n  \
                 default_principal_flags = +preauth\n }}\n",
                path("principal"),
                path("stash"),
                path("acl")
            ),
        )?;
        let kerberos = |launch: Launch| {
            launch.env("KRB5_CONFIG", path("krb5.conf")).env("KRB5_KDC_PROFILE", path("kdc.conf"))
        };
        let admin = |query: String| {
            site.bed
                .output(&kerberos(Launch::new("kadmin.local").args(["-r", realm, "-q"]).arg(query)))
                .map(drop)
        };
        site.bed.output(&kerberos(Launch::new("kdb5_util").args([
            "create",
            "-s",
            "-r",
            realm,
            "-P",
            "of-this-run",
        ])))?;
        for (user, password) in &self.users {
            admin(format!("addprinc -pw \"{password}\" {user}"))?;
        }
        for service in &self.services {
            admin(format!("addprinc -randkey {service}"))?;
            admin(format!("ktadd -k {} {service}", path("keytab")))?;
        }
        site.serve(kerberos(Launch::new("krb5kdc").args(["-n", "-r", realm]))).map(drop)
    }
}
