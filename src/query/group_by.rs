//! Grouping: the best documents of each value of a field.

use serde::{Deserialize, Serialize};

/// Returns the best documents of each value of a field. See [`Search::group_by`](super::Search::group_by).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupBy {
    pub(crate) field: String,
    #[serde(default = "one")]
    pub(crate) size: usize,
}

fn one() -> usize {
    1
}
