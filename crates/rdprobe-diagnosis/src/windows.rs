//! Windows editions by build number: client and server editions share builds.
//!
//! NTLM states the build of its own binary. Releases that are only switched on by an enablement package (1909 over
//! 1903, 20H2 to 22H2 over 2004, 23H2 over 22H2, 25H2 over 24H2) therefore state the build of the release beneath.
//!
//! Sources: metasploit-framework lib/msf/core/windows_version.rb (BSD), Microsoft's release information; the two newest
//! are from public reports.

/// Builds, ascending, and the editions that have them.
const EDITIONS: &[(u16, &[&str])] = &[
    (2195, &["Windows 2000"]),
    (2600, &["Windows XP"]),
    (3790, &["Windows Server 2003", "Windows XP x64"]),
    (6000, &["Windows Vista"]),
    (6001, &["Windows Vista SP1", "Windows Server 2008"]),
    (6002, &["Windows Vista SP2", "Windows Server 2008 SP2"]),
    (6003, &["Windows Server 2008 SP2"]),
    (7600, &["Windows 7", "Windows Server 2008 R2"]),
    (7601, &["Windows 7 SP1", "Windows Server 2008 R2 SP1"]),
    (9200, &["Windows 8", "Windows Server 2012"]),
    (9600, &["Windows 8.1", "Windows Server 2012 R2"]),
    (10240, &["Windows 10 1507"]),
    (10586, &["Windows 10 1511"]),
    (14393, &["Windows 10 1607", "Windows Server 2016"]),
    (15063, &["Windows 10 1703"]),
    (16299, &["Windows 10 1709", "Windows Server 1709"]),
    (17134, &["Windows 10 1803", "Windows Server 1803"]),
    (17763, &["Windows 10 1809", "Windows Server 2019"]),
    (18362, &["Windows 10 1903 or 1909", "Windows Server 1903 or 1909"]),
    (18363, &["Windows 10 1909", "Windows Server 1909"]),
    (19041, &["Windows 10 2004 to 22H2", "Windows Server 2004 or 20H2"]),
    (19042, &["Windows 10 20H2", "Windows Server 20H2"]),
    (19043, &["Windows 10 21H1"]),
    (19044, &["Windows 10 21H2"]),
    (19045, &["Windows 10 22H2"]),
    (20348, &["Windows Server 2022"]),
    (22000, &["Windows 11 21H2"]),
    (22621, &["Windows 11 22H2 or 23H2"]),
    (22631, &["Windows 11 23H2"]),
    (25398, &["Windows Server 23H2"]),
    (26100, &["Windows 11 24H2 or 25H2", "Windows Server 2025"]),
    (26200, &["Windows 11 25H2"]),
    (26300, &["Windows 11 26H2"]),
];

/// The editions with this build, none where it is not known. What an NTLM challenge says of its build is a claim, to be
/// believed only where the Confirm fits Windows too.
pub(crate) fn editions(build: u16) -> Vec<&'static str> {
    EDITIONS
        .binary_search_by_key(&build, |(known, _)| *known)
        .map(|index| EDITIONS[index].1.to_vec())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_unique() {
        assert!(EDITIONS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn editions_share_builds() {
        assert_eq!(editions(14393), ["Windows 10 1607", "Windows Server 2016"]);
        assert_eq!(editions(20348), ["Windows Server 2022"]);
        assert!(editions(1).is_empty());
    }
}
