//! The formats, as the registry knows them.

use super::reader::LayeredReader;
use super::settings::Settings;
use super::{Layers, merge, plan, write};
use crate::sq8::Quantiles;
use lucerne_codec::format::{OpenContext, WriteContext, Written};
use lucerne_codec::vector::{VectorFormat, VectorKind, VectorReader, VectorRows};
use lucerne_codec::{Cancel, FieldInfo, MergeInput, Report, Result};

/// A vector format made of layers.
#[derive(Clone, Copy, Debug)]
pub struct LayeredFormat {
    layers: Layers,
    forced: Option<Quantiles>,
}

impl LayeredFormat {
    /// The format with these layers.
    pub fn new(layers: Layers) -> Self {
        Self { layers, forced: None }
    }

    /// The same, writing flushed codes with given quantiles instead of those of a sample: for tests of what
    /// merges decide.
    #[must_use]
    pub fn with_quantiles(self, lower: f32, upper: f32) -> Self {
        Self { forced: Some(Quantiles::new(lower, upper)), ..self }
    }
}

impl VectorFormat for LayeredFormat {
    fn name(&self) -> &'static str {
        self.layers.name
    }

    fn serves(&self) -> Option<VectorKind> {
        let Layers { component, codes, hashes, graph, lists, .. } = self.layers;
        let index = if graph {
            "hnsw"
        } else if lists {
            "ivf"
        } else {
            "flat"
        };
        let encoding = if codes {
            "int8"
        } else if hashes {
            "sign_hash"
        } else {
            "none"
        };
        Some(VectorKind { component, index, encoding })
    }

    fn check(&self, field: &FieldInfo) -> Result<()> {
        Settings::of(self.layers, field).map(|_| ())
    }

    /// The row and its document id in the buffer; while flushing a code with sum, correction and encoding
    /// number, and for the graph two copies (building, renumbering) with half a row more for the upper levels and
    /// the distances that a building graph keeps with its links.
    fn buffered_bytes(&self, field: &FieldInfo) -> usize {
        let m = Settings::of(self.layers, field).map_or(16, |settings| settings.m);
        let codes = match self.layers.codes {
            true => field.dimension as usize + 16,
            false => 4,
        };
        let hashes = if self.layers.hashes { field.dimension as usize / 8 + 16 } else { 0 };
        let graph = if self.layers.graph { 2 * m * 4 * 4 } else { 0 };
        field.row_len() + 4 + codes + hashes + graph + 16
    }

    fn write(
        &self,
        context: &WriteContext<'_>,
        field: &FieldInfo,
        vectors: VectorRows<'_>,
        sibling: Option<&dyn VectorReader>,
    ) -> Result<Written> {
        write::flush(self.layers, context, field, vectors, sibling, self.forced)
    }

    fn open(&self, context: &OpenContext<'_>, field: &FieldInfo) -> Result<Box<dyn VectorReader>> {
        Ok(Box::new(LayeredReader::open(self.layers, context, field)?))
    }

    fn plan_merge(&self, field: &FieldInfo, sources: &[MergeInput<'_, dyn VectorReader>]) -> Result<Report> {
        let settings = Settings::of(self.layers, field)?;
        let gathered = merge::Gathered::new(field, sources, &Cancel::new())?;
        let planned = plan::Planned::new(self.layers, field, &settings, &gathered, &Cancel::new())?;
        Ok(super::report::merge_facts(self.layers, &settings, &gathered, &planned))
    }

    fn merge(
        &self,
        context: &WriteContext<'_>,
        field: &FieldInfo,
        sources: &[MergeInput<'_, dyn VectorReader>],
    ) -> Result<(Written, Report)> {
        merge::merge(self.layers, context, field, sources)
    }
}
