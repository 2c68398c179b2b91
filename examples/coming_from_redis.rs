//! Coming from Redis: JSON documents of bikes, whose embeddings are added later, and the three nearest bikes of each of
//! eleven queries, as a Markdown table.
//!
//! `cargo run --release --example coming_from_redis`, from any folder, without arguments. The embeddings
//! are hashed words, so that the example needs neither a model nor a network: call your model in `embed`.
#![allow(clippy::print_stdout, missing_docs, reason = "an example talks to a person")]

use lucerne::query::QueryParser;
use lucerne::schema::{Field, Keyword, Quantization, Text};
use lucerne::{Document, Index, Schema, Searcher, Similarity, Value, Vector};
use std::error::Error;
use std::path::Path;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const DIMENSION: usize = 768;
const BIKES: &str = include_str!("data/bikes.jsonl");
const QUERY: &str = "(*)=>[KNN 3 @vector $query_vector AS vector_score]";
const QUERIES: [&str; 11] = [
    "Bike for small kids",
    "Best mountain bikes for kids",
    "Cheap mountain bike for kids",
    "Mountain bike for women",
    "Road bike for beginners",
    "Commuter bike for people over 60",
    "Comfortable commuter bike",
    "Good bike for college students",
    "Mountain bike for beginners",
    "Vintage bike",
    "Comfortable city bike",
];
/// Longest description shown in full, in characters.
const LONGEST: usize = 500;

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let searcher = index(&folder.path().join("bikes.idx"))?;
    print!("{}", table(&searcher)?);
    Ok(())
}

/// Fields take their values from paths into the documents, which are stored as given.
pub(crate) fn schema() -> Result<Schema> {
    let vector = Vector::f32(DIMENSION).similarity(Similarity::Cosine).flat();
    let text = |name: &str| Field::text_with(name, Text::new().weight(1.0));
    let schema = Schema::builder()
        .key("id") // bikes:001, bikes:002, …
        .field(text("model").path("$.model"))
        .field(text("brand").path("$.brand"))
        .field(Field::f64("price").path("$.price"))
        .field(Field::keyword_with("type", Keyword::separated_by(',')).path("$.type"))
        .field(text("description").path("$.description"))
        .field(
            Field::vector("vector", vector.quantization(Quantization::None)).path("$.description_embeddings"),
        );
    Ok(schema.build()?)
}

/// An index of the bikes: the documents first, their embeddings later.
pub(crate) fn index(folder: &Path) -> Result<Searcher> {
    let index = Index::create(folder, schema()?)?;
    let writer = index.writer()?;
    let bikes = BIKES.lines().map(Document::from_json).collect::<lucerne::Result<Vec<_>>>()?;
    for bike in &bikes {
        writer.add(bike)?;
    }
    writer.commit()?;
    for bike in &bikes {
        let (Some(Value::Text(key)), Some(Value::Text(description))) =
            (bike.get("id"), bike.get("description"))
        else {
            return Err("a bike has an id and a description".into());
        };
        writer.update(key, Document::new().with("description_embeddings", embed(description)))?;
    }
    writer.commit()?;
    Ok(index.searcher()?)
}

/// The nearest three of each query, best first.
pub(crate) fn table(searcher: &Searcher) -> Result<String> {
    let mut table = "| query | score | id | description |\n| :--- | ---: | :--- | :--- |\n".to_owned();
    for query in QUERIES {
        let bytes: Vec<u8> = embed(query).iter().flat_map(|number| number.to_le_bytes()).collect();
        let parser = QueryParser::new(searcher.schema()).param_bytes("query_vector", bytes);
        let search = parser.parse(QUERY)?.fields(["id", "description"]);
        for (place, hit) in searcher.search(search)?.hits.iter().enumerate() {
            let fields = hit.fields.as_ref().ok_or("a hit has the fields that were asked for")?;
            let field = |name: &str| fields.get(name).ok_or_else(|| format!("{}: no {name}", hit.key));
            let distance = field("vector_score")?.as_f64().ok_or("vector_score is a number")?;
            let score = ((1.0 - distance) * 100.0).round() / 100.0 + 0.0; // not -0
            let query = if place == 0 { query } else { "" };
            let (id, description) = (field("id")?.as_str(), field("description")?.as_str());
            let description = shortened(description.unwrap_or_default());
            table += &format!("| {query} | {score} | {} | {description} |\n", id.unwrap_or_default());
        }
    }
    Ok(table)
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    format!("{}...", text.chars().take(LONGEST - 3).collect::<String>())
}

/// Words that are in every text.
const STOP_WORDS: [&str; 24] = [
    "a", "an", "and", "are", "as", "at", "be", "bike", "bikes", "but", "by", "for", "from", "in", "is", "it",
    "of", "on", "or", "that", "the", "this", "to", "with",
];

/// A unit vector: each word is hashed to a component and a sign, by its first five letters.
pub(crate) fn embed(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0; DIMENSION];
    for word in text.to_lowercase().split(|char: char| !char.is_alphanumeric()) {
        if word.is_empty() || STOP_WORDS.contains(&word) {
            continue;
        }
        // FNV-1a.
        let hash = word.chars().take(5).fold(0xcbf2_9ce4_8422_2325, |hash: u64, char| {
            (hash ^ u64::from(u32::from(char))).wrapping_mul(0x0100_0000_01b3)
        });
        let sign = if hash >> 63 == 0 { 1.0 } else { -1.0 };
        if let Some(component) = vector.get_mut((hash % DIMENSION as u64) as usize) {
            *component += sign;
        }
    }
    let norm =
        vector.iter().map(|component| component * component).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    vector.iter().map(|component| component / norm).collect()
}
