//! Analyzers by name.

use super::standard::Standard;
use super::{Analyzer, TextAnalysis};
use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The analyzers that text fields can name.
#[derive(Clone, Debug, Default)]
pub struct Analyzers {
    custom: BTreeMap<String, Arc<dyn Analyzer>>,
}

impl Analyzers {
    /// The built-in analyzers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an analyzer under a name; a later one of the same name replaces an earlier one.
    pub fn register(&mut self, name: impl Into<String>, analyzer: Arc<dyn Analyzer>) {
        self.custom.insert(name.into(), analyzer);
    }

    /// The analyzer that `analysis` asks for.
    pub fn resolve(&self, analysis: &TextAnalysis) -> Result<Arc<dyn Analyzer>> {
        let name = analysis.analyzer.as_deref().unwrap_or("standard");
        if let Some(custom) = self.custom.get(name) {
            return Ok(Arc::clone(custom));
        }
        match name {
            "standard" => Ok(Arc::new(Standard)),
            _ => Err(Error::Schema { field: None, problem: format!("unknown analyzer {name:?}") }),
        }
    }
}
