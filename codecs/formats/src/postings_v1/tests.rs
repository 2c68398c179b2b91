//! Lists that lie end in errors; what the reader is handed need not come from its own dictionary.

use super::*;
use lucerne_codec::Error;
use lucerne_codec::postings::TermEntry;
use lucerne_codec::testing::postings_model::{ModelField, ModelPostings};
use lucerne_codec::testing::{Bench, reseal};

fn written(max_doc: u32, docs: &[(u32, Vec<u32>)]) -> (Bench, Written) {
    let bench = Bench::new();
    let fields = [(0, ModelField::of("term", max_doc, docs))].into();
    let model = ModelPostings { max_doc, fields };
    let written = PostingsV1.write(&bench.write(max_doc), &mut model.source()).unwrap();
    (bench, written)
}

#[test]
fn a_frequency_beyond_all_positions_is_an_error() {
    let (bench, mut written) = written(2, &[(0, (0..130).collect()), (1, vec![7])]);
    let name = written.files[1].name.clone();
    let mut bytes = bench.directory.get(&name).unwrap().to_vec();
    assert_eq!(bytes[64..67], [1, 0x80, 0x01], "document 0, frequency 2 + 128");
    bytes[65..67].copy_from_slice(&[0xFF, 0x7F]);
    written.files[1] = reseal(&name, &mut bytes);
    bench.directory.put(&name, bytes);
    let reader = PostingsV1.open(&bench.open(2, &written)).unwrap();
    let field = reader.field(0).unwrap();
    let mut cursor = field.cursor(&field.term(b"term").unwrap().unwrap()).unwrap();
    assert_eq!(cursor.freq().unwrap(), 2 + 0x3FFF);
    let error = cursor.positions(&mut Vec::new()).unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    assert!(!reader.verify(&lucerne_codec::Cancel::new()).unwrap().is_empty());
}

#[test]
fn entries_from_elsewhere_are_refused_or_read_as_something() {
    let docs: Vec<_> = (0..300).map(|doc| (doc, vec![doc])).collect();
    let (bench, written) = written(300, &docs);
    let reader = PostingsV1.open(&bench.open(300, &written)).unwrap();
    let field = reader.field(0).unwrap();
    for doc_freq in [0, 1, 2, 127, 128, 299, 300, 301, u32::MAX] {
        for handle in (0..2_000).chain([u64::MAX, u64::MAX >> 1, 1 << 63]) {
            let Ok(mut cursor) = field.cursor(&TermEntry { doc_freq, handle }) else { continue };
            for target in [0, 1, 150, 299, 300, u32::MAX - 1] {
                let _ = (cursor.impact(target), cursor.seek(target), cursor.positions(&mut Vec::new()));
                let _ = cursor.advance();
            }
        }
    }
}
