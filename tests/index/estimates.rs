//! What an index will take is said before there is one, and what a merge takes before it begins.

use crate::common::rng::Rng;
use lucerne::directory::RamDirectory;
use lucerne::index::IndexBuilder;
use lucerne::{Cancel, Document, Schema, Vector, WriterOptions, admin};
use std::sync::Arc;

/// Texts in which few words are frequent and new ones keep coming, as in any language.
fn document(id: usize, rng: &mut Rng) -> Document {
    let mut word = || {
        let rank = 1.0 / (f64::from(rng.unit()).abs() + 1e-4);
        format!("w{:.0}", rank.powf(1.3))
    };
    let text: Vec<String> = (0..40).map(|_| word()).collect();
    let vector = rng.vector(32);
    let document = Document::new().with("id", format!("document-{id}")).with("text", text.join(" "));
    document.with("size", (id * 7_919 % 100_000) as i64).with("v", vector)
}

#[test]
fn the_estimate_of_an_index_is_within_15_percent() {
    let schema = Schema::builder().key("id").text("text").i64("size");
    let schema = schema.vector("v", Vector::f32(32).advanced("graph_threshold", 500)).build().unwrap();
    let mut rng = Rng::new(11);
    let documents: Vec<Document> = (0..6_000).map(|id| document(id, &mut rng)).collect();
    let directory = Arc::new(RamDirectory::new());
    let index = IndexBuilder::new().create(Arc::clone(&directory) as _, schema.clone()).unwrap();
    let writer = index.writer_with(WriterOptions::new().flush_docs(1_500)).unwrap();
    writer.add_batch(&documents).unwrap();
    writer.commit().unwrap();
    writer.force_merge(1, &Cancel::new()).unwrap();
    writer.close().unwrap();
    let report = admin::inspect(&index.searcher().unwrap()).unwrap();
    let files = report["segments"][0]["files"].as_array().unwrap();
    let truth: u64 = files.iter().map(|file| file["bytes"].as_u64().unwrap()).sum();

    let sample: Vec<Document> = documents.iter().step_by(6).cloned().collect();
    let found = admin::estimate(&schema, &sample, 6_000, &WriterOptions::new()).unwrap();
    let ratio = found.disk as f64 / truth as f64;
    assert!((0.85..1.15).contains(&ratio), "{} of {truth}: {:?}, {files:?}", found.disk, found.files);
    assert!(found.reading < found.disk && found.files["hnsw"] > 6_000 * 100);
    // A sample without vectors gets some.
    let without = |document: &Document| {
        let mut document = document.clone();
        document.remove("v");
        document
    };
    let texts: Vec<Document> = sample.iter().map(without).collect();
    let again = admin::estimate(&schema, &texts, 6_000, &WriterOptions::new()).unwrap();
    assert_eq!(again.files["vec"], found.files["vec"]);
    let small = WriterOptions::new().ram_budget(1 << 20);
    assert_eq!(admin::estimate(&schema, &sample, 6_000, &small).unwrap().writing, 1 << 20);
}

#[test]
fn a_plan_says_what_memory_a_merge_takes() {
    let schema = Schema::builder().vector("v", Vector::f32(16)).build().unwrap();
    let index = IndexBuilder::new().create(Arc::new(RamDirectory::new()), schema).unwrap();
    let writer = index.writer_with(WriterOptions::new().flush_docs(100)).unwrap();
    let mut rng = Rng::new(12);
    for _ in 0..300 {
        writer.add(&Document::new().with("v", rng.vector(16))).unwrap();
    }
    writer.commit().unwrap();
    let plan = writer.plan_force_merge(1).unwrap();
    let memory = plan[0]["memory"].as_u64().unwrap();
    // 16 m bytes for links, 56 besides and 16 of codes per vector, 24 per document, 2 MiB.
    assert_eq!(memory, 300 * (256 + 56 + 16 + 24) + (2 << 20));
}
