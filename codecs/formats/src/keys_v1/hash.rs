//! The hash of keys on disk. It is part of the format and never changes.

/// FNV-1a, 64 bits, finished with MurmurHash3's 64-bit mixer so that all bits are even enough for
/// interpolation. Not keyed: it orders a table and resists nobody.
pub(super) fn hash64(bytes: &[u8]) -> u64 {
    let fnv = bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = (fnv ^ (fnv >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ (mixed >> 33)
}
