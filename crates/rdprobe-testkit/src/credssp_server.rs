//! A host with NLA that checks credentials: X.224, TLS and CredSSP on `sspi`, over loopback, honest or not.
//!
//! It keeps a record of what it was sent, so that a test can tell what a client did from what it reports.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use sspi::credssp::{CredSspServer, CredentialsProxy, NStatusCode, ServerMode, ServerState, TsRequest};
use sspi::ntlm::NtlmConfig;
use sspi::{AuthIdentity, Username};

/// The name in its certificate.
pub const NAME: &str = "nla.rdprobe.test";
/// PROTOCOL_SSL, PROTOCOL_HYBRID and PROTOCOL_HYBRID_EX ([MS-RDPBCGR] 2.2.1.1.1).
const SSL: u32 = 1;
const HYBRID: u32 = 2;
const HYBRID_EX: u32 = 8;
/// HYBRID_REQUIRED_BY_SERVER.
const HYBRID_REQUIRED: u32 = 5;
/// MCS Disconnect Provider Ultimatum, rn-provider-initiated ([MS-RDPBCGR] 2.2.2.3).
const ULTIMATUM: [u8; 9] = [3, 0, 0, 9, 2, 0xF0, 0x80, 0x21, 0x80];
/// No test waits longer for the other side.
const PATIENCE: Duration = Duration::from_secs(10);

/// How the server behaves.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// The version of its TSRequests.
    pub version: u32,
    /// Its one account.
    pub account: (&'static str, &'static str),
    /// It selects HYBRID_EX and sends this Early User Authorization Result.
    pub authorization: Option<u32>,
    /// What it does wrong.
    pub twist: Twist,
}

/// What a server can do wrong, or say, once it has the AUTHENTICATE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Twist {
    /// Nothing.
    Honest,
    /// Answers with this NTSTATUS, whatever the password.
    Refuse(u32),
    /// Closes.
    Close,
    /// Says nothing.
    Silence,
    /// Answers with a `pubKeyAuth` that fits no key.
    WrongKey,
    /// Answers with a `pubKeyAuth` of so many bytes.
    ShortKey(usize),
    /// Answers with these bytes.
    Garbage(Vec<u8>),
    /// Once a challenge was asked for, it shows another certificate.
    OtherCertificate,
    /// It has no NLA, and selects TLS.
    NoNla,
    /// Closes these of its connections, the first being 1, before it has read anything.
    HangUp(RangeInclusive<u32>),
    /// On these of its connections it ends the conference where TLS is due.
    Ultimatum(RangeInclusive<u32>),
}

impl Default for Behaviour {
    fn default() -> Self {
        Self { version: 6, account: ("alice", "Passw0rd!"), authorization: None, twist: Twist::Honest }
    }
}

/// What it was sent.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// TCP connections.
    pub connections: u32,
    /// NTLM NEGOTIATE messages.
    pub negotiates: u32,
    /// NTLM AUTHENTICATE messages.
    pub authenticates: u32,
    /// User and password, where they were delegated.
    pub delegated: Option<(String, String)>,
    /// Everything within TLS, in clear.
    pub plaintext: Vec<u8>,
    /// Bytes after the last message of CredSSP: a client that goes on to a session sends some.
    pub beyond: usize,
}

/// A running server; it ends with the test's process.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its certificate.
    pub certificate: CertificateDer<'static>,
    record: Arc<Mutex<Record>>,
}

impl Server {
    /// Starts one on loopback.
    pub fn start(behaviour: Behaviour) -> Self {
        let identities = Arc::new([Identity::new(), Identity::new()]);
        let certificate = identities[0].certificate.clone();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let record = Arc::new(Mutex::new(Record::default()));
        let shared = Arc::clone(&record);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (behaviour, identities) = (behaviour.clone(), Arc::clone(&identities));
                let record = Arc::clone(&shared);
                // A client that hangs up in the middle ends its own connection alone.
                thread::spawn(move || serve(stream, &behaviour, &identities, &record));
            }
        });
        Self { address, certificate, record }
    }

    /// What it was sent so far.
    pub fn record(&self) -> Record {
        lock(&self.record).clone()
    }
}

struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    public_key: Vec<u8>,
}

impl Identity {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).expect("a name makes a certificate");
        Self {
            certificate: made.cert.der().clone(),
            public_key: made.signing_key.public_key_raw().to_vec(),
            key: PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("rcgen writes PKCS #8"),
        }
    }

    fn config(&self) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring speaks TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], self.key.clone_key())
            .expect("the key is the certificate's");
        Arc::new(config)
    }
}

type Tls = StreamOwned<ServerConnection, TcpStream>;

fn serve(
    mut stream: TcpStream,
    behaviour: &Behaviour,
    identities: &[Identity; 2],
    record: &Mutex<Record>,
) -> Option<()> {
    let connection = {
        let mut record = lock(record);
        record.connections += 1;
        record.connections
    };
    if matches!(&behaviour.twist, Twist::HangUp(these) if these.contains(&connection)) {
        return None;
    }
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let selected = negotiate(&mut stream, behaviour)?;
    if matches!(&behaviour.twist, Twist::Ultimatum(these) if these.contains(&connection)) {
        stream.read_exact(&mut [0; 5]).ok()?;
        return stream.write_all(&ULTIMATUM).ok();
    }
    let logged_before = lock(record).negotiates > 0;
    let identity = &identities[usize::from(behaviour.twist == Twist::OtherCertificate && logged_before)];
    let connection = ServerConnection::new(identity.config()).ok()?;
    let mut tls = StreamOwned::new(connection, stream);
    if selected == SSL {
        while tls.read(&mut [0; 256]).is_ok_and(|length| length > 0) {}
        return Some(());
    }
    let ended = credssp(&mut tls, behaviour, identity, selected, record);
    let mut beyond = [0; 256];
    while let Ok(length @ 1..) = tls.read(&mut beyond) {
        lock(record).beyond += length;
    }
    ended
}

/// Answers the Connection Request; none where it is refused.
fn negotiate(stream: &mut TcpStream, behaviour: &Behaviour) -> Option<u32> {
    let mut header = [0; 4];
    stream.read_exact(&mut header).ok()?;
    let mut rest = vec![0; usize::from(u16::from_be_bytes([header[2], header[3]])).checked_sub(4)?];
    stream.read_exact(&mut rest).ok()?;
    let requested = u32::from_le_bytes(rest.last_chunk::<4>().copied()?);
    let wanted = if behaviour.authorization.is_some() { HYBRID_EX } else { HYBRID };
    let (kind, value) = if behaviour.twist == Twist::NoNla {
        (2, SSL)
    } else if requested & wanted == 0 {
        (3, HYBRID_REQUIRED)
    } else {
        (2, wanted)
    };
    let mut confirm = vec![3, 0, 0, 19, 14, 0xD0, 0, 0, 0x12, 0x34, 0, kind, 0, 8, 0];
    confirm.extend(value.to_le_bytes());
    stream.write_all(&confirm).ok()?;
    (kind == 2).then_some(value)
}

fn credssp(
    tls: &mut Tls,
    behaviour: &Behaviour,
    identity: &Identity,
    selected: u32,
    record: &Mutex<Record>,
) -> Option<()> {
    let accounts = Accounts(behaviour.account);
    let mut server = CredSspServer::new_with_version(
        identity.public_key.clone(),
        accounts,
        behaviour.version,
        ServerMode::Ntlm(NtlmConfig::new("NLA".into())),
    )
    .ok()?;
    loop {
        let mut request = receive(tls, record)?;
        let proven = note(&request, record);
        // `sspi` goes by the client's version alone; an old host knows none above its own.
        request.version = request.version.min(behaviour.version);
        if proven && !twisted(tls, behaviour)? {
            return Some(());
        }
        match server.process(request).resolve_to_result() {
            Ok(ServerState::ReplyNeeded(mut reply)) => {
                match (&mut reply.pub_key_auth, &behaviour.twist) {
                    (Some(key), Twist::WrongKey) => key[20] ^= 1,
                    (Some(key), Twist::ShortKey(length)) => key.truncate(*length),
                    _ => {}
                }
                send(tls, &reply)?;
            }
            Ok(ServerState::Finished(identity)) => {
                lock(record).delegated =
                    Some((identity.username.inner().to_owned(), identity.password.as_ref().clone()));
                if selected == HYBRID_EX {
                    tls.write_all(&behaviour.authorization?.to_le_bytes()).ok()?;
                    tls.flush().ok()?;
                }
                return Some(());
            }
            Err(error) => {
                // Versions 2 and 5 have no error code to send ([MS-CSSP] 2.2.1).
                let has_codes = !matches!(behaviour.version, 2 | 5);
                if let Some(mut reply) = error.ts_request.filter(|_| has_codes) {
                    reply.error_code = Some(NStatusCode(0xC000_006D));
                    reply.nego_tokens = None;
                    reply.pub_key_auth = None;
                    send(tls, &reply)?;
                }
                close(tls);
                return None;
            }
        }
    }
}

/// Answers an AUTHENTICATE as the behaviour wants it; true where the honest answer is to follow.
fn twisted(tls: &mut Tls, behaviour: &Behaviour) -> Option<bool> {
    match &behaviour.twist {
        Twist::Refuse(status) => {
            let reply = TsRequest {
                version: behaviour.version,
                error_code: Some(NStatusCode(*status)),
                ..TsRequest::default()
            };
            send(tls, &reply)?;
            close(tls);
            Some(false)
        }
        Twist::Close => {
            close(tls);
            Some(false)
        }
        Twist::Silence => Some(false),
        Twist::Garbage(bytes) => {
            tls.write_all(bytes).ok()?;
            tls.flush().ok()?;
            Some(false)
        }
        Twist::Honest
        | Twist::WrongKey
        | Twist::ShortKey(_)
        | Twist::OtherCertificate
        | Twist::NoNla
        | Twist::HangUp(_)
        | Twist::Ultimatum(_) => Some(true),
    }
}

/// Notes the NTLM message within; true for an AUTHENTICATE.
fn note(request: &TsRequest, record: &Mutex<Record>) -> bool {
    let token = request.nego_tokens.as_deref().unwrap_or_default();
    let kind = token.strip_prefix(b"NTLMSSP\0").and_then(|rest| rest.first());
    let mut record = lock(record);
    record.negotiates += u32::from(kind == Some(&1));
    record.authenticates += u32::from(kind == Some(&3));
    kind == Some(&3)
}

fn receive(tls: &mut Tls, record: &Mutex<Record>) -> Option<TsRequest> {
    let mut bytes = Vec::new();
    loop {
        let mut byte = [0];
        tls.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
        if let Ok(length) = TsRequest::read_length(bytes.as_slice())
            && bytes.len() >= length
        {
            lock(record).plaintext.extend(&bytes);
            return TsRequest::from_buffer(&bytes).ok();
        }
    }
}

fn send(tls: &mut Tls, request: &TsRequest) -> Option<()> {
    let mut bytes = Vec::new();
    request.encode_ts_request(&mut bytes).ok()?;
    tls.write_all(&bytes).ok()?;
    tls.flush().ok()
}

fn close(tls: &mut Tls) {
    tls.conn.send_close_notify();
    let _ = tls.flush();
    let _ = tls.sock.shutdown(std::net::Shutdown::Write);
}

fn lock(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The one account; another user gets a password that nobody has.
struct Accounts((&'static str, &'static str));

impl CredentialsProxy for Accounts {
    type AuthenticationData = AuthIdentity;

    fn auth_data_by_user(&mut self, username: &Username) -> std::io::Result<AuthIdentity> {
        let (user, password) = self.0;
        let known = username.account_name().eq_ignore_ascii_case(user);
        Ok(AuthIdentity {
            username: username.clone(),
            password: if known { password } else { "\u{1}\u{2}\u{3}" }.to_owned().into(),
        })
    }

    fn auth_data(&mut self) -> std::io::Result<Vec<AuthIdentity>> {
        let (user, password) = self.0;
        let username = Username::parse(user).map_err(std::io::Error::other)?;
        Ok(vec![AuthIdentity { username, password: password.to_owned().into() }])
    }
}
