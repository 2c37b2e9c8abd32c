//! Licensing: the first thing that a host without NLA decides about a client ([MS-RDPBCGR] 1.3.1.1, 2.2.1.12).
//!
//! From the MCS Connect Response on: a user is attached and the channels joined, the keys of Standard RDP Security
//! agreed on where it stands, the client's settings sent with no user and no wish to log on. The first licence message
//! is read and never answered.

mod client_info;
mod message;
mod security;
mod share;

use rdprobe_report::facts::LicensingFacts;
use rdprobe_report::{Facts, Failure, FailureKind, Protocol};

use self::security::{EXCHANGE, INFO, LICENSE, Security};
use crate::mcs::{Conference, domain, result_name};
use crate::x224::tpkt::{self, DataReader};
use crate::{Concluded, Ending, Machine};

/// A server that sends more than this before its first licence message never sends one.
const MOST_OTHERS: u32 = 16;

/// Goes on from the MCS Connect Response to the first licence message.
pub struct LicensingMachine {
    outgoing: Vec<u8>,
    input: DataReader,
    conference: Conference,
    random: [u8; 32],
    state: State,
    security: Option<Security>,
    others: u32,
    facts: LicensingFacts,
    failure: Option<Failure>,
}

#[derive(Debug)]
enum State {
    Attaching,
    /// Of this user, and the channels that are not confirmed yet.
    Joining(u16, Vec<u16>),
    Asking,
    Done,
}

impl LicensingMachine {
    /// For a conference that stands. `random` is the client's, of Standard RDP Security.
    pub fn new(conference: Conference, random: [u8; 32]) -> Self {
        let outgoing = [tpkt::data(&domain::ERECT_DOMAIN), tpkt::data(&domain::ATTACH_USER)].concat();
        Self {
            outgoing,
            input: DataReader::default(),
            conference,
            random,
            state: State::Attaching,
            security: None,
            others: 0,
            facts: LicensingFacts::default(),
            failure: None,
        }
    }

    fn fail(&mut self, kind: FailureKind, detail: impl Into<String>) {
        self.failure = Some(Failure::new(kind, detail));
        self.state = State::Done;
    }

    fn refused(&mut self, what: &str, result: u8) {
        let name = result_name(result.into()).unwrap_or("a result of no name");
        self.facts.refused = Some(name.into());
        self.fail(FailureKind::Rejected, format!("the {what} says {name} ({result})"));
    }

    fn take(&mut self, mcs: &[u8]) {
        let Some(message) = domain::read(mcs) else {
            return self.fail(FailureKind::Malformed, "an MCS message that cannot be read");
        };
        match (&mut self.state, message) {
            (_, domain::FromServer::DisconnectProviderUltimatum(reason)) => {
                let waiting_for = self.waiting_for();
                let detail =
                    format!("an MCS Disconnect Provider Ultimatum ({reason}) instead of {waiting_for}");
                self.fail(FailureKind::Closed, detail);
            }
            (State::Attaching, domain::FromServer::AttachUserConfirm(0, Some(user))) => self.join(user),
            (State::Attaching, domain::FromServer::AttachUserConfirm(0, None)) => {
                self.fail(FailureKind::Malformed, "an Attach User Confirm without a user");
            }
            (State::Attaching, domain::FromServer::AttachUserConfirm(result, _)) => {
                self.refused("Attach User Confirm", result);
            }
            (State::Joining(user, left), domain::FromServer::ChannelJoinConfirm(0, channel)) => {
                left.retain(|waiting| *waiting != channel);
                if left.is_empty() {
                    let user = *user;
                    self.ask(user);
                }
            }
            (State::Joining(..), domain::FromServer::ChannelJoinConfirm(result, _)) => {
                self.refused("Channel Join Confirm", result);
            }
            (State::Asking, domain::FromServer::Data(channel, data))
                if channel == self.conference.io_channel =>
            {
                let data = data.to_vec();
                self.read(&data);
            }
            _ => self.pass(),
        }
    }

    /// Something else came, which is no harm while it is little.
    fn pass(&mut self) {
        self.others += 1;
        if self.others > MOST_OTHERS {
            self.fail(
                FailureKind::Malformed,
                format!("other messages without end instead of {}", self.waiting_for()),
            );
        }
    }

    /// All at once, as clients since RDP 8.1 do ([MS-RDPBCGR] 1.3.1.1). None was said to be skipped, and some servers
    /// wait for each.
    fn join(&mut self, user: u16) {
        let named = [Some(self.conference.io_channel), self.conference.message_channel];
        let mut channels: Vec<u16> = [user]
            .into_iter()
            .chain(named.into_iter().flatten())
            .chain(self.conference.channels.iter().copied())
            .collect();
        // Zero is a channel that the server does not have.
        channels.retain(|channel| *channel != 0);
        for channel in &channels {
            self.outgoing.extend(tpkt::data(&domain::channel_join(user, *channel)));
        }
        self.state = State::Joining(user, channels);
    }

    fn ask(&mut self, user: u16) {
        let channel = self.conference.io_channel;
        let mut send =
            |data: &[u8]| self.outgoing.extend(tpkt::data(&domain::send_data(user, channel, data)));
        if self.conference.selected == Protocol::RDP && self.conference.encryption_method != 0 {
            let keys = self.conference.security.as_ref();
            match keys.and_then(|keys| Security::agree(self.conference.encryption_method, keys, &self.random))
            {
                Some((security, exchange)) => {
                    send(&security::message(EXCHANGE, &exchange));
                    self.security = Some(security);
                }
                None => {
                    let what = "an MCS Connect Response whose keys cannot be used";
                    return self.fail(FailureKind::Malformed, what);
                }
            }
        }
        let info = client_info::client_info();
        match &mut self.security {
            Some(security) => send(&security.seal(INFO, &info)),
            None => send(&security::message(INFO, &info)),
        }
        self.state = State::Asking;
    }

    fn read(&mut self, data: &[u8]) {
        if let Some(message) = share::whole(data).filter(|_| self.security.is_none()) {
            return self.share(message);
        }
        let opened = match &mut self.security {
            Some(security) => security.open(data),
            None => security::opened(data),
        };
        let Some((flags, content)) = opened else {
            return self.fail(FailureKind::Malformed, "a security header that cannot be read");
        };
        if flags & LICENSE == 0 {
            return match share::whole(&content) {
                Some(message) => self.share(message),
                None => self.pass(),
            };
        }
        self.facts.encrypted = Some(flags & security::ENCRYPT != 0);
        match message::read(&content, &mut self.facts) {
            Some(failure) => {
                self.failure = failure;
                self.state = State::Done;
            }
            None => self.fail(FailureKind::Malformed, "a licence message that cannot be read"),
        }
    }

    fn share(&mut self, message: share::Message) {
        match message {
            // Some servers know of no licences at all.
            share::Message::DemandActive => {
                self.facts.message = Some("none".into());
                self.state = State::Done;
            }
            share::Message::ErrorInfo(0) | share::Message::Other => self.pass(),
            share::Message::ErrorInfo(code) => {
                self.facts.error_info = Some(code);
                let name = share::error_info_name(code);
                self.facts.error_info_name = name.map(Into::into);
                let name = name.unwrap_or("a code of no name");
                self.fail(FailureKind::Rejected, format!("a Set Error Info PDU says {name} (0x{code:X})"));
            }
        }
    }

    fn waiting_for(&self) -> &'static str {
        match self.state {
            State::Attaching => "the MCS Attach User Confirm",
            State::Joining(..) => "the MCS Channel Join Confirm",
            State::Asking | State::Done => "the first licence message",
        }
    }
}

impl Machine for LicensingMachine {
    fn outgoing(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.outgoing)
    }

    fn wanted(&self) -> usize {
        match self.state {
            State::Done => 0,
            _ => self.input.missing(),
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        match self.input.receive(bytes) {
            Ok(Some(mcs)) => self.take(&mcs),
            Ok(None) => {}
            Err(what) => self.fail(FailureKind::Malformed, what),
        }
    }

    fn end(&mut self, ending: Ending) {
        if !matches!(self.state, State::Done) {
            self.failure = Some(ending.failure(self.waiting_for()));
            self.state = State::Done;
        }
    }

    fn conclude(self: Box<Self>) -> Concluded {
        Concluded { facts: Facts::Licensing(Box::new(self.facts)), failure: self.failure }
    }
}

#[cfg(test)]
mod tests;
