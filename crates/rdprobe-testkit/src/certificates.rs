//! Certificates that hosts present, made on the fly and the same every time but for ECDSA's random signatures.
//!
//! Dates are relative to the scenario's `now`, names are those by which the host is reached.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SerialNumber,
};
use rdprobe_report::Timestamp;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;
use serde::Deserialize;
use time::OffsetDateTime;

/// What a certificate is like. What is not given is as in `good`, or in the one named by `like`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CertificateSpec {
    /// Name of the certificate that this one is like: one of the kinds of this module.
    pub like: Option<String>,
    /// Subject alternative names, DNS names and addresses; none for a certificate without the extension.
    pub names: Option<Vec<String>>,
    /// Common name of the subject.
    pub common_name: Option<String>,
    /// Begin of validity in days from now.
    pub not_before_days: Option<f64>,
    /// End of validity in days from now.
    pub not_after_days: Option<f64>,
    /// Kind of key.
    pub key: Option<Key>,
    /// Who signed it.
    pub issuer: Option<IssuedBy>,
    /// Extended key usages as OIDs; none for a certificate without the extension.
    pub extended_key_usage: Option<Vec<String>>,
    /// Key usages as Windows has them in its own host certificates: no digital signature.
    pub windows_key_usage: Option<bool>,
    /// A DER file under `fixtures/certs` instead of all this. Its key is RSA 2048's unless `key` says otherwise.
    pub file: Option<String>,
}

/// Kinds of key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Key {
    /// RSA, 2048 bits.
    #[default]
    Rsa2048,
    /// EC on secp256r1.
    P256,
}

/// Who signed a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssuedBy {
    /// Its own key.
    #[default]
    Itself,
    /// The testkit's CA, [`Certificates::ca`].
    Ca,
    /// The testkit's CA, sent along in the chain.
    CaInChain,
}

/// A chain and the key of its leaf.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// Key of the leaf.
    pub(crate) key: Arc<dyn SigningKey>,
}

/// Every certificate of a scenario, made when first asked for.
#[derive(Debug)]
pub struct Certificates {
    now: Timestamp,
    names: Vec<String>,
    specs: BTreeMap<String, CertificateSpec>,
    files: PathBuf,
    made: Mutex<BTreeMap<String, Arc<Identity>>>,
}

const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";
const CA_NAME: &str = "rdprobe test CA";

impl Certificates {
    /// `names` are those by which the host is reached, the first of them its common name; `files` is where
    /// certificates given as files are found.
    pub fn new(
        now: Timestamp,
        names: Vec<String>,
        specs: BTreeMap<String, CertificateSpec>,
        files: impl AsRef<Path>,
    ) -> Self {
        Self { now, names, specs, files: files.as_ref().to_path_buf(), made: Mutex::default() }
    }

    /// The certificate named so: one of the scenario's, else one of the kinds `good`, `windows`, `expired`,
    /// `not-yet-valid`, `soon`, `wrong-name`, `ecdsa`, `ca-signed`, `client-auth`.
    pub fn identity(&self, name: &str) -> Result<Arc<Identity>, String> {
        if let Some(identity) = self.made.lock().expect("nobody panics here").get(name) {
            return Ok(Arc::clone(identity));
        }
        let spec = self.spec(name, 0)?;
        let identity =
            self.make(&spec).map(Arc::new).map_err(|error| format!("certificate {name:?}: {error}"))?;
        self.made.lock().expect("nobody panics here").insert(name.into(), Arc::clone(&identity));
        Ok(identity)
    }

    /// The CA that signed `ca-signed`, for a client's trust.
    pub fn ca(&self) -> CertificateDer<'static> {
        let key = ca_key();
        self.ca_params().self_signed(&key).expect("the parameters are ours").der().clone()
    }

    fn spec(&self, name: &str, depth: usize) -> Result<CertificateSpec, String> {
        match self.specs.get(name) {
            Some(spec) if depth < 4 => {
                let base = match &spec.like {
                    Some(like) if like != name => self.spec(like, depth + 1)?,
                    Some(like) => built_in(like)?,
                    None => CertificateSpec::default(),
                };
                Ok(spec.over(base))
            }
            _ => built_in(name),
        }
    }

    fn make(&self, spec: &CertificateSpec) -> Result<Identity, String> {
        let key = key_pair(spec.key.unwrap_or_default());
        let signing = signing_key(&key)?;
        if let Some(file) = &spec.file {
            let path = self.files.join(file);
            let der = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            return Ok(Identity { chain: vec![der.into()], key: signing });
        }
        let params = self.params(spec)?;
        let mut chain = Vec::new();
        match spec.issuer.unwrap_or_default() {
            IssuedBy::Itself => {
                chain.push(params.self_signed(&key).map_err(text)?.der().clone());
            }
            by => {
                let ca = self.ca_params();
                let ca_key = ca_key();
                let issuer = Issuer::from_params(&ca, &ca_key);
                chain.push(params.signed_by(&key, &issuer).map_err(text)?.der().clone());
                if by == IssuedBy::CaInChain {
                    chain.push(self.ca());
                }
            }
        }
        Ok(Identity { chain, key: signing })
    }

    fn params(&self, spec: &CertificateSpec) -> Result<CertificateParams, String> {
        let names = spec.names.clone().unwrap_or_else(|| self.names.clone());
        let mut params = CertificateParams::new(names).map_err(text)?;
        let common_name = spec.common_name.clone().or_else(|| self.names.first().cloned());
        params.distinguished_name = distinguished_name(&common_name.unwrap_or_else(|| "rdp".into()));
        params.not_before = self.day(spec.not_before_days.unwrap_or(-30.0));
        params.not_after = self.day(spec.not_after_days.unwrap_or(335.0));
        params.serial_number = Some(SerialNumber::from(vec![0x52, 0x44, 0x50, 0x01]));
        params.key_usages = if spec.windows_key_usage == Some(true) {
            vec![KeyUsagePurpose::KeyEncipherment, KeyUsagePurpose::DataEncipherment]
        } else {
            vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment]
        };
        let purposes = spec.extended_key_usage.clone().unwrap_or_else(|| vec![SERVER_AUTH.into()]);
        params.extended_key_usages = purposes.iter().map(|oid| purpose(oid)).collect::<Result<_, _>>()?;
        Ok(params)
    }

    fn ca_params(&self) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = distinguished_name(CA_NAME);
        params.not_before = self.day(-1000.0);
        params.not_after = self.day(2000.0);
        params.serial_number = Some(SerialNumber::from(vec![0x52, 0x44, 0x50, 0x00]));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
    }

    fn day(&self, days: f64) -> OffsetDateTime {
        let seconds = self.now.unix_millis() / 1000 + (days * 86_400.0) as i64;
        OffsetDateTime::from_unix_timestamp(seconds).expect("scenarios are of our time")
    }
}

impl CertificateSpec {
    fn over(&self, base: Self) -> Self {
        let own = self.clone();
        Self {
            like: None,
            names: own.names.or(base.names),
            common_name: own.common_name.or(base.common_name),
            not_before_days: own.not_before_days.or(base.not_before_days),
            not_after_days: own.not_after_days.or(base.not_after_days),
            key: own.key.or(base.key),
            issuer: own.issuer.or(base.issuer),
            extended_key_usage: own.extended_key_usage.or(base.extended_key_usage),
            windows_key_usage: own.windows_key_usage.or(base.windows_key_usage),
            file: own.file.or(base.file),
        }
    }
}

fn built_in(name: &str) -> Result<CertificateSpec, String> {
    let good = CertificateSpec::default();
    let spec = match name {
        "good" => good,
        // What a Windows host issues to itself: half a year, no alternative names, no digital signature.
        "windows" => CertificateSpec {
            names: Some(Vec::new()),
            not_before_days: Some(-60.0),
            not_after_days: Some(122.0),
            windows_key_usage: Some(true),
            ..good
        },
        "expired" => CertificateSpec { not_before_days: Some(-400.0), not_after_days: Some(-35.0), ..good },
        "not-yet-valid" => {
            CertificateSpec { not_before_days: Some(10.0), not_after_days: Some(375.0), ..good }
        }
        "soon" => CertificateSpec {
            not_before_days: Some(-360.0),
            not_after_days: Some(5.0),
            issuer: Some(IssuedBy::Ca),
            ..good
        },
        "wrong-name" => CertificateSpec {
            names: Some(vec!["other.example".into()]),
            common_name: Some("other.example".into()),
            ..good
        },
        "ecdsa" => CertificateSpec { key: Some(Key::P256), ..good },
        "ca-signed" => CertificateSpec { issuer: Some(IssuedBy::Ca), ..good },
        "client-auth" => CertificateSpec { extended_key_usage: Some(vec![CLIENT_AUTH.into()]), ..good },
        _ => return Err(format!("there is no certificate {name:?}")),
    };
    Ok(spec)
}

fn key_pair(key: Key) -> KeyPair {
    match key {
        Key::Rsa2048 => {
            KeyPair::from_pem_and_sign_algo(include_str!("../keys/rsa2048.pem"), &PKCS_RSA_SHA256)
        }
        Key::P256 => {
            KeyPair::from_pem_and_sign_algo(include_str!("../keys/p256.pem"), &PKCS_ECDSA_P256_SHA256)
        }
    }
    .expect("the embedded keys are read by a test")
}

/// A key that is not the one of any leaf.
pub(crate) fn wrong_key() -> Result<Arc<dyn SigningKey>, String> {
    signing_key(&ca_key())
}

fn signing_key(key: &KeyPair) -> Result<Arc<dyn SigningKey>, String> {
    let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    rustls::crypto::ring::sign::any_supported_type(&der).map_err(|error| error.to_string())
}

fn ca_key() -> KeyPair {
    KeyPair::from_pem_and_sign_algo(include_str!("../keys/ca.pem"), &PKCS_RSA_SHA256)
        .expect("the embedded keys are read by a test")
}

fn distinguished_name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn purpose(oid: &str) -> Result<ExtendedKeyUsagePurpose, String> {
    Ok(match oid {
        SERVER_AUTH => ExtendedKeyUsagePurpose::ServerAuth,
        CLIENT_AUTH => ExtendedKeyUsagePurpose::ClientAuth,
        _ => ExtendedKeyUsagePurpose::Other(
            oid.split('.')
                .map(str::parse)
                .collect::<Result<_, _>>()
                .map_err(|error| format!("{oid:?} is no OID: {error}"))?,
        ),
    })
}

fn text(error: rcgen::Error) -> String {
    error.to_string()
}
