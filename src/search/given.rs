//! Rankings that a search is given instead of making them: those of all shards, of which this index is one.

use super::ranking::{MatchedVector, Ranking, ScoredDoc};
use super::stored;
use super::total::Total;
use crate::error::Result;
use crate::query::Query;
use crate::reader::Snapshot;
use lucerne_codec::Neighbor;
use serde::{Deserialize, Serialize};

/// The documents of this shard in a ranking of all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GivenRanking {
    pub(super) of: RankingOf,
    /// Best first.
    pub(super) docs: Vec<RankedKey>,
    /// False when distances are estimates.
    pub(super) exact: bool,
}

/// Which ranking of a search it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RankingOf {
    /// The query as JSON: the same for queries that were read from JSON and those that were not.
    pub(super) query: String,
    /// Whether only documents that match the search's filter are in it.
    pub(super) filtered: bool,
    /// Its depth; `None` where the query says it, and for the query of the search itself.
    pub(super) limit: Option<usize>,
}

/// A document by its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RankedKey {
    pub(super) key: String,
    pub(super) score: f32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) vector: Option<RankedVector>,
}

/// The vector that a document was found by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RankedVector {
    pub(super) field: String,
    pub(super) distance: f32,
    /// Among the document's vectors in the field, from 0.
    pub(super) index: u32,
}

impl RankingOf {
    pub(super) fn new(query: &Query, filtered: bool, limit: Option<usize>) -> Self {
        let by_itself = matches!(query, Query::Knn(_) | Query::Fuse(_));
        Self { query: query.to_json(), filtered, limit: limit.filter(|_| !by_itself) }
    }
}

/// The ranking of a query, if it is given.
pub(super) fn find<'a>(given: &'a [GivenRanking], of: &RankingOf) -> Option<&'a GivenRanking> {
    given.iter().find(|ranking| ranking.of == *of)
}

impl GivenRanking {
    /// The documents as they are in a snapshot. Those that are deleted by now are left out.
    pub(super) fn ranking(&self, snapshot: &Snapshot) -> Result<Ranking> {
        let mut docs = Vec::with_capacity(self.docs.len());
        for ranked in &self.docs {
            let Some(address) = stored::find(snapshot, &ranked.key)? else { continue };
            let mut vector = None;
            if let Some(RankedVector { field, distance, index }) = &ranked.vector {
                let field = snapshot.schema.vector_field_named(field)?.number();
                let reader = stored::segment(snapshot, address.segment)?.reader.vector_field(field);
                let mut ordinals = Vec::new();
                reader.map_or(Ok(()), |vectors| vectors.reader.ordinals(address.doc, &mut ordinals))?;
                let ordinal = ordinals.get(*index as usize).copied();
                vector = ordinal.map(|ordinal| MatchedVector {
                    field,
                    neighbor: Neighbor { distance: *distance, ordinal, doc: address.doc },
                });
            }
            docs.push(ScoredDoc { address, score: ranked.score, vector });
        }
        let total = Total::Exactly(docs.len() as u64);
        Ok(Ranking { docs, exact: self.exact, segments: Vec::new(), total })
    }
}
