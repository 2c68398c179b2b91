//! Where in a document a field's values are: `$.specs.weight`, `$.parts[*].name`, `$.tags[0]`.

use serde_json::Value;
use std::fmt;

/// Steps of a path at most.
const MAX_STEPS: usize = 32;

/// A path into a JSON document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPath {
    /// The top-level field it begins with.
    first: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// A member of an object.
    Member(String),
    /// One element of a list.
    Element(usize),
    /// All elements of a list.
    Every,
}

impl FieldPath {
    /// Reads `$.a.b`, `$.a[*].b`, `$.a[0]`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let refuse = |what: &str| {
            Err(format!("path {text:?}: {what}; expected for example $.specs.weight or $.parts[*].name"))
        };
        let Some(mut rest) = text.strip_prefix('$') else { return refuse("it does not begin with $") };
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if steps.len() > MAX_STEPS {
                return refuse("it has too many steps");
            }
            if let Some(tail) = rest.strip_prefix('.') {
                let end = tail.find(['.', '[']).unwrap_or(tail.len());
                let (name, tail) = tail.split_at(end);
                if name.is_empty() {
                    return refuse("a name is missing after a dot");
                }
                steps.push(Step::Member(name.to_owned()));
                rest = tail;
            } else if let Some((inside, tail)) = rest.strip_prefix('[').and_then(|tail| tail.split_once(']'))
            {
                steps.push(match inside {
                    "*" => Step::Every,
                    number => match number.parse() {
                        Ok(number) => Step::Element(number),
                        Err(_) => return refuse("expected a number or * in brackets"),
                    },
                });
                rest = tail;
            } else {
                return refuse("expected a dot or a bracket");
            }
        }
        let mut steps = steps.into_iter();
        match steps.next() {
            Some(Step::Member(first)) => Ok(Self { first, steps: steps.collect() }),
            _ => refuse("it names no field"),
        }
    }

    /// The top-level field it begins with.
    pub(crate) fn first(&self) -> &str {
        &self.first
    }

    /// Calls `found` with every value at the path below the top-level field's value `json`.
    pub(crate) fn values<'a>(&self, json: &'a Value, found: &mut dyn FnMut(&'a Value)) {
        walk(&self.steps, json, found);
    }
}

fn walk<'a>(steps: &[Step], json: &'a Value, found: &mut dyn FnMut(&'a Value)) {
    let Some((step, rest)) = steps.split_first() else { return found(json) };
    match (step, json) {
        (Step::Member(name), Value::Object(members)) => {
            if let Some(json) = members.get(name) {
                walk(rest, json, found);
            }
        }
        (Step::Element(at), Value::Array(elements)) => {
            if let Some(json) = elements.get(*at) {
                walk(rest, json, found);
            }
        }
        (Step::Every, Value::Array(elements)) => elements.iter().for_each(|json| walk(rest, json, found)),
        _ => {}
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "$.{}", self.first)?;
        self.steps.iter().try_for_each(|step| match step {
            Step::Member(name) => write!(f, ".{name}"),
            Step::Element(at) => write!(f, "[{at}]"),
            Step::Every => f.write_str("[*]"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_finds_what_it_names() {
        let json = json!({ "weight": 3, "parts": [{ "name": "a" }, { "name": "b" }, { "x": 1 }] });
        for (path, expected) in [
            ("$.bike.weight", json!([3])),
            ("$.bike.parts[*].name", json!(["a", "b"])),
            ("$.bike.parts[1].name", json!(["b"])),
            ("$.bike.parts[7]", json!([])),
            ("$.bike.weight.more", json!([])),
            ("$.bike", json!([json])),
        ] {
            let path = FieldPath::parse(path).unwrap();
            let mut found = Vec::new();
            path.values(&json, &mut |value| found.push(value.clone()));
            assert_eq!((path.first(), Value::from(found)), ("bike", expected), "{path}");
            assert_eq!(FieldPath::parse(&path.to_string()), Ok(path));
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for bad in ["", "$", "a.b", "$.", "$.a.", "$.a..b", "$[0]", "$.a[", "$.a[x]", "$a"] {
            assert!(FieldPath::parse(bad).is_err(), "{bad}");
        }
    }
}
