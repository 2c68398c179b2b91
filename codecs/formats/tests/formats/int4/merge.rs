//! A merge takes the bounds of the source with the most live vectors. Sources that have them keep their codes.

use super::codes::{Bounds, NewInt4};
use super::open::Int4Vectors;
use lucerne_codec::{Cancel, Result};
use lucerne_formats::encoding::{
    EncodeContext, MergePlan, MergeReport, MergeSource, MergeSources, MergedVectors, Rows,
};

pub struct Int4Merge {
    bounds: Bounds,
    keeps: Vec<bool>,
}

fn bounds(source: &MergeSource<'_>) -> Option<Bounds> {
    source.encoded_as::<Int4Vectors>().map(|vectors| vectors.bounds)
}

impl Int4Merge {
    pub fn new(sources: &MergeSources<'_>, cancel: &Cancel) -> Result<Self> {
        let with_bounds = sources.sources.iter().filter(|source| bounds(source).is_some());
        let merged = match with_bounds.max_by_key(|source| source.live()).and_then(bounds) {
            Some(bounds) => bounds,
            None => Bounds::of(sources, cancel)?,
        };
        let keeps = sources.sources.iter().map(|source| bounds(source) == Some(merged)).collect();
        Ok(Self { bounds: merged, keeps })
    }
}

impl MergePlan for Int4Merge {
    fn report(&self, report: &mut MergeReport) {
        let outcome = |&keep: &bool| if keep { "kept" } else { "requantized" };
        report.set_each("outcome", self.keeps.iter().map(outcome));
    }

    fn encode<'a>(
        &self,
        context: &EncodeContext<'a>,
        sources: &'a MergeSources<'a>,
    ) -> Result<MergedVectors<'a>> {
        let mut new = NewInt4::new(context.field, self.bounds);
        let mut reencoded = vec![0; self.keeps.len()];
        for (index, vector) in sources.vectors.iter().enumerate() {
            let number = vector.source as usize;
            let kept = sources.sources[number].encoded_as::<Int4Vectors>().filter(|_| self.keeps[number]);
            match kept {
                Some(vectors) => new.codes.extend_from_slice(vectors.codes(vector.ordinal)),
                None => {
                    new.encode(sources.row(index)?);
                    reencoded[number] += 1;
                }
            }
        }
        Ok(MergedVectors { vectors: Box::new(new), reencoded })
    }
}
