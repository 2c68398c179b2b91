//! Hostile files: what checksums cannot catch because the attacker has recomputed them.

use super::*;
use lucerne_codec::envelope::FOOTER_LEN;
use lucerne_codec::format::Written;
use lucerne_codec::testing::{Bench, reseal};
use lucerne_codec::{Cancel, Error};

const DOCS: u32 = 3;

fn written(bench: &Bench) -> Written {
    let document = |doc: DocId, into: &mut Vec<u8>| {
        into.extend(std::iter::repeat_n(b'a' + doc as u8, 10_000));
        Ok(())
    };
    StoredV1.write(&bench.write(DOCS), &mut { document }).expect("written")
}

/// Changes the table or the tail, recomputes every checksum, and opens and reads everything.
fn reread(change: impl FnOnce(&mut Vec<u8>, usize)) -> Result<Vec<usize>> {
    let bench = Bench::new();
    let mut written = written(&bench);
    let name = written.files[0].name.clone();
    let mut bytes = bench.directory.get(&name).unwrap().to_vec();
    let tail = bytes.len() - (FOOTER_LEN + TAIL_LEN) as usize;
    let blocks = u32::from_le_bytes(bytes[tail..tail + 4].try_into().unwrap());
    assert_eq!(blocks, DOCS);
    let table = tail - blocks as usize * ENTRY_LEN as usize;
    change(&mut bytes, table);
    let tail = bytes.len() - (FOOTER_LEN + TAIL_LEN) as usize;
    let table = tail - blocks as usize * ENTRY_LEN as usize;
    let crc = crc32fast::hash(&bytes[table..tail + 8]);
    bytes[tail + 8..tail + 12].copy_from_slice(&crc.to_le_bytes());
    written.files[0] = reseal(&name, &mut bytes);
    bench.directory.put(&name, bytes);
    let reader = StoredV1.open(&bench.open(DOCS, &written))?;
    let mut document = Vec::new();
    let lens = (0..DOCS).map(|doc| {
        reader.get(doc, &mut document)?;
        Ok(document.len())
    });
    let lens: Result<Vec<usize>> = lens.collect();
    let sound = lens.as_ref().is_ok_and(|lens| *lens == [10_000; 3]);
    assert_eq!(reader.verify(&Cancel::new())?.is_empty(), sound);
    lens
}

fn set(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

#[test]
fn an_impossible_table_is_refused_though_its_checksums_match() {
    assert_eq!(reread(|_, _| ()).unwrap(), [10_000; 3]);
    type Change = fn(&mut Vec<u8>, usize);
    let changes: [(&str, Change); 9] = [
        ("a bomb", |bytes, table| set(bytes, table + 12, u32::MAX)),
        ("longer than its bytes", |bytes, table| set(bytes, table + 12, 20_000)),
        ("shorter than its bytes", |bytes, table| set(bytes, table + 12, 5_000)),
        ("a gap", |bytes, table| set(bytes, table + 8, 1)),
        ("beyond the end", |bytes, table| set(bytes, table + 8, u32::MAX)),
        ("an offset far away", |bytes, table| set(bytes, table + 4, u32::MAX)),
        ("documents backwards", |bytes, table| set(bytes, table + 24 + 16, 3)),
        ("no first document", |bytes, table| set(bytes, table + 16, 1)),
        ("blocks without end", |bytes, table| set(bytes, table + 72, u32::MAX)),
    ];
    for (what, change) in changes {
        let error = reread(change).expect_err(what);
        assert!(matches!(error, Error::Corrupt { .. }), "{what}: {error}");
    }
}

#[test]
fn ends_that_lie_are_refused() {
    // The last block decompresses to the right length, but its list of ends is nonsense.
    for lie in [u32::MAX, 10_001, 9_999] {
        let mut content = vec![b'x'; 10_004];
        set(&mut content, 0, lie);
        let packed = zstd::bulk::compress(&content, LEVEL).unwrap();
        let result = reread(|bytes, table| {
            let last = table + 2 * ENTRY_LEN as usize;
            set(bytes, last + 8, packed.len() as u32);
            set(bytes, last + 20, crc32fast::hash(&packed));
            let start = u64::from_le_bytes(bytes[last..last + 8].try_into().unwrap()) as usize;
            bytes.splice(start..table, packed.iter().copied());
        });
        assert!(matches!(result, Err(Error::Corrupt { .. })) || lie == 9_999, "{lie}: {result:?}");
    }
}

#[test]
fn a_document_beyond_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let bench = Bench::new();
    let at_limit = |_: DocId, into: &mut Vec<u8>| {
        into.resize(MAX_DOCUMENT, 7);
        Ok(())
    };
    let written = StoredV1.write(&bench.write(1), &mut { at_limit }).unwrap();
    let reader = StoredV1.open(&bench.open(1, &written)).unwrap();
    let mut document = Vec::new();
    reader.get(0, &mut document).unwrap();
    assert!(document.len() == MAX_DOCUMENT && document.iter().all(|&byte| byte == 7));
    assert!(matches!(reader.get(1, &mut document), Err(Error::Invalid(_))));

    let beyond = |_: DocId, into: &mut Vec<u8>| {
        into.resize(MAX_DOCUMENT + 1, 7);
        Ok(())
    };
    let error = StoredV1.write(&Bench::new().write(1), &mut { beyond }).unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error}");
}
