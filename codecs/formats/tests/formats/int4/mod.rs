//! A toy encoding, written outside of the crate: four bits per component between the least and the greatest value of a
//! segment. Distances are exact ones to the decoded vectors, which is slow and short; they find candidates, which the raw
//! vectors rescore.
//!
//! This folder is all there is to it, and a format is one line: `VectorFieldFormat::new("hnsw_int4", …, Arc::new(Int4))`.
#![allow(unreachable_pub, reason = "a module of a test")]

mod codes;
mod merge;
mod open;

use codes::{Bounds, NewInt4};
use lucerne_codec::{Cancel, FieldInfo, Result};
use lucerne_formats::encoding::{
    EncodeContext, EncodedVectors, Encoding, MergePlan, MergeSources, NewVectors, OpenContext, Rows,
};

/// Four bits per component.
#[derive(Debug)]
pub struct Int4;

impl Encoding for Int4 {
    fn name(&self) -> &'static str {
        "int4"
    }

    fn check(&self, _field: &FieldInfo) -> Result<()> {
        Ok(())
    }

    fn buffered_bytes(&self, field: &FieldInfo) -> usize {
        codes::row_len(field)
    }

    fn encode<'a>(
        &self,
        context: &EncodeContext<'a>,
        rows: &'a dyn Rows,
        _previous: Option<&dyn EncodedVectors>,
    ) -> Result<Box<dyn NewVectors + 'a>> {
        let bounds = Bounds::of(rows, context.write.cancel)?;
        let mut new = NewInt4::new(context.field, bounds);
        for index in 0..rows.len() {
            new.encode(rows.row(index)?);
        }
        Ok(Box::new(new))
    }

    fn plan_merge(
        &self,
        _field: &FieldInfo,
        sources: &MergeSources<'_>,
        cancel: &Cancel,
    ) -> Result<Box<dyn MergePlan>> {
        Ok(Box::new(merge::Int4Merge::new(sources, cancel)?))
    }

    fn open(&self, context: &OpenContext<'_>) -> Result<Box<dyn EncodedVectors>> {
        Ok(Box::new(open::Int4Vectors::open(context)?))
    }
}
