//! Late interaction (Khattab and Zaharia: ColBERT, 2020): the sum over the vectors of a query of their greatest similarity
//! to any vector of a document.

use super::ranking::DocAddress;
use super::resolve::Resolver;
use super::scorers::finite_score;
use super::values::wrong;
use crate::document::{QueryVector, check_query};
use crate::error::{Error, Result};
use crate::limits::MAX_QUERY_VECTORS;
use lucerne_codec::{Neighbor, Similarity};

/// Vectors of the query between two looks at the cancel flag: each is compared with all of a document.
const STEP: usize = 16;

/// The vectors of a query, and where those of documents are.
pub(super) struct MaxSim<'a> {
    resolver: &'a Resolver<'a>,
    field: u32,
    similarity: Similarity,
    rows: Vec<Vec<u8>>,
}

impl<'a> MaxSim<'a> {
    pub(super) fn new(resolver: &'a Resolver<'a>, field: &str, vectors: &[QueryVector]) -> Result<Self> {
        let declared = resolver.snapshot.schema.vector_field_named(field)?;
        if !declared.is_indexed() {
            return Err(Error::NotIndexed { field: field.to_owned() });
        }
        if vectors.is_empty() || vectors.len() > MAX_QUERY_VECTORS {
            let problem = format!("{} vectors, expected 1 to {MAX_QUERY_VECTORS}", vectors.len());
            return Err(wrong(field, problem));
        }
        let rows = vectors.iter().map(|vector| check_query(declared, vector)).collect::<Result<_>>()?;
        Ok(Self { resolver, field: declared.number(), similarity: declared.info().similarity, rows })
    }

    /// The score of a document; 0 when it has no vector.
    pub(super) fn score(&self, DocAddress { segment, doc }: DocAddress) -> Result<f32> {
        let segment = self.resolver.snapshot.segments.get(segment);
        let Some(vectors) = segment.and_then(|segment| segment.reader.vector_field(self.field)) else {
            return Ok(0.0);
        };
        let mut ordinals = Vec::new();
        vectors.reader.ordinals(doc, &mut ordinals)?;
        let own = ordinals.into_iter().map(|ordinal| Neighbor { distance: f32::INFINITY, ordinal, doc });
        let (own, mut compared, mut sum) = (own.collect::<Vec<_>>(), Vec::new(), 0.0);
        if own.is_empty() {
            return Ok(0.0);
        }
        // In a field of several vectors each neighbor becomes its document's nearest.
        let own = if vectors.field.is_multiple() { own.get(..1).unwrap_or_default() } else { &own };
        for (done, row) in self.rows.iter().enumerate() {
            self.resolver.stop.cancel.check_every(STEP, done)?;
            compared.clear();
            compared.extend_from_slice(own);
            vectors.reader.rescore(row, &mut compared)?;
            let nearest = compared.iter().map(|neighbor| neighbor.distance).fold(f32::INFINITY, f32::min);
            sum += f64::from(similarity(self.similarity, nearest));
        }
        Ok(finite_score(sum))
    }
}

/// The inner product or cosine where the metric is one of these, else the score of the distance.
fn similarity(similarity: Similarity, distance: f32) -> f32 {
    match similarity {
        Similarity::DotProduct | Similarity::MaxInnerProduct => -distance,
        Similarity::Cosine => 1.0 - distance,
        other => other.score(distance),
    }
}
