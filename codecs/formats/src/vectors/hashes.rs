//! The sign hashes of a segment being written: a flush, or what a merge copies and what it makes anew.
//!
//! Hashes are in memory while a segment is written: an eighth of a byte per component.

use super::merge::Gathered;
use super::reader::LayeredReader;
use super::settings::Settings;
use crate::flat_f32::Rows;
use crate::sign_hash::{Estimator, HashFile, Hashes, center};
use lucerne_codec::{Cancel, FieldInfo, Result};

/// Hashes of a buffer; the centre comes from `sibling`, while it fits.
pub(super) fn flush(
    field: &FieldInfo,
    settings: &Settings,
    rows: &impl Rows,
    sibling: Option<&LayeredReader>,
    cancel: &Cancel,
) -> Result<Hashes> {
    let inherited = sibling.and_then(LayeredReader::hashes).and_then(HashFile::center);
    let center = choose(field, settings, rows, inherited, cancel)?;
    Hashes::all(field, settings.estimator, center, rows, cancel)
}

fn choose(
    field: &FieldInfo,
    settings: &Settings,
    rows: &impl Rows,
    inherited: Option<&[f32]>,
    cancel: &Cancel,
) -> Result<Option<Vec<f32>>> {
    match settings.estimator {
        Estimator::Plain => Ok(None),
        Estimator::Corrected => center::choose(field, rows, inherited, cancel).map(Some),
    }
}

/// What is decided about the hashes of a merge.
pub(super) struct PlannedHashes {
    pub(super) estimator: Estimator,
    center: Option<Vec<f32>>,
    /// Per source, whether its hashes are copied.
    pub(super) keeps: Vec<bool>,
}

impl PlannedHashes {
    /// The centre is that of the source with the most live vectors, while it fits all of them.
    pub(super) fn new(
        field: &FieldInfo,
        settings: &Settings,
        gathered: &Gathered<'_>,
        cancel: &Cancel,
    ) -> Result<Self> {
        let estimator = settings.estimator;
        let of = |own: Option<&LayeredReader>| {
            own.and_then(|own| own.hashes.as_ref()).is_some_and(|file| file.meta().estimator == estimator)
        };
        let candidates = gathered.sources.iter().filter(|source| of(source.own));
        let largest = candidates.rev().max_by_key(|source| source.live());
        let inherited =
            largest.and_then(|source| source.own).and_then(LayeredReader::hashes).and_then(HashFile::center);
        let center = choose(field, settings, gathered, inherited, cancel)?;
        let keeps = gathered.sources.iter().map(|source| {
            let file = source.own.and_then(LayeredReader::hashes);
            file.is_some_and(|file| file.meta().estimator == estimator && file.center() == center.as_deref())
        });
        Ok(Self { estimator, keeps: keeps.collect(), center })
    }

    /// Carries the plan out; also returns, per source, how many vectors were hashed anew.
    pub(super) fn encode(
        &self,
        field: &FieldInfo,
        gathered: &Gathered<'_>,
        cancel: &Cancel,
    ) -> Result<(Hashes, Vec<u64>)> {
        let mut hashes = Hashes::new(field, self.estimator, self.center.clone(), gathered.len());
        let mut renewed = vec![0u64; gathered.sources.len()];
        for (index, entry) in gathered.entries.iter().enumerate() {
            if index % 1_024 == 0 {
                cancel.check()?;
            }
            let number = entry.source as usize;
            let own = gathered.sources.get(number).and_then(|source| source.own);
            match own.and_then(LayeredReader::hashes) {
                Some(file) if self.keeps.get(number) == Some(&true) => {
                    hashes.copy(&file.rows(), entry.ordinal as usize);
                }
                _ => {
                    hashes.encode(gathered.row(index)?);
                    if let Some(renewed) = renewed.get_mut(number) {
                        *renewed += 1;
                    }
                }
            }
        }
        Ok((hashes, renewed))
    }
}
