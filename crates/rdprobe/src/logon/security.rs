//! One security context of `sspi`, with its traps fenced in.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rdprobe_protocol::credssp::kerberos;
use rdprobe_report::facts::{KerberosError, KerberosExchange};
use sspi::builders::{AcquireCredentialsHandle, WithoutCredentialUse};
use sspi::credssp::{CredSspMode, SspiContext, write_ts_credentials};
use sspi::generator::GeneratorState;
use sspi::ntlm::NtlmConfig;
use sspi::{
    AuthIdentity, BufferType, ClientRequestFlags, CredentialUse, Credentials, CredentialsBuffers,
    DataRepresentation, EncryptionFlags, Error, ErrorKind, KerberosConfig, Negotiate, NegotiateConfig, Ntlm,
    SecurityBuffer, SecurityBufferRef, SecurityStatus, Sspi as _, SspiImpl, Username,
};
use tokio::time::Instant;
use tracing::dispatcher::{Dispatch, with_default};
use zeroize::Zeroizing;

use super::account::Turn;
use super::mechanism::Mechanism;
use super::stop::Stop;
use crate::network::Network;

/// Length of the signature in front of what is sealed. `sspi` panics on less.
const SIGNATURE: usize = 16;
/// Stands for our KDC in what `sspi` asks for: a request with another address comes from a referral.
const OUR_KDC: &str = "tcp://kdc.invalid:88";

/// A client's context, and the credentials that it uses.
pub(super) struct Security {
    context: SspiContext,
    credentials: Option<CredentialsBuffers>,
    mechanism: Mechanism,
    target: String,
}

/// What the context says next.
pub(super) struct Advance {
    /// For the host; may be empty.
    pub(super) token: Vec<u8>,
    /// Both sides have proven themselves as far as the mechanism goes.
    pub(super) complete: bool,
}

impl Security {
    /// A context of the turn's account for the service `target`.
    ///
    /// # Errors
    /// Where `sspi` takes neither name nor configuration.
    pub(super) fn new(turn: &Turn, mechanism: Mechanism, target: String) -> Result<Self, String> {
        let account = turn.account();
        let name = match account.domain_name() {
            "" => Username::parse(account.user()),
            domain => Username::new(account.user(), Some(domain)),
        }
        .map_err(|error| format!("{} is no account name: {error}", account.name()))?;
        let credentials = Credentials::AuthIdentity(AuthIdentity {
            username: name,
            password: account.password().as_str().to_owned().into(),
        });
        unlogged(|| {
            let mut context = context(mechanism)?;
            let acquired = AcquireCredentialsHandle::<'_, _, _, WithoutCredentialUse>::new()
                .with_credential_use(CredentialUse::Outbound)
                .with_auth_data(&credentials)
                .execute(&mut context)?;
            Ok(Self { context, credentials: acquired.credentials_handle, mechanism, target })
        })
        .map_err(|error| error.description)
    }

    /// Takes the host's token and makes the next one, with the KDC's help where it is needed.
    pub(super) async fn advance<N: Network>(
        &mut self,
        network: &N,
        turn: &mut Turn,
        incoming: Vec<u8>,
        until: Instant,
        tried: &mut bool,
    ) -> Result<Advance, Stop> {
        let answers_host = !incoming.is_empty();
        let mut input = [SecurityBuffer::new(incoming, BufferType::Token)];
        let mut output = [SecurityBuffer::new(Vec::new(), BufferType::Token)];
        let mut asked = Asked::default();
        let status = {
            let mut builder = self
                .context
                .initialize_security_context()
                .with_credentials_handle(&mut self.credentials)
                .with_context_requirements(
                    ClientRequestFlags::MUTUAL_AUTH
                        | ClientRequestFlags::INTEGRITY
                        | ClientRequestFlags::CONFIDENTIALITY,
                )
                .with_target_data_representation(DataRepresentation::Native)
                .with_target_name(&self.target)
                .with_input(&mut input)
                .with_output(&mut output);
            let mut generator = SspiImpl::initialize_security_context_impl(&mut self.context, &mut builder)
                .map_err(|error| Stop::library(&error, answers_host))?;
            let mut state =
                unlogged(|| Ok(generator.start())).map_err(|error| Stop::library(&error, answers_host))?;
            loop {
                match state {
                    GeneratorState::Completed(result) => break result,
                    GeneratorState::Suspended(request) => {
                        if request.url.as_str() != OUR_KDC {
                            return Err(asked.elsewhere(request.url.as_str()));
                        }
                        let answer = asked.kdc(network, turn, &request.data, until, tried).await?;
                        state = unlogged(|| Ok(generator.resume(Ok(answer))))
                            .map_err(|error| Stop::library(&error, answers_host))?;
                    }
                }
            }
        };
        let status = status
            .map_err(|error| asked.failed(&error).unwrap_or_else(|| Stop::library(&error, answers_host)))?
            .status;
        let [output] = output;
        Ok(Advance { token: output.buffer, complete: status == SecurityStatus::Ok })
    }

    /// Whether a token proves the account: NTLM's AUTHENTICATE, or any of Kerberos, which begins with the AP-REQ.
    pub(super) fn proves(&self, token: &[u8]) -> bool {
        const AUTHENTICATE: &[u8] = b"NTLMSSP\0\x03\0\0\0";
        match self.mechanism {
            Mechanism::Kerberos => !token.is_empty(),
            Mechanism::Ntlm | Mechanism::NtlmInSpnego => {
                token.windows(AUTHENTICATE.len()).any(|window| window == AUTHENTICATE)
            }
        }
    }

    /// Signs and encrypts, as `pubKeyAuth` and `authInfo` want it.
    pub(super) fn seal(&mut self, plain: &[u8]) -> Result<Vec<u8>, String> {
        let mut token = [0; 1024];
        let mut data = Zeroizing::new(plain.to_vec());
        unlogged(|| {
            let mut buffers =
                [SecurityBufferRef::token_buf(&mut token), SecurityBufferRef::data_buf(&mut data)];
            self.context.encrypt_message(EncryptionFlags::empty(), &mut buffers)?;
            let mut sealed = SecurityBufferRef::buf_data(&buffers, BufferType::Token)?.to_vec();
            sealed.extend_from_slice(SecurityBufferRef::buf_data(&buffers, BufferType::Data)?);
            Ok(sealed)
        })
        .map_err(|error| error.description)
    }

    /// Decrypts and checks the signature.
    pub(super) fn unseal(&mut self, sealed: &[u8]) -> Result<Vec<u8>, Unsealed> {
        let mut sealed = sealed.to_vec();
        let Some((signature, data)) = sealed.split_at_mut_checked(SIGNATURE) else {
            return Err(Unsealed::TooShort);
        };
        unlogged(|| {
            let mut buffers = [SecurityBufferRef::data_buf(data), SecurityBufferRef::token_buf(signature)];
            self.context.decrypt_message(&mut buffers)?;
            Ok(SecurityBufferRef::buf_data(&buffers, BufferType::Data)?.to_vec())
        })
        .map_err(|error| Unsealed::Refused(error.description))
    }

    /// TSCredentials with the password ([MS-CSSP] 2.2.1.2), in clear: to be sealed at once.
    pub(super) fn credentials(&self) -> Result<Zeroizing<Vec<u8>>, String> {
        let credentials = self.credentials.as_ref().ok_or("there are no credentials")?;
        unlogged(|| write_ts_credentials(credentials, CredSspMode::WithCredentials))
            .map(Zeroizing::new)
            .map_err(|error| error.description)
    }
}

/// Why something that was sealed could not be opened.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unsealed {
    /// It has no room for a signature.
    TooShort,
    /// Key or signature do not fit, in the library's words.
    Refused(String),
}

fn context(mechanism: Mechanism) -> sspi::Result<SspiContext> {
    let ntlm = || NtlmConfig::new(own_name());
    let only = |config, package: &str| {
        let config = NegotiateConfig::new(config, Some(package.to_owned()), own_name());
        Negotiate::new_client(config).map(SspiContext::Negotiate)
    };
    match mechanism {
        Mechanism::Ntlm => Ok(SspiContext::Ntlm(Ntlm::with_config(ntlm()))),
        Mechanism::NtlmInSpnego => only(Box::new(ntlm()), "ntlm"),
        Mechanism::Kerberos => {
            only(Box::new(KerberosConfig::new_with_kdc_url(OUR_KDC, own_name())), "kerberos")
        }
    }
}

/// This computer's NetBIOS name, as clients send it. A host may let an account log on from some computers alone.
fn own_name() -> String {
    let name = std::env::var("COMPUTERNAME")
        .or_else(|_| std::fs::read_to_string("/proc/sys/kernel/hostname"))
        .unwrap_or_default();
    let label: String = name
        .trim()
        .chars()
        .take_while(|&character| character != '.')
        .filter(char::is_ascii_graphic)
        .take(15)
        .collect();
    if label.is_empty() { "RDPROBE".into() } else { label.to_ascii_uppercase() }
}

/// Calls into `sspi` with every subscriber out of its sight, since it traces what it handles, TSCredentials among it;
/// a panic of its own on a peer's bytes becomes an error.
fn unlogged<T>(call: impl FnOnce() -> sspi::Result<T>) -> sspi::Result<T> {
    with_default(&Dispatch::none(), || {
        catch_unwind(AssertUnwindSafe(call))
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::InternalError, "the CredSSP library broke on it")))
    })
}

/// What was asked of the KDC within one advance.
#[derive(Default)]
struct Asked {
    exchange: Option<KerberosExchange>,
    as_requests: u32,
}

impl Asked {
    async fn kdc<N: Network>(
        &mut self,
        network: &N,
        turn: &mut Turn,
        request: &[u8],
        until: Instant,
        tried: &mut bool,
    ) -> Result<Vec<u8>, Stop> {
        let message = request.get(4..).unwrap_or_default();
        self.exchange = kerberos::exchange_of(message);
        if self.exchange == Some(KerberosExchange::As) {
            self.as_requests += 1;
            // The first asks how to pre-authenticate; from the second on the password is tried.
            if self.as_requests == 2 {
                turn.spend().map_err(Stop::not_tried)?;
                *tried = true;
            } else if self.as_requests > 2 {
                return Err(Stop::local("the library wants to try the account again"));
            }
        }
        let Some(kdc) = turn.account().key_distribution_centre().cloned() else {
            return Err(Stop::local("no KDC was named"));
        };
        let answer = kdc.ask(network, request, until).await.map_err(|text| {
            Stop::kerberos(KerberosError {
                exchange: self.exchange,
                text: Some(text),
                ..KerberosError::default()
            })
        })?;
        // The refusal is taken from the wire before the library turns it into an error, or tries again by itself.
        let refusal = kerberos::error(answer.get(4..).unwrap_or_default());
        match refusal {
            Some(error) if error.code != Some(kerberos::PREAUTH_REQUIRED) || self.as_requests > 1 => {
                Err(Stop::kerberos(KerberosError { exchange: self.exchange, ..error }))
            }
            _ => Ok(answer),
        }
    }

    /// A referral to another realm: no traffic goes to a KDC that was not named.
    fn elsewhere(&self, url: &str) -> Stop {
        Stop::kerberos(KerberosError {
            exchange: self.exchange,
            text: Some(format!(
                "the KDC refers to that of another realm ({url}), which is not asked: name the host's own with --kdc"
            )),
            ..KerberosError::default()
        })
    }

    /// The library gave up after it had asked the KDC.
    fn failed(&self, error: &Error) -> Option<Stop> {
        let exchange = self.exchange?;
        // Nothing is looked up, so this is a referral to a realm without a known KDC.
        if error.error_type != ErrorKind::NoAuthenticatingAuthority {
            return None;
        }
        Some(Stop::kerberos(KerberosError {
            exchange: Some(exchange),
            text: Some(format!(
                "the KDC refers to another realm, whose KDC is not known here ({})",
                error.description
            )),
            ..KerberosError::default()
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::logon::Account;

    async fn security() -> Security {
        let account = Arc::new(Account::new("alice", Zeroizing::new("Passw0rd!".to_owned())));
        let turn = account.turn().await.unwrap();
        Security::new(&turn, Mechanism::Ntlm, "TERMSRV/host".into()).unwrap()
    }

    #[tokio::test]
    async fn what_has_no_room_for_a_signature_never_reaches_the_library() {
        for length in 0..SIGNATURE {
            let mut security = security().await;
            assert_eq!(security.unseal(&vec![1; length]), Err(Unsealed::TooShort));
        }
        let unsealed = security().await.unseal(&[1; SIGNATURE]);
        assert!(matches!(unsealed, Err(Unsealed::Refused(_))), "{unsealed:?}");
    }

    #[test]
    fn a_panic_of_the_library_is_an_error() {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let result: sspi::Result<()> = unlogged(|| panic!("as sspi does"));
        std::panic::set_hook(hook);
        assert!(result.unwrap_err().description.contains("broke"));
    }
}
