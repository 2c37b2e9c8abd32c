//! Errors of the operating system that are ours and nobody else's, told by kind and number, never by sentence.

use std::io;

use rdprobe_report::{Failure, FailureEvidence, FailureKind, LocalFault};

#[cfg(unix)]
mod number {
    pub(super) const DESCRIPTORS: [i32; 2] = [libc::EMFILE, libc::ENFILE];
    pub(super) const RESOURCES: [i32; 3] = [libc::ENOBUFS, libc::ENOMEM, libc::EAGAIN];
    pub(super) const NO_ROUTE: [i32; 1] = [libc::EAFNOSUPPORT];
    pub(super) const TOO_LARGE: i32 = libc::EMSGSIZE;
}

/// WinSock's numbers.
#[cfg(not(unix))]
mod number {
    pub(super) const DESCRIPTORS: [i32; 1] = [10024];
    pub(super) const RESOURCES: [i32; 1] = [10055];
    pub(super) const NO_ROUTE: [i32; 1] = [10047];
    pub(super) const TOO_LARGE: i32 = 10040;
}

/// What of ours an error says to be missing, where no peer and no router had a part in it.
pub(crate) fn local_fault(error: &io::Error) -> LocalFault {
    if let Some(number) = error.raw_os_error() {
        if number::DESCRIPTORS.contains(&number) {
            return LocalFault::Descriptors;
        }
        if number::RESOURCES.contains(&number) {
            return LocalFault::Resources;
        }
        if number::NO_ROUTE.contains(&number) {
            return LocalFault::NoRoute;
        }
    }
    match error.kind() {
        // `InvalidInput`: a blackhole route, or an address that needs a scope.
        io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::InvalidInput => LocalFault::NoRoute,
        io::ErrorKind::PermissionDenied => LocalFault::Permission,
        io::ErrorKind::AddrInUse | io::ErrorKind::OutOfMemory => LocalFault::Resources,
        _ => LocalFault::Unspecified,
    }
}

/// An error as the failure that it is, where no peer and no router had a part in it.
pub fn local_failure(error: &io::Error) -> Failure {
    Failure::new(FailureKind::Local, plain(error))
        .with(FailureEvidence::LocalFault { fault: local_fault(error), errno: error.raw_os_error() })
}

/// Whether a datagram is larger than the way to its peer carries.
pub(crate) fn is_too_large(error: &io::Error) -> bool {
    error.raw_os_error() == Some(number::TOO_LARGE)
}

/// Whether waiting may help: what is missing comes back when other sockets are closed.
pub(crate) fn passes(failure: &Failure) -> bool {
    matches!(failure.local_fault(), Some(LocalFault::Descriptors | LocalFault::Resources))
}

/// The error's text without Rust's "(os error N)". Windows speaks the user's language, so there the kind's own words
/// stand for what it says.
pub(crate) fn plain(error: &io::Error) -> String {
    in_words(error, cfg!(windows))
}

fn in_words(error: &io::Error, translated: bool) -> String {
    let text = match error.raw_os_error().filter(|_| translated) {
        Some(number) => match error.kind().to_string() {
            kind if kind.contains("uncategorized") => format!("system error {number}"),
            kind => kind,
        },
        None => error.to_string(),
    };
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_by_their_number() {
        for (number, fault, passes_by) in [
            (24, LocalFault::Descriptors, true),
            (23, LocalFault::Descriptors, true),
            (105, LocalFault::Resources, true),
            (11, LocalFault::Resources, true),
            (101, LocalFault::NoRoute, false),
            (99, LocalFault::NoRoute, false),
            (97, LocalFault::NoRoute, false),
            (13, LocalFault::Permission, false),
            (1, LocalFault::Permission, false),
            (5, LocalFault::Unspecified, false),
        ] {
            let failure = local_failure(&io::Error::from_raw_os_error(number));
            assert_eq!((failure.local_fault(), passes(&failure)), (Some(fault), passes_by), "{number}");
            assert!(!failure.detail.contains("os error"));
        }
    }

    #[test]
    fn no_word_is_in_the_users_language() {
        let told = |number| in_words(&io::Error::from_raw_os_error(number), true);
        assert_eq!((told(111), told(104)), ("connection refused".into(), "connection reset".into()));
        assert_eq!(told(5), "system error 5");
        assert_eq!(in_words(&io::Error::other("Our own words"), true), "our own words");
    }
}
