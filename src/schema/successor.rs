//! Whether a schema may follow another in the life of an index.

use super::calibration::Calibration;
use super::vector::VectorOptions;
use super::{Field, FieldType, Schema, SchemaInner};
use crate::error::{Error, Result};
use lucerne_codec::FieldInfo;
use std::sync::Arc;

impl Schema {
    /// Refuses `next` as the successor of this schema unless all fields are still there, in their places and
    /// of their types; new fields may follow them.
    pub(crate) fn check_successor(&self, next: &Schema) -> Result<()> {
        if self.key() != next.key() {
            let problem =
                format!("the key field cannot change; it is {:?}, with its options", self.key().name());
            return Err(Error::Schema { field: None, problem });
        }
        for (position, old) in self.fields().iter().enumerate() {
            let refuse = |problem: String| Err(Error::Schema { field: Some(old.name().to_owned()), problem });
            let Some(new) = next.field(old.name()) else {
                return refuse(
                    "it is missing; a field is never removed or renamed (documents need not have values in it)"
                        .to_owned(),
                );
            };
            if new.number() != old.number() {
                return refuse(format!(
                    "it is field {} of the index, given as field {}; fields keep their order, new ones come last",
                    position + 1,
                    next.fields().iter().position(|field| field.name() == old.name()).unwrap_or_default() + 1
                ));
            }
            if let Some(problem) = difference(old, new) {
                return refuse(problem);
            }
        }
        Ok(())
    }
}

impl Schema {
    /// The same with another calibration of a vector field.
    pub(crate) fn with_calibration(&self, field: &str, calibration: Option<Calibration>) -> Result<Self> {
        let number = self.vector_field_named(field)?.number();
        if let Some(problem) = calibration.as_ref().and_then(|calibration| calibration.check().err()) {
            return Err(Error::Schema { field: Some(field.to_owned()), problem });
        }
        Ok(self.map_fields(|field| {
            if field.number() == number { field.with_calibration(calibration.clone()) } else { field.clone() }
        }))
    }

    /// The same with a vector field that keeps no raw vectors.
    pub(crate) fn without_raw(&self, field: &str) -> Result<Self> {
        let number = self.vector_field_named(field)?.number();
        let mut json = self.to_json();
        let fields = json.get_mut("fields").and_then(serde_json::Value::as_array_mut);
        let declared = fields.into_iter().flatten().nth(number as usize);
        if let Some(declared) = declared.and_then(serde_json::Value::as_object_mut) {
            declared.insert(FieldInfo::KEEP_RAW.to_owned(), false.into());
        }
        Self::from_value(&json)
    }

    /// The same with the calibrations of `old` in the fields that have none.
    pub(crate) fn with_calibrations_of(&self, old: &Schema) -> Self {
        self.map_fields(|field| match (field.field_type(), old.field(field.name()).map(Field::field_type)) {
            (FieldType::Vector(new), Some(FieldType::Vector(old))) if new.calibration().is_none() => {
                field.with_calibration(old.calibration().cloned())
            }
            _ => field.clone(),
        })
    }

    fn map_fields(&self, change: impl Fn(&Field) -> Field) -> Self {
        let SchemaInner { key, dynamic, fields, by_name } = &*self.0;
        let fields = fields.iter().map(change).collect();
        Self(Arc::new(SchemaInner { key: key.clone(), dynamic: *dynamic, fields, by_name: by_name.clone() }))
    }
}

/// What of a field has changed that never changes: segments were written with it.
fn difference(old: &Field, new: &Field) -> Option<String> {
    let changed = |what: &str, old: &dyn std::fmt::Display, new: &dyn std::fmt::Display| {
        Some(format!(
            "its {what} is {old}, given {new}; it cannot change: add another field, or create a new index"
        ))
    };
    let (old_type, new_type) = (old.field_type(), new.field_type());
    if old_type.name() != new_type.name() {
        return changed("type", &old_type.name(), &new_type.name());
    }
    if old.is_indexed() != new.is_indexed() {
        return changed("option `indexed`", &old.is_indexed(), &new.is_indexed());
    }
    if old.is_stored() != new.is_stored() {
        return changed("option `stored`", &old.is_stored(), &new.is_stored());
    }
    if old.path_text() != new.path_text() {
        let path = |field: &Field| field.path_text().unwrap_or(field.name()).to_owned();
        return changed("path", &path(old), &path(new));
    }
    match (old_type, new_type) {
        (FieldType::Vector(old), FieldType::Vector(new)) => vector_difference(old, new),
        // How they are scored may change.
        (FieldType::Text(old), FieldType::Text(new)) if old.text_analysis() != new.text_analysis() => {
            Some("its analysis cannot change: add another field, or create a new index".to_owned())
        }
        (FieldType::Keyword(old), FieldType::Keyword(new)) if old != new => {
            Some("its separator cannot change: add another field, or create a new index".to_owned())
        }
        _ => None,
    }
}

fn vector_difference(old: &VectorOptions, new: &VectorOptions) -> Option<String> {
    let never = "it cannot change: add another field, or create a new index";
    if old.dimension() != new.dimension() {
        return Some(format!("its dimension is {}, given {}; {never}", old.dimension(), new.dimension()));
    }
    if old.similarity() != new.similarity() {
        let (old, new) = (old.similarity().name(), new.similarity().name());
        return Some(format!("its similarity is {old}, given {new}; {never}"));
    }
    if old.is_f16() != new.is_f16() {
        let name =
            |field: &VectorOptions| if field.is_f16() { FieldInfo::FLOAT16 } else { FieldInfo::FLOAT32 };
        return Some(format!("its datatype is {}, given {}; {never}", name(old), name(new)));
    }
    if old.normalizes() != new.normalizes() {
        return Some(format!("its option `normalize` was changed; {never}"));
    }
    if !old.keeps_raw() && new.keeps_raw() {
        return Some("its raw vectors are not kept, and do not come back; keep_raw stays false".to_owned());
    }
    if old.is_multiple() && !new.is_multiple() {
        return Some("documents have several vectors; `multiple` can be switched on, but not off".to_owned());
    }
    None
}
