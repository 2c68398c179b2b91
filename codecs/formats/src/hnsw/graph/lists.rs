//! Lists of numbers, each of any length.

use super::rows::Rows;
use lucerne_codec::{Cancel, Directory, Result};

/// Pairs between two checks of the cancel flag.
const CHECKED: usize = 1 << 16;

/// Lists of numbers, one after the other.
pub(super) struct Lists {
    numbers: Rows<u32>,
    ends: Vec<usize>,
}

impl Lists {
    /// The numbers of pairs of a list and a number, in the order they come in.
    pub(super) fn from_pairs(
        lists: usize,
        pairs: impl Iterator<Item = (u32, u32)> + Clone,
        files: Option<&dyn Directory>,
        cancel: &Cancel,
    ) -> Result<Self> {
        let mut ends = vec![0; lists];
        for (done, (list, _)) in pairs.clone().enumerate() {
            cancel.check_every(CHECKED, done)?;
            ends.get_mut(list as usize).into_iter().for_each(|end| *end += 1);
        }
        let mut total = 0;
        for end in &mut ends {
            // The start of each list first, which becomes its end as it fills.
            (*end, total) = (total, total + *end);
        }
        let mut numbers = Rows::filled(0, total, files)?.into_plain();
        for (done, (list, number)) in pairs.enumerate() {
            cancel.check_every(CHECKED, done)?;
            if let Some(end) = ends.get_mut(list as usize)
                && let Some(place) = numbers.get_mut(*end)
            {
                *place = number;
                *end += 1;
            }
        }
        Ok(Self { numbers, ends })
    }

    /// One list; empty when there is no such.
    pub(super) fn get(&self, list: usize) -> &[u32] {
        let start = list.checked_sub(1).map_or(0, |before| self.ends.get(before).copied().unwrap_or(0));
        let end = self.ends.get(list).copied().unwrap_or(start);
        self.numbers.get(start..end).unwrap_or_default()
    }

    /// All lists.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.ends.len()).map(|list| self.get(list))
    }
}
