//! What is kept of a vector besides its codes; the text of `sq8` says what for.

/// What is kept of a vector besides its codes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Corrections {
    /// What the estimate adds, times a factor of the query.
    pub(super) term: f32,
    /// What the product of query and 8-bit codes is multiplied with.
    pub(super) scale: f32,
    /// What the product of query and 4-bit codes is multiplied with; 0 in segments that keep none.
    pub(super) scale4: f32,
}

impl Corrections {
    /// Bytes in a file: two or three little-endian f32.
    pub(super) fn len(sq4: bool) -> usize {
        if sq4 { 12 } else { 8 }
    }
}
