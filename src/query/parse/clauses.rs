//! Collects clauses and combines them into one query.

use super::leaf::Leaf;
use crate::query::{Bool, Query};

/// Whether a clause has to match.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Occur {
    Must,
    Should,
    MustNot,
}

/// Clauses in the order of the text.
#[derive(Debug, Default)]
pub(super) struct Clauses(Vec<(Occur, Leaf)>);

impl Clauses {
    /// Adds a clause. It is joined with the one before when both are words or values of one field.
    pub(super) fn push(&mut self, occur: Occur, leaf: Leaf) {
        let Some((before, last)) = self.0.last_mut().filter(|(before, _)| *before == occur) else {
            return self.0.push((occur, leaf));
        };
        match (last, leaf) {
            (Leaf::Words(field, text), Leaf::Words(of, more)) if *field == of => {
                text.push(' ');
                text.push_str(&more);
            }
            (Leaf::Values(field, values), Leaf::Value(of, value))
                if *before == Occur::Should && *field == of =>
            {
                values.push(value);
            }
            (last @ Leaf::Value(..), Leaf::Value(of, value)) if *before == Occur::Should => {
                match std::mem::replace(last, Query::none().into()) {
                    Leaf::Value(field, first) if field == of => {
                        *last = Leaf::Values(field, vec![first, value]);
                    }
                    first => {
                        *last = first;
                        self.0.push((occur, Leaf::Value(of, value)));
                    }
                }
            }
            (_, leaf) => self.0.push((occur, leaf)),
        }
    }

    /// The query; `None` when there are no clauses. A single clause is not wrapped in a [`Bool`].
    pub(super) fn query(mut self) -> Option<Query> {
        match self.0.pop() {
            None => None,
            Some((occur @ (Occur::Must | Occur::Should), leaf)) if self.0.is_empty() => {
                Some(leaf.query(occur == Occur::Must))
            }
            Some(last) => {
                self.0.push(last);
                let clauses = self.0.into_iter().fold(Bool::new(), |bool, (occur, leaf)| match occur {
                    Occur::Must => bool.must(leaf.query(true)),
                    Occur::Should => bool.should(leaf.query(false)),
                    Occur::MustNot => bool.must_not(leaf.query(false)),
                });
                Some(clauses.into())
            }
        }
    }
}
