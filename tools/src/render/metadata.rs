//! Prints metadata and reports of the engine and its formats, which are trees of JSON, without knowing the
//! format.
//!
//! The only conventions: a number called `bytes`, or whose name ends in `_bytes`, or that is in an object
//! called `bytes`, is a size; `quantiles` is a pair of numbers.

use super::table::{Align, Rows};
use super::units;
use lucerne::Schema;
pub(crate) use lucerne_pictures::report::{list, number, text};
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Grouped, sizes with units.
    Units,
    /// As they are.
    Raw,
}

impl Numbers {
    pub(crate) fn count(self, number: u64) -> String {
        match self {
            Self::Units => units::grouped(number),
            Self::Raw => number.to_string(),
        }
    }

    pub(crate) fn bytes(self, number: u64) -> String {
        match self {
            Self::Units => units::bytes(number),
            Self::Raw => number.to_string(),
        }
    }
}

/// The key and fields of a schema, one line each.
pub(crate) fn schema(schema: &Schema) -> String {
    let json = schema.to_json();
    let mut rows = Rows::new(["field", "type", "options"].map(|name| (name, Align::Left)));
    let key = if schema.key().is_automatic() { "automatic key" } else { "key" };
    rows.push(vec![
        schema.key().name().into(),
        key.into(),
        format!("at most {} bytes", schema.key().max_len()),
    ]);
    for field in json.get("fields").and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| field.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let options = field.as_object().into_iter().flatten();
        let options = options.filter(|(name, _)| !matches!(name.as_str(), "name" | "type"));
        let options: Vec<_> = options.map(|(name, value)| option(name, value)).collect();
        rows.push(vec![text("name"), text("type"), options.join(", ")]);
    }
    if schema.is_dynamic() {
        rows.push(vec!["…".into(), "any".into(), "dynamic: undeclared fields are kept".into()]);
    }
    rows.text(super::out::width(), 2)
}

/// An option of a field; of a calibration what it does.
fn option(name: &str, value: &Value) -> String {
    let Some(points) = value.get("points").and_then(Value::as_array).filter(|_| name == "calibration") else {
        return format!("{name} {}", scalar(value));
    };
    let number = |point: &Value, name: &str| point.get(name).map(scalar).unwrap_or_default();
    let points =
        points.iter().map(|point| format!("{} ×{}", number(point, "recall"), number(point, "scale")));
    format!("calibrated for recall {}", points.collect::<Vec<_>>().join(", "))
}

/// A tree of JSON as indented text.
pub(crate) fn tree(metadata: &Value, numbers: Numbers) -> String {
    let mut tree = Tree { numbers, text: String::new() };
    match metadata {
        Value::Object(object) => tree.entries(object, "", 0),
        other => tree.text.push_str(&scalar(other)),
    }
    tree.text
}

struct Tree {
    numbers: Numbers,
    text: String,
}

impl Tree {
    /// The entries of an object that is called `of`.
    fn entries(&mut self, object: &Map<String, Value>, of: &str, depth: usize) {
        let is_nested = |value: &Value| value.is_object() || is_list_of_objects(value);
        let simple = object.iter().filter(|(_, value)| !is_nested(value) && !value.is_null());
        let widest = simple.map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let indent = "  ".repeat(depth);
        for (name, value) in object {
            match value {
                Value::Null => {}
                Value::Object(nested) if nested.is_empty() => {}
                Value::Object(nested) => {
                    let _ = writeln!(self.text, "{indent}{name}");
                    self.entries(nested, name, depth + 1);
                }
                Value::Array(items) if is_list_of_objects(value) => {
                    let _ = writeln!(self.text, "{indent}{name}");
                    self.list(items, depth + 1);
                }
                other => {
                    let shown = self.named(name, of, other);
                    let _ = writeln!(self.text, "{indent}{name:widest$}  {shown}");
                }
            }
        }
    }

    /// Objects of simple values become a line each, others a tree each.
    fn list(&mut self, items: &[Value], depth: usize) {
        let indent = "  ".repeat(depth);
        let is_nested = |value: &Value| value.is_object() || is_list_of_objects(value);
        for (position, item) in items.iter().enumerate() {
            let line = match item {
                Value::Object(object) if object.values().any(is_nested) => {
                    let _ = writeln!(self.text, "{indent}{}", position + 1);
                    self.entries(object, "", depth + 1);
                    continue;
                }
                Value::Object(object) => {
                    let parts = object.iter().map(|(name, value)| match name.as_str() {
                        "name" => scalar(value),
                        _ => format!("{name} {}", self.named(name, "", value)),
                    });
                    parts.collect::<Vec<_>>().join(", ")
                }
                other => scalar(other),
            };
            let _ = writeln!(self.text, "{indent}{line}");
        }
    }

    /// A value of that name in an object called `of`.
    fn named(&self, name: &str, of: &str, value: &Value) -> String {
        let is_size = name == "bytes" || name.ends_with("_bytes") || of == "bytes";
        match value.as_u64() {
            Some(size) if is_size && self.numbers == Numbers::Units && size >= 1024 => {
                format!("{} ({})", units::bytes(size), units::grouped(size))
            }
            Some(size) if is_size => self.numbers.bytes(size),
            Some(number) => self.numbers.count(number),
            None => scalar(value),
        }
    }
}

fn is_list_of_objects(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().any(Value::is_object))
}

/// A value on one line.
pub(crate) fn scalar(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(scalar).collect::<Vec<_>>().join(", "),
        Value::Number(number) if number.is_f64() => short(number.as_f64().unwrap_or(f64::NAN)),
        other => other.to_string(),
    }
}

/// A number with six digits after the point at most.
pub(crate) fn short(number: f64) -> String {
    let text = format!("{number:.6}");
    if number != 0.0 && number.abs() < 1e-4 {
        format!("{number:.3e}")
    } else {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// The parts of a structure that have a size, by name: `"bytes": {"raw": 12}`, `"raw": {"bytes": 12}` or
/// `"raw_bytes": 12`.
pub(crate) fn parts(metadata: &Value) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for (name, value) in metadata.as_object().into_iter().flatten() {
        let size = value.get("bytes").and_then(Value::as_u64);
        match (name.strip_suffix("_bytes"), value.as_u64(), size) {
            (Some(part), Some(bytes), _) => found.push((part.to_owned(), bytes)),
            (_, _, Some(bytes)) => found.push((name.clone(), bytes)),
            _ if name == "bytes" => {
                let sizes = value.as_object().into_iter().flatten();
                found.extend(sizes.filter_map(|(part, bytes)| Some((part.clone(), bytes.as_u64()?))));
            }
            _ => found.extend(parts(value)),
        }
    }
    found
}

/// The first value of that name, anywhere in a tree of objects.
pub(crate) fn find<'a>(metadata: &'a Value, name: &str) -> Option<&'a Value> {
    let object = metadata.as_object()?;
    object.get(name).or_else(|| object.values().find_map(|value| find(value, name)))
}

/// Quantiles as `-0.75 … 0.86`, from `[lower, upper]` or `{"lower", "upper"}`.
pub(crate) fn quantiles(metadata: &Value) -> Option<String> {
    let found = find(metadata, "quantiles")?;
    let (lower, upper) = match found {
        Value::Array(pair) => (pair.first()?, pair.get(1)?),
        pair => (pair.get("lower")?, pair.get("upper")?),
    };
    Some(format!("{:.4} … {:.4}", lower.as_f64()?, upper.as_f64()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_tree_is_printed_without_knowing_its_names() {
        let metadata = json!({
            "name": "_0", "docs": 12345, "live_docs_generation": null,
            "fields": { "e": { "format": "x", "bytes": 2048, "quantiles": [-0.5, 0.25], "deep": { "m": 16 } } },
            "files": [{ "name": "_0.x", "bytes": 100 }, { "name": "_0.y", "bytes": 20000 }],
        });
        let expected = "name  _0\ndocs  12,345\nfields\n  e\n    format     x\n    bytes      2.00 KiB (2,048)\n    \
                        quantiles  -0.5, 0.25\n    deep\n      m  16\nfiles\n  _0.x, bytes 100 B\n  _0.y, bytes \
                        19.5 KiB (20,000)\n";
        assert_eq!(tree(&metadata, Numbers::Units), expected);
        assert!(tree(&metadata, Numbers::Raw).contains("docs  12345\n"));
        assert!(tree(&metadata, Numbers::Raw).contains("_0.y, bytes 20000\n"));
    }

    #[test]
    fn parts_and_quantiles_are_found_wherever_a_format_puts_them() {
        let metadata = json!({
            "raw": { "bytes": 10, "rows": 2 }, "sq8": { "codes": { "bytes": 3 }, "quantiles": { "lower": -1, "upper": 1.5 } },
            "graph_bytes": 7, "vectors": 2, "bytes": { "maps": 9 },
        });
        let expected = [
            ("raw".to_owned(), 10),
            ("codes".to_owned(), 3),
            ("graph".to_owned(), 7),
            ("maps".to_owned(), 9),
        ];
        assert_eq!(parts(&metadata), expected);
        assert_eq!(quantiles(&metadata).unwrap(), "-1.0000 … 1.5000");
        assert_eq!(quantiles(&json!({ "quantiles": [-0.5, 0.25] })).unwrap(), "-0.5000 … 0.2500");
        assert_eq!(quantiles(&json!({})), None);
        assert_eq!(find(&metadata, "upper"), Some(&json!(1.5)));
    }

    #[test]
    fn numbers_are_short() {
        for (number, text) in
            [(0.5, "0.5"), (1.0, "1"), (0.9974, "0.9974"), (0.000_001, "1.000e-6"), (0.0, "0")]
        {
            assert_eq!(short(number), text);
        }
    }
}
