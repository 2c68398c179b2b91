//! What every format of keys must do.

use crate::envelope::FileEntry;
use crate::format::{OpenContext, Written};
use crate::keys::{KeysFormat, KeysReader};
use crate::testing::{Bench, Verdict, check_damage};
use crate::{BitSet, Cancel, DocId, Error, Result};

/// Runs the whole suite; panics where the format breaks a promise.
pub fn check_keys_format(format: &dyn KeysFormat) {
    keys_come_back(format);
    misuse_is_refused(format);
    damage_is_noticed(format);
}

fn write(format: &dyn KeysFormat, bench: &Bench, keys: &[&str]) -> Written {
    let context = bench.write(keys.len() as u32);
    format.write(&context, keys).expect("written")
}

fn find(reader: &dyn KeysReader, key: &str) -> Result<Vec<DocId>> {
    let mut found = Vec::new();
    reader.find(key, &mut |doc| found.push(doc))?;
    found.sort_unstable();
    Ok(found)
}

fn keys_come_back(format: &dyn KeysFormat) {
    let long = "l".repeat(65_535);
    let numbered: Vec<String> = (0..3_000).map(|n| format!("key-{}", n % 2_500)).collect();
    let mut many: Vec<&str> = numbered.iter().map(String::as_str).collect();
    many.extend(["", "ü", "日本", "\0", &long, "ü"]);
    for keys in [&many[..], &many[..1], &[""], &["same"; 100]] {
        let (bench, again) = (Bench::new(), Bench::new());
        let written = write(format, &bench, keys);
        let reader = format.open(&bench.open(keys.len() as u32, &written)).expect("opened");
        let mut expected = std::collections::BTreeMap::<&str, Vec<DocId>>::new();
        for (doc, key) in (0..).zip(keys) {
            assert_eq!(reader.key(doc).expect("a key"), *key);
            expected.entry(key).or_default().push(doc);
        }
        for (key, docs) in expected {
            assert_eq!(find(&*reader, key).expect("found"), docs, "{key:?}");
        }
        for (left, right) in (0..).zip(1..).take(keys.len().saturating_sub(1)) {
            let order = reader.key(left).expect("a key").cmp(reader.key(right).expect("a key"));
            assert_eq!(reader.order(left, right), order, "documents {left} and {right}");
        }
        check_first(&*reader, keys.len() as u32);
        for absent in ["key", "key-2500", "u", "absent", &"l".repeat(65_536)] {
            assert!(find(&*reader, absent).expect("no error").is_empty());
        }
        assert!(reader.verify(&Cancel::new()).expect("verified").is_empty());
        assert!(reader.inspect().is_object());
        write(format, &again, keys);
        assert!(bench.directory.files() == again.directory.files(), "the same bytes twice");
    }
}

/// The first documents of a set are those of a sort.
fn check_first(reader: &dyn KeysReader, max_doc: u32) {
    for (step, count) in [(1, 0), (1, 1), (1, 10), (3, 7), (2, usize::MAX)] {
        let mut set = BitSet::empty(max_doc);
        (0..max_doc).step_by(step).for_each(|doc| _ = set.insert(doc));
        let mut sorted: Vec<DocId> = set.iter().collect();
        sorted.sort_by(|left, right| reader.order(*left, *right).then(left.cmp(right)));
        sorted.truncate(count);
        let mut first = reader.first(&set, count, &Cancel::new()).expect("not stopped");
        first.sort_by(|left, right| reader.order(*left, *right).then(left.cmp(right)));
        assert_eq!(first, sorted, "the first {count} of every {step}th document");
    }
}

fn misuse_is_refused(format: &dyn KeysFormat) {
    let bench = Bench::new();
    let written = write(format, &bench, &["a", "b"]);
    let reader = format.open(&bench.open(2, &written)).expect("opened");
    assert!(reader.key(2).is_err() && reader.key(u32::MAX).is_err());
    let stop = Cancel::new();
    stop.cancel();
    assert!(matches!(reader.verify(&stop), Err(Error::Cancelled)));
    let refused = |context: OpenContext<'_>| format.open(&context).err().expect("refused");
    refused(bench.open(3, &written));
    refused(bench.open(2, &Written::default()));
    refused(OpenContext { segment_id: Bench::OTHER, ..bench.open(2, &written) });
    assert!(format.write(&Bench::new().write(3), &["a", "b"]).is_err());
}

fn damage_is_noticed(format: &dyn KeysFormat) {
    let keys = ["vim", "", "zstd", "vim", "größe"];
    let bench = Bench::new();
    let written = write(format, &bench, &keys);
    for (index, entry) in written.files.iter().enumerate() {
        check_damage(&bench.directory, entry, &|entry: &FileEntry| {
            let mut written = written.clone();
            written.files[index] = entry.clone();
            read(format, &bench, &written, &keys)
        });
    }
}

fn read(format: &dyn KeysFormat, bench: &Bench, written: &Written, keys: &[&str]) -> Result<Verdict> {
    let reader = format.open(&bench.open(keys.len() as u32, written))?;
    reader.verify(&Cancel::new())?;
    let mut right = find(&*reader, "absent")?.is_empty();
    for (doc, key) in (0..).zip(keys) {
        right &= reader.key(doc)? == *key;
        let expected = (0..).zip(keys).filter(|(_, other)| *other == key);
        right &= find(&*reader, key)?.into_iter().eq(expected.map(|(doc, _)| doc));
    }
    Ok(if right { Verdict::Right } else { Verdict::Wrong })
}
