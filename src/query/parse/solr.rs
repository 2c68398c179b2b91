//! Solr syntax for kNN queries: `{!knn f=vector topK=10}[1.0, 2.0, 3.0, 4.0]`.
//!
//! `f` is the field, `topK` the number of neighbors (default 10), `recall`, `candidates` and `rescore` as in [`Knn`].
//! The vector is a list of numbers, or `$name`.

use super::cursor::Cursor;
use super::leaf::Target;
use super::params::{self, Params};
use super::problem::{Parsed, Problem};
use crate::document::QueryVector;
use crate::limits::DEFAULT_K;
use crate::query::Knn;
use crate::schema::Schema;

pub(super) fn parse(text: &str, schema: &Schema, params: &Params) -> Parsed<Knn> {
    let mut cursor = Cursor::new(text);
    cursor.skip_space();
    let open = cursor.at();
    cursor.expect("{!", "{!knn")?;
    if !cursor.eat_word("knn") {
        return Err(cursor.expected("knn, the only parser of Solr that is supported"));
    }
    let (mut field, mut settings) = (None, Knn::new("", Vec::<f32>::new()).k(DEFAULT_K));
    loop {
        cursor.skip_space();
        if cursor.eat("}") {
            break;
        }
        let here = cursor.clone();
        let name = cursor.take_until(|char| !char.is_alphanumeric());
        if !matches!(name, "f" | "topK" | "recall" | "candidates" | "rescore") {
            return Err(here.expected("f, topK, recall, candidates, rescore or }"));
        }
        cursor.expect("=", "=")?;
        let at = cursor.at();
        let value = value(&mut cursor)?;
        let count = || {
            let problem = || Problem::new(at, format!("expected a whole number, found {value:?}"));
            value.parse::<usize>().map_err(|_| problem())
        };
        let number = || {
            let problem = || Problem::new(at, format!("expected a number, found {value:?}"));
            value.parse::<f32>().map_err(|_| problem())
        };
        settings = match name {
            "f" => {
                field = Some(Target::named(schema, &value, at)?);
                settings
            }
            "topK" => settings.k(count()?),
            "candidates" => settings.candidates(count()?),
            "recall" => settings.recall(number()?),
            _ => settings.rescore(number()?),
        };
    }
    let field = field.ok_or_else(|| Problem::new(open, "expected f=FIELD between { and }"))?;
    let vector = vector(&mut cursor, &field, params)?;
    Ok(Knn { field: field.name, vector, ..settings })
}

/// A value, between quotes or up to a space.
fn value(cursor: &mut Cursor<'_>) -> Parsed<String> {
    for quote in ['"', '\''] {
        let here = cursor.clone();
        if cursor.peek() == Some(quote) {
            cursor.next();
            let text = cursor.take_until(|char| char == quote).to_owned();
            return match cursor.next() {
                Some(_) => Ok(text),
                None => Err(Problem::new(here.at(), format!("this quote is not closed; expected {quote}"))),
            };
        }
    }
    match cursor.take_until(|char| char.is_whitespace() || char == '}') {
        "" => Err(cursor.expected("a value")),
        text => Ok(text.to_owned()),
    }
}

fn vector(cursor: &mut Cursor<'_>, field: &Target, params: &Params) -> Parsed<QueryVector> {
    cursor.skip_space();
    let at = cursor.at();
    let vector = match cursor.peek() {
        Some('$') => params::vector(cursor, params, field)?,
        Some('[') => params::checked(field, list(cursor)?.into(), at)?,
        _ => return Err(cursor.expected("the vector, [1.0, 2.0, …] or $name")),
    };
    cursor.skip_space();
    match cursor.peek() {
        None => Ok(vector),
        Some(_) => Err(cursor.expected("the end")),
    }
}

fn list(cursor: &mut Cursor<'_>) -> Parsed<Vec<f32>> {
    cursor.expect("[", "[")?;
    let mut numbers = Vec::new();
    loop {
        cursor.skip_space();
        let here = cursor.clone();
        let number = cursor.take_until(|char| !char.is_ascii_digit() && !"+-.eE".contains(char));
        let number = number.parse::<f32>().ok().filter(|number| number.is_finite());
        numbers.push(number.ok_or_else(|| here.expected("a number"))?);
        cursor.skip_space();
        if cursor.eat("]") {
            return Ok(numbers);
        }
        cursor.expect(",", ", or ]")?;
    }
}
