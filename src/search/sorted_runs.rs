//! The first of many items in an order, without a step that takes long: a merge sort by runs.

use crate::error::Result;
use lucerne_codec::Cancel;
use std::cmp::Ordering;

/// Items sorted at once.
const RUN: usize = 1_024;
/// Items merged between two looks at the cancel flag.
const CANCEL_STEP: usize = 1_024;

/// The first `limit` of some items, sorted.
pub(super) fn first<T>(
    items: impl IntoIterator<Item = T>,
    limit: usize,
    order: impl Fn(&T, &T) -> Ordering,
    cancel: &Cancel,
) -> Result<Vec<T>> {
    let (mut runs, mut items) = (SortedRuns::new(limit, order), items.into_iter());
    runs.fresh.reserve(items.size_hint().1.unwrap_or(0).min(RUN));
    items.try_for_each(|item| runs.push(item, cancel))?;
    runs.finish(cancel)
}

/// The first `limit` of all items of sorted lists.
pub(super) fn merged<T>(
    lists: impl IntoIterator<Item = Vec<T>>,
    limit: usize,
    order: impl Fn(&T, &T) -> Ordering,
    cancel: &Cancel,
) -> Result<Vec<T>> {
    let mut runs = SortedRuns::new(limit, order);
    lists.into_iter().try_for_each(|list| runs.push_sorted(list, cancel))?;
    runs.finish(cancel)
}

/// Keeps the first `limit` of the items pushed.
pub(super) struct SortedRuns<T, F> {
    limit: usize,
    order: F,
    /// Not sorted yet.
    fresh: Vec<T>,
    /// Sorted, none longer than `limit`; each at least as long as those behind it together, or as long as the limit.
    runs: Vec<Vec<T>>,
}

impl<T, F: Fn(&T, &T) -> Ordering> SortedRuns<T, F> {
    pub(super) fn new(limit: usize, order: F) -> Self {
        Self { limit, order, fresh: Vec::new(), runs: Vec::new() }
    }

    /// Adds an item, unless as many as are kept come before it.
    pub(super) fn push(&mut self, item: T, cancel: &Cancel) -> Result<()> {
        let full = self.runs.first().filter(|run| run.len() >= self.limit);
        if let Some(last) = full.and_then(|run| run.last())
            && (self.order)(&item, last).is_ge()
        {
            return Ok(());
        }
        self.fresh.push(item);
        if self.fresh.len() < RUN { Ok(()) } else { self.sort(cancel) }
    }

    /// Adds items that are sorted.
    pub(super) fn push_sorted(&mut self, mut items: Vec<T>, cancel: &Cancel) -> Result<()> {
        items.truncate(self.limit);
        self.runs.push(items);
        self.merge(|before, last| before <= 2 * last, cancel)
    }

    /// All that are kept, sorted.
    pub(super) fn finish(mut self, cancel: &Cancel) -> Result<Vec<T>> {
        self.sort(cancel)?;
        self.merge(|_, _| true, cancel)?;
        Ok(self.runs.pop().unwrap_or_default())
    }

    fn sort(&mut self, cancel: &Cancel) -> Result<()> {
        if self.fresh.is_empty() {
            return Ok(());
        }
        cancel.check()?;
        let mut run = std::mem::take(&mut self.fresh);
        if run.len() > self.limit {
            run.select_nth_unstable_by(self.limit, &self.order);
            run.truncate(self.limit);
        }
        run.sort_by(&self.order);
        self.push_sorted(run, cancel)
    }

    /// Merges the last run with the one before it, as long as `merges` says of their lengths.
    fn merge(&mut self, merges: impl Fn(usize, usize) -> bool, cancel: &Cancel) -> Result<()> {
        while let [.., before, last] = &self.runs[..]
            && merges(before.len(), last.len())
        {
            let (last, before) = (self.runs.pop().unwrap_or_default(), self.runs.pop().unwrap_or_default());
            let merged = self.merged(before, last, cancel)?;
            self.runs.push(merged);
        }
        Ok(())
    }

    fn merged(&self, left: Vec<T>, right: Vec<T>, cancel: &Cancel) -> Result<Vec<T>> {
        let len = left.len().saturating_add(right.len()).min(self.limit);
        let (mut merged, mut left, mut right) =
            (Vec::with_capacity(len), left.into_iter(), right.into_iter());
        while merged.len() < len {
            cancel.check_every(CANCEL_STEP, merged.len())?;
            let next = match (left.as_slice().first(), right.as_slice().first()) {
                (Some(of_left), Some(of_right)) if (self.order)(of_right, of_left).is_lt() => right.next(),
                (Some(_), _) => left.next(),
                (None, _) => right.next(),
            };
            merged.extend(next);
        }
        Ok(merged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_many_are_kept_in_their_order() {
        let cancel = Cancel::new();
        for len in [0u32, 1, 1_000, 1_024, 5_000, 20_000] {
            let items: Vec<u32> = (0..len).map(|item| item.wrapping_mul(2_654_435_761) >> 12).collect();
            let mut sorted = items.clone();
            sorted.sort_unstable();
            for limit in [1, 10, 3_000, usize::MAX] {
                let mut runs = SortedRuns::new(limit, u32::cmp);
                let (pushed, given) = items.split_at(items.len() / 2);
                pushed.iter().for_each(|item| runs.push(*item, &cancel).unwrap());
                let mut given = given.to_vec();
                given.sort_unstable();
                runs.push_sorted(given, &cancel).unwrap();
                assert_eq!(
                    runs.finish(&cancel).unwrap(),
                    sorted[..limit.min(items.len())],
                    "{limit} of {len}"
                );
            }
        }
    }

    #[test]
    fn a_sort_that_is_cancelled_stops() {
        let cancel = Cancel::new();
        let mut runs = SortedRuns::new(usize::MAX, u32::cmp);
        (0..100_000).for_each(|item| runs.push(item, &cancel).unwrap());
        cancel.cancel();
        assert!(runs.finish(&cancel).is_err());
    }
}
