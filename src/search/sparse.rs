//! Queries by sparse vectors: resolved, matched, explained. They are scored by `scorers::sparse`.

use super::explanation::Explanation;
use super::node::{Node, SparseNode};
use super::part::Part;
use super::ranking::DocAddress;
use super::resolve::Resolver;
use super::scorers::{SparseLists, finite_score};
use super::values::wrong;
use crate::document::sparse_entries;
use crate::error::{Error, Result};
use crate::limits::MAX_SPARSE_DIMENSIONS;
use crate::query::Sparse;
use crate::schema::FieldType;
use lucerne_codec::BitSet;
use lucerne_codec::sparse::BLOCK_DOCS;

/// Blocks of a list between two looks at the cancel flag.
const CANCEL_STEP: usize = 256;

impl Resolver<'_> {
    /// The documents that share a dimension with a vector.
    pub(super) fn sparse(&self, query: &Sparse) -> Result<Node> {
        let field = self.snapshot.schema.require(&query.field)?;
        match field.field_type() {
            FieldType::SparseVector if field.is_indexed() => {}
            FieldType::SparseVector => return Err(Error::NotIndexed { field: query.field.clone() }),
            other => {
                let problem = format!("expected a sparse_vector field, it is of type {}", other.name());
                return Err(wrong(&query.field, problem));
            }
        }
        if query.vector.len() > MAX_SPARSE_DIMENSIONS {
            let problem =
                format!("{} dimensions, expected at most {MAX_SPARSE_DIMENSIONS}", query.vector.len());
            return Err(wrong(&query.field, problem));
        }
        let entries = sparse_entries(&query.field, &query.vector);
        let entries = entries.map_err(|problem| Error::QueryVector { problem })?;
        Ok(match entries.is_empty() {
            true => Node::NoTerms,
            false => Node::Sparse(Box::new(SparseNode { field: field.number(), query: entries })),
        })
    }
}

/// The lists of a vector's dimensions in a segment; `None` when no document has any of them.
pub(super) fn lists<'a>(vector: &'a SparseNode, part: Part<'a>) -> Result<Option<SparseLists<'a>>> {
    let Some(vectors) = part.segment.reader.sparse_field(vector.field) else { return Ok(None) };
    let lists = SparseLists::open(vectors, &vector.query, part.segment.reader.max_doc(), part.cancel)?;
    Ok((!lists.is_empty()).then_some(lists))
}

/// Adds the documents of a segment that have a dimension of the vector.
pub(super) fn add_matching(vector: &SparseNode, part: Part<'_>, docs: &mut BitSet) -> Result<()> {
    let Some(lists) = lists(vector, part)? else { return Ok(()) };
    let mut done = 0;
    for list in lists.lists() {
        for block in list.blocks() {
            part.cancel.check_every(CANCEL_STEP, done)?;
            done += 1;
            let first = block.number.saturating_mul(BLOCK_DOCS) as usize / 64;
            let mut words = [0u64; BLOCK_DOCS as usize / 64];
            list.add_places(block, &mut words);
            for (at, word) in words.into_iter().enumerate() {
                docs.insert_word(first + at, word);
            }
        }
    }
    Ok(())
}

/// The products that the score of a document is the sum of.
pub(super) fn details(resolver: &Resolver<'_>, node: &Node, address: DocAddress) -> Result<Vec<Explanation>> {
    let (Node::Sparse(vector), Some(part)) = (node, resolver.part(address.segment)) else {
        return Ok(Vec::new());
    };
    let Some(vectors) = part.segment.reader.sparse_field(vector.field) else { return Ok(Vec::new()) };
    let shared = vectors.row(address.doc)?.iter().filter_map(|(dimension, own)| {
        let at = vector.query.binary_search_by_key(&dimension, |(wanted, _)| *wanted).ok()?;
        let (_, wanted) = vector.query.get(at)?;
        let description = format!("dimension {dimension}: {wanted} in the query × {own} in the document");
        Some(Explanation::new(true, finite_score(f64::from(*wanted) * f64::from(own)), description))
    });
    Ok(shared.collect())
}
