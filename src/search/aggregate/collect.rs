//! Counts in one segment: one pass over the values of the documents for each aggregation.
//!
//! An aggregation inside buckets gets, for each document, the buckets that it is in, ascending by document as the values
//! are: the two lists are walked side by side.

use super::column::Column;
use super::found::{Found, FoundBucket, Rest};
use super::key::Key;
use super::plan::{Kind, Plan};
use crate::error::Result;
use crate::query::Metric;
use crate::search::part::Part;
use crate::search::sorted_runs::first;
use lucerne_codec::{BitSet, Cancel, DocId, Error};
use std::cmp::Reverse;
use std::collections::HashMap;

/// Up to so many buckets have a counter each from the beginning.
const DENSE: i64 = 1 << 16;

/// Documents to aggregate.
pub(in crate::search) struct Input<'d> {
    set: &'d BitSet,
    /// How many they are.
    docs: u32,
    /// Which buckets around the aggregation each document is in, ascending by document; `None` when there is but one.
    parents: Option<&'d [(DocId, u32)]>,
    /// How many buckets are around it.
    count: usize,
    /// True when no other segment has documents: then it is known here which buckets are the best.
    alone: bool,
}

impl<'d> Input<'d> {
    /// Documents of no bucket.
    pub(in crate::search) fn all(set: &'d BitSet) -> Self {
        Self { set, docs: set.count(), parents: None, count: 1, alone: false }
    }

    /// How many documents there are.
    pub(in crate::search) fn docs(&self) -> u32 {
        self.docs
    }

    /// The same where this is the only segment, or not.
    pub(in crate::search) fn alone(self, alone: bool) -> Self {
        Self { alone, ..self }
    }
}

/// What an aggregation counts in a segment, for each bucket around it.
pub(in crate::search) fn collect<'a>(
    plan: &Plan,
    part: Part<'a>,
    input: &Input<'_>,
) -> Result<Vec<Found<'a>>> {
    let column = Column::open(&plan.source, part, input.set)?;
    match &plan.kind {
        Kind::Metric(Metric::Distinct) | Kind::Terms { .. } => {
            let buckets = count_each(plan, part, input, &column, |value| value)?;
            into_found(plan, part, input, buckets, |value| column.key(value))
        }
        Kind::Histogram { interval, .. } => {
            let buckets = count_each(plan, part, input, &column, |value| interval.bucket(value))?;
            into_found(plan, part, input, buckets, |bucket| Ok(Key::Number(bucket)))
        }
        Kind::Ranges(ranges) => {
            let mut counter = Counter::new(plan, input, Some((0, ranges.len() as i64 - 1)));
            each_document(&column, input, part.cancel, |doc, parent, values| {
                for (bucket, range) in (0..).zip(ranges) {
                    let within = |range: &std::ops::RangeInclusive<i64>| {
                        values.iter().any(|value| range.contains(value))
                    };
                    if range.values.as_ref().is_some_and(within) {
                        counter.add(doc, parent, bucket)?;
                    }
                }
                Ok(())
            })?;
            into_found(plan, part, input, counter, |bucket| Ok(Key::Number(bucket)))
        }
        Kind::Metric(_) => {
            let mut found: Vec<Found<'a>> = (0..input.count).map(|_| Found::none(plan)).collect();
            each_document(&column, input, part.cancel, |_, parent, values| {
                let own = found.get_mut(parent as usize);
                own.into_iter().for_each(|own| own.take(values, plan.unit));
                Ok(())
            })?;
            Ok(found)
        }
    }
}

/// Counts each document once in each bucket that it has a value in.
fn count_each(
    plan: &Plan,
    part: Part<'_>,
    input: &Input<'_>,
    column: &Column<'_>,
    bucket_of: impl Fn(i64) -> i64,
) -> Result<Counter> {
    if let (Column::Keywords(keywords), None, true) = (column, input.parents, plan.inner.is_empty()) {
        // A keyword is its own bucket.
        let mut counts = vec![0; keywords.terms() as usize];
        keywords.count(input.set, input.docs, part.cancel, &mut counts)?;
        return Ok(Counter { slots: Slots::Dense(0), counts, members: None });
    }
    let bounds = column.bounds().map(|(least, greatest)| (bucket_of(least), bucket_of(greatest)));
    let mut counter = Counter::new(plan, input, bounds);
    if input.parents.is_none() {
        let mut last = (DocId::MAX, 0);
        column.take(input.set, part.cancel, &mut |docs, values| {
            for (&doc, &value) in docs.iter().zip(values) {
                let bucket = bucket_of(value);
                // Values ascend, and buckets with them.
                if last != (doc, bucket) {
                    last = (doc, bucket);
                    counter.add(doc, 0, bucket)?;
                }
            }
            Ok(())
        })?;
        return Ok(counter);
    }
    each_document(column, input, part.cancel, |doc, parent, values| {
        let mut last = None;
        for &value in values {
            let bucket = bucket_of(value);
            if last != Some(bucket) {
                last = Some(bucket);
                counter.add(doc, parent, bucket)?;
            }
        }
        Ok(())
    })?;
    Ok(counter)
}

/// Calls `each` with every document, each of the buckets around the aggregation that it is in, and its values.
fn each_document(
    column: &Column<'_>,
    input: &Input<'_>,
    cancel: &Cancel,
    mut each: impl FnMut(DocId, u32, &[i64]) -> lucerne_codec::Result<()>,
) -> Result<()> {
    let mut parents = input.parents.unwrap_or_default();
    column.take(input.set, cancel, &mut |docs, mut rest| {
        for own in docs.chunk_by(|left, right| left == right) {
            let (values, after) = rest.split_at_checked(own.len()).unwrap_or_default();
            rest = after;
            let Some(&doc) = own.first() else { continue };
            if input.parents.is_none() {
                each(doc, 0, values)?;
                continue;
            }
            let before = parents.iter().take_while(|(other, _)| *other < doc).count();
            let here = parents.iter().skip(before).take_while(|(other, _)| *other == doc);
            let mut seen = before;
            for (_, parent) in here {
                each(doc, *parent, values)?;
                seen += 1;
            }
            parents = parents.get(seen..).unwrap_or_default();
        }
        Ok(())
    })
}

/// Counts documents by bucket.
struct Counter {
    slots: Slots,
    counts: Vec<u64>,
    /// Which slots each document was counted in, when aggregations inside are to know.
    members: Option<Vec<(DocId, u32)>>,
}

/// A bucket with documents: the one around it, itself, and its slot.
type Used = (u32, i64, u32);

/// Which counter a bucket has.
enum Slots {
    /// Buckets from this one on, one after the other; there is one bucket around them.
    Dense(i64),
    /// By the bucket around it and the bucket.
    Sparse(HashMap<(u32, i64), u32>),
}

impl Counter {
    fn new(plan: &Plan, input: &Input<'_>, bounds: Option<(i64, i64)>) -> Self {
        let len = bounds.and_then(|(first, last)| last.checked_sub(first)?.checked_add(1));
        let dense = DENSE.max(i64::from(input.set.len()));
        let members = (!plan.inner.is_empty()).then(Vec::new);
        match (bounds, len) {
            (Some((first, _)), Some(len)) if input.parents.is_none() && (0..=dense).contains(&len) => {
                Self { slots: Slots::Dense(first), counts: vec![0; len as usize], members }
            }
            _ => Self { slots: Slots::Sparse(HashMap::new()), counts: Vec::new(), members },
        }
    }

    #[inline]
    fn add(&mut self, doc: DocId, parent: u32, bucket: i64) -> lucerne_codec::Result<()> {
        let slot = match &mut self.slots {
            Slots::Dense(first) => bucket.wrapping_sub(*first) as usize,
            Slots::Sparse(slots) => {
                let next = self.counts.len() as u32;
                let slot = *slots.entry((parent, bucket)).or_insert(next);
                if slot == next {
                    self.counts.push(0);
                }
                slot as usize
            }
        };
        let Some(count) = self.counts.get_mut(slot) else { return Err(beyond(bucket)) };
        *count += 1;
        if let Some(members) = &mut self.members {
            members.push((doc, slot as u32));
        }
        Ok(())
    }

    /// The buckets with documents, with the bucket around each and their slots, ascending.
    fn used(&self, cancel: &Cancel) -> Result<Vec<Used>> {
        match &self.slots {
            Slots::Dense(first) => {
                let mut used = Vec::with_capacity(self.counts.len().min(DENSE as usize));
                let slots = (0u32..).zip(&self.counts).filter(|(_, count)| **count > 0);
                used.extend(slots.map(|(slot, _)| (0, first + i64::from(slot), slot)));
                Ok(used)
            }
            Slots::Sparse(slots) => {
                let used = slots.iter().map(|(&(parent, bucket), &slot)| (parent, bucket, slot));
                first(used, usize::MAX, Used::cmp, cancel)
            }
        }
    }
}

#[cold]
fn beyond(bucket: i64) -> Error {
    Error::Invalid(format!("a column has a value of bucket {bucket}, beyond the bounds it says it has"))
}

/// The buckets that are returned of the only segment; naming all of many values takes long.
fn best_known(plan: &Plan, counter: &Counter, used: Vec<Used>, cancel: &Cancel) -> Result<(Vec<Used>, Rest)> {
    let (size, min_count) = match plan.kind {
        Kind::Terms { size, min_count } => (size, min_count),
        Kind::Metric(Metric::Distinct) => {
            return Ok((Vec::new(), Rest { buckets: used.len() as u64, docs: 0 }));
        }
        _ => return Ok((used, Rest::default())),
    };
    let count = |slot: u32| counter.counts.get(slot as usize).copied().unwrap_or(0);
    let enough = used.iter().filter(|(_, _, slot)| count(*slot) >= min_count);
    let buckets = enough.clone().count();
    let ranked = enough.map(|&(_, bucket, slot)| (Reverse(count(slot)), bucket, slot));
    let best = first(ranked, size, <(Reverse<u64>, i64, u32)>::cmp, cancel)?;
    let docs = |slots: &mut dyn Iterator<Item = u32>| slots.map(count).sum::<u64>();
    let all = docs(&mut used.iter().map(|(_, _, slot)| *slot));
    let shown = docs(&mut best.iter().map(|(_, _, slot)| *slot));
    let rest = Rest { buckets: (buckets - best.len()) as u64, docs: all - shown };
    Ok((best.into_iter().map(|(_, bucket, slot)| (0, bucket, slot)).collect(), rest))
}

/// Names the buckets, counts what is inside of them, and gives each to the bucket around it.
fn into_found<'a>(
    plan: &Plan,
    part: Part<'a>,
    input: &Input<'_>,
    mut counter: Counter,
    key: impl Fn(i64) -> Result<Key<'a>>,
) -> Result<Vec<Found<'a>>> {
    let used = counter.used(part.cancel)?;
    let (used, rest) = if input.alone && plan.inner.is_empty() {
        best_known(plan, &counter, used, part.cancel)?
    } else {
        (used, Rest::default())
    };
    let mut inner = Vec::new();
    if let Some(mut members) = counter.members.take() {
        let mut place_of = vec![0u32; counter.counts.len()];
        for (place, (_, _, slot)) in (0..).zip(&used) {
            place_of.get_mut(*slot as usize).into_iter().for_each(|own| *own = place);
        }
        for (_, slot) in &mut members {
            *slot = place_of.get(*slot as usize).copied().unwrap_or(0);
        }
        let input = Input {
            set: input.set,
            docs: input.docs,
            parents: Some(&members),
            count: used.len(),
            alone: false,
        };
        for plan in &plan.inner {
            inner.push(collect(plan, part, &input)?.into_iter());
        }
    }
    let mut by_parent: Vec<Vec<FoundBucket<'a>>> = (0..input.count).map(|_| Vec::new()).collect();
    for (done, (parent, bucket, slot)) in used.into_iter().enumerate() {
        part.cancel.check_every(1_024, done)?;
        let count = counter.counts.get(slot as usize).copied().unwrap_or(0);
        let inner = inner.iter_mut().filter_map(Iterator::next).collect();
        if let Some(buckets) = by_parent.get_mut(parent as usize) {
            buckets.push(FoundBucket { key: key(bucket)?, count, inner });
        }
    }
    Ok(by_parent.into_iter().map(|buckets| Found::Buckets(buckets, rest)).collect())
}
