//! When a scorer looks whether the search was stopped.

use lucerne_codec::{Cancel, Result};

/// Looks at the cancel flag once in so many steps of a loop. It goes on counting from one call of a scorer to the next, so
/// that many short loops are stopped like a long one.
pub(super) struct Pace<'a> {
    cancel: &'a Cancel,
    /// A power of two.
    every: u32,
    steps: u32,
}

impl<'a> Pace<'a> {
    /// Steps that move postings.
    const MOVES: u32 = 256;
    /// Steps that read positions.
    const POSITIONS: u32 = 16;

    pub(super) fn of_moves(cancel: &'a Cancel) -> Self {
        Self { cancel, every: Self::MOVES, steps: 0 }
    }

    pub(super) fn of_positions(cancel: &'a Cancel) -> Self {
        Self { cancel, every: Self::POSITIONS, steps: 0 }
    }

    /// Before each step of a loop.
    #[inline]
    pub(super) fn step(&mut self) -> Result<()> {
        self.steps = self.steps.wrapping_add(1);
        if self.steps & (self.every - 1) == 0 { self.cancel.check() } else { Ok(()) }
    }

    /// Within a step that itself is long.
    #[inline]
    pub(super) fn check(&self) -> Result<()> {
        self.cancel.check()
    }
}
