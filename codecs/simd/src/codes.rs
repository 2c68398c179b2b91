//! How many codes there may be, and how those of 4 bits lie.

/// The most components that the functions over `u8` codes take: their sums fit in 32 bits.
pub const MAX_U8_DIMS: usize = 65_536;

/// Codes of 4 bits in a block of 32 bytes: the low half of byte `j` is code `j`, the high half code `32 + j`.
pub const NIBBLES: usize = 64;
