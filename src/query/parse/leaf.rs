//! Reads values by the type of their field, and makes the smallest queries of them.

use super::cursor::Word;
use super::problem::{Parsed, Problem};
use crate::automata;
use crate::document::{Value, date_span};
use crate::error::shortened;
use crate::query::{
    Exists, Fuzziness, Fuzzy, Match, Phrase, Prefix, Query, Range, Regex, Term, Terms, Wildcard,
};
use crate::schema::{FieldType, Schema};
use std::ops::Bound;

/// The type of a field, as far as query syntax depends on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Text,
    /// Keywords, and the key.
    Keyword,
    Whole,
    Number,
    Bool,
    Date,
    /// With its dimension.
    Vector(usize),
    /// A binary vector, with its dimension.
    Bits(usize),
    /// A sparse vector.
    Sparse,
    /// Any type: a field that a dynamic schema does not declare.
    Any,
}

/// A field of the schema that a query names.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) kind: Kind,
}

impl Target {
    /// The field with a name that is at byte `at` of the query.
    pub(super) fn named(schema: &Schema, name: &str, at: usize) -> Parsed<Self> {
        let kind = match schema.field(name).map(|field| field.field_type()) {
            None if name == schema.key().name() => Kind::Keyword,
            None if schema.is_dynamic() => Kind::Any,
            None => {
                return Err(Problem::new(
                    at,
                    format!("no field {name:?}; the schema has: {}", schema.known()),
                ));
            }
            Some(FieldType::Text(_)) => Kind::Text,
            Some(FieldType::Keyword(_)) => Kind::Keyword,
            Some(FieldType::I64) => Kind::Whole,
            Some(FieldType::F64) => Kind::Number,
            Some(FieldType::Bool) => Kind::Bool,
            Some(FieldType::Date) => Kind::Date,
            Some(FieldType::SparseVector) => Kind::Sparse,
            Some(FieldType::Vector(options)) if options.is_binary() => Kind::Bits(options.dimension()),
            Some(FieldType::Vector(options)) => Kind::Vector(options.dimension()),
        };
        Ok(Self { name: name.to_owned(), kind })
    }

    /// The field that words without a field are searched in: the first text field.
    pub(super) fn default(schema: &Schema) -> Option<Self> {
        let is_text = |field: &FieldType| matches!(field, FieldType::Text(_));
        let field = schema.fields().iter().find(|field| field.is_indexed() && is_text(field.field_type()))?;
        Some(Self { name: field.name().to_owned(), kind: Kind::Text })
    }

    fn problem(&self, at: usize, text: impl Into<String>) -> Problem {
        Problem::new(at, text).of_field(&self.name)
    }

    /// Reads a word without quotes: a word of a text, a value, a prefix, or `*` for any value.
    pub(super) fn word(&self, word: Word) -> Parsed<Leaf> {
        if word.is("*") {
            return Ok(Exists::new(&self.name).into());
        }
        if word.is_pattern(self.kind != Kind::Text) {
            return match word.prefix(self.kind != Kind::Text) {
                Some(prefix) => self.prefix(prefix, word.at),
                None => self.wildcard(&word.pattern, word.at),
            };
        }
        match self.kind {
            Kind::Text => Ok(Leaf::Words(self.name.clone(), word.text)),
            _ => Ok(Leaf::Value(self.name.clone(), self.value(&word.text, word.at, word.escaped)?)),
        }
    }

    /// What begins so. In a text, words before the last one are a phrase with it.
    pub(super) fn prefix(&self, prefix: &str, at: usize) -> Parsed<Leaf> {
        self.check_has_terms("a prefix", at)?;
        Ok(Prefix::new(&self.name, prefix).into())
    }

    /// What matches a pattern with wildcards at byte `at`.
    pub(super) fn wildcard(&self, pattern: &str, at: usize) -> Parsed<Leaf> {
        self.check_has_terms("a pattern", at)?;
        // The same as when it is searched for, but for the spelling of its characters.
        automata::wildcard(pattern, str::to_owned).map_err(|problem| self.problem(at, problem))?;
        Ok(Wildcard::new(&self.name, pattern).into())
    }

    /// What matches a regular expression at byte `at`.
    pub(super) fn regex(&self, expression: &str, at: usize) -> Parsed<Leaf> {
        self.check_has_terms("a regular expression", at)?;
        automata::regex(expression).map_err(|problem| self.problem(at, problem))?;
        Ok(Regex::new(&self.name, expression).into())
    }

    /// What is like a word at byte `at`.
    pub(super) fn fuzzy(&self, word: &str, edits: Fuzziness, at: usize) -> Parsed<Leaf> {
        self.check_has_terms("a fuzzy word", at)?;
        Ok(Fuzzy::new(&self.name, word).edits(edits).into())
    }

    fn check_has_terms(&self, what: &str, at: usize) -> Parsed<()> {
        match self.kind {
            Kind::Text | Kind::Keyword | Kind::Any => Ok(()),
            _ => Err(self.problem(at, format!("expected {}, found {what}", self.wants()))),
        }
    }

    /// Reads a text between quotes, with its slop and the position of that.
    pub(super) fn quoted(&self, text: String, at: usize, slop: Option<(u32, usize)>) -> Parsed<Leaf> {
        match (self.kind, slop) {
            (Kind::Text, slop) => {
                Ok(Phrase::new(&self.name, text).slop(slop.map_or(0, |(slop, _)| slop)).into())
            }
            (_, Some((_, at))) => Err(self.problem(at, "expected ~ only after a phrase in a text field")),
            (_, None) => Ok(Leaf::Value(self.name.clone(), self.value(&text, at, true)?)),
        }
    }

    /// Reads a value of the field's type. Where any type is possible, a `literal` text is not read as a number.
    pub(super) fn value(&self, text: &str, at: usize, literal: bool) -> Parsed<Value> {
        let value = match self.kind {
            Kind::Text | Kind::Keyword => Some(Value::from(text)),
            Kind::Whole => whole(text).map(Value::I64),
            Kind::Number => number(text),
            Kind::Bool => truth(text),
            Kind::Date => date_span(text).map(|_| Value::from(text)),
            Kind::Vector(_) | Kind::Bits(_) | Kind::Sparse => None,
            Kind::Any if literal => Some(Value::from(text)),
            Kind::Any => Some(number(text).or_else(|| truth(text)).unwrap_or_else(|| Value::from(text))),
        };
        value.ok_or_else(|| {
            self.problem(at, format!("expected {}, found {:?}", self.wants(), shortened(text)))
        })
    }

    /// Reads a bound of a range: as a value, but any number bounds whole numbers.
    pub(super) fn bound(&self, text: &str, at: usize, literal: bool) -> Parsed<Value> {
        match (self.kind, number(text)) {
            // Digits that i64 cannot hold are beyond all whole numbers, and may round to one of them.
            (Kind::Whole, Some(Value::F64(bound))) if text.parse::<i128>().is_ok() => {
                Ok(Value::F64(bound * f64::INFINITY))
            }
            (Kind::Whole, Some(bound)) => Ok(bound),
            (Kind::Whole | Kind::Number, None) => too_large(text)
                .map(Value::F64)
                .ok_or_else(|| self.problem(at, format!("expected a number, found {:?}", shortened(text)))),
            _ => self.value(text, at, literal),
        }
    }

    /// Refuses a range at byte `at` where values have no order.
    pub(super) fn check_ordered(&self, at: usize) -> Parsed<()> {
        let kind = match self.kind {
            Kind::Text => "text",
            Kind::Bool => "bool",
            Kind::Vector(_) => "vector",
            Kind::Bits(_) => "binary_vector",
            Kind::Sparse => "sparse_vector",
            _ => return Ok(()),
        };
        let problem =
            format!("expected a number, date or keyword field before a range, it is a {kind} field");
        Err(self.problem(at, problem))
    }

    fn wants(&self) -> String {
        match self.kind {
            Kind::Whole => "a whole number of 64 bits".into(),
            Kind::Number => "a number".into(),
            Kind::Bool => "true or false".into(),
            Kind::Date => "a date (YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ; also YYYY-MM or YYYY)".into(),
            Kind::Sparse => format!("{}:* (has a vector): it is a sparse_vector field", self.name),
            Kind::Vector(_) | Kind::Bits(_) => {
                let name = &self.name;
                format!("{name}:* (has a vector) or {{!knn f={name} topK=10}}[…]: it is a vector field")
            }
            Kind::Text | Kind::Keyword | Kind::Any => "a value".into(),
        }
    }
}

/// A whole number that is written as one, or with zeros after a point: not by way of a floating-point number, which
/// would round.
fn whole_digits(text: &str) -> Option<i64> {
    match text.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|digit| digit == b'0') => whole.parse().ok(),
        _ => text.parse().ok(),
    }
}

fn whole(text: &str) -> Option<i64> {
    const LIMIT: f64 = (1u64 << 63) as f64;
    let number =
        |number: f64| (number.fract() == 0.0 && (-LIMIT..LIMIT).contains(&number)).then_some(number as i64);
    whole_digits(text).or_else(|| finite(text).and_then(number))
}

fn number(text: &str) -> Option<Value> {
    let whole = || text.parse::<u64>().ok().map(Value::from);
    whole_digits(text).map(Value::I64).or_else(whole).or_else(|| finite(text).map(Value::F64))
}

/// A number that only an infinity stands for: `1e400`.
fn too_large(text: &str) -> Option<f64> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_infinite())?;
    text.contains(|char: char| char.is_ascii_digit()).then_some(number)
}

/// A number with digits: not `inf`, not `nan`.
fn finite(text: &str) -> Option<f64> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite())?;
    text.contains(|char: char| char.is_ascii_digit()).then_some(number)
}

fn truth(text: &str) -> Option<Value> {
    text.parse().ok().map(Value::Bool)
}

/// The smallest part of a query. Adjacent words of one text field, and adjacent values of one field, become one
/// query.
#[derive(Debug)]
pub(super) enum Leaf {
    /// Words of a text field.
    Words(String, String),
    /// A value of another field.
    Value(String, Value),
    /// Several values of another field.
    Values(String, Vec<Value>),
    Query(Box<Query>),
}

impl<Q: Into<Query>> From<Q> for Leaf {
    fn from(query: Q) -> Self {
        Self::Query(Box::new(query.into()))
    }
}

impl Leaf {
    /// The query. Of several words all are required when the clause `must` match.
    pub(super) fn query(self, must: bool) -> Query {
        match self {
            Self::Words(field, text) if must => Match::all(field, text).into(),
            Self::Words(field, text) => Match::new(field, text).into(),
            Self::Value(field, value) => Term::new(field, value).into(),
            Self::Values(field, values) => Terms::new(field, values).into(),
            Self::Query(query) => *query,
        }
    }
}

/// A bound of a range; without a value the range has none.
pub(super) fn bound(value: Option<Value>, included: bool) -> Bound<Value> {
    match value {
        None => Bound::Unbounded,
        Some(value) if included => Bound::Included(value),
        Some(value) => Bound::Excluded(value),
    }
}

/// The query for a range between two bounds.
pub(super) fn range(field: &str, from: Bound<Value>, to: Bound<Value>) -> Query {
    let range = Range::new(field);
    let range = match from {
        Bound::Unbounded => range,
        Bound::Included(value) => range.gte(value),
        Bound::Excluded(value) => range.gt(value),
    };
    let range = match to {
        Bound::Unbounded => range,
        Bound::Included(value) => range.lte(value),
        Bound::Excluded(value) => range.lt(value),
    };
    range.into()
}
