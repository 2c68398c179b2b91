//! The columns of several segments as those of one.

use super::{ColumnData, ColumnField, ColumnKind, ColumnsReader, ColumnsSource};
use crate::{Cancel, DocId, DocMap, MergeInput, Result};
use std::collections::BTreeMap;

/// Live documents of all inputs, one column at a time: memory holds one column's values.
pub struct MergedColumns<'a> {
    inputs: Vec<MergeInput<'a, dyn ColumnsReader>>,
    cancel: &'a Cancel,
    fields: std::vec::IntoIter<ColumnField>,
}

impl<'a> MergedColumns<'a> {
    /// Merges `inputs`.
    pub fn new(inputs: &[MergeInput<'a, dyn ColumnsReader>], cancel: &'a Cancel) -> Self {
        let fields = inputs.iter().filter_map(|input| input.reader).flat_map(ColumnsReader::fields);
        let fields: BTreeMap<u32, ColumnField> = fields.map(|field| (field.number, field.clone())).collect();
        let fields: Vec<_> = fields.into_values().collect();
        Self { inputs: inputs.to_vec(), cancel, fields: fields.into_iter() }
    }

    fn numbers(&self, number: u32) -> Result<ColumnData> {
        let (mut docs, mut values, mut own) = (Vec::new(), Vec::new(), Vec::new());
        for input in &self.inputs {
            let Some(column) = input.reader.and_then(|reader| reader.numbers(number)) else { continue };
            self.cancel.check()?;
            for (old, new) in live(input.docs) {
                column.values(old, &mut own)?;
                docs.extend(own.iter().map(|_| new));
                values.extend_from_slice(&own);
            }
        }
        Ok(ColumnData::Numbers { docs, values })
    }

    fn keywords(&self, number: u32) -> Result<ColumnData> {
        // Every input's terms get a place in the union first, then only terms of live documents are kept.
        let (mut docs, mut ordinals, mut own) = (Vec::new(), Vec::new(), Vec::new());
        let mut places: BTreeMap<&str, u32> = BTreeMap::new();
        for input in &self.inputs {
            let Some(column) = input.reader.and_then(|reader| reader.keywords(number)) else { continue };
            self.cancel.check()?;
            let mut place_of: Vec<Option<u32>> = vec![None; column.terms() as usize];
            for (old, new) in live(input.docs) {
                column.ordinals(old, &mut own)?;
                for &ordinal in &own {
                    let known = place_of.get(ordinal as usize).copied().flatten();
                    let place = match known {
                        Some(place) => place,
                        None => {
                            let next = places.len() as u32;
                            let place = *places.entry(column.term(ordinal)?).or_insert(next);
                            if let Some(slot) = place_of.get_mut(ordinal as usize) {
                                *slot = Some(place);
                            }
                            place
                        }
                    };
                    docs.push(new);
                    ordinals.push(place);
                }
            }
        }
        let mut rank = vec![0u32; places.len()];
        for (position, &place) in places.values().enumerate() {
            if let Some(rank) = rank.get_mut(place as usize) {
                *rank = position as u32;
            }
        }
        ordinals.iter_mut().for_each(|place| *place = rank.get(*place as usize).copied().unwrap_or(0));
        let dictionary = places.into_keys().map(Into::into).collect();
        Ok(ColumnData::Keywords { docs, ordinals, dictionary })
    }
}

impl ColumnsSource for MergedColumns<'_> {
    fn next_column(&mut self) -> Result<Option<(ColumnField, ColumnData)>> {
        while let Some(field) = self.fields.next() {
            let data = match field.kind {
                ColumnKind::Numbers => self.numbers(field.number)?,
                ColumnKind::Keywords => self.keywords(field.number)?,
            };
            let (ColumnData::Numbers { docs, .. } | ColumnData::Keywords { docs, .. }) = &data;
            if !docs.is_empty() {
                return Ok(Some((field, data)));
            }
        }
        Ok(None)
    }
}

fn live(docs: &DocMap) -> impl Iterator<Item = (DocId, DocId)> + '_ {
    (0..docs.len() as DocId).filter_map(|old| Some((old, docs.get(old)?)))
}
