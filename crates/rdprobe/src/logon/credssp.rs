//! The messages of the logon in their order ([MS-CSSP] 3.1.5).

use rdprobe_protocol::Machine as _;
use rdprobe_protocol::credssp::exchange::{Answer, ExchangeMachine, Expected};
use rdprobe_protocol::credssp::spnego::{NegState, NegTokenResp};
use rdprobe_protocol::credssp::{TsRequest, kerberos, ntstatus};
use rdprobe_report::facts::{CredsspFacts, KerberosError, KerberosExchange, NtStatus};
use rdprobe_report::{Failure, FailureKind};
use sha2::{Digest as _, Sha256};

use super::account::Turn;
use super::mechanism::Mechanism;
use super::security::{Advance, Security, Unsealed};
use super::stop::Stop;
use crate::channel::Channel;
use crate::drive::{Until, drive};
use crate::handshake::random;
use crate::network::Network;

/// The version that we speak.
const VERSION: u32 = 6;
/// What a host without a `version` field is taken for.
const OLDEST: u32 = 2;
/// From this version on hashes stand for the key, and a nonce is in them.
const FIRST_WITH_HASHES: u32 = 5;
/// Tokens of one logon at the most; three are usual.
const MOST_TOKENS: usize = 8;
const CLIENT_MAGIC: &[u8] = b"CredSSP Client-To-Server Binding Hash\0";
const SERVER_MAGIC: &[u8] = b"CredSSP Server-To-Client Binding Hash\0";
/// As much as a report keeps of an answer that cannot be read.
const MAX_RAW: usize = 64;

/// One logon on its way.
pub(super) struct Exchange<'a, N: Network> {
    pub(super) network: &'a N,
    pub(super) channel: &'a mut Channel<N::Stream>,
    pub(super) facts: CredsspFacts,
    pub(super) turn: Turn,
    pub(super) mechanism: Mechanism,
    pub(super) target: String,
    pub(super) public_key: Vec<u8>,
    pub(super) early_authorization: bool,
    pub(super) until: Until,
    pub(super) timed_out: bool,
}

impl<N: Network> Exchange<'_, N> {
    pub(super) async fn run(&mut self) -> Result<(), Stop> {
        let mut security =
            Security::new(&self.turn, self.mechanism, self.target.clone()).map_err(Stop::local)?;
        let nonce: [u8; 32] = random();
        let token = self.tokens(&mut security).await?;
        let answer = self.bind(&mut security, token, &nonce).await?;
        self.verify(&mut security, &answer, &nonce)?;
        self.facts.public_key_bound = Some(true);
        self.facts.accepted = true;
        self.turn.accepted();
        if self.turn.account().wants_authorization() {
            self.authorize(&mut security).await?;
        }
        Ok(())
    }

    /// Exchanges tokens until the mechanism is done. The last one is left to go with the key.
    async fn tokens(&mut self, security: &mut Security) -> Result<Vec<u8>, Stop> {
        let mut incoming = Vec::new();
        for _ in 0..MOST_TOKENS {
            let mut tried = false;
            let advanced =
                security.advance(self.network, &mut self.turn, incoming, self.until.at, &mut tried).await;
            self.facts.authentication_sent |= tried;
            let Advance { token, complete } = advanced?;
            if security.proves(&token) {
                self.turn.spend().map_err(Stop::not_tried)?;
                self.facts.authentication_sent = true;
            }
            if complete {
                return Ok(token);
            }
            let request = TsRequest { version: Some(VERSION), token: Some(token), ..TsRequest::default() };
            let waiting_for = if self.facts.authentication_sent {
                "the answer to the credentials"
            } else {
                "the CredSSP challenge"
            };
            let answer = self.exchange(&request, waiting_for).await?;
            incoming = self.token_of(answer)?;
        }
        Err(malformed("the host asks for one token after the other"))
    }

    /// The token within an answer, what it says of the mechanism noted.
    fn token_of(&mut self, answer: TsRequest) -> Result<Vec<u8>, Stop> {
        let token = answer.token.ok_or_else(|| malformed("a TSRequest without a token"))?;
        if NegTokenResp::begins(&token)
            && let Ok(response) = NegTokenResp::decode(&token)
        {
            self.facts.mechanism = response.mechanism.or(self.facts.mechanism.take());
            if let Some(error) = response.token.as_deref().and_then(kerberos::error_in_token) {
                return Err(Stop::kerberos(KerberosError { exchange: Some(KerberosExchange::Ap), ..error }));
            }
            if response.state == Some(NegState::Reject) {
                return Err(rejected("the host accepts none of our mechanisms"));
            }
        }
        Ok(token)
    }

    /// Sends the last token and the key, and receives the host's.
    async fn bind(
        &mut self,
        security: &mut Security,
        token: Vec<u8>,
        nonce: &[u8; 32],
    ) -> Result<TsRequest, Stop> {
        let hashed = self.version() >= FIRST_WITH_HASHES;
        let sealed = security.seal(&self.key(CLIENT_MAGIC, nonce)).map_err(Stop::local)?;
        let request = TsRequest {
            version: Some(VERSION),
            token: Some(token).filter(|token| !token.is_empty()),
            public_key_auth: Some(sealed),
            client_nonce: hashed.then(|| nonce.to_vec()),
            ..TsRequest::default()
        };
        self.exchange(&request, "the answer to the credentials").await
    }

    /// The version that both speak.
    fn version(&self) -> u32 {
        self.facts.version.unwrap_or(OLDEST).min(VERSION)
    }

    /// What stands for the key of this TLS connection: it was itself, until that proved to be attackable
    /// (CVE-2018-0886).
    fn key(&self, magic: &[u8], nonce: &[u8; 32]) -> Vec<u8> {
        if self.version() < FIRST_WITH_HASHES {
            return self.public_key.clone();
        }
        let mut hash = Sha256::new();
        hash.update(magic);
        hash.update(nonce);
        hash.update(&self.public_key);
        hash.finalize().to_vec()
    }

    /// Whether the host, which has our proof by now, sees the same key of TLS as we do.
    fn verify(&mut self, security: &mut Security, answer: &TsRequest, nonce: &[u8; 32]) -> Result<(), Stop> {
        let Some(sealed) = &answer.public_key_auth else {
            // A host of version 2 has no error code to put into its refusal.
            return Err(rejected("a TSRequest without pubKeyAuth answers ours"));
        };
        let shown = match security.unseal(sealed) {
            Ok(shown) => shown,
            Err(Unsealed::TooShort) => {
                return Err(malformed(&format!("a pubKeyAuth of {} bytes", sealed.len())));
            }
            Err(Unsealed::Refused(why)) => {
                self.facts.public_key_bound = Some(false);
                return Err(rejected(&format!("the host's pubKeyAuth does not open: {why}")));
            }
        };
        let mut expected = self.key(SERVER_MAGIC, nonce);
        if self.version() < FIRST_WITH_HASHES {
            increment(&mut expected);
        }
        if shown != expected {
            self.facts.public_key_bound = Some(false);
            return Err(rejected("the host's pubKeyAuth is for another key than that of this TLS channel"));
        }
        Ok(())
    }

    /// Delegates the password, and reads whether it lets its owner in. Nothing follows: no session is made.
    async fn authorize(&mut self, security: &mut Security) -> Result<(), Stop> {
        if !self.early_authorization {
            self.facts.authorization_not_observable = Some(
                "the host selected CredSSP without early user authorization, so the password was not delegated"
                    .into(),
            );
            return Ok(());
        }
        let credentials = security.credentials().map_err(Stop::local)?;
        let request = TsRequest {
            version: Some(VERSION),
            auth_info: Some(security.seal(&credentials).map_err(Stop::local)?),
            ..TsRequest::default()
        };
        let waiting_for = "the Early User Authorization Result";
        match self.answer(&request, Expected::Authorization, waiting_for).await? {
            Answer::Authorization(result) => {
                self.facts.authorization_result = Some(result);
                match result {
                    0 => Ok(()),
                    5 => Err(rejected("the account has no right to log on through Remote Desktop")),
                    other => Err(rejected(&format!("Early User Authorization Result {other}"))),
                }
            }
            Answer::Tpkt(message) => Err(self.left(&message)),
            Answer::Request(request) => {
                self.refused(&request)?;
                Err(malformed("a TSRequest instead of the Early User Authorization Result"))
            }
        }
    }

    async fn exchange(&mut self, request: &TsRequest, waiting_for: &'static str) -> Result<TsRequest, Stop> {
        match self.answer(request, Expected::Request, waiting_for).await? {
            Answer::Request(answer) => {
                self.facts.version = self.facts.version.or(answer.version);
                self.refused(&answer)?;
                Ok(answer)
            }
            Answer::Tpkt(message) => Err(self.left(&message)),
            Answer::Authorization(_) => Err(malformed("no TSRequest")),
        }
    }

    /// The host goes on to MCS, which after the credentials is its way to hang up.
    fn left(&mut self, message: &[u8]) -> Stop {
        let raw = hex(message);
        let detail = format!("left CredSSP for a message of MCS, {raw}");
        self.facts.raw = Some(raw);
        Stop::Failed(Failure::new(FailureKind::Closed, detail))
    }

    async fn answer(
        &mut self,
        request: &TsRequest,
        expected: Expected,
        waiting_for: &'static str,
    ) -> Result<Answer, Stop> {
        let mut machine = ExchangeMachine::new(request, expected, waiting_for);
        self.timed_out |= drive(&mut machine, self.channel, self.until).await;
        debug_assert_eq!(machine.wanted(), 0);
        self.facts.alert = machine.alert();
        machine.answer().map_err(|failure| {
            if failure.kind == FailureKind::Malformed {
                self.facts.raw = Some(hex(machine.received()));
            }
            Stop::Failed(failure)
        })
    }

    /// `errorCode`, kept before anything else is read of the message.
    fn refused(&mut self, answer: &TsRequest) -> Result<(), Stop> {
        let Some(status) = answer.error_code.filter(|status| *status != 0) else {
            return Ok(());
        };
        let name = ntstatus::name(status);
        self.facts.ntstatus = Some(NtStatus(status));
        self.facts.ntstatus_name = name.map(str::to_owned);
        Err(rejected(&format!(
            "refused with {}, {}",
            NtStatus(status),
            name.unwrap_or("a status without a name")
        )))
    }
}

/// The beginning of what a host sent, as a report keeps it.
fn hex(bytes: &[u8]) -> String {
    let beginning = &bytes[..bytes.len().min(MAX_RAW)];
    beginning.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As the host does with the key before it sends it back: its first byte stands lowest.
fn increment(key: &mut [u8]) {
    for byte in key {
        let (sum, carries) = byte.overflowing_add(1);
        *byte = sum;
        if !carries {
            break;
        }
    }
}

fn malformed(why: &str) -> Stop {
    Stop::Failed(Failure::new(FailureKind::Malformed, why))
}

fn rejected(why: &str) -> Stop {
    Stop::Failed(Failure::new(FailureKind::Rejected, why))
}
