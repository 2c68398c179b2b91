//! What damage must cost, worked out from the layout of the files and from what was added: not by the engine's own means.

use crate::common::rng::Rng;
use crate::trials::{Forge, Image, image, is_commit};
use lucerne::codec::testing::MemoryDirectory;
use lucerne::document::SparseVector;
use lucerne::index::IndexBuilder;
use lucerne::merge::MergePolicy;
use lucerne::schema::Quantization;
use lucerne::{Document, Schema, Similarity, Vector, Writer, WriterOptions};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// Vector fields: number, name, bytes of a row.
pub(crate) const VECTORS: [(u32, &str, usize); 6] =
    [(3, "near", 36), (4, "flat", 12), (5, "bits", 5), (6, "several", 8), (7, "codes", 16), (8, "hash", 32)];
/// The field of which only codes are kept.
const CODES: u32 = 7;

/// Every kind of field, and undeclared ones.
fn schema() -> Schema {
    let graph = |vector: Vector| vector.m(3).beam_width(12).advanced("graph_threshold", 0);
    let near = graph(Vector::f32(9).similarity(Similarity::Euclidean)).advanced("search_bits", 4);
    let flat = Vector::f32(3).similarity(Similarity::Cosine).flat().quantization(Quantization::None);
    let several =
        Vector::f16(4).similarity(Similarity::MaxInnerProduct).flat().quantization(Quantization::None);
    let codes = graph(Vector::f32(16).similarity(Similarity::Euclidean)).keep_raw(false);
    Schema::builder()
        .key("id")
        .dynamic(true)
        .text("t")
        .keyword("w")
        .i64("i")
        .vector("near", near)
        .vector("flat", flat)
        .vector("bits", Vector::bits(40).ivf().nlist(3))
        .vector("several", several.multiple())
        .vector("codes", codes)
        .vector("hash", Vector::f16(16).similarity(Similarity::Euclidean).sign_hash(true).flat())
        .sparse_vector("weights")
        .build()
        .unwrap()
}

fn document(number: usize, rng: &mut Rng) -> Document {
    let words = ["red", "green", "blue", "amber"];
    let text: Vec<&str> = (0..6).map(|_| *rng.pick(&words)).collect();
    let pad: String = (0..40).map(|_| format!("{:016x}", rng.next())).collect();
    let mut document = Document::new()
        .with("id", format!("d{number}"))
        .with("t", text.join(" "))
        .with("w", *rng.pick(&words))
        .with("i", number as i64)
        .with("extra", number as i64 % 5)
        .with("pad", pad)
        .with("weights", SparseVector::new([(number as u32 % 7, 0.5 + number as f32), (1_000, 1.0)]))
        .with("near", rng.vector(9))
        .with("codes", rng.vector(16));
    if !number.is_multiple_of(3) {
        let bits: Vec<u8> = (0..5).map(|_| rng.next() as u8).collect();
        document = document.with("flat", rng.vector(3)).with("bits", bits).with("hash", rng.vector(16));
    }
    if number % 4 < 3 {
        let several: Vec<lucerne::Value> =
            (0..number % 4 + 1).map(|_| lucerne::Value::from(rng.vector(4))).collect();
        document = document.with("several", several);
    }
    document
}

/// A document as it is in a segment.
#[derive(Clone, Debug)]
pub(crate) struct Physical {
    pub(crate) segment: &'static str,
    pub(crate) number: u32,
    pub(crate) key: String,
    /// Live in the newest commit, and in the one that is tagged.
    pub(crate) newest: bool,
    pub(crate) tagged: bool,
    /// How many vectors of each field it has.
    vectors: BTreeMap<u32, usize>,
}

/// An index of two segments, with a tag on the commit before the second one.
pub(crate) struct Sound {
    pub(crate) image: Image,
    pub(crate) docs: Vec<Physical>,
}

pub(crate) fn sound(seed: u64) -> Sound {
    let directory = MemoryDirectory::new();
    let index = IndexBuilder::new().create(Arc::new(directory.clone()), schema()).unwrap();
    let options = WriterOptions::new().threads(1).seed(seed).merge_policy(MergePolicy::None).merge_threads(0);
    let writer = index.writer_with(options).unwrap();
    let mut rng = Rng::new(seed);
    let mut docs: Vec<Physical> = Vec::new();
    let mut add = |docs: &mut Vec<Physical>, segment, numbers: &[usize], writer: &Writer| {
        for (place, &number) in (0u32..).zip(numbers) {
            let document = document(number, &mut rng);
            writer.upsert(&document).unwrap();
            let key = format!("d{number}");
            docs.iter_mut().filter(|doc| doc.key == key).for_each(|doc| doc.newest = false);
            let count = |name: &str| match document.get(name) {
                None => 0,
                Some(lucerne::Value::List(list)) if name == "several" => list.len(),
                Some(_) => 1,
            };
            let vectors = VECTORS.iter().map(|(field, name, _)| (*field, count(name))).collect();
            docs.push(Physical { segment, number: place, key, newest: true, tagged: false, vectors });
        }
    };
    let delete = |docs: &mut Vec<Physical>, keys: &[&str]| {
        for key in keys {
            assert!(writer.delete(key).unwrap());
            docs.iter_mut().filter(|doc| doc.key == *key).for_each(|doc| doc.newest = false);
        }
    };
    add(&mut docs, "_0", &(0..70).collect::<Vec<_>>(), &writer);
    writer.commit().unwrap();
    delete(&mut docs, &["d3", "d40"]);
    docs.iter_mut().for_each(|doc| doc.tagged = doc.newest);
    let data = [("source".to_owned(), "here".to_owned())].into();
    writer.prepare_commit_with(data).unwrap().commit().unwrap();
    writer.tag("v1").unwrap();
    let second: Vec<usize> = [5, 17, 60].into_iter().chain(70..110).collect();
    add(&mut docs, "_1", &second, &writer);
    writer.commit().unwrap();
    delete(&mut docs, &["d8", "d17", "d75"]);
    writer.commit().unwrap();
    drop(writer);
    Sound { image: image(&directory), docs }
}

/// What a damaged index must become.
#[derive(Debug, PartialEq)]
pub(crate) enum Fate {
    /// Documents that are lost, as they are in their segments; nothing else is.
    Lost(BTreeSet<(String, u32)>),
    /// It is not known which documents were deleted.
    Forgotten,
    /// It cannot be repaired.
    Beyond,
}

impl Sound {
    /// What becomes of the index when `file` has become `damaged`, or is not there.
    pub(crate) fn fate(&self, file: &str, damaged: Option<&[u8]>) -> Fate {
        let whole = &self.image[file];
        let damaged = damaged.unwrap_or_default();
        let zeros = std::iter::repeat(&0u8);
        let pairs = whole.iter().zip(damaged.iter().chain(zeros)).enumerate();
        let hit = pairs.filter(|(at, (old, new))| old != new || *at >= damaged.len()).map(|(at, _)| at);
        let hit: Vec<usize> = hit.collect();
        let any = |range: Range<usize>| hit.iter().any(|at| range.contains(at));
        let none = || Fate::Lost(BTreeSet::new());
        let (segment, rest) = file.split_once(['.', '_']).map_or((file, ""), |_| {
            let end = 1 + file[1..].find(['.', '_']).unwrap_or(file.len() - 1);
            file.split_at(end)
        });
        let lost =
            |docs: BTreeSet<u32>| Fate::Lost(docs.into_iter().map(|doc| (segment.to_owned(), doc)).collect());
        if is_commit(file) || file.ends_with(".si") || file.ends_with(".live") {
            // 64 bytes of header, length and checksum, the contents, in another block again, both again, 16 bytes of footer.
            let len = u32::from_le_bytes(whole[64..68].try_into().unwrap()) as usize;
            let again = (72 + len).next_multiple_of(4096);
            let (first, second) = (any(72..72 + len), any(again..again + len));
            let cut = damaged.len() != whole.len();
            let (head, tail) = (any(64..72), any(again + len..whole.len() - 16) || cut);
            let beyond = first && second || head && tail || head && first && cut;
            return match beyond {
                false => none(),
                true if file.ends_with(".live") => Fate::Forgotten,
                true => Fate::Beyond,
            };
        }
        if rest == ".stored" {
            return lost(self.of_blocks(whole, segment, &any));
        }
        let Some((field, extension)) = rest[1..].split_once('.') else { return none() };
        let field: u32 = field.parse().unwrap();
        let Some((_, _, row)) = VECTORS.into_iter().find(|(number, ..)| *number == field) else {
            return none();
        };
        let owners = self.owners(segment, field);
        // A vector is hit with the 512 bytes that it is in.
        let data = whole.len() - 80;
        let damaged_bytes = |range: Range<usize>| {
            let mut sectors = range.start / 512..=(range.end - 1) / 512;
            sectors.any(|number| any(64 + number * 512..64 + data.min((number + 1) * 512)))
        };
        match extension {
            "vec" => lost(
                (0..owners.len())
                    .filter(|at| damaged_bytes(at * row..(at + 1) * row))
                    .map(|at| owners[at])
                    .collect(),
            ),
            "sq8" if field == CODES => {
                let n = owners.len();
                let meta = Forge::new(&self.image).read(&format!("{segment}.si"));
                let of = |number: &serde_json::Value| number["field"]["number"] == field;
                let meta =
                    &meta["vectors"].as_array().unwrap().iter().find(|it| of(it)).unwrap()["structure"];
                let codes = &meta["meta"]["encoding"]["codes"];
                assert!(
                    !codes["frame"]["rotated"].is_null() && codes["versions"].as_array().unwrap().len() == 1
                );
                let correction = if codes["scale4"] == true { 12 } else { 8 };
                let dimension = 16;
                let corrections = n * dimension;
                let hits = |at: &usize| {
                    damaged_bytes(at * dimension..(at + 1) * dimension)
                        || damaged_bytes(corrections + at * correction..corrections + (at + 1) * correction)
                };
                lost((0..n).filter(hits).map(|at| owners[at]).collect())
            }
            _ => none(),
        }
    }

    fn numbers(&self, segment: &str) -> impl Iterator<Item = u32> {
        self.docs.iter().filter(move |doc| doc.segment == segment).map(|doc| doc.number)
    }

    /// The document of each vector, as the sound `.ord` file has it.
    fn owners(&self, segment: &str, field: u32) -> Vec<u32> {
        let of_segment = self.docs.iter().filter(|doc| doc.segment == segment);
        let count: usize = of_segment.map(|doc| doc.vectors[&field]).sum();
        let bytes = &self.image[&format!("{segment}.{field}.ord")][64..64 + count * 4];
        bytes.chunks_exact(4).map(|four| u32::from_le_bytes(four.try_into().unwrap())).collect()
    }

    /// The documents of damaged blocks of stored documents, by the sound file's table.
    fn of_blocks(&self, whole: &[u8], segment: &str, any: &dyn Fn(Range<usize>) -> bool) -> BTreeSet<u32> {
        let word = |at: usize| u32::from_le_bytes(whole[at..at + 4].try_into().unwrap()) as usize;
        let tail = whole.len() - 16 - 12;
        let table = tail - word(tail) * 24;
        let all = self.numbers(segment).count();
        let mut lost = BTreeSet::new();
        for entry in (table..tail).step_by(24) {
            let (start, len, first) = (word(entry), word(entry + 8), word(entry + 16));
            let end = if entry + 24 < tail { word(entry + 24 + 16) } else { all };
            if any(start..start + len) {
                lost.extend(first as u32..end as u32);
            }
        }
        lost
    }
}
