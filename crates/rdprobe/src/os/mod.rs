//! What only some operating systems give: the socket error queue, TCP_INFO, the don't-fragment switch, and the
//! resolver's own error names. Where they are missing, the fallback says less.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::{
    forbid_fragmentation, icmp_error, is_acknowledged, path_mtu, receive_icmp_errors, tcp_info,
};

#[cfg(all(test, target_os = "linux"))]
pub(crate) use linux::receives_icmp_errors;

#[cfg(not(target_os = "linux"))]
mod fallback;
#[cfg(not(target_os = "linux"))]
pub(crate) use fallback::{
    forbid_fragmentation, icmp_error, is_acknowledged, path_mtu, receive_icmp_errors, tcp_info,
};

#[cfg(unix)]
mod limits_unix;
#[cfg(unix)]
pub(crate) use limits_unix::{descriptor_limit, raise_descriptor_limit};

#[cfg(not(unix))]
mod limits_none;
#[cfg(not(unix))]
pub(crate) use limits_none::{descriptor_limit, raise_descriptor_limit};

mod resolver;
pub(crate) use resolver::resolve;
