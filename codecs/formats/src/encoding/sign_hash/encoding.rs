//! The encoding, as the table of formats has it.

use super::encode::Hashes;
use super::file::HashFile;
use super::merge::{HashMerge, choose_center};
use super::new::NewHashes;
use super::params::{PARAM, estimator};
use super::vectors::HashVectors;
use crate::encoding::encoded::EncodedVectors;
use crate::encoding::merge_sources::MergeSources;
use crate::encoding::rows::Rows;
use crate::encoding::traits::{EncodeContext, Encoding, MergePlan, NewVectors, OpenContext, ParamNames};
use lucerne_codec::format::Working;
use lucerne_codec::{Cancel, FieldInfo, Result};

/// Sign hashes.
#[derive(Clone, Copy, Debug, Default)]
pub struct SignHash;

impl Encoding for SignHash {
    fn name(&self) -> &'static str {
        "sign_hash"
    }

    fn params(&self) -> ParamNames {
        ParamNames { ordinary: &[PARAM], ..ParamNames::default() }
    }

    fn check(&self, field: &FieldInfo) -> Result<()> {
        estimator(field).map(|_| ())
    }

    fn merge_bytes(&self, field: &FieldInfo, vectors: u64, _working: Working) -> u64 {
        vectors.saturating_mul(u64::from(field.dimension) / 8 + 8)
    }

    fn buffered_bytes(&self, field: &FieldInfo) -> usize {
        field.dimension as usize / 8 + 20
    }

    fn encode<'a>(
        &self,
        context: &EncodeContext<'a>,
        rows: &'a dyn Rows,
        previous: Option<&dyn EncodedVectors>,
    ) -> Result<Box<dyn NewVectors + 'a>> {
        let (field, cancel) = (context.field, context.write.cancel);
        let estimator = estimator(field)?;
        let previous = previous.and_then(|previous| previous.as_any().downcast_ref::<HashVectors>());
        let inherited = previous.map(HashVectors::hashes).and_then(HashFile::center);
        let center = choose_center(field, estimator, rows, inherited, cancel)?;
        let hashes = Hashes::all(field, estimator, center, rows, cancel)?;
        Ok(Box::new(NewHashes { field, hashes, rows }))
    }

    fn plan_merge(
        &self,
        field: &FieldInfo,
        sources: &MergeSources<'_>,
        cancel: &Cancel,
    ) -> Result<Box<dyn MergePlan>> {
        Ok(Box::new(HashMerge::new(field, estimator(field)?, sources, cancel)?))
    }

    fn open(&self, context: &OpenContext<'_>) -> Result<Box<dyn EncodedVectors>> {
        Ok(Box::new(HashVectors::open(context)?))
    }
}
