//! The values that a field has.

use super::aggregate::{Found, Input, add, collect, every_value, first_values};
use super::resolve::Resolver;
use crate::document::Value;
use crate::error::{Error, Result};
use crate::limits::MAX_BUCKETS;
use lucerne_codec::BitSet;

/// The first values of a field that begin with `prefix`, in their order, with the number of documents that have each.
pub(super) fn values(
    resolver: &Resolver<'_>,
    field: &str,
    prefix: &str,
    limit: usize,
) -> Result<Vec<(Value, u64)>> {
    if limit == 0 || limit > MAX_BUCKETS {
        let problem = format!("{limit} values, expected 1 to {MAX_BUCKETS}");
        return Err(Error::WrongQuery { field: Some(field.to_owned()), problem });
    }
    let plan = every_value(&resolver.snapshot.schema, field)?;
    let of_segments = resolver.each_segment(|part| {
        let all = || BitSet::full(part.segment.reader.max_doc());
        let docs = part.segment.live.as_deref().cloned().unwrap_or_else(all);
        Ok(collect(&plan, part, &Input::all(&docs))?.pop())
    })?;
    let mut found = Found::none(&plan);
    for of_segment in of_segments {
        found = add(found, of_segment, resolver.stop.cancel)?;
    }
    first_values(&plan, &found, prefix, limit, resolver.stop.cancel)
}
