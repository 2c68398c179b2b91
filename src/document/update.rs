//! Changes of a document's fields: what an update does.

use super::number::{as_f64, whole};
use super::{Document, Value};
use crate::error::{Error, Result, ValueProblem};
use std::borrow::Cow;

/// What becomes of one field.
#[derive(Clone, Debug, PartialEq)]
enum Change {
    /// It has this value, whatever it had; null removes it.
    Set(Value),
    /// This number is added.
    Increment(Value),
}

/// What [`Writer::update`](crate::Writer::update) and
/// [`Writer::update_by_query`](crate::Writer::update_by_query) do to the top-level fields of a document. Fields that are
/// not named stay as they are, vectors bit for bit. Changes are made in the order they are given.
///
/// ```
/// use lucerne::{Document, Update, Value};
///
/// # fn main() -> lucerne::Result<()> {
/// let update = Update::new().set("section", "archive").increment("views", 1).remove("draft");
/// let mut document = Document::new().with("id", "a").with("views", 7).with("draft", true);
/// assert!(update.apply(&mut document)?);
/// assert_eq!(document, Document::new().with("id", "a").with("views", 8).with("section", "archive"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Update {
    changes: Vec<(String, Change)>,
}

impl Update {
    /// An update that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a field a value; null removes it.
    #[must_use]
    pub fn set(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.changes.push((field.into(), Change::Set(value.into())));
        self
    }

    /// Adds a number, which may be negative, to a field; a field without a value counts as 0. Whole numbers are added as
    /// whole numbers of 64 bits.
    #[must_use]
    pub fn increment(mut self, field: impl Into<String>, by: impl Into<Value>) -> Self {
        self.changes.push((field.into(), Change::Increment(by.into())));
        self
    }

    /// Takes a field out of the document.
    #[must_use]
    pub fn remove(self, field: impl Into<String>) -> Self {
        self.set(field, Value::Null)
    }

    /// True when it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Changes a document, and says whether that made a difference.
    ///
    /// # Errors
    /// [`Error::Document`] when a number is to be added to what is no number, or the sum is beyond 64 bits.
    pub fn apply(&self, document: &mut Document) -> Result<bool> {
        let mut differs = false;
        for (name, change) in &self.changes {
            let old = document.get(name).unwrap_or(&Value::Null);
            let new = match change {
                Change::Set(value) => Cow::Borrowed(value),
                Change::Increment(by) => {
                    Cow::Owned(sum(name, old, by).map_err(|problem| Error::Document { key: None, problem })?)
                }
            };
            if *old == *new {
                continue;
            }
            differs = true;
            match new.into_owned() {
                Value::Null => drop(document.remove(name)),
                value => document.set(name, value),
            }
        }
        Ok(differs)
    }

    /// The fields that it changes.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.changes.iter().map(|(name, _)| &**name)
    }

    /// True when the old value of a field makes no difference.
    pub(crate) fn replaces(&self, field: &str) -> bool {
        let own = self.changes.iter().find(|(name, _)| name == field);
        own.is_some_and(|(_, change)| matches!(change, Change::Set(_)))
    }

    /// The value that it gives a field in the end, if it does not depend on the old one.
    pub(crate) fn value(&self, field: &str) -> Option<&Value> {
        match self.changes.iter().rfind(|(name, _)| name == field) {
            Some((_, Change::Set(value))) => Some(value),
            _ => None,
        }
    }
}

fn sum(field: &str, old: &Value, by: &Value) -> Result<Value, ValueProblem> {
    let wrong = |expected: &str, given: &Value| ValueProblem::WrongType {
        field: field.to_owned(),
        expected: expected.to_owned(),
        given: given.describe(),
    };
    let zero = Value::I64(0);
    let old = if *old == Value::Null { &zero } else { old };
    if let (Some(left), Some(right)) = (whole(old), whole(by)) {
        // Both are of 64 bits, so the sum fits 128.
        let sum = left + right;
        let small = i64::try_from(sum).map(Value::I64);
        let sum = small.or_else(|_| u64::try_from(sum).map(|sum| Value::Json(sum.into())));
        return sum.map_err(|_| {
            wrong(&format!("a number to which {} can be added within 64 bits", by.describe()), old)
        });
    }
    let Some(right) = as_f64(by) else { return Err(wrong("a number to add", by)) };
    let Some(left) = as_f64(old) else { return Err(wrong("a number to add to", old)) };
    match left + right {
        sum if sum.is_finite() => Ok(Value::F64(sum)),
        _ => Err(wrong(&format!("a number to which {} can be added", by.describe()), old)),
    }
}

/// Every field of a document is set; those that are null are removed.
impl From<Document> for Update {
    fn from(fields: Document) -> Self {
        let changes = fields.fields.into_iter().map(|(name, value)| (name, Change::Set(value)));
        Self { changes: changes.collect() }
    }
}

impl From<&Document> for Update {
    fn from(fields: &Document) -> Self {
        fields.clone().into()
    }
}

impl From<&Self> for Update {
    fn from(update: &Self) -> Self {
        update.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn incremented(old: Value, by: Value) -> Result<Value> {
        let mut document = Document::new().with("n", old);
        Update::new().increment("n", by).apply(&mut document)?;
        Ok(document.get("n").cloned().unwrap_or(Value::Null))
    }

    #[test]
    fn whole_numbers_are_added_exactly_and_others_as_f64() {
        let large = i64::MAX - 1;
        for (old, by, sum) in [
            (Value::I64(7), Value::I64(-9), Value::I64(-2)),
            (Value::Null, Value::I64(3), Value::I64(3)),
            (Value::I64(large), Value::I64(1), Value::I64(i64::MAX)),
            (Value::I64(large), Value::I64(2), Value::Json(json!(i64::MAX as u64 + 1))),
            (Value::Json(json!(u64::MAX)), Value::I64(-1), Value::Json(json!(u64::MAX - 1))),
            (Value::I64(1), Value::F64(0.5), Value::F64(1.5)),
            (Value::F64(1.5), Value::I64(1), Value::F64(2.5)),
        ] {
            assert_eq!(incremented(old, by).unwrap(), sum);
        }
    }

    #[test]
    fn what_cannot_be_added_is_refused_with_the_field() {
        for (old, by) in [
            (Value::from("7"), Value::I64(1)),
            (Value::I64(7), Value::from("1")),
            (Value::Json(json!(u64::MAX)), Value::I64(1)),
            (Value::I64(i64::MIN), Value::I64(-1)),
            (Value::F64(f64::MAX), Value::F64(f64::MAX)),
            (Value::I64(1), Value::F64(f64::NAN)),
            (Value::Bool(true), Value::I64(1)),
        ] {
            let error = incremented(old.clone(), by).unwrap_err();
            assert!(error.to_string().contains(r#"field "n": expected a number"#), "{old:?}: {error}");
        }
    }

    #[test]
    fn an_update_says_whether_it_made_a_difference() {
        let document = Document::new().with("a", 1).with("b", "x");
        for (update, differs) in [
            (Update::new(), false),
            (Update::new().set("a", 1).remove("c").increment("a", 0), false),
            (Update::new().set("a", 2), true),
            (Update::new().remove("b"), true),
            (Update::from(&Document::new().with("b", Value::Null)), true),
        ] {
            let mut changed = document.clone();
            assert_eq!(update.apply(&mut changed).unwrap(), differs, "{update:?}");
            assert_eq!(changed != document, differs);
        }
    }
}
