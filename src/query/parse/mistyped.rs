//! Words of a query that may have typing errors.

use crate::query::{Fuzziness, Query};

/// Sets the fuzziness of all words in a query.
pub(super) fn allow(edits: Fuzziness, query: &mut Query) {
    match query {
        Query::Match(words) => words.fuzziness = Some(edits),
        Query::MultiMatch(words) => words.fuzziness = Some(edits),
        Query::Bool(clauses) => {
            let parts = [&mut clauses.must, &mut clauses.should, &mut clauses.must_not, &mut clauses.filter];
            parts.into_iter().flatten().for_each(|query| allow(edits, query));
        }
        Query::Boost(boost) => allow(edits, &mut boost.query),
        Query::Constant(constant) => allow(edits, &mut constant.query),
        Query::Knn(knn) => knn.filter.iter_mut().for_each(|filter| allow(edits, filter)),
        _ => {}
    }
}
