//! The encoding that keeps nothing besides the raw vectors.

use super::bit_graph::GraphBits;
use super::float_graph::GraphFloats;
use super::float_rows::FloatRows;
use crate::distance::GraphVectors;
use crate::encoding::encoded::EncodedVectors;
use crate::encoding::merge_sources::MergeSources;
use crate::encoding::report::MergeReport;
use crate::encoding::rows::Rows;
use crate::encoding::traits::{
    EncodeContext, Encoding, MergePlan, MergedVectors, NewVectors, OpenContext, WrittenVectors,
};
use lucerne_codec::{Cancel, Component, Error, FieldInfo, Ordinal, Result};

/// Raw vectors only.
#[derive(Clone, Copy, Debug, Default)]
pub struct Raw;

impl Encoding for Raw {
    fn name(&self) -> &'static str {
        "none"
    }

    fn check(&self, _field: &FieldInfo) -> Result<()> {
        Ok(())
    }

    fn buffered_bytes(&self, _field: &FieldInfo) -> usize {
        4
    }

    fn encode<'a>(
        &self,
        context: &EncodeContext<'a>,
        rows: &'a dyn Rows,
        _previous: Option<&dyn EncodedVectors>,
    ) -> Result<Box<dyn NewVectors + 'a>> {
        Ok(Box::new(NewRawVectors { field: context.field, rows }))
    }

    fn plan_merge(
        &self,
        _field: &FieldInfo,
        _sources: &MergeSources<'_>,
        _cancel: &Cancel,
    ) -> Result<Box<dyn MergePlan>> {
        Ok(Box::new(CopyAll))
    }

    fn open(&self, context: &OpenContext<'_>) -> Result<Box<dyn EncodedVectors>> {
        if !context.meta.is_null() || !context.files.is_empty() {
            let name = context.files.first().map_or("", |file| file.name.as_str());
            let problem = "segment info: raw vectors have no files or metadata besides their rows";
            return Err(Error::corrupt(name, 0, problem));
        }
        Ok(Box::new(context.require_raw()?.clone()))
    }
}

struct NewRawVectors<'a> {
    field: &'a FieldInfo,
    rows: &'a dyn Rows,
}

impl NewVectors for NewRawVectors<'_> {
    fn graph_vectors(&self) -> Result<Box<dyn GraphVectors + '_>> {
        raw_graph_vectors(self.field, self.rows)
    }

    fn write(&self, _context: &EncodeContext<'_>, _order: &[Ordinal]) -> Result<WrittenVectors> {
        Ok(WrittenVectors::default())
    }
}

/// Raw vectors as a graph under construction compares them: also where the encoding is too coarse for that.
pub fn raw_graph_vectors<'a>(field: &FieldInfo, rows: &'a dyn Rows) -> Result<Box<dyn GraphVectors + 'a>> {
    Ok(match field.component() {
        Component::Bit => Box::new(GraphBits::new(field.similarity, rows, field.row_len())),
        component => Box::new(GraphFloats::new(field.similarity, FloatRows::of(component), rows)?),
    })
}

struct CopyAll;

impl MergePlan for CopyAll {
    fn report(&self, report: &mut MergeReport) {
        let kept = vec!["kept"; report.sources.len()];
        report.set_each("outcome", kept);
    }

    fn encode<'a>(
        &self,
        context: &EncodeContext<'a>,
        sources: &'a MergeSources<'a>,
    ) -> Result<MergedVectors<'a>> {
        let vectors = Box::new(NewRawVectors { field: context.field, rows: sources });
        Ok(MergedVectors { vectors, reencoded: Vec::new() })
    }
}
