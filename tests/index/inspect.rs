//! What `inspect` says about an index.

use crate::common::documents::{add_all, in_memory, one_field, random, rows, small_segments, vectors_of};
use lucerne::admin::inspect;
use lucerne::{Knn, Similarity, Vector, WriterOptions};

#[test]
fn inspect_lists_the_parts_of_each_segment_with_their_sizes() {
    let (dimension, count) = (24, 100);
    let vector = Vector::f32(dimension).advanced("graph_threshold", 10);
    let (_, index) = in_memory(one_field(vector));
    add_all(&index, small_segments(40), rows(&random(count, dimension, 21)));
    let report = inspect(&index.searcher().unwrap()).unwrap();
    let segments = report["segments"].as_array().unwrap();
    let docs: Vec<u64> = segments.iter().map(|segment| segment["docs"].as_u64().unwrap()).collect();
    assert_eq!(docs, [40, 40, 20]);
    for (segment, n) in segments.iter().zip(docs) {
        let field = &segment["fields"]["v"];
        let bytes = |part: &str| field["bytes"][part].as_u64().unwrap_or_else(|| panic!("{part}: {field}"));
        assert_eq!(bytes("raw"), 4 * dimension as u64 * n);
        assert_eq!(bytes("codes") + bytes("corrections"), (dimension as u64 + 8) * n);
        assert!(bytes("graph") > 0);
        let quantiles: Vec<f64> =
            field["quantiles"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
        assert!(quantiles.len() == 2 && quantiles[0] < quantiles[1], "{quantiles:?}");
        // Beside the parts only the envelopes: the files hold nothing that is not said.
        let of_field = segment["files"].as_array().unwrap().iter().filter(|file| {
            let name = file["name"].as_str().unwrap();
            name.contains(".0.")
        });
        let on_disk: u64 = of_field.map(|file| file["bytes"].as_u64().unwrap()).sum();
        let told: u64 = field["bytes"].as_object().unwrap().values().map(|part| part.as_u64().unwrap()).sum();
        assert!(on_disk >= told && on_disk - told <= 2_000, "{on_disk} on disk, {told} told");
    }
}

#[test]
fn defaults_hold_and_inspect_shows_them() {
    let (_, index) = in_memory(vectors_of(4, Similarity::Cosine));
    add_all(&index, WriterOptions::new(), rows(&random(30, 4, 35)));
    let searcher = index.searcher().unwrap();
    let report = inspect(&searcher).unwrap();
    let field = &report["segments"][0]["fields"]["v"];
    assert_eq!((&field["m"], &field["beam_width"]), (&16.into(), &100.into()), "{field}");
    assert_eq!(report["defaults"]["k"], 10, "{report}");
    assert_eq!(searcher.search(Knn::new("v", [1.0; 4])).unwrap().hits.len(), 10);

    // And what is set is shown instead.
    let (_, index) = in_memory(one_field(Vector::f32(4).m(10).beam_width(40)));
    add_all(&index, WriterOptions::new(), rows(&random(30, 4, 35)));
    let report = inspect(&index.searcher().unwrap()).unwrap();
    let field = &report["segments"][0]["fields"]["v"];
    assert_eq!((&field["m"], &field["beam_width"]), (&10.into(), &40.into()), "{field}");
}
