//! Fuzzing of stored documents and keys.

use super::{FORMATS, Plan, body_of, number, put, set};
use lucerne::codec::envelope::NO_FIELD;
use lucerne::codec::format::Written;
use lucerne::codec::testing::Bench;
use lucerne::codec::{Cancel, Metadata};
use std::sync::LazyLock;

pub(super) fn sound_stored() -> Vec<u8> {
    let bench = Bench::new();
    let mut next = |doc: u32, into: &mut Vec<u8>| {
        into.extend_from_slice(
            format!("{{\"id\":\"{doc}\",\"t\":\"{}\"}}", "ab".repeat(doc as usize)).as_bytes(),
        );
        Ok(())
    };
    FORMATS.default_stored().unwrap().write(&bench.write(7), &mut next).unwrap();
    body_of(&bench.directory, "_0.stored")
}

/// Stored documents: blocks and table, or the decompressed content of one block.
pub(crate) fn stored(data: &[u8]) {
    static SOUND: LazyLock<Vec<u8>> = LazyLock::new(sound_stored);
    let Some((plan, data)) = Plan::split(data) else { return };
    let mut body = match plan.choice(2) {
        0 => plan.body(data, &SOUND),
        _ => one_block(data),
    };
    if plan.fix() {
        fix_stored(&mut body);
    }
    let max_doc = body.len().checked_sub(8).and_then(|at| number(&body, at)).unwrap_or(1);
    let bench = Bench::new();
    let entry = put(&bench.directory, "_0.stored", "stored", Bench::ID, NO_FIELD, &body);
    let written = Written { files: vec![entry], meta: Metadata::Null };
    let Ok(reader) = FORMATS.default_stored().unwrap().open(&bench.open(max_doc, &written)) else { return };
    let mut document = Vec::new();
    for doc in (0..max_doc.min(40)).chain(max_doc.saturating_sub(3)..max_doc).chain([max_doc, u32::MAX]) {
        let _ = reader.get(doc, &mut document);
    }
    let _ = reader.inspect();
    let _ = reader.verify(&Cancel::new()).unwrap();
}

/// A body of one block with this content; its first byte says how many documents there are.
fn one_block(content: &[u8]) -> Vec<u8> {
    let Some((&docs, content)) = content.split_first() else { return Vec::new() };
    let mut body = zstd::bulk::compress(content, 1).unwrap();
    let packed = body.len() as u32;
    body.extend_from_slice(&64u64.to_le_bytes());
    for word in [packed, content.len() as u32, 0, 0, 1, u32::from(docs), 0] {
        body.extend_from_slice(&word.to_le_bytes());
    }
    fix_stored(&mut body);
    body
}

/// Makes the checksums of blocks and table right, as far as they are where the body says.
fn fix_stored(body: &mut [u8]) {
    let Some(tail) = body.len().checked_sub(12) else { return };
    let blocks = number(body, tail).unwrap_or(0) as usize;
    let Some(table) = blocks.checked_mul(24).and_then(|len| tail.checked_sub(len)) else { return };
    for at in (table..tail).step_by(24) {
        let start = u64::from_le_bytes(body[at..at + 8].try_into().unwrap()).wrapping_sub(64) as usize;
        let end = start.saturating_add(number(body, at + 8).unwrap_or(0) as usize);
        if let Some(packed) = body.get(start..end) {
            let crc = crc32fast::hash(packed);
            set(body, at + 20, crc);
        }
    }
    let crc = crc32fast::hash(&body[table..tail + 8]);
    set(body, tail + 8, crc);
}

pub(super) fn sound_keys() -> Vec<u8> {
    let bench = Bench::new();
    let keys = ["vim", "", "größe", "vim", "emacs", "a", "b", "c"];
    FORMATS.default_keys().unwrap().write(&bench.write(8), &keys).unwrap();
    body_of(&bench.directory, "_0.keys")
}

/// Keys.
pub(crate) fn keys(data: &[u8]) {
    static SOUND: LazyLock<Vec<u8>> = LazyLock::new(sound_keys);
    let Some((plan, data)) = Plan::split(data) else { return };
    let mut body = plan.body(data, &SOUND);
    if plan.fix() {
        fix_keys(&mut body);
    }
    let max_doc = number(&body, 0).unwrap_or(1);
    let bench = Bench::new();
    let entry = put(&bench.directory, "_0.keys", "keys", Bench::ID, NO_FIELD, &body);
    let written = Written { files: vec![entry], meta: Metadata::Null };
    let Ok(reader) = FORMATS.default_keys().unwrap().open(&bench.open(max_doc, &written)) else { return };
    let mut found = Vec::new();
    for doc in (0..max_doc.min(40)).chain([max_doc.saturating_sub(1), max_doc, u32::MAX]) {
        if let Ok(key) = reader.key(doc) {
            let _ = reader.find(key, &mut |doc| found.push(doc));
        }
    }
    for key in ["vim", "", "größe", "none"] {
        let _ = reader.find(key, &mut |doc| found.push(doc));
    }
    assert!(found.iter().all(|&doc| doc < max_doc));
    let _ = reader.inspect();
    let _ = reader.verify(&Cancel::new()).unwrap();
}

/// Makes the checksums of entries and keys right, as far as they are where the body says.
fn fix_keys(body: &mut [u8]) {
    let n = number(body, 0).unwrap_or(0) as usize;
    let (entries, checksums, keys) = (16 + 8 * (n + 1), 16 + 8 * (n + 1) + 16 * n, 16 + 8 * (n + 1) + 20 * n);
    if body.len() < keys {
        return;
    }
    let len = (body.len() - keys) as u64;
    body[4..8].fill(0);
    body[8..16].copy_from_slice(&len.to_le_bytes());
    for doc in 0..n {
        let at = entries + 16 * doc;
        let crc = crc32fast::hash(&body[at..at + 12]);
        set(body, at + 12, crc);
        let start = |doc: usize| u64::from_le_bytes(body[16 + 8 * doc..24 + 8 * doc].try_into().unwrap());
        let range =
            (start(doc) as usize).saturating_add(keys)..(start(doc + 1) as usize).saturating_add(keys);
        if let Some(key) = body.get(range) {
            let crc = crc32fast::hash(&[&(doc as u32).to_le_bytes(), key].concat());
            set(body, checksums + 4 * doc, crc);
        }
    }
}
