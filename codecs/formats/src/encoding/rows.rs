//! Raw vectors by index, wherever they are: in a buffer, in a file, or spread over the sources of a merge.

use lucerne_codec::{Cancel, Component, Error, Result};
use std::borrow::Cow;

/// Rows between two checks of the cancel flag.
const CANCEL_STEP: usize = 1_024;

/// Rows of one length.
pub trait Rows: Sync {
    /// How many there are.
    fn len(&self) -> usize;

    /// True when there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One row as it is stored.
    fn row(&self, index: usize) -> Result<&[u8]>;

    /// The vector as well as it is known, of f32 or of bits: that of its row, or what its code stands for where raw vectors
    /// are not kept.
    fn vector(&self, index: usize) -> Result<Cow<'_, [u8]>>;
}

impl<R: Rows + ?Sized> Rows for &R {
    fn len(&self) -> usize {
        (**self).len()
    }

    fn row(&self, index: usize) -> Result<&[u8]> {
        (**self).row(index)
    }

    fn vector(&self, index: usize) -> Result<Cow<'_, [u8]>> {
        (**self).vector(index)
    }
}

/// The rows of a buffer, one after the other.
#[derive(Debug)]
pub struct BufferedRows<'a> {
    rows: &'a [u8],
    component: Component,
    row_len: usize,
}

impl<'a> BufferedRows<'a> {
    /// Rows of `row_len` bytes.
    pub fn new(rows: &'a [u8], component: Component, row_len: usize) -> Self {
        Self { rows, component, row_len }
    }
}

impl Rows for BufferedRows<'_> {
    fn len(&self) -> usize {
        self.rows.len() / self.row_len.max(1)
    }

    fn row(&self, index: usize) -> Result<&[u8]> {
        let start = index.saturating_mul(self.row_len);
        let row = self.rows.get(start..start.saturating_add(self.row_len));
        row.ok_or_else(|| Error::Invalid(format!("there is no row {index}")))
    }

    fn vector(&self, index: usize) -> Result<Cow<'_, [u8]>> {
        Ok(self.component.vector(self.row(index)?))
    }
}

/// Calls `visit` with each index of `indices`; stops with an error when the work is cancelled.
pub fn for_each_index(
    indices: impl IntoIterator<Item = usize>,
    cancel: &Cancel,
    mut visit: impl FnMut(usize) -> Result<()>,
) -> Result<()> {
    for (done, index) in indices.into_iter().enumerate() {
        cancel.check_every(CANCEL_STEP, done)?;
        visit(index)?;
    }
    Ok(())
}
