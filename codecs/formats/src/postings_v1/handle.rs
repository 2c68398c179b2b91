//! Where a term's documents are.

/// What the handle of a term's entry means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handle {
    /// The only document and its only position.
    Inline { doc: u32, position: u32 },
    /// The head of its list in `.post`.
    List(u64),
}

impl Handle {
    /// Highest position that is kept inline.
    pub(super) const MAX_POSITION: u32 = u32::MAX >> 1;
    const INLINE: u64 = 1 << 63;

    pub(super) fn encode(self) -> u64 {
        match self {
            Self::Inline { doc, position } => Self::INLINE | u64::from(position) << 32 | u64::from(doc),
            Self::List(at) => at,
        }
    }

    pub(super) fn decode(handle: u64) -> Self {
        match handle & Self::INLINE {
            0 => Self::List(handle),
            _ => Self::Inline { doc: handle as u32, position: (handle >> 32) as u32 & Self::MAX_POSITION },
        }
    }
}
