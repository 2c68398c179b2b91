//! Coming from Milvus: a `BINARY_VECTOR` of dimension 128 with the index `BIN_IVF_FLAT` (nlist 128, metric
//! `HAMMING`, nprobe 10), automatic string keys, dynamic fields; and the same bits by Jaccard distance.
//!
//! `cargo run --release --example coming_from_milvus`, from any folder, without arguments.
#![allow(clippy::print_stdout, missing_docs, reason = "an example talks to a person")]

use lucerne::bits::{BitOrder, pack};
use lucerne::{Document, Index, Knn, Schema, Similarity, Vector, admin};
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// The first 16 bits of vectors of 128; the others are zero.
const FIRST: &str = "1001101101010100";
const SECOND: &str = "0101010011001101";
/// A pair of vectors of 16 bits.
const OTHER: [&str; 2] = ["1001101101001101", "0101010011001101"];

fn main() -> Result<()> {
    print!("{}", report(tempfile::tempdir()?.path())?);
    Ok(())
}

/// The bytes of `dimension` bits that begin with a text of zeros and ones.
fn bytes(text: &str, dimension: usize) -> Vec<u8> {
    let zeros = std::iter::repeat(false);
    pack(text.chars().map(|bit| bit == '1').chain(zeros).take(dimension), BitOrder::LsbFirst)
}

/// The results of the searches, in indexes that are created in this folder.
pub(crate) fn report(folder: &Path) -> Result<String> {
    let mut report = String::new();
    let first = bytes(FIRST, 128);
    writeln!(report, "{FIRST}… is {:02x?}…, {} bytes", first.get(..2).unwrap_or_default(), first.len())?;

    let schema = schema(128, Similarity::Hamming)?;
    let index = Index::create(folder.join("one.idx"), schema.clone())?;
    let writer = index.writer()?;
    let key = writer.add(&Document::new().with("binary_vector", bytes(SECOND, 128)))?;
    writer.commit()?;
    writeln!(report, "one entity: {:?}", distances(&index, &first)?)?;
    writeln!(report, "its key: {key}")?;

    let index = Index::create(folder.join("two.idx"), schema)?;
    let writer = index.writer()?;
    for (color, vector) in [("red", FIRST), ("blue", SECOND)] {
        // The color is not declared: the schema is dynamic.
        writer.add(&Document::new().with("color", color).with("binary_vector", bytes(vector, 128)))?;
    }
    writer.commit()?;
    writeln!(report, "two entities: {:?}", distances(&index, &first)?)?;
    let inspected = admin::inspect(&index.searcher()?)?;
    let lists = inspected.pointer("/segments/0/fields/binary_vector/lists");
    writeln!(report, "lists: {}", lists.unwrap_or_default())?;

    for (name, similarity) in [("hamming", Similarity::Hamming), ("jaccard", Similarity::Jaccard)] {
        for (dimension, pair) in [(128, [FIRST, SECOND]), (16, OTHER)] {
            let index = Index::create(
                folder.join(format!("{name}{dimension}.idx")),
                self::schema(dimension, similarity)?,
            )?;
            let writer = index.writer()?;
            for vector in pair {
                writer.add(&Document::new().with("binary_vector", bytes(vector, dimension)))?;
            }
            writer.commit()?;
            let found = distances(&index, &bytes(pair[0], dimension))?;
            writeln!(report, "{name}, {dimension} bits: [{:.6}, {:.6}]", found[0], found[1])?;
        }
    }
    Ok(report)
}

fn schema(dimension: usize, similarity: Similarity) -> Result<Schema> {
    let vector = Vector::bits(dimension).similarity(similarity).ivf().nlist(128);
    Ok(Schema::builder()
        .auto_key("pk")
        .key_max_len(100)
        .dynamic(true)
        .vector("binary_vector", vector)
        .build()?)
}

/// Distances of the five nearest, of ten lists.
fn distances(index: &Index, query: &[u8]) -> Result<Vec<f32>> {
    let hits = index.searcher()?.search(Knn::new("binary_vector", query).k(5).nprobe(10).fields(["pk"]))?;
    Ok(hits.hits.iter().filter_map(|hit| hit.distance).collect())
}
