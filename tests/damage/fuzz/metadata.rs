//! Fuzzing of envelopes, commits, segment infos and live docs.

use super::{FORMATS, Plan, number, put, set, twice};
use lucerne::codec::envelope::{self, Expected, NO_FIELD};
use lucerne::codec::format::Written;
use lucerne::codec::testing::{Bench, MemoryDirectory, reseal};
use lucerne::codec::{Cancel, Directory, Input, Metadata, SegmentId};
use lucerne::index::IndexBuilder;
use lucerne::{Knn, admin};
use std::sync::Arc;

/// The bytes as a whole file: as they are, then with header and footer made right.
pub(crate) fn envelope(data: &[u8]) {
    let expected = Expected { format: "keys", versions: (1, 2), segment: Bench::ID, field: NO_FIELD };
    let look = |bytes: Vec<u8>| {
        let len = bytes.len() as u64;
        let directory = MemoryDirectory::new();
        directory.put("_0.keys", bytes);
        if let Ok((input, version)) = envelope::open_checked(&directory, "_0.keys", expected) {
            assert!((1..=2).contains(&version) && len >= 80);
            let body = envelope::body(&input).unwrap();
            assert_eq!(body.len() as u64 + 80, len);
            let _ = envelope::verify_checksum(&input);
        }
    };
    look(data.to_vec());
    if data.len() >= 80 {
        let mut sealed = data.to_vec();
        reseal("_0.keys", &mut sealed);
        look(sealed.clone());
        sealed[..4].copy_from_slice(b"LCRN");
        let footer = sealed.len() - 16;
        sealed[footer..footer + 4].copy_from_slice(b"NRCL");
        reseal("_0.keys", &mut sealed);
        look(sealed);
    }
    // Offsets and lengths from a file.
    let input = Input::new("_0.keys", Arc::new(data.to_vec()));
    let mut cursor = input.cursor(0);
    while let (Ok(offset), Ok(len)) = (cursor.u64(), cursor.u64()) {
        if let Ok(slice) = input.slice(offset, len) {
            assert_eq!(slice.len() as u64, len);
        }
        let _ = input.sub(offset, len).map(|part| part.cursor(len).count(offset));
        let _ = input.cursor(offset).take(len);
    }
}

/// A commit's JSON: read alone, and opened and checked as the only file of an index.
pub(crate) fn commit(data: &[u8]) {
    let directory = MemoryDirectory::new();
    put(&directory, "segments_1", "commit", SegmentId([0; 16]), NO_FIELD, &twice(data));
    if let Ok(commit) = FORMATS.commit.read(&directory, "segments_1", 1) {
        let again = MemoryDirectory::new();
        FORMATS.commit.write(&again, "segments_1", &commit).unwrap();
        assert_eq!(FORMATS.commit.read(&again, "segments_1", 1).unwrap(), commit);
    }
    let directory: Arc<dyn Directory> = Arc::new(directory);
    if let Ok(index) = IndexBuilder::new().open(Arc::clone(&directory))
        && let Ok(searcher) = index.searcher()
    {
        for field in searcher.schema().vector_fields() {
            let query = vec![0.5; field.info().dimension as usize];
            let _ = searcher.search(Knn::new(field.name(), query));
        }
        let _ = searcher.get("0");
    }
    let _ = admin::check_in(IndexBuilder::new(), directory, &Cancel::new(), &());
}

/// A segment info's JSON.
pub(crate) fn segment_info(data: &[u8]) {
    let directory = MemoryDirectory::new();
    let entry = put(&directory, "_0.si", "segment_info", Bench::ID, NO_FIELD, &twice(data));
    if let Ok(info) = FORMATS.segment_info.read(&directory, &entry, Bench::ID) {
        let again = MemoryDirectory::new();
        let entry = FORMATS.segment_info.write(&again, &info, None).unwrap();
        assert_eq!(FORMATS.segment_info.read(&again, &entry, Bench::ID).unwrap(), info);
        for file in info.files() {
            assert!(!file.name.contains(['/', '\\']) && !file.name.contains(".."));
        }
    }
}

/// Live docs.
pub(crate) fn live_docs(data: &[u8]) {
    let Some((plan, data)) = Plan::split(data) else { return };
    let sound = [
        &70u32.to_le_bytes()[..],
        &[2, 0, 0, 0],
        &[1, 0, 0, 0, 0, 0, 0, 0],
        &[0xFC; 1],
        &[0xFF; 7],
        &[0x3F, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    let mut body = plan.body(data, &sound);
    let max_doc = number(&body, 0).unwrap_or(1);
    if plan.fix() && body.len() >= 16 {
        let live: u32 = body[16..].iter().map(|byte| byte.count_ones()).sum();
        set(&mut body, 4, max_doc.wrapping_sub(live));
        set(&mut body, 8, 1);
        set(&mut body, 12, 0);
    }
    let bench = Bench::new();
    let entry = put(&bench.directory, "_0_1.live", "live_docs", Bench::ID, NO_FIELD, &twice(&body));
    let written = Written { files: vec![entry], meta: Metadata::Null };
    let format = FORMATS.default_live_docs().unwrap();
    if let Ok(live) = format.read(&bench.open(max_doc, &written)) {
        assert_eq!(live.len(), max_doc);
        assert_eq!(live.iter().count(), live.count() as usize);
        assert!(live.iter().all(|doc| doc < max_doc));
    }
}
