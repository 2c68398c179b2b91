//! Whether a schema may follow another in the life of an index.

use super::{FieldType, Schema};
use crate::error::{Error, Result};

impl Schema {
    /// Refuses `next` as the successor of this schema unless all fields are still there, in their places and
    /// of their types; new fields may follow them.
    pub(crate) fn check_successor(&self, next: &Schema) -> Result<()> {
        if self.key() != next.key() {
            return Err(Error::Schema {
                field: None,
                problem: "the key field cannot change; create a new index".into(),
            });
        }
        for (position, old) in self.fields().iter().enumerate() {
            let refuse = |problem: String| Err(Error::Schema { field: Some(old.name().to_owned()), problem });
            let Some(new) = next.fields().get(position).filter(|new| new.name() == old.name()) else {
                return refuse("it is missing or moved; keep all fields in order and append new ones".into());
            };
            let same = match (old.field_type(), new.field_type()) {
                (FieldType::Vector(old), FieldType::Vector(new)) => {
                    old.dimension() == new.dimension()
                        && old.similarity() == new.similarity()
                        && old.normalizes() == new.normalizes()
                }
                // How they are scored may change.
                (FieldType::Text(old), FieldType::Text(new)) => old.text_analysis() == new.text_analysis(),
                (old, new) => old == new,
            };
            if !same {
                return refuse(
                    "its type, dimension, similarity and analysis cannot change; create a new index".into(),
                );
            }
        }
        Ok(())
    }
}
