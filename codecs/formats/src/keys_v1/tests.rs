//! The hash is pinned; hostile tables end in errors or misses.

use super::hash::hash64;
use super::*;
use lucerne_codec::testing::{Bench, reseal};
use lucerne_codec::{Cancel, Error};

#[test]
fn the_hash_never_changes() {
    let expected = [
        ("", 0xefd0_1f60_ba99_2926),
        ("a", 0x82a2_a958_a9be_ce5b),
        ("zstd", 0xeff2_074e_8693_8bfd),
        ("Ünïcode", 0xa01a_10ae_dda0_6f5a),
    ];
    for (key, hash) in expected {
        assert_eq!(hash64(key.as_bytes()), hash, "{key:?}: {:#018x}", hash64(key.as_bytes()));
    }
}

#[test]
fn many_keys_are_found_in_few_looks_and_absent_ones_are_not() {
    let keys: Vec<String> = (0..20_000).map(|n| format!("package-{n}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let bench = Bench::new();
    let written = KeysV1.write(&bench.write(20_000), &keys).unwrap();
    let reader = KeysV1.open(&bench.open(20_000, &written)).unwrap();
    for (doc, key) in (0..).zip(&keys) {
        let mut found = Vec::new();
        reader.find(key, &mut |doc| found.push(doc)).unwrap();
        assert_eq!(found, [doc]);
        let absent = format!("{key}x");
        reader.find(&absent, &mut |_| panic!("{absent} found")).unwrap();
    }
}

#[test]
fn a_table_in_disorder_ends_in_an_answer_or_an_error() {
    let keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let n = keys.len() as u32;
    let table = 80 + 8 * (keys.len() + 1);
    let entry_len = ENTRY_LEN as usize;
    // All entries the same, then reversed; checksums recomputed in both.
    let changes: [fn(&mut [u8]); 3] = [
        |entries| {
            let (first, rest) = entries.split_at_mut(ENTRY_LEN as usize);
            rest.chunks_mut(ENTRY_LEN as usize).for_each(|entry| entry.copy_from_slice(first));
        },
        |entries| {
            let all: Vec<Vec<u8>> = entries.chunks(ENTRY_LEN as usize).map(<[u8]>::to_vec).collect();
            entries.copy_from_slice(&all.into_iter().rev().collect::<Vec<_>>().concat());
        },
        |entries| {
            for entry in entries.chunks_mut(ENTRY_LEN as usize) {
                entry[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
                let crc = crc32fast::hash(&entry[..12]);
                entry[12..].copy_from_slice(&crc.to_le_bytes());
            }
        },
    ];
    for change in changes {
        let bench = Bench::new();
        let mut written = KeysV1.write(&bench.write(n), &keys).unwrap();
        let name = written.files[0].name.clone();
        let mut bytes = bench.directory.get(&name).unwrap().to_vec();
        change(&mut bytes[table..table + entry_len * keys.len()]);
        written.files[0] = reseal(&name, &mut bytes);
        bench.directory.put(&name, bytes);
        let reader = KeysV1.open(&bench.open(n, &written)).unwrap();
        for key in keys {
            let mut found = Vec::new();
            let result = reader.find(key, &mut |doc| found.push(doc));
            assert!(found.iter().all(|&doc| keys[doc as usize] == key));
            assert!(result.is_ok() || matches!(result, Err(Error::Corrupt { .. })));
        }
        assert!(!reader.verify(&Cancel::new()).unwrap().is_empty());
    }
}

#[test]
fn keys_are_limited_in_length_and_must_be_one_per_document() {
    let longest = "k".repeat(MAX_KEY);
    let bench = Bench::new();
    let written = KeysV1.write(&bench.write(1), &[&longest]).unwrap();
    let reader = KeysV1.open(&bench.open(1, &written)).unwrap();
    assert_eq!(reader.key(0).unwrap(), longest);
    assert!(matches!(reader.key(1), Err(Error::Invalid(_))));

    let longer = format!("{longest}k");
    assert!(matches!(KeysV1.write(&Bench::new().write(1), &[&longer]), Err(Error::Invalid(_))));
    assert!(matches!(KeysV1.write(&Bench::new().write(2), &["one"]), Err(Error::Invalid(_))));
}
