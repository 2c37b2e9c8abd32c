//! Platforms on which sockets have no limit of this kind.

use std::io;

pub(crate) fn descriptor_limit() -> Option<usize> {
    None
}

pub(crate) fn raise_descriptor_limit() -> io::Result<()> {
    Ok(())
}
