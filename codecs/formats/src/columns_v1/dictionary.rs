//! The terms of a column of keywords, by position.

use super::meta::DictionaryMeta;
use super::packed::{Packed, width};
use lucerne_codec::{Error, Input, Result};

/// A dictionary.
pub(super) struct Dictionary {
    ends: Input,
    bytes: Input,
    terms: u32,
}

impl Dictionary {
    /// The dictionary at the end of a column, and where it starts there.
    pub(super) fn open(column: &Input, meta: DictionaryMeta) -> Result<(Self, u64)> {
        let ends_len = u64::from(meta.terms) * width(meta.bytes) as u64;
        let bytes_at = (column.len() as u64).checked_sub(meta.bytes);
        let ends_at = bytes_at.and_then(|at| at.checked_sub(ends_len));
        let (Some(ends_at), Some(bytes_at)) = (ends_at, bytes_at) else {
            let problem = format!("a dictionary of {} bytes does not fit", meta.bytes);
            return Err(column.corrupt(0, problem));
        };
        let (ends, bytes) = (column.sub(ends_at, ends_len)?, column.sub(bytes_at, meta.bytes)?);
        Ok((Self { ends, bytes, terms: meta.terms }, ends_at))
    }

    pub(super) fn terms(&self) -> u32 {
        self.terms
    }

    /// Its length in bytes.
    pub(super) fn len(&self) -> usize {
        self.ends.len() + self.bytes.len()
    }

    /// A term by its position.
    #[inline]
    pub(super) fn term(&self, ordinal: u32) -> Result<&str> {
        if ordinal >= self.terms {
            let (name, terms) = (self.bytes.name(), self.terms);
            return Err(Error::Invalid(format!("{name}: no term {ordinal}, there are {terms}")));
        }
        let ends = Packed::new(self.ends.bytes(), width(self.bytes.len() as u64), self.terms as usize);
        let end = |ordinal: u32| ends.get(ordinal as usize);
        let start = ordinal.checked_sub(1).map_or(Some(0), end);
        let range = start.zip(end(ordinal)).and_then(|(start, end)| Some((start, end.checked_sub(start)?)));
        let (start, len) =
            range.ok_or_else(|| self.ends.corrupt(0, format!("term {ordinal} ends before it starts")))?;
        std::str::from_utf8(self.bytes.slice(start, len)?)
            .map_err(|_| self.bytes.corrupt(start, format!("term {ordinal} is not UTF-8")))
    }

    /// Terms ascend and fill the dictionary.
    pub(super) fn verify(&self) -> Result<()> {
        let (mut before, mut len) = (None, 0);
        for ordinal in 0..self.terms {
            let term = self.term(ordinal)?;
            if before >= Some(term) {
                return Err(self.ends.corrupt(0, format!("term {ordinal} is not above the one before")));
            }
            (before, len) = (Some(term), len + term.len());
        }
        if len == self.bytes.len() {
            Ok(())
        } else {
            Err(self.ends.corrupt(0, format!("terms of {len} bytes do not fill the dictionary")))
        }
    }
}
