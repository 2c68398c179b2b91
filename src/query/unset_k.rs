//! How many neighbors a kNN query finds whose `k` is not set: as many as the query around it can use.

use super::{Fuse, Knn, Query, RerankBy, Search};
use crate::limits::DEFAULT_K;

impl Search {
    /// Sets every unset `k` in it, except that of a kNN query that is itself searched for: its pages decide.
    pub(crate) fn set_unset_k(&mut self) {
        // The offset has no part in it: the documents found must be the same on all pages.
        let nested = self.limit.max(DEFAULT_K);
        match &mut self.query {
            Query::Knn(Knn { filter, .. }) if self.sort.is_empty() => {
                filter.iter_mut().for_each(|filter| filter.set_unset_k(nested));
            }
            query => query.set_unset_k(nested),
        }
        self.filter.iter_mut().for_each(|filter| filter.set_unset_k(nested));
        if let Some(rerank) = &mut self.rerank
            && let RerankBy::Query(query) = &mut rerank.by
        {
            query.set_unset_k(rerank.window);
        }
    }

    /// Sets the `k` of a kNN query that is searched for: what explanations of this page speak of. Reranking looks at all of
    /// its window.
    pub(crate) fn set_k_of_page(&mut self) {
        let window = self.rerank.as_ref().map_or(0, |rerank| rerank.window);
        let end = self.offset.saturating_add(self.limit).max(window);
        if let Query::Knn(knn) = &mut self.query {
            knn.k.get_or_insert(end);
        }
    }
}

impl Query {
    /// Sets every unset `k` in it: to `k`, inside of a fusion to the window.
    pub(crate) fn set_unset_k(&mut self, k: usize) {
        match self {
            Self::Knn(knn) => {
                knn.k.get_or_insert(k);
                knn.filter.iter_mut().for_each(|filter| filter.set_unset_k(k));
            }
            Self::Fuse(Fuse { queries, window, .. }) => {
                queries.iter_mut().for_each(|input| input.query.set_unset_k(*window));
            }
            Self::Bool(clauses) => {
                let parts =
                    [&mut clauses.must, &mut clauses.should, &mut clauses.must_not, &mut clauses.filter];
                parts.into_iter().flatten().for_each(|query| query.set_unset_k(k));
            }
            Self::DisMax(best) => best.queries.iter_mut().for_each(|query| query.set_unset_k(k)),
            Self::Boost(boost) => boost.query.set_unset_k(k),
            Self::Constant(constant) => constant.query.set_unset_k(k),
            Self::All {}
            | Self::None {}
            | Self::Term(_)
            | Self::Terms(_)
            | Self::Range(_)
            | Self::Exists(_)
            | Self::Prefix(_)
            | Self::Match(_)
            | Self::MultiMatch(_)
            | Self::Fuzzy(_)
            | Self::Wildcard(_)
            | Self::Regex(_)
            | Self::Phrase(_)
            | Self::MoreLike(_)
            | Self::Sparse(_) => {}
        }
    }
}
