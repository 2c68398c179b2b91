//! Fuzzing of sparse vectors.

use super::{FORMATS, Plan, body_of, put};
use lucerne::codec::envelope::NO_FIELD;
use lucerne::codec::format::Written;
use lucerne::codec::sparse::{BLOCK_DOCS, SparseVectors};
use lucerne::codec::testing::{Bench, ModelSparse};
use lucerne::codec::{Cancel, Metadata};
use std::sync::LazyLock;

const DOCS: u32 = 600;

/// Bodies of rows and lists.
fn sound_sparse() -> ([Vec<u8>; 2], Metadata) {
    let bench = Bench::new();
    let format = FORMATS.default_sparse().unwrap();
    let written = format.write(&bench.write(DOCS), &ModelSparse::random(DOCS, 1)).unwrap();
    ([".sparse", ".slists"].map(|name| body_of(&bench.directory, &format!("_0{name}"))), written.meta)
}

/// Sparse vectors: a body over the sound one of rows or lists, from the front or the back, or metadata about them.
pub(crate) fn sparse(data: &[u8]) {
    static SOUND: LazyLock<([Vec<u8>; 2], Metadata)> = LazyLock::new(sound_sparse);
    let Some((plan, data)) = Plan::split(data) else { return };
    let (mut bodies, mut meta) = SOUND.clone();
    let choice = plan.choice(5);
    if let Some(body) = bodies.get_mut(choice % 2).filter(|_| choice < 4) {
        let end = body.len() - data.len().min(body.len());
        let start = if choice < 2 { 0 } else { end };
        body[start..].iter_mut().zip(data).for_each(|(byte, &mask)| *byte ^= mask);
    } else {
        meta = serde_json::from_slice(data).unwrap_or_default();
    }
    let bench = Bench::new();
    let names = [("_0.sparse", "sparse_rows"), ("_0.slists", "sparse_lists")];
    let files = names.iter().zip(&bodies);
    let files =
        files.map(|((name, format), body)| put(&bench.directory, name, format, Bench::ID, NO_FIELD, body));
    let written = Written { files: files.collect(), meta };
    let format = FORMATS.default_sparse().unwrap();
    let context = bench.open(DOCS, &written);
    let _ = format.salvage(&context, &Cancel::new());
    let Ok(reader) = format.open(&context) else { return };
    let sound = reader.verify(&Cancel::new()).unwrap().is_empty();
    let _ = reader.inspect();
    for field in reader.fields().to_vec() {
        use_vectors(reader.field(field.number).expect("a field that is listed"), sound);
    }
}

fn use_vectors(vectors: &dyn SparseVectors, sound: bool) {
    let query: Vec<(u32, f32)> = (0..7).map(|dimension| (dimension, 0.5)).collect();
    let mut shared = 0;
    for doc in (0..DOCS).chain([DOCS, u32::MAX]) {
        let Ok(row) = vectors.row(doc) else {
            assert!(!sound || doc >= DOCS);
            continue;
        };
        let _ = row.dot(&query);
        shared += row.iter().filter(|(dimension, _)| *dimension < 7).count();
    }
    let mut listed = 0;
    for dimension in (0..7).chain([u32::MAX]) {
        let Ok(Some(list)) = vectors.list(dimension) else { continue };
        for block in list.blocks() {
            let (places, codes) = list.of_block(block);
            assert!(places.len() <= BLOCK_DOCS as usize && places.len() == codes.len());
            listed += if dimension < 7 { places.len() } else { 0 };
        }
    }
    assert!(!sound || shared == listed);
}

/// What fuzzing starts from.
pub(super) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let mut seeds: Vec<_> =
        (0..4u8).map(|choice| ("sparse", [&[choice << 2][..], &[0; 60]].concat())).collect();
    seeds.push(("sparse", [&[4u8 << 2][..], sound_sparse().1.to_string().as_bytes()].concat()));
    seeds
}
