//! Forged files, whose checksums and lengths are right everywhere: a typed error or a bounded answer, never a panic, a hang
//! or an allocation above the bound of `trials.rs`. Also for a writer.

use crate::common::rng::Rng;
use crate::trials::{
    Forge, Image, Seen, allocation_bound, bounded, folder, look, named, seed, the_index, total,
};
use lucerne::admin::{self, RepairOptions, RepairRun};
use lucerne::codec::{Cancel, Directory};
use lucerne::directory::FsDirectory;
use lucerne::index::IndexBuilder;
use lucerne::merge::MergePolicy;
use lucerne::{Document, Error, ErrorKind, WriterOptions};
use serde_json::{Value, json};
use std::sync::Arc;

/// What a forged index led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Refused,
    Opened,
}

/// Looks at a forged index, then lets a writer loose on it. Errors must be typed and, at open, name a file
/// that was forged or one that contradicts it.
fn forged(image: &Image, what: &dyn Fn() -> String) -> (Fate, Seen) {
    let directory = folder(image);
    let seen = look(&directory, total(image), what);
    if let Err(error) = &seen.open {
        assert!(named(error).is_some(), "{}: names no file: {error} ({error:?})", what());
        return (Fate::Refused, seen);
    }
    bounded(what, || {
        let write = || -> Result<(), Error> {
            let index = IndexBuilder::new().open(Arc::new(directory.clone()))?;
            let options =
                WriterOptions::new().threads(1).seed(9).merge_policy(MergePolicy::None).merge_threads(0);
            let writer = index.writer_with(options)?;
            writer.upsert(&Document::new().with("id", "new").with("near", vec![0.5; 9]))?;
            writer.delete("24")?;
            writer.commit()?;
            writer.force_merge(1, &lucerne::codec::Cancel::new())?;
            writer.close()
        };
        drop(write());
    });
    (Fate::Opened, seen)
}

/// Values that no sound file holds, at least not there.
fn nasty() -> Vec<Value> {
    let long = "x".repeat(5_000);
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(0),
        json!(1),
        json!(65),
        json!(4_097),
        json!(u32::MAX),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e308),
        json!(-1e-320),
        json!(0.5),
        json!(""),
        json!("../x"),
        json!("/etc/passwd"),
        json!("_0.keys"),
        json!("_1.0.vec"),
        json!("..\\x"),
        json!("a\u{0}b"),
        json!("flat_f32"),
        json!("hnsw_f32"),
        json!("euclidean"),
        json!("00000000000000000000000000000000"),
        json!(long),
        json!([]),
        json!({}),
        json!([[[[]]]]),
        json!(vec![u32::MAX; 1_000]),
        json!({ "lower": 1.0, "upper": -1.0 }),
        json!({ "crc32": 0 }),
    ]
}

/// Every path to a value inside a JSON value.
fn paths(json: &Value, at: &str, found: &mut Vec<String>) {
    match json {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
            paths(value, &at, found);
            found.push(at);
        }),
        Value::Array(values) => values.iter().enumerate().for_each(|(index, value)| {
            let at = format!("{at}/{index}");
            paths(value, &at, found);
            found.push(at);
        }),
        _ => {}
    }
}

/// Every value of the metadata replaced by every nasty one, taken out, or given twice.
#[test]
#[expect(clippy::print_stdout, reason = "the figures are the point")]
fn forged_metadata_is_refused_or_bounded() {
    let image = the_index();
    let sound = Forge::new(&image);
    let commit = sound.commit_file();
    let (mut tried, mut refused) = (0, 0);
    for file in ["_0.si", "_1.si", &commit] {
        let json = sound.read(file);
        let mut places = Vec::new();
        paths(&json, "", &mut places);
        for place in &places {
            let (parent, name) = place.rsplit_once('/').unwrap();
            let changed = nasty().into_iter().map(|value| {
                let mut json = json.clone();
                *json.pointer_mut(place).unwrap() = value;
                json
            });
            let mut without = json.clone();
            let mut twice = json.clone();
            match without.pointer_mut(parent).unwrap() {
                Value::Object(fields) => drop(fields.remove(name)),
                Value::Array(values) => drop(values.remove(name.parse().unwrap())),
                _ => unreachable!(),
            }
            if let Value::Array(values) = twice.pointer_mut(parent).unwrap() {
                values.push(values[name.parse::<usize>().unwrap()].clone());
            }
            for (number, changed) in changed.chain([without, twice]).enumerate() {
                if changed == json {
                    continue;
                }
                let mut forge = sound.clone();
                forge.json(file, |json| *json = changed);
                let what = || format!("{file}: {place} forged ({number})");
                let (fate, _) = forged(&forge.image, &what);
                tried += 1;
                refused += u32::from(fate == Fate::Refused);
            }
        }
    }
    println!("{tried} forged metadata files: {refused} refused at open, the others bounded");
}

/// Each of these must be refused when the index is opened.
#[test]
fn impossible_metadata_is_refused_at_open() {
    let image = the_index();
    let commit = Forge::new(&image).commit_file();
    let si = "_0.si";
    let near = "/vectors/0/structure/meta";
    let cases: Vec<(&str, String, Value)> = vec![
        (&commit, "/segments/0/info/name".into(), json!("../_0.si")),
        (&commit, "/segments/0/info/name".into(), json!("/_0.si")),
        (&commit, "/segments/0/info/len".into(), json!(u64::MAX)),
        (&commit, "/segments/0/name".into(), json!("../_0")),
        (&commit, "/segments/0/id".into(), json!("00000000000000000000000000000000")),
        (&commit, "/segments/0/live_docs/file/name".into(), json!("_0_../x")),
        (&commit, "/segments/0/live_docs/format".into(), json!("no_such_format")),
        (&commit, "/segments/0/live_docs/deleted".into(), json!(u32::MAX)),
        (&commit, "/generation".into(), json!(u64::MAX)),
        (&commit, "/schema".into(), json!(7)),
        (&commit, "/schema/fields/0/type".into(), json!("nothing")),
        (&commit, "/schema/fields/6/dimension".into(), json!(u32::MAX)),
        (&commit, "/schema/fields/6/dimension".into(), json!(3)),
        (&commit, "/schema/fields/6/similarity".into(), json!("cosine")),
        (&commit, "/schema/fields/6/type".into(), json!("text")),
        (si, "/max_doc".into(), json!(u32::MAX)),
        (si, "/max_doc".into(), json!(0)),
        (si, "/keys/files/0/name".into(), json!("_0/../_1.keys")),
        (si, "/keys/files/0/len".into(), json!(u64::MAX)),
        (si, "/keys/files".into(), json!([])),
        (si, "/keys/format".into(), json!("stored_v1")),
        (si, "/stored/format".into(), json!("no_such_format")),
        (si, "/vectors/0/field/dimension".into(), json!(u32::MAX)),
        (si, "/vectors/0/field/dimension".into(), json!(0)),
        (si, "/vectors/0/field/dimension".into(), json!(4)),
        (si, "/vectors/0/field/number".into(), json!(u32::MAX)),
        (si, "/vectors/0/field/params/m".into(), json!(-1)),
        (si, "/vectors/0/structure/format".into(), json!("flat_f32")),
        (si, format!("{near}/vectors"), json!(u32::MAX)),
        (si, format!("{near}/encoding/codes/quantiles/lower"), json!(null)),
        (si, format!("{near}/encoding/codes/quantiles/lower"), json!(1e300)),
        (si, format!("{near}/encoding/codes/versions/0/quantiles"), json!({ "lower": 1.0, "upper": 1.0 })),
        (si, format!("{near}/encoding/codes/versions/0/vectors"), json!(u64::MAX)),
        (si, format!("{near}/encoding/codes/versions"), json!([])),
        (si, format!("{near}/encoding/codes/frame"), json!({ "rotated": { "center_crc32": 1 } })),
        (si, format!("{near}/graph/m"), json!(u32::MAX)),
        (si, format!("{near}/graph/m"), json!(0)),
        (si, format!("{near}/graph/len"), json!(u32::MAX)),
        (si, format!("{near}/graph/levels"), json!([])),
        (si, format!("{near}/graph/levels"), json!(vec![24; 33])),
        (si, format!("{near}/graph/levels/0"), json!(u32::MAX)),
    ];
    for (file, place, value) in cases {
        let mut forge = Forge::new(&image);
        let what = || format!("{file}: {place} = {value}");
        forge.json(file, |json| {
            *json.pointer_mut(&place).unwrap_or_else(|| panic!("{}", what())) = value.clone()
        });
        let (fate, seen) = forged(&forge.image, &what);
        assert_eq!(fate, Fate::Refused, "{}", what());
        assert!(!seen.report.unwrap().ok(), "{}: not found by the check", what());
    }
}

/// Counting on from these would overflow: a panic, or names used again.
#[test]
fn numbers_at_the_end_of_their_range_are_refused_or_foreign() {
    let image = the_index();
    let commit = Forge::new(&image).commit_file();
    for name in ["next_segment", "next_key"] {
        let mut forge = Forge::new(&image);
        forge.json(&commit, |json| json[name] = json!(u64::MAX));
        let (_, seen) = forged(&forge.image, &|| format!("{name} forged"));
        seen.refused(&commit, &|| format!("{name} forged"));
    }
    // A commit that is sound but for its generation; a file of a segment that no index can have.
    let mut forge = Forge::new(&image);
    forge.json(&commit, |json| json["generation"] = json!(u64::MAX));
    let mut folder = image.clone();
    folder.insert(format!("segments_{}", u64::MAX), forge.image[&commit].clone());
    folder.insert(format!("_{}.keys", u64::MAX), vec![0; 100]);
    let (fate, seen) = forged(&folder, &|| "files beyond all numbers".to_owned());
    assert_eq!(fate, Fate::Opened);
    assert!(seen.report.unwrap().ok());
}

/// Deep and wide metadata: parsed within its bounds or refused.
#[test]
fn deep_and_wide_metadata_is_bounded() {
    let image = the_index();
    let commit = Forge::new(&image).commit_file();
    let deep = (0..100).fold(json!(0), |inside, _| json!([inside]));
    let wide = json!(vec![0; 100_000]);
    let names: serde_json::Map<String, Value> = (0..20_000).map(|i| (i.to_string(), json!("x"))).collect();
    let segments = |json: &Value| json!(vec![json["segments"][0].clone(); 2_000]);
    let places =
        [(&*commit, "/schema"), (&*commit, "/user_data"), ("_0.si", "/keys/meta"), ("_1.si", "/stored/meta")];
    for (file, place) in places {
        for value in [&deep, &wide, &Value::Object(names.clone())] {
            let mut forge = Forge::new(&image);
            forge.json(file, |json| *json.pointer_mut(place).unwrap() = value.clone());
            let what = || format!("{file}: {place} deep or wide");
            // Two bytes of text may be a JSON value of 72, in a list that doubles as it grows.
            look(&folder(&forge.image), 25 * total(&forge.image), &what);
        }
    }
    let mut forge = Forge::new(&image);
    forge.json(&commit, |json| json["segments"] = segments(json));
    let (fate, _) = forged(&forge.image, &|| "one segment 2,000 times".to_owned());
    assert_eq!(fate, Fate::Refused);
    // Deeper than the parser goes.
    let mut forge = Forge::new(&image);
    forge.body(&commit, |body| {
        let json = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
        *body = crate::fuzz::twice(&json);
    });
    let (fate, _) = forged(&forge.image, &|| "100,000 deep".to_owned());
    assert_eq!(fate, Fate::Refused);
}

/// Bodies of data files, forged by a pattern: they open, so searches, reads, checks and merges meet them.
#[test]
fn forged_bodies_are_refused_or_bounded() {
    let (image, seed) = (the_index(), seed());
    let mut rng = Rng::new(seed);
    type Change = Box<dyn Fn(&mut [u8], &mut Rng)>;
    let fill = |word: u32| -> Change {
        Box::new(move |body, _| {
            body.chunks_exact_mut(4).for_each(|bytes| bytes.copy_from_slice(&word.to_le_bytes()))
        })
    };
    let few = |word: u32| -> Change {
        Box::new(move |body, rng| {
            for _ in 0..4 {
                let at = rng.below(body.len() / 4) * 4;
                body[at..at + 4].copy_from_slice(&word.to_le_bytes());
            }
        })
    };
    let words = [0, 1, 5, 23, 24, 255, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, u32::MAX]
        .into_iter()
        .chain([f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE].map(f32::to_bits));
    let mut changes: Vec<Change> =
        words.flat_map(|word| [fill(word), few(word), few(word), few(word)]).collect();
    changes.push(Box::new(|body, rng| body.iter_mut().for_each(|byte| *byte = rng.next() as u8)));
    changes.push(Box::new(|body, rng| {
        body.chunks_exact_mut(4).for_each(|word| word.copy_from_slice(&(rng.below(30) as u32).to_le_bytes()));
    }));
    changes.push(Box::new(|body, _| body.reverse()));
    for file in image.keys().filter(|file| file.starts_with("_0") && !file.ends_with(".si")) {
        for (number, change) in changes.iter().enumerate() {
            let mut forge = Forge::new(&image);
            forge.body(file, |body| change(body, &mut rng));
            let what = || format!("LUCERNE_SEED={seed}: {file}: pattern {number}");
            forged(&forge.image, &what);
        }
        for len in [0, 1, 4, 7, 8, 15, 16, 100] {
            let mut forge = Forge::new(&image);
            forge.body(file, |body| body.resize(len, 1));
            let what = || format!("{file}: a sound envelope around {len} bytes");
            let (fate, _) = forged(&forge.image, &what);
            // Opening looks at no more of a spare file than the documents it must have.
            let opens = file.ends_with(".spare") && len >= 16;
            assert!(fate == Fate::Refused || opens, "{}: {fate:?}", what());
        }
    }
}

/// A repair trusts files no more than anything else does: whatever it makes of them, it ends, within its bounds.
#[test]
fn repairs_of_forged_and_damaged_files_are_bounded() {
    let (image, seed) = (the_index(), seed());
    let mut rng = Rng::new(seed + 8);
    for file in image.keys() {
        for number in 0..24 {
            let mut forge = Forge::new(&image);
            let words = [0, 1, 24, 0x7FFF_FFFF, u32::MAX, f32::NAN.to_bits(), rng.next() as u32];
            let mut change = |bytes: &mut [u8]| {
                for _ in 0..1 + rng.below(4) {
                    let (at, word) = (rng.below(bytes.len() / 4) * 4, *rng.pick(&words));
                    bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
                }
            };
            match number % 2 == 0 && !file.ends_with(".si") {
                true => forge.body(file, |body| change(body)),
                false => change(forge.image.get_mut(file).unwrap()),
            }
            let what = || format!("LUCERNE_SEED={seed}: repair of {file}, change {number}");
            let directory = folder(&forge.image);
            let repair = |run| {
                let shared: Arc<dyn Directory> = Arc::new(directory.clone());
                let options = RepairOptions::new().run(run);
                admin::repair_in(IndexBuilder::new(), shared, &options, &Cancel::new(), &())
            };
            let (planned, largest) = bounded(&what, || repair(RepairRun::DryRun));
            assert!(largest <= allocation_bound(total(&image)), "{}: {largest}", what());
            assert!(super::trials::image(&directory) == forge.image, "{}", what());
            let (done, _) = bounded(&what, || repair(RepairRun::Repair));
            assert!(planned.is_ok() || done.is_err(), "{}: {planned:?}, {done:?}", what());
            assert!(done.is_ok() || super::trials::image(&directory) == forge.image, "{}: {done:?}", what());
            look(&directory, 8 * total(&image), &what);
        }
    }
}

/// Names in metadata never lead out of the folder, even when what they lead to would fit.
#[test]
fn names_do_not_lead_out_of_the_folder() {
    let image = the_index();
    let parent = tempfile::tempdir().unwrap();
    let inside = parent.path().join("index");
    for (name, outside) in [("../_0.keys", true), ("sub/_0.keys", false), ("_0.keys/../../_0.keys", true)] {
        let mut forge = Forge::new(&image);
        forge.json("_0.si", |json| json["keys"]["files"][0]["name"] = json!(name));
        let _ = std::fs::remove_dir_all(&inside);
        std::fs::create_dir_all(inside.join("sub")).unwrap();
        forge.image.iter().for_each(|(file, bytes)| std::fs::write(inside.join(file), bytes).unwrap());
        let other = if outside { parent.path().join("_0.keys") } else { inside.join("sub/_0.keys") };
        std::fs::write(&other, &image["_0.keys"]).unwrap();
        let directory: Arc<dyn Directory> = Arc::new(FsDirectory::open(&inside).unwrap());
        let error = IndexBuilder::new().open(directory).unwrap_err();
        assert_eq!((error.kind(), named(&error)), (ErrorKind::Corrupt, Some("_0.si")), "{error}");
    }
}
