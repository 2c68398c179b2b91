//! A merge of hashes: what is copied and what is hashed again.
//!
//! Hashes are in memory while a segment is written: an eighth of a byte per component.

use super::center;
use super::encode::Hashes;
use super::file::HashFile;
use super::meta::Estimator;
use super::new::NewHashes;
use super::vectors::HashVectors;
use crate::encoding::merge_sources::{MergeSource, MergeSources};
use crate::encoding::report::MergeReport;
use crate::encoding::rows::{Rows, for_each_index};
use crate::encoding::traits::{EncodeContext, MergePlan, MergedVectors};
use lucerne_codec::{Cancel, FieldInfo, Result};

/// The center of new hashes: `inherited` while it fits, else one from the vectors. Plain hashes have none.
pub(super) fn choose_center(
    field: &FieldInfo,
    estimator: Estimator,
    rows: &dyn Rows,
    inherited: Option<&[f32]>,
    cancel: &Cancel,
) -> Result<Option<Vec<f32>>> {
    match estimator {
        Estimator::Plain => Ok(None),
        Estimator::Corrected => center::choose(field, rows, inherited, cancel).map(Some),
    }
}

/// A planned merge of hashes.
pub(super) struct HashMerge {
    estimator: Estimator,
    center: Option<Vec<f32>>,
    /// Per source, whether its hashes are copied.
    keeps: Vec<bool>,
}

fn hashes<'a>(source: &MergeSource<'a>, estimator: Estimator) -> Option<&'a HashFile> {
    let hashes = source.encoded_as().map(HashVectors::hashes);
    hashes.filter(|file| file.meta().estimator == estimator)
}

impl HashMerge {
    /// The center is that of the source with the most live vectors, while it fits all of them.
    pub(super) fn new(
        field: &FieldInfo,
        estimator: Estimator,
        sources: &MergeSources<'_>,
        cancel: &Cancel,
    ) -> Result<Self> {
        let candidates = sources.sources.iter().filter(|source| hashes(source, estimator).is_some());
        let largest = candidates.rev().max_by_key(|source| source.live());
        let inherited = largest.and_then(|source| hashes(source, estimator)).and_then(HashFile::center);
        let center = choose_center(field, estimator, sources, inherited, cancel)?;
        let keeps = sources
            .sources
            .iter()
            .map(|source| hashes(source, estimator).is_some_and(|file| file.center() == center.as_deref()));
        Ok(Self { estimator, keeps: keeps.collect(), center })
    }
}

impl MergePlan for HashMerge {
    fn report(&self, report: &mut MergeReport) {
        report.set("sign_hash", self.estimator.name());
        let outcome = |&keep: &bool| if keep { "kept" } else { "rehashed" };
        report.set_each("outcome", self.keeps.iter().map(outcome));
    }

    fn reencoded_name(&self) -> &'static str {
        "vectors_rehashed"
    }

    fn encode<'a>(
        &self,
        context: &EncodeContext<'a>,
        sources: &'a MergeSources<'a>,
    ) -> Result<MergedVectors<'a>> {
        let field = context.field;
        let mut merged = Hashes::new(field, self.estimator, self.center.clone(), sources.len());
        let mut reencoded = vec![0u64; sources.sources.len()];
        for_each_index(0..sources.len(), context.write.cancel, |index| {
            let Some(vector) = sources.vectors.get(index) else { return Ok(()) };
            let number = vector.source as usize;
            let source = sources.sources.get(number).filter(|_| self.keeps.get(number) == Some(&true));
            match source.and_then(|source| hashes(source, self.estimator)) {
                Some(file) => merged.copy(&file.rows(), vector.ordinal as usize),
                None => {
                    merged.encode(&sources.vector(index)?);
                    if let Some(count) = reencoded.get_mut(number) {
                        *count += 1;
                    }
                }
            }
            Ok(())
        })?;
        let vectors = Box::new(NewHashes { field, hashes: merged, rows: sources });
        Ok(MergedVectors { vectors, reencoded })
    }
}
