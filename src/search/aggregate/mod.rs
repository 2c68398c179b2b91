//! Aggregations: counts and numbers over all documents that a search finds.
//!
//! | file | what it does | in Lucene or Elasticsearch |
//! |---|---|---|
//! | `plan` | looks fields up, checks parameters | `AggregatorFactory` |
//! | `column` | reads values of many documents at once, by ordinals and numbers | `SortedSetDocValues`, `UninvertingReader` |
//! | `interval` | puts values into the buckets of histograms | `Rounding` |
//! | `collect` | counts in one segment | `Aggregator` |
//! | `found` | what was counted; adds up segments | `InternalAggregation.reduce` |
//! | `finish` | the result: best buckets, gaps, percentiles | |
//! | `result` | its types | `Aggregations` |

mod collect;
mod column;
mod finish;
mod found;
mod interval;
mod key;
mod plan;
mod result;

pub(super) use collect::{Input, collect};
pub(super) use column::Column;
pub(super) use finish::{finish, first_values};
pub(super) use found::{Found, add};
pub(super) use key::{Key, Unit};
pub(super) use plan::{Plan, Source, every_value, resolve, source};
pub use result::{Aggregate, Bucket, Buckets, Percentile, Stats};
