//! Fuzzing of postings.

use super::{FORMATS, Plan, body_of, put};
use lucerne::codec::envelope::NO_FIELD;
use lucerne::codec::format::{OpenContext, Written};
use lucerne::codec::postings::{FieldPostings, FoundTerms, NO_MORE_DOCS, OneEdit, TermEntry};
use lucerne::codec::testing::postings_model::{ModelField, ModelPostings, Random};
use lucerne::codec::testing::{Bench, MemoryDirectory};
use lucerne::codec::{Cancel, Metadata};
use std::sync::LazyLock;

const POSTINGS_DOCS: u32 = 300;
/// Files with the format names in their headers.
const FILES: [(&str, &str); 4] =
    [("_0.terms", "terms"), ("_0.post", "postings"), ("_0.pos", "positions"), ("_0.len", "lengths")];

/// A field with positions and one without, with lists of all lengths.
fn sound_postings() -> (MemoryDirectory, Written) {
    let bench = Bench::new();
    let mut random = Random(1);
    let fields = [true, false].map(|positions| {
        let mut field = ModelField::random(&mut random, POSTINGS_DOCS, 40, positions);
        let positions = |doc: u32| if positions { vec![doc, doc + 3] } else { vec![] };
        field.terms.insert(b"most".to_vec(), (0..290).map(|doc| (doc, positions(doc))).collect());
        (u32::from(!field.positions), field)
    });
    let model = ModelPostings { max_doc: POSTINGS_DOCS, fields: fields.into() };
    let format = FORMATS.default_postings().unwrap();
    let written = format.write(&bench.write(POSTINGS_DOCS), &mut model.source()).unwrap();
    (bench.directory, written)
}

/// Postings: the input over part of one of the sound files, in its place, or as the metadata about them.
pub(crate) fn postings(data: &[u8]) {
    static SOUND: LazyLock<(MemoryDirectory, Written)> = LazyLock::new(sound_postings);
    let Some((plan, data)) = Plan::split(data) else { return };
    let (sound, mut written) = SOUND.clone();
    let directory = MemoryDirectory::new();
    sound.files().into_iter().for_each(|(name, bytes)| directory.put(&name, bytes.to_vec()));
    match FILES.get(plan.choice(FILES.len() + 1)) {
        None => written.meta = serde_json::from_slice(data).unwrap_or_default(),
        Some((name, format)) => {
            let mut body = body_of(&sound, name);
            if plan.overlay() {
                // What lies far behind is reached with few bytes: the first two say where the rest goes.
                let [low, high, mask @ ..] = data else { return };
                let start = usize::from(u16::from_le_bytes([*low, *high])) % body.len();
                body[start..].iter_mut().zip(mask).for_each(|(byte, &mask)| *byte ^= mask);
            } else {
                body = data.to_vec();
            }
            let entry = put(&directory, name, format, Bench::ID, NO_FIELD, &body);
            let place = written.files.iter().position(|file| file.name == *name).unwrap();
            written.files[place] = entry;
        }
    }
    let context = OpenContext {
        directory: &directory,
        segment_id: Bench::ID,
        max_doc: POSTINGS_DOCS,
        files: &written.files,
        meta: &written.meta,
    };
    let Ok(reader) = FORMATS.default_postings().unwrap().open(&context) else { return };
    let sound = reader.verify(&Cancel::new()).unwrap().is_empty();
    let _ = reader.inspect();
    for field in reader.fields() {
        use_terms(reader.field(field.number).unwrap(), sound);
    }
}

fn use_terms(field: &dyn FieldPostings, sound: bool) {
    for (word, handle) in [("most", 64), ("", 100), ("t1", 1_000), ("zzz", u64::MAX)] {
        let found = field.term(word.as_bytes());
        assert!(found.is_ok() || !sound);
        // An entry need not come from the dictionary it is used with.
        for doc_freq in [1, 127, 290] {
            use_list(field, &TermEntry { doc_freq, handle }, false);
        }
        use_near(field, word, sound);
        if let Ok(mut terms) = field.terms(word.as_bytes()) {
            assert!(
                terms.next().is_ok_and(|next| next.is_none_or(|next| next.0 >= word.as_bytes())) || !sound
            );
        }
    }
    let Ok(mut terms) = field.terms(&[]) else { return };
    let mut before: Option<Vec<u8>> = None;
    while let Ok(Some((term, entry))) = terms.next() {
        assert!(before.is_none_or(|before| *before < *term), "terms ascend");
        before = Some(term.to_vec());
        assert!(!sound || field.term(term).unwrap() == Some(entry));
        if let Ok(word) = std::str::from_utf8(term) {
            let near = use_near(field, word, sound);
            assert!(!sound || near.is_none_or(|near| near.contains(&(term.to_vec(), entry))));
        }
        use_list(field, &entry, sound);
    }
}

/// Terms within an edit ascend.
fn use_near(field: &dyn FieldPostings, word: &str, sound: bool) -> Option<FoundTerms> {
    let near = field.one_edit_from(word, OneEdit { fixed: word.chars().count() / 2, swaps: true });
    assert!(near.is_ok() || !sound);
    let near = near.ok()??;
    assert!(near.is_sorted_by(|left, right| left.0 < right.0), "terms ascend");
    assert!(!sound || near.iter().all(|(term, entry)| field.term(term).unwrap() == Some(*entry)));
    Some(near)
}

/// Documents ascend and are bounded, in steps of some sizes, whatever the bytes are.
fn use_list(field: &dyn FieldPostings, entry: &TermEntry, sound: bool) {
    let mut positions = Vec::new();
    for step in [1, 2, 50, 200] {
        let Ok(mut cursor) = field.cursor(entry) else { return assert!(!sound) };
        let mut count = 0;
        while cursor.doc() != NO_MORE_DOCS {
            let doc = cursor.doc();
            count += 1;
            assert!(doc < POSTINGS_DOCS && (!sound || cursor.freq().is_ok_and(|freq| freq > 0)));
            let bounds = cursor.impact(doc);
            assert!(bounds.as_ref().map_or(!sound, |bounds| bounds.last_doc >= doc));
            let read = cursor.positions(&mut positions);
            assert!(read.is_ok() && positions.is_sorted() || !sound);
            let moved = if step == 1 { cursor.advance() } else { cursor.seek(doc + step) };
            let Ok(next) = moved else { return assert!(!sound) };
            assert!(next >= doc + step);
        }
        assert!(!sound || step > 1 || count == entry.doc_freq);
    }
}

/// What fuzzing starts from.
pub(super) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let (directory, written) = sound_postings();
    let mut seeds = Vec::new();
    for (choice, (name, _)) in (0u8..).zip(FILES) {
        // An overlay of nothing in two places, then the sound body as the whole input.
        seeds.push(("postings", [&[choice << 2, 0, 0][..], &[0; 60]].concat()));
        seeds.push(("postings", [&[choice << 2, 200, 2][..], &[0; 60]].concat()));
        seeds.push(("postings", [&[choice << 2 | 2][..], &body_of(&directory, name)].concat()));
    }
    let metadata: &Metadata = &written.meta;
    seeds.push(("postings", [&[4u8 << 2][..], metadata.to_string().as_bytes()].concat()));
    seeds
}
