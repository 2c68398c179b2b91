//! The sparse vectors of several segments as those of one.

use super::{SparseField, SparseReader, SparseSource, TakeRow};
use crate::{Cancel, MergeInput, Result};
use std::collections::BTreeMap;

/// Documents between two looks at the cancel flag.
const CANCEL_STEP: usize = 1_024;

/// Live documents of all inputs. Rows are read where they are.
pub struct MergedSparse<'a> {
    inputs: Vec<MergeInput<'a, dyn SparseReader>>,
    cancel: &'a Cancel,
}

impl<'a> MergedSparse<'a> {
    /// Merges `inputs`.
    pub fn new(inputs: &[MergeInput<'a, dyn SparseReader>], cancel: &'a Cancel) -> Self {
        Self { inputs: inputs.to_vec(), cancel }
    }
}

impl SparseSource for MergedSparse<'_> {
    fn fields(&self) -> Vec<SparseField> {
        let fields = self.inputs.iter().filter_map(|input| input.reader).flat_map(SparseReader::fields);
        let fields: BTreeMap<u32, SparseField> = fields.map(|field| (field.number, field.clone())).collect();
        fields.into_values().collect()
    }

    fn each_row(&self, number: u32, take: &mut TakeRow<'_>) -> Result<()> {
        for input in &self.inputs {
            let Some(vectors) = input.reader.and_then(|reader| reader.field(number)) else { continue };
            for old in 0..input.docs.len() as u32 {
                self.cancel.check_every(CANCEL_STEP, old as usize)?;
                let Some(new) = input.docs.get(old) else { continue };
                let row = vectors.row(old)?;
                if !row.is_empty() {
                    take(new, row)?;
                }
            }
        }
        Ok(())
    }
}
