//! What every format of stored documents must do.

use crate::envelope::FileEntry;
use crate::format::{OpenContext, Written};
use crate::stored::{StoredFormat, StoredReader};
use crate::testing::{Bench, Verdict, check_damage};
use crate::{Cancel, DocId, DocMap, Error, MergeInput, Result};

/// Runs the whole suite; panics where the format breaks a promise.
pub fn check_stored_format(format: &dyn StoredFormat) {
    documents_come_back(format);
    merging_keeps_the_live(format);
    misuse_is_refused(format);
    damage_is_noticed(format);
}

/// Documents of all kinds: empty, short and repetitive, long and incompressible.
fn samples() -> Vec<Vec<u8>> {
    let mut state = 1u64;
    let mut noise = |len: usize| -> Vec<u8> {
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        std::iter::repeat_with(next).take(len).collect()
    };
    let mut documents: Vec<Vec<u8>> =
        (0..400).map(|n| format!("{{\"name\": \"package-{n}\"}}").repeat(n % 7).into_bytes()).collect();
    documents.extend([Vec::new(), noise(1 << 20), vec![0; 1 << 20], noise(1)]);
    documents.extend((16_370..16_390).map(noise));
    documents.extend(std::iter::repeat_n(Vec::new(), 10_000));
    documents
}

fn write(format: &dyn StoredFormat, bench: &Bench, documents: &[Vec<u8>]) -> Written {
    let mut turn = 0..documents.len() as DocId;
    let mut next = |doc: DocId, into: &mut Vec<u8>| {
        assert_eq!(Some(doc), turn.next(), "documents are asked for in turn");
        assert!(into.is_empty(), "documents are appended to an empty buffer");
        into.extend_from_slice(&documents[doc as usize]);
        Ok(())
    };
    let context = bench.write(documents.len() as u32);
    format.write(&context, &mut next).expect("written")
}

fn open(
    format: &dyn StoredFormat,
    bench: &Bench,
    written: &Written,
    documents: &[Vec<u8>],
) -> Box<dyn StoredReader> {
    format.open(&bench.open(documents.len() as u32, written)).expect("opened")
}

fn expect(reader: &dyn StoredReader, documents: &[Vec<u8>]) {
    let mut document = b"left over".to_vec();
    for (doc, expected) in (0..).zip(documents) {
        reader.get(doc, &mut document).expect("a document");
        assert!(document == *expected, "document {doc} is another");
    }
    for step in [7, 1_009] {
        for doc in (0..documents.len()).rev().step_by(step) {
            reader.get(doc as DocId, &mut document).expect("a document");
            assert!(document == documents[doc], "document {doc} is another, backwards");
        }
    }
    assert!(reader.verify(&Cancel::new()).expect("verified").is_empty());
    assert!(reader.inspect().is_object());
}

fn documents_come_back(format: &dyn StoredFormat) {
    let samples = samples();
    for documents in [&samples[..], &samples[..1], &samples[3..4]] {
        let (bench, again) = (Bench::new(), Bench::new());
        let written = write(format, &bench, documents);
        let reader = open(format, &bench, &written, documents);
        expect(&*reader, documents);
        std::thread::scope(|scope| {
            (0..3).for_each(|_| {
                scope.spawn(|| expect(&*reader, documents));
            });
        });
        write(format, &again, documents);
        assert!(bench.directory.files() == again.directory.files(), "the same bytes twice");
    }
}

fn merging_keeps_the_live(format: &dyn StoredFormat) {
    let samples = samples();
    let sources = [&samples[..300], &samples[300..301], &samples[301..]];
    for keep in [1usize, 2, 97] {
        let mut live = Vec::new();
        let mut opened = Vec::new();
        for documents in sources {
            let bench = Bench::new();
            let written = write(format, &bench, documents);
            let map = DocMap::new(documents.iter().enumerate().map(|(doc, bytes)| {
                doc.is_multiple_of(keep).then(|| {
                    live.push(bytes.clone());
                    live.len() as DocId - 1
                })
            }));
            opened.push((open(format, &bench, &written, documents), map));
        }
        let sources: Vec<_> = opened
            .iter()
            .map(|(reader, docs)| MergeInput { segment: "_s", reader: Some(&**reader), docs })
            .collect();
        let bench = Bench::new();
        let written = format.merge(&bench.write(live.len() as u32), &sources);
        let written = written.expect("merged");
        expect(&*open(format, &bench, &written, &live), &live);

        let bench = Bench::new();
        let wrong = format.merge(&bench.write(live.len() as u32 + 1), &sources);
        assert!(matches!(wrong, Err(Error::Invalid(_))), "documents are counted");
        let bench = Bench::new();
        bench.cancel.cancel();
        let cancelled = format.merge(&bench.write(live.len() as u32), &sources);
        assert!(matches!(cancelled, Err(Error::Cancelled)), "a merge can be cancelled");
    }
}

fn misuse_is_refused(format: &dyn StoredFormat) {
    let documents = &samples()[..9];
    let bench = Bench::new();
    let written = write(format, &bench, documents);
    let reader = open(format, &bench, &written, documents);
    for doc in [9, u32::MAX] {
        assert!(reader.get(doc, &mut Vec::new()).is_err(), "no document {doc}");
    }
    let stop = Cancel::new();
    stop.cancel();
    assert!(matches!(reader.verify(&stop), Err(Error::Cancelled)));
    let refused = |context: OpenContext<'_>| format.open(&context).err().expect("refused");
    refused(bench.open(8, &written));
    refused(bench.open(9, &Written::default()));
    refused(OpenContext { segment_id: Bench::OTHER, ..bench.open(9, &written) });
    let failing = &mut |_: DocId, _: &mut Vec<u8>| Err(Error::Invalid("no".to_owned()));
    assert!(matches!(format.write(&Bench::new().write(3), failing), Err(Error::Invalid(no)) if no == "no"));
}

fn damage_is_noticed(format: &dyn StoredFormat) {
    let documents: Vec<Vec<u8>> =
        [&b"one"[..], b"", b"three three three three three"].map(<[u8]>::to_vec).to_vec();
    let bench = Bench::new();
    let written = write(format, &bench, &documents);
    for (index, entry) in written.files.iter().enumerate() {
        check_damage(&bench.directory, entry, &|entry: &FileEntry| {
            let mut written = written.clone();
            written.files[index] = entry.clone();
            read(format, &bench, &written, &documents)
        });
    }
}

fn read(
    format: &dyn StoredFormat,
    bench: &Bench,
    written: &Written,
    documents: &[Vec<u8>],
) -> Result<Verdict> {
    let reader = format.open(&bench.open(documents.len() as u32, written))?;
    reader.verify(&Cancel::new())?;
    let mut verdict = Verdict::Right;
    let mut document = Vec::new();
    for (doc, expected) in (0..).zip(documents) {
        reader.get(doc, &mut document)?;
        if document != *expected {
            verdict = Verdict::Wrong;
        }
    }
    Ok(verdict)
}
