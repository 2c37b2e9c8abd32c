//! The MCS Connect Initial with its GCC Conference Create Request ([MS-RDPBCGR] 2.2.1.3).

use rdprobe_report::Protocol;

use crate::x224::tpkt;

/// Domain parameters as every client sends them: target, minimum, maximum ([MS-RDPBCGR] 4.1.3, T.125 7).
const DOMAIN_PARAMETERS: [[u32; 8]; 3] = [
    [34, 2, 0, 1, 0, 1, 0xFFFF, 2],
    [1, 1, 1, 1, 0, 1, 0x420, 2],
    [0xFFFF, 0xFC17, 0xFFFF, 1, 0, 1, 0xFFFF, 2],
];
/// T.124's object identifier, and the rest of the header up to the length of the request ([MS-RDPBCGR] 2.2.1.3).
const CONNECT_DATA: [u8; 7] = [0x00, 0x05, 0x00, 0x14, 0x7C, 0x00, 0x01];
/// ConferenceCreateRequest: conference "1", one set of user data with the client's H.221 key `Duca`.
const CREATE_REQUEST: [u8; 12] = [0, 8, 0, 0x10, 0, 1, 0xC0, 0, b'D', b'u', b'c', b'a'];
/// RDP 10.12 ([MS-RDPBCGR] 2.2.1.3.2): a server answers with its own version, or with the client's where that is lower.
const NEWEST_VERSION: u32 = 0x0008_0011;
const CLIENT_NAME: &str = "rdprobe";
/// 40, 128 and 56 bits and FIPS ([MS-RDPBCGR] 2.2.1.3.3).
const ALL_METHODS: u32 = 0x1B;

/// What a client sends first of MCS where the host selected `selected`.
pub(super) fn connect_initial(selected: Protocol) -> Vec<u8> {
    let methods = if selected == Protocol::RDP { ALL_METHODS } else { 0 };
    let blocks = [
        block(0xC001, &core(selected)),
        // No redirection to a session that is there already ([MS-RDPBCGR] 2.2.1.3.5).
        block(0xC004, &[0x0D, 0, 0, 0, 0, 0, 0, 0]),
        block(0xC002, &[methods.to_le_bytes(), [0; 4]].concat()),
        block(0xC003, &channels()),
        // The message channel and the transports over UDP, so that the server says what it has of them.
        block(0xC006, &[0; 4]),
        block(0xC00A, &0x0105_u32.to_le_bytes()),
    ]
    .concat();
    let request = [&CREATE_REQUEST[..], &per_length(blocks.len()), &blocks].concat();
    let user_data = [&CONNECT_DATA[..], &per_length(request.len()), &request].concat();

    let mut body = [ber(&[0x04], &[1]), ber(&[0x04], &[1]), ber(&[0x01], &[0xFF])].concat();
    for parameters in DOMAIN_PARAMETERS {
        let integers: Vec<u8> = parameters.iter().flat_map(|number| integer(*number)).collect();
        body.extend(ber(&[0x30], &integers));
    }
    body.extend(ber(&[0x04], &user_data));
    tpkt::data(&ber(&[0x7F, 0x65], &body))
}

/// [MS-RDPBCGR] 2.2.1.3.2.
fn core(selected: Protocol) -> Vec<u8> {
    let mut core = NEWEST_VERSION.to_le_bytes().to_vec();
    // A desktop of 1024 by 768 at 8 bits, the keyboard of the United States, the build of a client of no system.
    for number in [1024_u16, 768, 0xCA01, 0xAA03] {
        core.extend(number.to_le_bytes());
    }
    for number in [0x409_u32, 2600] {
        core.extend(number.to_le_bytes());
    }
    let mut name: Vec<u8> = CLIENT_NAME.encode_utf16().flat_map(u16::to_le_bytes).collect();
    name.resize(32, 0);
    core.extend(name);
    for number in [4_u32, 0, 12] {
        core.extend(number.to_le_bytes());
    }
    // imeFileName
    core.extend([0; 64]);
    for number in [0xCA01_u16, 1] {
        core.extend(number.to_le_bytes());
    }
    core.extend(0_u32.to_le_bytes());
    // 24 bits of 15, 16, 24 and 32; RNS_UD_CS_SUPPORT_ERRINFO_PDU.
    for number in [24_u16, 0x0F, 0x01] {
        core.extend(number.to_le_bytes());
    }
    // clientDigProductId, connectionType and padding
    core.extend([0; 66]);
    core.extend(selected.0.to_le_bytes());
    core
}

/// One channel, as every client has it ([MS-RDPBCGR] 2.2.1.3.4).
fn channels() -> Vec<u8> {
    [&1_u32.to_le_bytes()[..], b"cliprdr\0", &0xC0A0_0000_u32.to_le_bytes()].concat()
}

/// A block with its header ([MS-RDPBCGR] 2.2.1.3.1).
fn block(kind: u16, data: &[u8]) -> Vec<u8> {
    let length = (data.len() + 4) as u16;
    [&kind.to_le_bytes()[..], &length.to_le_bytes(), data].concat()
}

/// A length of up to 2^14 in the long form of aligned PER (X.691 10.9.3.6).
pub(super) fn per_length(length: usize) -> [u8; 2] {
    (0x8000 | length as u16).to_be_bytes()
}

/// Tag, length and contents in BER (X.690 8.1).
fn ber(tag: &[u8], contents: &[u8]) -> Vec<u8> {
    let length = contents.len();
    let length = match length {
        0..=0x7F => vec![length as u8],
        _ => [&[0x82][..], &(length as u16).to_be_bytes()].concat(),
    };
    [tag, &length, contents].concat()
}

/// An INTEGER below 2^16. As in the specification's example, the largest stand in two bytes without the sign's.
fn integer(number: u32) -> Vec<u8> {
    match u8::try_from(number) {
        Ok(byte) => ber(&[0x02], &[byte]),
        Err(_) => ber(&[0x02], &(number as u16).to_be_bytes()),
    }
}
