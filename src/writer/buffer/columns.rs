//! Values in memory, on their way into columns.

use super::terms::TermsBuffer;
use crate::document::Validated;
use crate::error::Result;
use crate::schema::{Field, FieldType, Schema};
use lucerne_codec::columns::{ColumnData, ColumnField, ColumnKind, ColumnsSource};
use lucerne_codec::format::WriteContext;
use lucerne_codec::segment_info::StructureInfo;
use lucerne_codec::{DocId, Registry};
use std::collections::BTreeMap;

/// Bytes a number takes now and will take while it is flushed.
const BYTES_PER_NUMBER: usize = 24;

/// The numbers of all fields, by field number. Keywords are found among the terms.
#[derive(Debug, Default)]
pub(crate) struct NumbersBuffer {
    fields: BTreeMap<u32, (Vec<DocId>, Vec<i64>)>,
}

impl NumbersBuffer {
    /// Adds a document's numbers; returns the bytes they take.
    pub(super) fn push(&mut self, doc: DocId, document: &Validated) -> usize {
        let numbers = &document.indexed.numbers;
        for (field, value) in numbers {
            let (docs, values) = self.fields.entry(*field).or_default();
            // A document's values ascend.
            let before = docs.iter().rev().zip(values.iter().rev());
            let greater = before.take_while(|(other, known)| **other == doc && **known > *value).count();
            docs.push(doc);
            values.insert(values.len() - greater, *value);
        }
        numbers.len() * BYTES_PER_NUMBER
    }
}

/// The columns of a buffer, by field number.
struct BufferedColumns<'a> {
    fields: std::slice::Iter<'a, Field>,
    numbers: &'a NumbersBuffer,
    terms: &'a TermsBuffer,
}

impl ColumnsSource for BufferedColumns<'_> {
    fn next_column(&mut self) -> lucerne_codec::Result<Option<(ColumnField, ColumnData)>> {
        for field in self.fields.by_ref() {
            let number = field.number();
            let column = |kind| ColumnField { number, name: field.name().to_owned(), kind };
            if let (FieldType::Keyword(_), Some(terms)) = (field.field_type(), self.terms.field(number)) {
                let (docs, ordinals, dictionary) = terms.column();
                let data = ColumnData::Keywords { docs, ordinals, dictionary };
                return Ok(Some((column(ColumnKind::Keywords), data)));
            }
            if let Some((docs, values)) = self.numbers.fields.get(&number) {
                let data = ColumnData::Numbers { docs: docs.clone(), values: values.clone() };
                return Ok(Some((column(ColumnKind::Numbers), data)));
            }
        }
        Ok(None)
    }
}

/// Writes the columns of a buffer, if it has any.
pub(in crate::writer) fn write(
    registry: &Registry,
    context: &WriteContext<'_>,
    schema: &Schema,
    numbers: &NumbersBuffer,
    terms: &TermsBuffer,
) -> Result<Option<StructureInfo>> {
    let keyword = |field: &Field| matches!(field.field_type(), FieldType::Keyword(_));
    let any = |field: &Field| {
        let number = field.number();
        numbers.fields.contains_key(&number) || keyword(field) && terms.field(number).is_some()
    };
    if !schema.fields().iter().any(any) {
        return Ok(None);
    }
    let mut columns = BufferedColumns { fields: schema.fields().iter(), numbers, terms };
    let format = registry.default_columns()?;
    let written = format.write(context, &mut columns)?;
    Ok(Some(StructureInfo::new(format.name(), written)))
}
