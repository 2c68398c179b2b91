//! Second scores that are functions of a document's numbers and dates.

use super::aggregate::Unit;
use super::ranking::DocAddress;
use super::values::wrong;
use crate::document::number::column_number;
use crate::error::{Error, Result};
use crate::query::{Decay, DecayShape, Distance, FieldValue, Modifier};
use crate::reader::Snapshot;
use crate::schema::{Field, FieldType};

/// Gives documents a score by their values in one field.
pub(super) struct Function<'a> {
    snapshot: &'a Snapshot,
    field: &'a Field,
    kind: Kind<'a>,
}

enum Kind<'a> {
    /// What the score falls with: `rate` as the shape takes it.
    Decay {
        shape: DecayShape,
        origin: f64,
        offset: f64,
        rate: f64,
    },
    Value(&'a FieldValue),
}

impl<'a> Function<'a> {
    pub(super) fn decay(snapshot: &'a Snapshot, decay: &Decay) -> Result<Self> {
        let (name, field) = (&decay.field, column(snapshot, &decay.field)?);
        let unit = Unit::of(field.field_type());
        let origin = column_number(field.field_type(), &decay.origin).map(|number| unit.number(number));
        let origin =
            origin.ok_or_else(|| wrong(name, format!("the origin does not fit {}", expected(field))))?;
        let (scale, offset) = (distance(field, &decay.scale)?, distance(field, &decay.offset)?);
        if scale <= 0.0 || offset < 0.0 {
            return Err(wrong(
                name,
                format!("scale is {scale} and offset {offset}; expected above 0, and at least 0"),
            ));
        }
        if !(decay.decay > 0.0 && decay.decay < 1.0) {
            return Err(wrong(
                name,
                format!("decay is {}, expected a number above 0 and below 1", decay.decay),
            ));
        }
        let rate = match decay.shape {
            DecayShape::Gauss => decay.decay.ln() / (scale * scale),
            DecayShape::Exp => decay.decay.ln() / scale,
            DecayShape::Linear => (1.0 - decay.decay) / scale,
        };
        Ok(Self { snapshot, field, kind: Kind::Decay { shape: decay.shape, origin, offset, rate } })
    }

    pub(super) fn value(snapshot: &'a Snapshot, value: &'a FieldValue) -> Result<Self> {
        let field = column(snapshot, &value.field)?;
        if !value.factor.is_finite() || !value.missing.is_finite() {
            return Err(wrong(&value.field, "factor and missing are finite numbers"));
        }
        match field.field_type() {
            FieldType::Date => Err(wrong(&value.field, "a date is no score; use a decay")),
            _ => Ok(Self { snapshot, field, kind: Kind::Value(value) }),
        }
    }

    /// The score of a document; finite.
    pub(super) fn score(&self, DocAddress { segment, doc }: DocAddress) -> Result<f32> {
        let mut values = Vec::new();
        let columns = self.snapshot.segments.get(segment).and_then(|segment| segment.reader.columns());
        if let Some(column) = columns.and_then(|columns| columns.numbers(self.field.number())) {
            column.values(doc, &mut values)?;
        }
        let unit = Unit::of(self.field.field_type());
        let values = values.into_iter().map(|number| unit.number(number));
        let score = match &self.kind {
            Kind::Decay { shape, origin, offset, rate } => {
                let nearest = values.map(|value| (value - origin).abs()).min_by(f64::total_cmp);
                let Some(nearest) = nearest else { return Ok(1.0) };
                let distance = (nearest - offset).max(0.0);
                match shape {
                    DecayShape::Gauss => (rate * distance * distance).exp(),
                    DecayShape::Exp => (rate * distance).exp(),
                    DecayShape::Linear => (1.0 - rate * distance).max(0.0),
                }
            }
            Kind::Value(function) => {
                let value = values.max_by(f64::total_cmp).unwrap_or(function.missing) * function.factor;
                match function.modifier {
                    Modifier::None => value,
                    Modifier::Log1p => value.ln_1p() / std::f64::consts::LN_10,
                    Modifier::Ln1p => value.ln_1p(),
                    Modifier::Sqrt => value.sqrt(),
                    Modifier::Square => value * value,
                    Modifier::Reciprocal => value.recip(),
                }
            }
        };
        let score = if score.is_finite() { score } else { 0.0 };
        Ok(score.clamp(f32::MIN.into(), f32::MAX.into()) as f32)
    }
}

/// A field with a column of numbers.
fn column<'a>(snapshot: &'a Snapshot, name: &str) -> Result<&'a Field> {
    let field = snapshot.schema.require(name)?;
    match field.field_type() {
        _ if !field.is_indexed() => Err(Error::NotIndexed { field: name.to_owned() }),
        FieldType::I64 | FieldType::F64 | FieldType::Date | FieldType::Bool => Ok(field),
        other => {
            Err(wrong(name, format!("expected a field of numbers or dates, it is of type {}", other.name())))
        }
    }
}

fn distance(field: &Field, distance: &Distance) -> Result<f64> {
    let number = match (field.field_type(), distance) {
        (FieldType::Date, Distance::Number(0.0)) => Some(0.0),
        (FieldType::Date, time) => time.millis(),
        (_, Distance::Number(number)) => Some(*number),
        _ => None,
    };
    let number = number.filter(|number| number.is_finite());
    number.ok_or_else(|| {
        let shown = match distance {
            Distance::Time(time) => time.clone(),
            Distance::Number(number) => number.to_string(),
        };
        wrong(field.name(), format!("{shown} does not fit {}", expected(field)))
    })
}

fn expected(field: &Field) -> &'static str {
    match field.field_type() {
        FieldType::Date => "a date field; expected a date as origin, and times with their unit: 10d",
        _ => "a field of numbers; expected numbers",
    }
}
