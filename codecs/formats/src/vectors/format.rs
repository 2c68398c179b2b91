//! A vector format: one index over one encoding.

pub use super::params::IndexKind;

use super::params::{IndexParams, check_component};
use crate::encoding::Encoding;
use lucerne_codec::{Component, FieldInfo, Result};
use std::sync::Arc;

/// One index over one encoding of vectors.
#[derive(Clone, Debug)]
pub struct VectorFieldFormat {
    pub(super) name: &'static str,
    pub(super) component: Component,
    pub(super) index: IndexKind,
    pub(super) encoding: Arc<dyn Encoding>,
}

impl VectorFieldFormat {
    /// A format that segments remember by `name`; a name is never reused for another combination.
    pub fn new(
        name: &'static str,
        component: Component,
        index: IndexKind,
        encoding: Arc<dyn Encoding>,
    ) -> Self {
        Self { name, component, index, encoding }
    }

    pub(super) fn params(&self, field: &FieldInfo) -> Result<IndexParams> {
        check_component(self.name, self.component, field)?;
        IndexParams::of(self.index, &*self.encoding, field)
    }
}
