//! Sparse vectors: from values to checked rows.

use super::Value;
use super::number::as_f64;
use super::sparse_vector::{SparseVector, dimension, no_dimension, unequal};
use crate::error::ValueProblem;
use lucerne_codec::sparse::SparseRow;

/// The dimensions of a vector in order, with their weights, those of 0 left out.
pub(crate) fn entries_of(field: &str, vector: &SparseVector) -> Result<Vec<(u32, f32)>, ValueProblem> {
    let wrong = |expected: &str, given: String| {
        let (field, expected) = (field.to_owned(), expected.to_owned());
        Err(ValueProblem::WrongType { field, expected, given })
    };
    let mut entries: Vec<(u32, f32)> = vector.iter().collect();
    for (dimension, weight) in &entries {
        if !weight.is_finite() {
            let value = format!("{weight:?}, the weight of dimension {dimension},");
            return Err(ValueProblem::NotFinite { field: field.to_owned(), position: None, value });
        }
        if *weight < 0.0 {
            return wrong("weights of at least 0", format!("{weight:?} for dimension {dimension}"));
        }
    }
    entries.sort_unstable_by_key(|(dimension, _)| *dimension);
    if let Some(dimension) = twice(&entries) {
        return wrong("each dimension once", format!("dimension {dimension} twice"));
    }
    entries.retain(|(_, weight)| *weight > 0.0);
    Ok(entries)
}

/// A dimension that follows itself.
fn twice(entries: &[(u32, f32)]) -> Option<u32> {
    let next = entries.iter().skip(1);
    entries.iter().zip(next).find(|(left, right)| left.0 == right.0).map(|(left, _)| left.0)
}

/// The row of a document's vector.
pub(super) fn row_of(field: &str, value: &Value) -> Result<Vec<u8>, ValueProblem> {
    let entries = match value {
        Value::Sparse(vector) => entries_of(field, vector)?,
        value => entries_of(field, &of_json(field, value)?)?,
    };
    Ok(SparseRow::bytes_of(&entries))
}

/// The vector that an object says.
fn of_json(field: &str, value: &Value) -> Result<SparseVector, ValueProblem> {
    let wrong = |given: String| {
        let expected =
            "an object of weights by dimension, like {\"12\": 0.5}, or {\"indices\": …, \"values\": …}";
        ValueProblem::WrongType { field: field.to_owned(), expected: expected.to_owned(), given }
    };
    let Value::Json(serde_json::Value::Object(members)) = value else { return Err(wrong(value.describe())) };
    if let (2, Some(indices), Some(values)) = (members.len(), members.get("indices"), members.get("values")) {
        let (Some(indices), Some(values)) = (indices.as_array(), values.as_array()) else {
            return Err(wrong("indices or values that are no list".to_owned()));
        };
        if indices.len() != values.len() {
            return Err(wrong(unequal(indices.len(), values.len())));
        }
        let entries = indices.iter().zip(values).map(|(index, weight)| {
            let number = index.as_u64().and_then(|index| u32::try_from(index).ok());
            Ok((number.ok_or_else(|| wrong(no_dimension(&index.to_string())))?, weight_of(weight, &wrong)?))
        });
        return Ok(SparseVector::new(entries.collect::<Result<Vec<_>, _>>()?));
    }
    let entries = members.iter().map(|(name, weight)| {
        Ok((dimension(name).ok_or_else(|| wrong(no_dimension(name)))?, weight_of(weight, &wrong)?))
    });
    Ok(SparseVector::new(entries.collect::<Result<Vec<_>, _>>()?))
}

fn weight_of(
    weight: &serde_json::Value,
    wrong: &dyn Fn(String) -> ValueProblem,
) -> Result<f32, ValueProblem> {
    let value = Value::from(weight.clone());
    // One that is too large becomes infinite, and is refused as such.
    as_f64(&value)
        .map(|number| number as f32)
        .ok_or_else(|| wrong(format!("{} as a weight", value.describe())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(value: impl Into<Value>) -> Result<Vec<u8>, String> {
        row_of("s", &value.into()).map_err(|problem| problem.to_string())
    }

    #[test]
    fn both_forms_and_any_order_give_the_same_row() {
        let expected = SparseRow::bytes_of(&[(0, 1.0), (12, 0.5), (u32::MAX, 1.25)]);
        for value in [
            json!({"12": 0.5, "4294967295": 1.25, "0": 1}),
            json!({"indices": [4_294_967_295_u32, 0, 12], "values": [1.25, 1, 0.5]}),
            json!({"12": 0.5, "4294967295": 1.25, "0": 1, "7": 0, "8": 1e-60}),
        ] {
            assert_eq!(row(value).unwrap(), expected);
        }
        assert_eq!(
            row(SparseVector::new([(12, 0.5), (u32::MAX, 1.25), (0, 1.0), (3, -0.0)])).unwrap(),
            expected
        );
        assert!(row(json!({})).unwrap().is_empty());
        assert!(row(json!({"indices": [], "values": []})).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_sparse_vector_is_refused_with_field_and_value() {
        for (value, expected) in [
            (json!({"12": -0.5}), "weights of at least 0, given -0.5 for dimension 12"),
            (json!({"12": 1e39}), "inf, the weight of dimension 12, is not a finite number"),
            (json!({"12": "a"}), "the string \"a\" as a weight"),
            (json!({"12": null}), "null as a weight"),
            (json!({"a": 1}), "\"a\" is no dimension"),
            (json!({"012": 1}), "\"012\" is no dimension"),
            (json!({"-1": 1}), "\"-1\" is no dimension"),
            (json!({"4294967296": 1}), "\"4294967296\" is no dimension"),
            (json!({"indices": [1, 1], "values": [1, 2]}), "each dimension once, given dimension 1 twice"),
            (json!({"indices": [1], "values": [1, 2]}), "1 indices and 2 values"),
            (json!({"indices": [1.5], "values": [1]}), "1.5"),
            (json!({"indices": 1, "values": [1]}), "no list"),
            (json!([1, 2]), "expected an object of weights"),
            (json!("1"), "expected an object of weights"),
        ] {
            let error = row(value.clone()).unwrap_err();
            assert!(error.contains("field \"s\"") && error.contains(expected), "{value}: {error}");
        }
        let error = row(SparseVector::new([(3, f32::NAN)])).unwrap_err();
        assert!(error.contains("NaN, the weight of dimension 3,"), "{error}");
    }
}
