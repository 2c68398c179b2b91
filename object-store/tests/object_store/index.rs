//! An index whose documents are known at every commit.

use lucerne::merge::MergePolicy;
use lucerne::{Cancel, Document, Index, Schema, Searcher, Value, Writer, WriterOptions};
use std::collections::BTreeMap;
use std::path::Path;

/// Keys of all documents.
const KEYS: u64 = 40;

/// The number of each document that is there, by its key.
pub(crate) type Content = BTreeMap<String, i64>;

/// SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 8
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

pub(crate) fn schema() -> Schema {
    Schema::builder().key("id").text("words").i64("number").build().unwrap()
}

pub(crate) fn create(folder: &Path) -> Index {
    Index::create(folder, schema()).unwrap()
}

pub(crate) fn writer(index: &Index) -> Writer {
    index.writer_with(WriterOptions::new().threads(1).merge_policy(MergePolicy::None)).unwrap()
}

pub(crate) fn document(key: u64, number: i64) -> Document {
    let words = format!("document {key} of {number}");
    Document::new().with("id", format!("k{key}")).with("words", words).with("number", number)
}

/// Writes the keys with this number, and commits.
pub(crate) fn write(index: &Index, keys: std::ops::Range<u64>, number: i64) {
    let writer = writer(index);
    keys.for_each(|key| drop(writer.upsert(&document(key, number)).unwrap()));
    writer.close().unwrap();
}

/// Upserts and deletes, now and then a merge of everything, and a commit.
pub(crate) fn change(writer: &Writer, random: &mut Random, content: &mut Content) {
    for _ in 0..1 + random.below(8) {
        let (key, number) = (random.below(KEYS), random.below(1 << 40) as i64);
        if random.below(5) == 0 {
            writer.delete(&format!("k{key}")).unwrap();
            content.remove(&format!("k{key}"));
        } else {
            writer.upsert(&document(key, number)).unwrap();
            content.insert(format!("k{key}"), number);
        }
    }
    if random.below(6) == 0 {
        writer.force_merge(1, &Cancel::new()).unwrap();
    }
    writer.commit().unwrap();
}

pub(crate) fn content(searcher: &Searcher) -> Content {
    let mut content = Content::new();
    for key in (0..KEYS).map(|key| format!("k{key}")) {
        if let Some(document) = searcher.get(&key).unwrap() {
            let Some(Value::I64(number)) = document.get("number") else { panic!("{document:?}") };
            content.insert(key, *number);
        }
    }
    assert_eq!(content.len() as u64, searcher.len());
    content
}
