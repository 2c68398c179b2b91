//! Every kind of vector file, for documents and for queries.

use crate::support::{Place, le, npy, run};
use half::f16;

const ROWS: [f32; 6] = [1.0, 2.0, 30.0, 4.0, 5.0, 60.0];

/// The three vectors in every kind of file.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let f16s: Vec<u8> = ROWS.iter().flat_map(|&number| f16::from_f32(number).to_le_bytes()).collect();
    let f64s: Vec<u8> = ROWS.iter().flat_map(|&number| f64::from(number).to_le_bytes()).collect();
    let bytes: Vec<u8> = ROWS.iter().map(|&number| number as u8).collect();
    let fvecs: Vec<u8> =
        ROWS.chunks(2).flat_map(|row| [&2u32.to_le_bytes()[..], &le(row)].concat()).collect();
    vec![
        ("f16.npy", npy("<f2", 3, 2, &f16s)),
        ("f32.npy", npy("<f4", 3, 2, &le(&ROWS))),
        ("f64.npy", npy("<f8", 3, 2, &f64s)),
        ("u8.npy", npy("|u1", 3, 2, &bytes)),
        ("i8.npy", npy("|i1", 3, 2, &bytes)),
        ("rows.fbin", [&3u32.to_le_bytes()[..], &2u32.to_le_bytes(), &le(&ROWS)].concat()),
        ("rows.fvecs", fvecs),
        ("rows.f32", le(&ROWS)),
        ("rows.bin", le(&ROWS)),
    ]
}

const DOCUMENTS: &str = "{\"name\":\"a\"}\n\n{\"name\":\"b\"}\n{\"name\":\"c\"}\n";

#[test]
fn all_kinds_give_the_same_vectors() {
    for (name, bytes) in files() {
        let place = Place::small();
        place.write(name, bytes);
        let import = place.import(DOCUMENTS, &format!("--vectors e={name}")).expect(0);
        assert_eq!(import.json()["docs"], 3, "{name}");
        assert!(import.err.is_empty(), "{import:?}");
        let found =
            place.run(&format!("search @ --knn e --vector-file {name} --row 1 --exact --json --fields e"));
        let hit = &found.expect(0).json()["hits"][0];
        assert_eq!((&hit["key"], &hit["distance"]), (&"b".into(), &0.0.into()), "{name}");
        assert_eq!(hit["fields"]["e"], serde_json::json!([30.0, 4.0]), "{name}");
        let none = place.run(&format!("search @ --knn e --vector-file {name} --row 3")).expect(2);
        assert!(none.err.contains("no row 3; the file has 3"), "{none:?}");
    }
}

#[test]
fn files_that_do_not_fit_are_refused_before_anything_is_written() {
    let place = Place::small();
    place.write("three.npy", npy("<f4", 2, 3, &le(&ROWS)));
    place.write("short.npy", npy("<f4", 2, 2, &le(&ROWS[..4])));
    place.write("cut.npy", &npy("<f4", 3, 2, &le(&ROWS))[..150]);
    place.write("long.npy", npy("<f4", 3, 2, &le(&ROWS)));
    for (vectors, expected) in [
        ("e=three.npy", "rows of 3 components, field \"e\" has 2"),
        ("size=long.npy", "expected a vector field"),
        ("nope=long.npy", "vector fields of the index: e"),
        ("e=cut.npy", "is it complete?"),
        ("e=long.npy --vectors e=long.npy", "twice"),
        ("e=docs.jsonl", "expected .npy"),
        ("e=short.npy", "2 rows, but line 4 needs row 2"),
    ] {
        let ran = place.import(DOCUMENTS, &format!("--threads 1 --vectors {vectors}")).expect(2);
        assert!(ran.err.contains(expected), "{vectors}: {ran:?}");
        assert_eq!(place.docs(), 0);
    }
    let both = place.import("{\"name\":\"a\",\"e\":[1,2]}", "--vectors e=long.npy").expect(2);
    assert!(both.err.contains("docs.jsonl:1:") && both.err.contains("\"e\""), "{both:?}");
    let longer = place.import("{\"name\":\"a\"}", "--vectors e=long.npy").expect(0);
    assert!(longer.err.contains("warning: long.npy has 3 rows, but there were 1 document"), "{longer:?}");
}

#[test]
fn an_order_of_arrival_keeps_lines_and_vectors_together() {
    let order: Vec<u8> = [2u32, 0].iter().flat_map(|row| row.to_le_bytes()).collect();
    for compressed in [false, true] {
        let place = Place::small();
        place.write("order.u32", &order);
        place.write("rows.fbin", [&3u32.to_le_bytes()[..], &2u32.to_le_bytes(), &le(&ROWS)].concat());
        let name = if compressed { "docs.jsonl.zst" } else { "docs.jsonl" };
        let text =
            if compressed { zstd::encode_all(DOCUMENTS.as_bytes(), 1).unwrap() } else { DOCUMENTS.into() };
        place.write(name, text);
        place.run(&format!("import @ {name} --order order.u32 --vectors e=rows.fbin --threads 1")).expect(0);
        assert_eq!(place.docs(), 2);
        for (vector, key) in [("[5,60]", "c"), ("[1,2]", "a")] {
            let found =
                run(place.command("search @ --knn e --exact --json --vector").arg(vector)).expect(0).json();
            assert_eq!((&found["hits"][0]["key"], &found["hits"][0]["distance"]), (&key.into(), &0.0.into()));
        }
        place.write("order.u32", 3u32.to_le_bytes());
        let wrong = place.run(&format!("import @ {name} --order order.u32 --upsert")).expect(2);
        assert!(wrong.err.contains("number 0 is row 3, but there are 3 documents"), "{wrong:?}");
    }
}
