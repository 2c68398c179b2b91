//! One document by its key.

use super::{asked, in_time, short};
use crate::commands::web::watched::Commit;
use crate::failure::{In as _, Outcome};
use lucerne::search::SearchOptions;
use lucerne::{Knn, Search, admin};
use serde_json::{Map, Value, json};

/// Components of a vector that are shown; the page draws the others only as a line.
const SHOWN: usize = 512;
/// Neighbors that are shown.
const NEIGHBORS: usize = 10;

/// Stored fields, vectors with their neighbors, the terms of text fields, and the segment; all `null` where no live
/// document has the key.
pub(super) fn document(commit: &Commit, question: &Value) -> Outcome<Value> {
    let key = asked(question, "key")?;
    let searcher = &commit.searcher;
    let Some(stored) = searcher.get(key).in_index(&commit.dir)? else {
        return Ok(json!({ "key": key, "found": false }));
    };
    let schema = searcher.schema();
    let is_vector = |name: &str| schema.vector_field_named(name).is_ok();
    let fields: Map<String, Value> = stored
        .iter()
        .filter(|(name, _)| !is_vector(name))
        .map(|(name, value)| (name.to_owned(), serde_json::to_value(value).unwrap_or_default()))
        .collect();
    let mut vectors = Map::new();
    for field in schema.vector_fields() {
        let name = lucerne::schema::VectorField::name(&field);
        // Fields that are not stored cannot be shown.
        if let Ok(found) = searcher.decoded_vectors(key, name)
            && let Some(first) = found.first()
        {
            vectors.insert(name.to_owned(), vector(commit, name, key, first, found.len())?);
        }
    }
    let terms: Map<String, Value> = fields
        .iter()
        .filter_map(|(name, value)| Some((name, searcher.analyze(name, value.as_str()?).ok()?)))
        .map(|(name, terms)| {
            let terms: Vec<String> = terms.into_iter().map(|term| term.term).collect();
            (name.clone(), terms.into())
        })
        .collect();
    Ok(json!({
        "key": key,
        "found": true,
        "segment": admin::segment_of(searcher, key).in_index(&commit.dir)?,
        "fields": fields,
        "vectors": vectors,
        "terms": terms,
    }))
}

/// A vector and the documents nearest to it.
fn vector(commit: &Commit, field: &str, key: &str, vector: &[f32], count: usize) -> Outcome<Value> {
    let knn = Knn::new(field, vector.to_vec()).k(NEIGHBORS + 1);
    let options = SearchOptions::new().cancel(&in_time());
    let search = Search::new(knn).limit(NEIGHBORS + 1);
    let hits = commit.searcher.search_with(search, &options).in_index(&commit.dir)?;
    let others = hits.hits.iter().filter(|hit| hit.key != key).take(NEIGHBORS);
    let others = others.map(|hit| json!({ "key": hit.key, "distance": hit.distance.map(short) }));
    let length = vector.iter().map(|it| f64::from(*it) * f64::from(*it)).sum::<f64>().sqrt();
    Ok(json!({
        "dimension": vector.len(),
        "count": count,
        "length": length,
        "components": vector.iter().copied().map(short).take(SHOWN).collect::<Vec<_>>(),
        "exact": hits.exact,
        "neighbors": others.collect::<Vec<_>>(),
    }))
}
