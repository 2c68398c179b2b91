//! What every format of postings must do.

use super::postings_model::{ModelField, ModelPostings, Random};
use crate::envelope::{self, FileEntry};
use crate::format::{OpenContext, Written};
use crate::postings::{
    FieldPostings, FieldStats, Impact, NO_MORE_DOCS, PostingsFormat, PostingsReader, TermEntry,
};
use crate::testing::{Bench, Verdict, check_damage};
use crate::{BitSet, Cancel, Directory, DocId, DocMap, Error, MergeInput, Result};

/// Runs the whole suite; panics where the format breaks a promise.
pub fn check_postings_format(format: &dyn PostingsFormat) {
    for model in samples() {
        terms_come_back(format, &model);
    }
    merging_equals_writing_anew(format);
    misuse_is_refused(format);
    damage_is_noticed(format);
}

/// Segments of all kinds.
fn samples() -> Vec<ModelPostings> {
    let mut random = Random(11);
    let mut samples = vec![
        ModelPostings { max_doc: 3, ..ModelPostings::default() },
        one(1, ModelField::of("only", 1, &[(0, vec![])])),
        one(1, ModelField::of("only", 1, &[(0, vec![0])])),
        one(9, ModelField::of("", 9, &[(7, vec![u32::MAX])])),
        one(9, ModelField::of("empty", 9, &[])),
    ];
    for docs in [2, 127, 128, 129, 256, 257, 128 * 70 + 5] {
        let step = |doc: u32| doc * 3 + doc % 3;
        let keyword: Vec<_> = (0..docs).map(|doc| (step(doc), vec![])).collect();
        samples.push(one(step(docs) + 1, ModelField::of("keyword", step(docs) + 1, &keyword)));
        let text: Vec<_> = (0..docs).map(|doc| (step(doc), (0..1 + doc % 5).collect())).collect();
        samples.push(one(step(docs) + 1, ModelField::of("word", step(docs) + 1, &text)));
    }
    let far: Vec<_> = (0..130).map(|doc| (if doc < 64 { doc } else { doc + 200_000_000 }, vec![])).collect();
    samples.push(one(200_000_200, ModelField::of("far", 0, &far)));
    let often =
        [(0, (0..1_000).map(|at| at * 70_000).collect()), (1, vec![5, 5, 9]), (2, (0..128).collect())];
    samples.push(one(3, ModelField::of("often", 3, &often)));
    let mut long = ModelField::of("x", 4, &[(2, vec![])]);
    long.terms.insert(vec![b'x'; 60_000], vec![(0, vec![]), (3, vec![])]);
    long.terms.insert(vec![0xFF; 300], vec![(1, vec![])]);
    samples.push(one(4, long));
    for (max_doc, terms) in [(40, 10), (700, 300), (3_000, 4_000)] {
        let mut model = ModelPostings { max_doc, ..ModelPostings::default() };
        for (number, positions) in [(0, true), (3, false), (4, true)] {
            model.fields.insert(number, ModelField::random(&mut random, max_doc, terms, positions));
        }
        samples.push(model);
    }
    samples
}

fn one(max_doc: u32, field: ModelField) -> ModelPostings {
    ModelPostings { max_doc, fields: [(5, field)].into() }
}

fn write(format: &dyn PostingsFormat, bench: &Bench, model: &ModelPostings) -> Written {
    format.write(&bench.write(model.max_doc), &mut model.source()).expect("written")
}

fn terms_come_back(format: &dyn PostingsFormat, model: &ModelPostings) {
    let (bench, again) = (Bench::new(), Bench::new());
    let written = write(format, &bench, model);
    write(format, &again, model);
    assert!(bench.directory.files() == again.directory.files(), "the same bytes twice");
    let reader = format.open(&bench.open(model.max_doc, &written)).expect("opened");
    assert!(reader.inspect().is_object());
    assert_eq!(reader.verify(&Cancel::new()).expect("verified"), []);
    let model = model.clone().written();
    assert!(reader.fields().iter().map(|field| field.number).eq(model.fields.keys().copied()));
    for (number, expected) in &model.fields {
        let listed = reader.fields().iter().find(|field| field.number == *number).expect("the field");
        assert_eq!((&*listed.name, listed.positions), (&*format!("field {number}"), expected.positions));
        check_field(reader.field(*number).expect("the field"), expected, model.max_doc);
    }
    assert!(reader.field(77).is_none());
}

fn check_field(field: &dyn FieldPostings, expected: &ModelField, max_doc: u32) {
    let docs: std::collections::BTreeSet<DocId> =
        expected.terms.values().flatten().map(|(doc, _)| *doc).collect();
    let with_tokens = expected.lengths.iter().filter(|&&length| length > 0).count();
    let stats = FieldStats {
        docs: if expected.positions { with_tokens } else { docs.len() } as u32,
        terms: expected.terms.len() as u64,
        tokens: expected.lengths.iter().map(|&length| u64::from(length)).sum(),
    };
    assert_eq!(field.stats(), stats);
    for doc in (0..max_doc.min(5_000)).chain([max_doc, u32::MAX]) {
        assert_eq!(field.lengths().get(doc), expected.lengths.get(doc as usize).copied().unwrap_or(0));
    }
    let mut entries: Vec<(Vec<u8>, TermEntry)> = Vec::new();
    let mut terms = field.terms(&[]).expect("terms");
    while let Some((term, entry)) = terms.next().expect("a term") {
        entries.push((term.to_vec(), entry));
    }
    assert!(terms.next().expect("the end again").is_none());
    assert!(entries.iter().map(|(term, _)| term).eq(expected.terms.keys()));
    let step = 1 + entries.len() / 500;
    for (at, (term, entry)) in entries.iter().enumerate() {
        let docs = &expected.terms[term];
        assert_eq!(entry.doc_freq as usize, docs.len());
        assert_eq!(field.term(term).expect("looked up"), Some(*entry), "{term:?}");
        if !at.is_multiple_of(step) {
            continue;
        }
        let longer = [term, &b"\0"[..]].concat();
        let shorter = term.split_last().map_or(&[][..], |(_, rest)| rest);
        for other in [&longer, shorter] {
            let known = expected.terms.contains_key(other);
            assert_eq!(field.term(other).expect("looked up").is_some(), known, "{other:?}");
            let mut from = field.terms(other).expect("terms");
            let next = expected.terms.range(other.to_vec()..).next().map(|(term, _)| term.as_slice());
            assert_eq!(from.next().expect("a term").map(|(term, _)| term), next);
        }
        check_docs(field, entry, docs, expected.positions);
        check_bounds(field, entry, docs);
    }
    assert!(field.term(&[0xFF; 400]).expect("looked up").is_none());
    check_skips(field, expected.terms.keys().map(Vec::as_slice).collect());
}

/// Terms passed over, near and far, to terms and between them: the next one is not beyond the target, and never one
/// that was there before.
fn check_skips(field: &dyn FieldPostings, known: Vec<&[u8]>) {
    for stride in [1, 2, 7, 31, 33, 100, 1_000] {
        let (mut terms, mut last) = (field.terms(&[]).expect("terms"), None::<Vec<u8>>);
        for &wanted in known.iter().step_by(stride) {
            for target in [wanted.split_last().map_or(wanted, |(_, rest)| rest), wanted] {
                terms.skip_to(target).expect("skipped");
            }
            if last.as_deref() >= Some(wanted) {
                continue;
            }
            loop {
                let (term, entry) = terms.next().expect("a term").expect("not beyond the target");
                assert!(last.as_deref() < Some(term) && term <= wanted, "{term:?} on the way to {wanted:?}");
                last = Some(term.to_vec());
                if term == wanted {
                    assert_eq!(field.term(wanted).expect("looked up"), Some(entry));
                    break;
                }
            }
        }
        terms.skip_to(&[0xFF; 400]).expect("skipped");
        while let Some((term, _)) = terms.next().expect("a term") {
            assert!(last.as_deref() < Some(term), "{term:?} again");
            last = Some(term.to_vec());
        }
    }
}

fn freq(positions: &[u32]) -> u32 {
    (positions.len() as u32).max(1)
}

/// Walks through a list, and seeks in it, in steps of all sizes.
fn check_docs(field: &dyn FieldPostings, entry: &TermEntry, docs: &[(DocId, Vec<u32>)], positions: bool) {
    let mut set = BitSet::empty(docs.last().map_or(0, |last| last.0 + 1));
    field.add_docs(entry, &Cancel::new(), &mut set).expect("added");
    assert!(set.iter().eq(docs.iter().map(|(doc, _)| *doc)), "the documents as a set");
    if let Some(members) = field.members(entry).expect("members") {
        let mut same = BitSet::empty(set.len());
        members.add_to(&mut same);
        assert_eq!(members.count(), set.count());
        let mut kept = BitSet::full(set.len());
        members.keep_in(&mut kept);
        assert!(kept == set, "what a set keeps");
        assert!(same == set && (0..set.len()).all(|doc| members.contains(doc) == set.contains(doc)));
        assert!(docs.iter().zip(0..).all(|((doc, _), before)| members.rank(*doc) == before));
        assert!(members.has_sound_ranks());
        let cursor = field.cursor(entry).expect("a cursor");
        for (doc, expected) in docs {
            let known = cursor.member_freq(*doc).expect("a frequency");
            assert!(known.is_none_or(|known| known == freq(expected)), "{known:?} times in {doc}");
        }
        assert_eq!(Some(cursor.doc()), docs.first().map(|first| first.0), "it stays where it is");
    }
    let mut found = Vec::new();
    let steps = [1usize, 2, 3, 100, 127, 128, 129, 1_000, 100_000];
    for step in steps.into_iter().take_while(|&step| step == 1 || step <= docs.len()) {
        for between in [0, 1] {
            let mut cursor = field.cursor(entry).expect("a cursor");
            for (at, (doc, expected)) in docs.iter().enumerate() {
                // A step of one goes by the next document in one round, by seeking in the other.
                if at % step != 0 {
                    continue;
                }
                let target = doc.saturating_sub(u32::from(between == 1 && at % 2 == 1));
                let next = docs[docs.partition_point(|other| other.0 < target)].0;
                match (step, between) {
                    (1, 0) if at > 0 => assert_eq!(cursor.advance().expect("advanced"), *doc),
                    _ => assert_eq!(cursor.seek(target).expect("found"), next),
                }
                cursor.seek(*doc).expect("found");
                assert_eq!((cursor.doc(), cursor.freq().expect("a frequency")), (*doc, freq(expected)));
                if at % 3 != 1 {
                    cursor.positions(&mut found).expect("positions");
                    assert_eq!(&found, expected, "positions in {doc}, kept: {positions}");
                }
            }
            let after = docs.last().map_or(0, |last| last.0 + 1);
            assert_eq!(cursor.seek(after).expect("the end"), NO_MORE_DOCS);
            assert_eq!(cursor.advance().expect("the end"), NO_MORE_DOCS);
        }
    }
}

fn score(freq: u32, length: u32, k1: f32, b: f32) -> f32 {
    let freq = freq as f32;
    freq / (freq + k1 * (1.0 - b + b * length as f32 / 50.0))
}

/// No document scores higher than its bounds, which say how far they reach.
fn check_bounds(field: &dyn FieldPostings, entry: &TermEntry, docs: &[(DocId, Vec<u32>)]) {
    let lengths = field.lengths();
    let bounded = |impact: &Impact, doc: DocId, positions: &[u32]| {
        for (k1, b) in [(0.0, 0.0), (1.2, 0.0), (1.2, 0.75), (1.2, 1.0), (3.0, 0.3), (100.0, 1.0)] {
            let own = score(freq(positions), lengths.get(doc), k1, b);
            let bounds = impact.pairs().iter().map(|pair| score(pair.0, pair.1, k1, b));
            let bound = bounds.fold(0.0, f32::max);
            assert!(bound >= own * (1.0 - 1e-6), "{impact:?} for document {doc} ({own})");
        }
    };
    let mut ahead = field.blocks(entry).expect("blocks");
    let whole = ahead.whole();
    let mut impact = ahead.impact(0).expect("bounds");
    for (doc, positions) in docs {
        if *doc > impact.last_doc {
            impact = ahead.impact(*doc).expect("bounds");
            assert!(impact.last_doc >= *doc && impact.last_doc != NO_MORE_DOCS);
        }
        bounded(&impact, *doc, positions);
        bounded(&whole, *doc, positions);
    }
    let last = docs.last().expect("a list has documents").0;
    assert_eq!(ahead.impact(last + 1).expect("bounds").last_doc, NO_MORE_DOCS);
    // The bounds reach to the end of the block that is loaded for the same document.
    let mut block = crate::postings::Block::default();
    let mut target = 0;
    while ahead.load(target, &mut block).expect("loaded") {
        let end = block.docs[block.len - 1];
        assert!(block.len >= 1 && end >= target && block.docs[..block.len].is_sorted_by(|a, b| a < b));
        assert_eq!(ahead.impact(target).expect("bounds").last_doc, end);
        target = end + 1;
    }
    assert_eq!(target, last + 1);
}

fn merging_equals_writing_anew(format: &dyn PostingsFormat) {
    let mut random = Random(5);
    for (max_docs, terms) in [(vec![50, 1, 30], 20), (vec![400, 300, 500], 200), (vec![900], 1_500)] {
        let mut sources = Vec::new();
        let mut next = 0;
        for max_doc in max_docs {
            let mut model = ModelPostings { max_doc, ..ModelPostings::default() };
            for (number, positions) in [(1, true), (2, false)] {
                model.fields.insert(number, ModelField::random(&mut random, max_doc, terms, positions));
            }
            if sources.len() == 1 {
                model.fields.insert(9, ModelField::of("rare", max_doc, &[(0, vec![])]));
            }
            let map = DocMap::new((0..max_doc).map(|_| {
                let lives = random.below(4) > 0;
                next += u32::from(lives);
                lives.then(|| next - 1)
            }));
            let bench = Bench::new();
            let written = write(format, &bench, &model);
            let reader = format.open(&bench.open(max_doc, &written)).expect("opened");
            sources.push((model, map, reader));
        }
        let nothing = DocMap::new((0..4).map(|_| None));
        let mut inputs: Vec<MergeInput<'_, dyn PostingsReader>> = sources
            .iter()
            .map(|(_, docs, reader)| MergeInput { segment: "_s", reader: Some(&**reader), docs })
            .collect();
        inputs.push(MergeInput { segment: "_none", reader: None, docs: &nothing });
        let bench = Bench::new();
        let merged = format.merge(&bench.write(next), &inputs).expect("merged");
        let reader = format.open(&bench.open(next, &merged)).expect("opened");
        let models: Vec<_> = sources.iter().map(|(model, map, _)| (model, map)).collect();
        let expected = ModelPostings::merged(&models, next).written();
        assert!(ModelPostings::read(&*reader, next).expect("read") == expected);
        assert_eq!(reader.verify(&Cancel::new()).expect("verified"), []);
        for (number, field) in &expected.fields {
            check_field(reader.field(*number).expect("the field"), field, next);
        }
    }
}

fn misuse_is_refused(format: &dyn PostingsFormat) {
    let bench = Bench::new();
    let model = one(4, ModelField::of("a", 4, &[(1, vec![2]), (3, vec![0, 4])]));
    let written = write(format, &bench, &model);
    let stop = Cancel::new();
    stop.cancel();
    let reader = format.open(&bench.open(4, &written)).expect("opened");
    assert!(matches!(reader.verify(&stop), Err(Error::Cancelled)));
    let refused = |context: OpenContext<'_>| format.open(&context).err().expect("refused");
    refused(bench.open(4, &Written::default()));
    refused(OpenContext { segment_id: Bench::OTHER, ..bench.open(4, &written) });
    for metadata in [serde_json::json!(null), serde_json::json!({}), serde_json::json!([1])] {
        refused(OpenContext { meta: &metadata, ..bench.open(4, &written) });
    }
    let cancelled = Bench::new();
    cancelled.cancel.cancel();
    let error = format.write(&cancelled.write(4), &mut model.source()).expect_err("cancelled");
    assert!(matches!(error, Error::Cancelled), "{error}");
    // Documents beyond the segment or out of order, positions that are missing, descending or not asked for.
    let mut wrong: Vec<ModelField> = Vec::new();
    for docs in [vec![(4, vec![1])], vec![(2, vec![1]), (2, vec![1])], vec![(2, vec![1]), (3, vec![])]] {
        wrong.push(ModelField { lengths: vec![1; 4], ..ModelField::of("a", 9, &docs) });
    }
    wrong.push(ModelField::of("a", 4, &[(0, vec![3, 2])]));
    wrong.push(ModelField { positions: false, lengths: vec![], ..ModelField::of("a", 4, &[(0, vec![1])]) });
    wrong.push(ModelField { lengths: vec![1; 3], ..ModelField::of("a", 4, &[(0, vec![1])]) });
    for field in wrong {
        let model = one(4, field);
        let result = format.write(&Bench::new().write(4), &mut model.source());
        assert!(matches!(result, Err(Error::Invalid(_))), "{model:?}: {result:?}");
    }
}

/// Damaged files are refused at opening where it shows there, and never make anything panic. Bodies are
/// covered by the checksum, which the thorough check computes.
fn damage_is_noticed(format: &dyn PostingsFormat) {
    let mut random = Random(3);
    let mut model = ModelPostings { max_doc: 150, ..ModelPostings::default() };
    let mut text = ModelField::of("in all", 150, &(0..150).map(|doc| (doc, vec![doc])).collect::<Vec<_>>());
    text.terms.insert(b"in some".to_vec(), vec![(3, vec![1, 2]), (9, vec![0])]);
    text.terms.insert(b"other".to_vec(), vec![(5, vec![0])]);
    model.fields.insert(0, text);
    model.fields.insert(1, ModelField::random(&mut random, 4, 5, false));
    let bench = Bench::new();
    let written = write(format, &bench, &model);
    let own: Vec<&str> = written.files.iter().map(|file| &*file.name).collect();
    for (position, entry) in written.files.iter().enumerate() {
        let read = |found: &FileEntry| {
            let mut files = written.files.clone();
            files[position] = found.clone();
            let reader =
                format.open(&OpenContext { files: &files, ..bench.open(model.max_doc, &written) })?;
            if found == entry {
                envelope::verify_checksum(&bench.directory.open(&entry.name)?)?;
            }
            // What is forged in one file may show in another one that it leads to.
            read_all(&*reader, &model).map_err(|error| match error {
                Error::Corrupt { file, offset, problem } if own.contains(&&*file) => {
                    Error::Corrupt { file: entry.name.clone(), offset, problem }
                }
                other => other,
            })
        };
        check_damage(&bench.directory, entry, &read);
        let whole = bench.directory.get(&entry.name).expect("the file");
        bench.directory.delete(&entry.name).expect("deleting");
        assert!(read(entry).expect_err("a missing file").is_not_found());
        bench.directory.put(&entry.name, whole.to_vec());
    }
    let mut swapped = written.clone();
    swapped.files.reverse();
    assert!(format.open(&bench.open(model.max_doc, &swapped)).is_err());
}

fn read_all(reader: &dyn PostingsReader, model: &ModelPostings) -> Result<Verdict> {
    reader.verify(&Cancel::new())?;
    for (number, expected) in &model.fields {
        let Some(field) = reader.field(*number) else { return Ok(Verdict::Wrong) };
        for term in expected.terms.keys() {
            let Some(entry) = field.term(term)? else { continue };
            let mut cursor = field.cursor(&entry)?;
            for target in (0..200).step_by(7) {
                cursor.impact(target)?;
                cursor.seek(target)?;
                if cursor.doc() != NO_MORE_DOCS {
                    cursor.positions(&mut Vec::new())?;
                }
            }
        }
    }
    if ModelPostings::read(reader, model.max_doc)? == *model {
        Ok(Verdict::Right)
    } else {
        Ok(Verdict::Wrong)
    }
}
