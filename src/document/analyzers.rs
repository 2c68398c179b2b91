//! The analyzer of each text field.

use crate::analysis::{Analyzer, Analyzers};
use crate::error::{Error, Result};
use crate::schema::{FieldType, Schema, Text};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The analyzers of a schema's text fields, by field number.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldAnalyzers(BTreeMap<u32, Arc<dyn Analyzer>>);

impl FieldAnalyzers {
    /// Resolves what every text field declares.
    pub(crate) fn of(schema: &Schema, analyzers: &Analyzers) -> Result<Self> {
        let texts = schema.fields().iter().filter_map(|field| match field.field_type() {
            FieldType::Text(text) => Some((field, text)),
            _ => None,
        });
        let resolve = |text: &Text| {
            // Of synonyms it is only asked whether they are sound: documents are not changed by them.
            if !text.text_synonyms().is_empty() {
                analyzers.synonyms(text.text_synonyms(), text.text_analysis())?;
            }
            analyzers.resolve(text.text_analysis())
        };
        let resolved = texts.map(|(field, text)| match resolve(text) {
            Ok(analyzer) => Ok((field.number(), analyzer)),
            Err(Error::Schema { problem, .. }) => {
                Err(Error::Schema { field: Some(field.name().to_owned()), problem })
            }
            Err(error) => Err(error),
        });
        resolved.collect::<Result<_>>().map(Self)
    }

    pub(crate) fn get(&self, field: u32) -> Option<&dyn Analyzer> {
        self.0.get(&field).map(|analyzer| &**analyzer)
    }
}
