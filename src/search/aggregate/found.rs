//! What was counted: in a segment, and added up over all.

use super::key::{Key, Unit};
use super::plan::{Kind, Plan};
use crate::error::Result;
use crate::query::Metric;
use lucerne_codec::Cancel;
use serde::{Deserialize, Serialize};

/// Buckets merged between two looks at the cancel flag.
const CANCEL_STEP: usize = 1_024;

/// What an aggregation has counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::search) enum Found<'a> {
    /// Ascending by their keys; those of an index of one segment may be the best, best first.
    Buckets(Vec<FoundBucket<'a>>, Rest),
    Numbers(Numbers),
    /// All values, as column values.
    Values(Vec<i64>),
}

/// A bucket with what the aggregations inside it have counted, in their order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::search) struct FoundBucket<'a> {
    pub(super) key: Key<'a>,
    pub(super) count: u64,
    pub(super) inner: Vec<Found<'a>>,
}

/// Buckets that are counted, but not among those that are returned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::search) struct Rest {
    pub(super) buckets: u64,
    /// Documents in them.
    pub(super) docs: u64,
}

/// What is kept of values to compute numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::search) struct Numbers {
    pub(super) count: u64,
    /// Column values.
    pub(super) least: i64,
    pub(super) greatest: i64,
    /// The sum of whole numbers.
    pub(super) whole: i128,
    /// The sum of others.
    #[serde(with = "as_bits")]
    pub(super) float: f64,
    /// The same times [`SCALE`]: finite when a sum on the way is not.
    #[serde(with = "as_bits")]
    pub(super) scaled: f64,
}

/// Sums as their bits: JSON has no infinities.
mod as_bits {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &f64, to: S) -> std::result::Result<S::Ok, S::Error> {
        number.to_bits().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<f64, D::Error> {
        u64::deserialize(from).map(f64::from_bits)
    }
}

/// 2^-64: no sum of so many numbers overflows.
pub(super) const SCALE: f64 = 1.0 / (1u128 << 64) as f64;

impl Numbers {
    const NONE: Self =
        Self { count: 0, least: i64::MAX, greatest: i64::MIN, whole: 0, float: 0.0, scaled: 0.0 };

    /// Adds column values of a document.
    #[inline]
    fn add(&mut self, values: &[i64], unit: Unit) {
        self.count += values.len() as u64;
        for &value in values {
            (self.least, self.greatest) = (self.least.min(value), self.greatest.max(value));
            match unit {
                Unit::F64 => {
                    self.float += unit.number(value);
                    self.scaled += unit.number(value) * SCALE;
                }
                _ => self.whole += i128::from(value),
            }
        }
    }
}

impl<'a> Found<'a> {
    /// Nothing was counted.
    pub(in crate::search) fn none(plan: &Plan) -> Self {
        match &plan.kind {
            Kind::Metric(Metric::Percentiles(_)) => Self::Values(Vec::new()),
            Kind::Metric(metric) if *metric != Metric::Distinct => Self::Numbers(Numbers::NONE),
            _ => Self::Buckets(Vec::new(), Rest::default()),
        }
    }

    /// The same without a snapshot.
    pub(in crate::search) fn into_owned(self) -> Found<'static> {
        match self {
            Self::Buckets(buckets, rest) => {
                let owned = |FoundBucket { key, count, inner }: FoundBucket<'a>| {
                    let inner = inner.into_iter().map(Found::into_owned).collect();
                    FoundBucket { key: key.into_owned(), count, inner }
                };
                Found::Buckets(buckets.into_iter().map(owned).collect(), rest)
            }
            Self::Numbers(numbers) => Found::Numbers(numbers),
            Self::Values(values) => Found::Values(values),
        }
    }

    /// Adds the values of a document, if it is not buckets.
    #[inline]
    pub(super) fn take(&mut self, own: &[i64], unit: Unit) {
        match self {
            Self::Numbers(numbers) => numbers.add(own, unit),
            Self::Values(values) => values.extend_from_slice(own),
            Self::Buckets(..) => {}
        }
    }
}

/// What two have counted together. Numbers of other shards are untrusted.
pub(in crate::search) fn add<'a>(left: Found<'a>, right: Found<'a>, cancel: &Cancel) -> Result<Found<'a>> {
    Ok(match (left, right) {
        (Found::Buckets(left, rest), Found::Buckets(right, more)) => {
            let rest = Rest {
                buckets: rest.buckets.saturating_add(more.buckets),
                docs: rest.docs.saturating_add(more.docs),
            };
            Found::Buckets(merged(left, right, cancel)?, rest)
        }
        (Found::Numbers(left), Found::Numbers(right)) => Found::Numbers(Numbers {
            count: left.count.saturating_add(right.count),
            least: left.least.min(right.least),
            greatest: left.greatest.max(right.greatest),
            whole: left.whole.saturating_add(right.whole),
            float: left.float + right.float,
            scaled: left.scaled + right.scaled,
        }),
        (Found::Values(mut left), Found::Values(right)) => {
            left.extend(right);
            Found::Values(left)
        }
        // They are of one plan.
        (left, _) => left,
    })
}

fn merged<'a>(
    left: Vec<FoundBucket<'a>>,
    right: Vec<FoundBucket<'a>>,
    cancel: &Cancel,
) -> Result<Vec<FoundBucket<'a>>> {
    if left.is_empty() || right.is_empty() {
        return Ok(if left.is_empty() { right } else { left });
    }
    let mut merged: Vec<FoundBucket<'a>> = Vec::with_capacity(left.len().max(right.len()));
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    loop {
        cancel.check_every(CANCEL_STEP, merged.len())?;
        let order = match (left.peek(), right.peek()) {
            (Some(left), Some(right)) => left.key.cmp(&right.key),
            _ => break,
        };
        if order.is_ne() {
            merged.extend(if order.is_lt() { left.next() } else { right.next() });
        } else if let (Some(left), Some(right)) = (left.next(), right.next()) {
            let inner = left.inner.into_iter().zip(right.inner);
            let inner = inner.map(|(left, right)| add(left, right, cancel)).collect::<Result<_>>()?;
            let count = left.count.saturating_add(right.count);
            merged.push(FoundBucket { key: left.key, count, inner });
        }
    }
    merged.extend(left.chain(right));
    Ok(merged)
}
