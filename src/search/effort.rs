//! How much a kNN query lets a segment do: the recall it asks for, or candidates and lists.

use crate::error::{Error, Result};
use crate::limits::{DEFAULT_CANDIDATES, DEFAULT_RECALL, MAX_CANDIDATES};
use crate::query::Knn;
use crate::reader::Snapshot;
use crate::schema::VectorField;
use lucerne_codec::vector::{Effort, VectorReader};

/// The effort that a query asks of every segment, or its field, or the default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Asked {
    Exact,
    Recall { recall: f32, scale: f32, margin: f32, share: f32 },
    Candidates(usize),
    Lists { probes: usize, candidates: Option<usize> },
}

impl Asked {
    /// Refuses what is out of range, and a recall beside what decides on it.
    pub(super) fn of(query: &Knn, field: VectorField<'_>) -> Result<Self> {
        let wrong = |problem: String| Err(Error::WrongQuery { field: Some(query.field.clone()), problem });
        if let Some(recall) = query.recall {
            let other = [("candidates", query.candidates.is_some()), ("nprobe", query.nprobe.is_some())];
            if let Some((other, _)) = other.iter().find(|(_, given)| *given) {
                return wrong(format!(
                    "recall and {other} are both given; the recall decides on {other}: leave one of them out"
                ));
            }
            if !(recall > 0.0 && recall <= 1.0) {
                return wrong(format!("recall is {recall}, expected a share above 0 and up to 1 (exact)"));
            }
        }
        if let Some(candidates) = query.candidates
            && (candidates == 0 || candidates > MAX_CANDIDATES)
        {
            return wrong(format!("candidates is {candidates}, expected 1 to {MAX_CANDIDATES}"));
        }
        if query.nprobe == Some(0) {
            return wrong("nprobe is 0, expected 1 or more".to_owned());
        }
        Ok(match (query.exact, query.nprobe, query.candidates) {
            (true, ..) => Self::Exact,
            (_, Some(probes), candidates) => Self::Lists { probes, candidates },
            (_, None, Some(candidates)) => Self::Candidates(candidates),
            (_, None, None) => {
                let recall = query.recall.or(field.options().recall()).unwrap_or(DEFAULT_RECALL);
                let calibration = field.options().calibration();
                let calibrated = calibration.map_or(1.0, |it| it.scale(recall.into()) as f32);
                Self::Recall { recall, scale: query.scale.unwrap_or(calibrated), margin: 1.0, share: 1.0 }
            }
        })
    }

    /// The same for segments of so many vectors each, in each of so many shards of about the same size.
    ///
    /// A segment's measurement has a margin for chance. What is by chance too much in one is too little in another: the
    /// error of all together is the square root of the sum of the squares of their shares. What a filter accepts may all be in
    /// one of them.
    pub(super) fn among(self, lens: impl Iterator<Item = usize>, shards: usize, filtered: bool) -> Self {
        let Self::Recall { recall, scale, .. } = self else { return self };
        let (sum, squares) = lens
            .map(|len| len as f64)
            .fold((0.0, 0.0), |(sum, squares), len| (sum + len, squares + len * len));
        let share = if sum > 0.0 { squares / (sum * sum) / shards.max(1) as f64 } else { 1.0 };
        let margin = if filtered { 1.0 } else { share.sqrt() };
        Self::Recall { recall, scale, margin: margin as f32, share: share as f32 }
    }

    /// What that means in a segment for a search for `wanted` neighbors.
    pub(super) fn in_segment(self, wanted: usize, reader: &dyn VectorReader) -> Effort {
        match self {
            Self::Exact => Effort::Exact,
            Self::Recall { recall, scale, margin, share } => Effort::Recall { recall, scale, margin, share },
            Self::Candidates(candidates) => Effort::Candidates(candidates.min(MAX_CANDIDATES).max(wanted)),
            Self::Lists { probes, candidates } => {
                let default = || reader.default_candidates(wanted).unwrap_or(DEFAULT_CANDIDATES);
                let candidates = candidates.unwrap_or_else(default).min(MAX_CANDIDATES).max(wanted);
                Effort::Lists { probes, candidates }
            }
        }
    }

    /// How many candidates an approximate search keeps in a segment; `None` where the format does not say.
    pub(super) fn candidates(self, wanted: usize, reader: &dyn VectorReader) -> Option<usize> {
        reader.candidates(wanted, self.in_segment(wanted, reader))
    }
}

/// How many neighbors a query wants of each segment: more than `k` when they are rescored.
pub(super) fn wanted(query: &Knn) -> usize {
    wanted_for(query, query.k_or_default())
}

/// The same of a query whose `k` is this.
pub(super) fn wanted_for(query: &Knn, k: usize) -> usize {
    match query.rescore {
        Some(factor) if !query.exact => (k as f64 * f64::from(factor)).ceil() as usize,
        _ => k,
    }
}

/// The effort that a query asks of each segment, with what is known of the others, and of so many shards.
pub(super) fn asked(snapshot: &Snapshot, query: &Knn, filtered: bool, shards: usize) -> Result<Asked> {
    let field = snapshot.schema.vector_field_named(&query.field)?;
    let asked = Asked::of(query, field)?;
    let fields = snapshot.segments.iter().filter_map(|segment| segment.reader.vector_field(field.number()));
    let lens = fields.map(|vectors| vectors.reader.len());
    Ok(asked.among(lens, shards, filtered && !query.post_filter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_evens_out_among_segments_and_shards_but_not_behind_a_filter() {
        let alone = Asked::Recall { recall: 0.95, scale: 1.0, margin: 1.0, share: 1.0 };
        let among =
            |lens: &[usize], shards, filtered| match alone.among(lens.iter().copied(), shards, filtered) {
                Asked::Recall { margin, share, .. } => (margin, share),
                _ => unreachable!(),
            };
        assert_eq!(among(&[500], 1, false), (1.0, 1.0));
        assert_eq!(among(&[500; 4], 1, false), (0.5, 0.25));
        assert_eq!(among(&[500], 4, false), (0.5, 0.25));
        assert_eq!(among(&[500; 4], 1, true), (1.0, 0.25));
        assert_eq!(among(&[], 1, false), (1.0, 1.0));
        let (margin, share) = among(&[9_000, 10, 10], 1, false);
        assert!(margin > 0.99 && share > 0.99, "{margin} {share}");
        assert_eq!(Asked::Candidates(7).among([5, 5].into_iter(), 1, false), Asked::Candidates(7));
    }
}
