//! Messages of an MCS domain that stands: attaching a user, joining channels, data (T.125 7, in aligned PER as
//! [MS-RDPBCGR] 2.2.1.5 to 2.2.1.9 show it).

use crate::decode::Reader;

/// Choices of DomainMCSPDU, in the upper six bits of the first byte.
const ERECT_DOMAIN_REQUEST: u8 = 1;
const DISCONNECT_PROVIDER_ULTIMATUM: u8 = 8;
const ATTACH_USER_REQUEST: u8 = 10;
const ATTACH_USER_CONFIRM: u8 = 11;
const CHANNEL_JOIN_REQUEST: u8 = 14;
const CHANNEL_JOIN_CONFIRM: u8 = 15;
const SEND_DATA_REQUEST: u8 = 25;
const SEND_DATA_INDICATION: u8 = 26;
/// UserId is an INTEGER from here on.
const FIRST_USER: u16 = 1001;
/// High priority, beginning and end of the data in one message.
const WHOLE: u8 = 0x70;

/// [MS-RDPBCGR] 2.2.1.5: no height, no interval.
pub(crate) const ERECT_DOMAIN: [u8; 5] = [ERECT_DOMAIN_REQUEST << 2, 1, 0, 1, 0];
/// [MS-RDPBCGR] 2.2.1.6.
pub(crate) const ATTACH_USER: [u8; 1] = [ATTACH_USER_REQUEST << 2];

/// [MS-RDPBCGR] 2.2.1.8.
pub(crate) fn channel_join(user: u16, channel: u16) -> Vec<u8> {
    let user = user.wrapping_sub(FIRST_USER).to_be_bytes();
    [&[CHANNEL_JOIN_REQUEST << 2], &user[..], &channel.to_be_bytes()].concat()
}

/// Data of less than 2^14 bytes from the user to a channel (T.125 11.32).
pub(crate) fn send_data(user: u16, channel: u16, data: &[u8]) -> Vec<u8> {
    let user = user.wrapping_sub(FIRST_USER).to_be_bytes();
    let length = super::connect_initial::per_length(data.len());
    [&[SEND_DATA_REQUEST << 2], &user[..], &channel.to_be_bytes(), &[WHOLE], &length, data].concat()
}

/// What a server sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FromServer<'a> {
    /// The result, and the user where it is success.
    AttachUserConfirm(u8, Option<u16>),
    /// The result, and the channel that was asked for.
    ChannelJoinConfirm(u8, u16),
    /// The channel and what came over it.
    Data(u16, &'a [u8]),
    /// The name of its reason.
    DisconnectProviderUltimatum(&'static str),
    /// Something else.
    Other(u8),
}

/// Reads one message; none where it is too short.
pub(crate) fn read(mcs: &[u8]) -> Option<FromServer<'_>> {
    let mut reader = Reader(mcs);
    let first = reader.u8()?;
    Some(match first >> 2 {
        ATTACH_USER_CONFIRM => {
            let result = result(first, reader.u8()?);
            // Whether the OPTIONAL initiator is there.
            let user = match first & 2 {
                0 => None,
                _ => Some(reader.u16()?.wrapping_add(FIRST_USER)),
            };
            FromServer::AttachUserConfirm(result, user)
        }
        CHANNEL_JOIN_CONFIRM => {
            let result = result(first, reader.u8()?);
            reader.u16()?;
            FromServer::ChannelJoinConfirm(result, reader.u16()?)
        }
        SEND_DATA_INDICATION => {
            reader.u16()?;
            let channel = reader.u16()?;
            reader.u8()?;
            let length = super::connect_response::per_length(&mut reader)?;
            FromServer::Data(channel, reader.take(length)?)
        }
        DISCONNECT_PROVIDER_ULTIMATUM => {
            let reason = (first & 3) << 1 | reader.u8()? >> 7;
            FromServer::DisconnectProviderUltimatum(
                REASONS.get(usize::from(reason)).unwrap_or(&"no known reason"),
            )
        }
        other => FromServer::Other(other),
    })
}

/// An ENUMERATED of sixteen in four bits, the first of them the lowest of one byte.
fn result(first: u8, second: u8) -> u8 {
    (first & 1) << 3 | second >> 5
}

/// T.125 7, Reason.
const REASONS: [&str; 5] = [
    "rn-domain-disconnected",
    "rn-provider-initiated",
    "rn-token-purged",
    "rn-user-requested",
    "rn-channel-purged",
];
