//! What the decoders of this crate have in common.

/// Why bytes could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// They are the beginning of something; more must come.
    Incomplete,
    /// They break the rules of the format, with the rule.
    Malformed(String),
}

impl DecodeError {
    pub(crate) fn malformed(reason: impl Into<String>) -> Self {
        Self::Malformed(reason.into())
    }
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Incomplete => f.write_str("incomplete"),
            Self::Malformed(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Reads fields off the front of a slice. Big-endian, but for `_le`. Every read is bounded; `None` where it is too short.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]: [u8; 1]| byte)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u16_le(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32_le(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u24(&mut self) -> Option<usize> {
        self.array().map(|[high, middle, low]| u32::from_be_bytes([0, high, middle, low]) as usize)
    }

    /// The contents of a vector whose length is its first byte.
    pub(crate) fn vector8(&mut self) -> Option<Reader<'a>> {
        let length = self.u8()?;
        self.take(length.into()).map(Reader)
    }

    /// The contents of a vector whose length is its first two bytes.
    pub(crate) fn vector16(&mut self) -> Option<Reader<'a>> {
        let length = self.u16()?;
        self.take(length.into()).map(Reader)
    }

    /// The contents of a vector whose length is its first three bytes.
    pub(crate) fn vector24(&mut self) -> Option<Reader<'a>> {
        let length = self.u24()?;
        self.take(length).map(Reader)
    }
}
