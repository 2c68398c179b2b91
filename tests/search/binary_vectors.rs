//! Binary vectors: packing, distances, indexes, and hybrids with other fields.

use crate::common::documents::{in_memory, small_segments};
use crate::common::rng::Rng;
use lucerne::bits::{self, BitOrder};
use lucerne::codec::Report;
use lucerne::directory::RamDirectory;
use lucerne::index::IndexBuilder;
use lucerne::query::QueryParser;
use lucerne::schema::VectorIndex;
use lucerne::{Cancel, Document, Fuse, Index, Knn, Schema, Searcher, Similarity, Vector, admin};
use std::sync::Arc;

const FIRST: &str = "1001101101010100";
const SECOND: &str = "0101010011001101";

fn schema(vector: Vector) -> Schema {
    Schema::builder().key("id").vector("fp", vector).build().unwrap()
}

/// An index of documents `d0000`, `d0001`, …, flushed each time so many are there.
fn index(vector: Vector, rows: &[Vec<u8>], flush: u32) -> Index {
    let (_, index) = in_memory(schema(vector));
    let writer = index.writer_with(small_segments(flush)).unwrap();
    for (number, row) in rows.iter().enumerate() {
        let document = Document::new().with("id", format!("d{number:04}")).with("fp", row.clone());
        writer.add(&document).unwrap();
    }
    writer.close().unwrap();
    index
}

/// Sparse rows around a few centers, with many ties and some duplicates.
fn sparse(rng: &mut Rng, count: usize, bytes: usize) -> Vec<Vec<u8>> {
    let row = |rng: &mut Rng| {
        let mut row = vec![0u8; bytes];
        (0..12).for_each(|_| row[rng.below(bytes)] |= 1 << rng.below(8));
        row
    };
    let centers: Vec<Vec<u8>> = (0..40).map(|_| row(rng)).collect();
    let near = |rng: &mut Rng| {
        let mut row = centers[rng.below(centers.len())].clone();
        (0..rng.below(6)).for_each(|_| row[rng.below(bytes)] ^= 1 << rng.below(8));
        row
    };
    (0..count).map(|_| near(rng)).collect()
}

fn distance(similarity: Similarity, left: &[u8], right: &[u8]) -> f32 {
    let count = |of: fn(u8, u8) -> u8| -> u32 {
        left.iter().zip(right).map(|(left, right)| of(*left, *right).count_ones()).sum()
    };
    let (differing, either) = (count(|left, right| left ^ right), count(|left, right| left | right));
    match similarity {
        Similarity::Jaccard => differing as f32 / either.max(1) as f32,
        _ => differing as f32,
    }
}

/// The nearest by brute force: keys with distances, ties by key.
fn brute_force(similarity: Similarity, rows: &[Vec<u8>], query: &[u8], k: usize) -> Vec<(String, f32)> {
    let all = rows.iter().enumerate();
    let mut all: Vec<(String, f32)> =
        all.map(|(number, row)| (format!("d{number:04}"), distance(similarity, query, row))).collect();
    all.sort_by(|left, right| left.1.total_cmp(&right.1).then_with(|| left.0.cmp(&right.0)));
    all.truncate(k);
    all
}

fn found(searcher: &Searcher, query: &Knn) -> Vec<(String, f32)> {
    let hits = searcher.search(query).unwrap().hits;
    hits.into_iter().map(|hit| (hit.key, hit.distance.unwrap())).collect()
}

/// The report on the field in the only segment.
fn facts(searcher: &Searcher) -> Report {
    admin::inspect(searcher).unwrap().pointer("/segments/0/fields/fp").unwrap().clone()
}

#[test]
fn a_vector_of_128_bits_takes_16_bytes_and_one_of_12_bits_is_refused() {
    let rows = sparse(&mut Rng::new(60), 50, 16);
    for kind in [VectorIndex::Flat, VectorIndex::Hnsw, VectorIndex::Ivf] {
        let searcher = index(Vector::bits(128).index(kind), &rows, 50).searcher().unwrap();
        assert_eq!(facts(&searcher)["bytes"]["raw"], 16 * 50);
        assert_eq!(facts(&searcher)["dimension"], 128);
    }
    for dimension in [0, 4, 12, 65_544] {
        let error = Schema::builder().vector("fp", Vector::bits(dimension)).build().unwrap_err();
        let expected =
            format!("\"fp\": dimension is {dimension}, expected a multiple of 8 from 8 to 65536 (bits)");
        assert!(error.to_string().contains(&expected), "{error}");
    }
    let (_, index) = in_memory(schema(Vector::bits(65_536).flat()));
    let writer = index.writer().unwrap();
    writer.add(&Document::new().with("id", "long").with("fp", vec![0xff; 8_192])).unwrap();
    writer.close().unwrap();
    let hits = found(&index.searcher().unwrap(), &Knn::new("fp", vec![0u8; 8_192]));
    assert_eq!(hits, [("long".to_owned(), 65_536.0)]);
}

#[test]
fn bits_are_packed_and_unpacked_in_either_order() {
    let bits = FIRST.chars().map(|bit| bit == '1');
    let bits: Vec<bool> = bits.collect();
    for (order, bytes) in [(BitOrder::LsbFirst, [0xd9, 0x2a]), (BitOrder::MsbFirst, [0x9b, 0x54])] {
        assert_eq!(bits::pack(bits.iter().copied(), order), bytes);
        assert_eq!(bits::unpack(&bytes, order), bits);
    }
    assert_eq!(bits::from_text(FIRST), Some(vec![0xd9, 0x2a]));
}

#[test]
fn hamming_and_jaccard_give_the_published_distances() {
    let padded = |text: &str| {
        let mut row = bits::from_text(text).unwrap();
        row.resize(16, 0);
        row
    };
    let ivf = |similarity| Vector::bits(128).similarity(similarity).ivf().nlist(128);
    let distances = |similarity, rows: &[&str], query: &str| -> Vec<f32> {
        let rows: Vec<Vec<u8>> = rows.iter().map(|row| padded(row)).collect();
        let searcher = index(ivf(similarity), &rows, 100).searcher().unwrap();
        let query = Knn::new("fp", padded(query)).k(5).nprobe(10);
        found(&searcher, &query).into_iter().map(|hit| hit.1).collect()
    };
    let hamming = |rows: &[&str], query| distances(Similarity::Hamming, rows, query);
    assert_eq!(hamming(&[SECOND], FIRST), [10.0]);
    assert_eq!(hamming(&[FIRST, SECOND], FIRST), [0.0, 10.0]);
    let third = "1001101101001101";
    assert_eq!(hamming(&[third, SECOND], third), [0.0, 7.0]);
    for (rows, expected) in [([FIRST, SECOND], 0.769231), ([third, SECOND], 0.583333)] {
        let found = distances(Similarity::Jaccard, &rows, rows[0]);
        assert!(found[0] == 0.0 && (found[1] - expected).abs() < 5e-7, "{found:?}");
    }
}

#[test]
fn flat_and_probing_every_list_are_exact_and_more_probes_find_more() {
    let mut rng = Rng::new(63);
    let (rows, queries) = (sparse(&mut rng, 3_000, 32), sparse(&mut rng, 40, 32));
    for similarity in Similarity::BINARY {
        let vector = Vector::bits(256).similarity(similarity);
        let flat = index(vector.clone().flat(), &rows, 700).searcher().unwrap();
        let lists = index(vector.ivf().nlist(128), &rows, 3_000).searcher().unwrap();
        assert_eq!(facts(&lists)["lists"]["nlist"], 128);
        let mut right = [0; 4];
        for query in &queries {
            let truth = brute_force(similarity, &rows, query, 10);
            let knn = Knn::new("fp", query.clone());
            assert_eq!(found(&flat, &knn), truth);
            assert_eq!(found(&lists, &knn.clone().nprobe(128)), truth);
            assert_eq!(found(&lists, &knn.clone().exact()), truth);
            for (right, probes) in right.iter_mut().zip([1, 2, 8, 128]) {
                let hits = found(&lists, &knn.clone().nprobe(probes));
                *right += hits.iter().filter(|hit| hit.1 <= truth[9].1).count();
            }
        }
        assert!(right.is_sorted() && right[0] < right[3] && right[3] == 400, "{right:?} of 400");
    }
}

#[test]
fn more_lists_than_vectors_become_as_many_as_vectors_and_inspect_says_so() {
    let rows: Vec<Vec<u8>> = (1..=5u8).map(|byte| vec![byte, 0]).collect();
    let searcher = index(Vector::bits(16).ivf().nlist(128), &rows, 100).searcher().unwrap();
    let lists = &facts(&searcher)["lists"];
    assert_eq!((&lists["nlist"], &lists["wanted"]), (&5.into(), &128.into()));
    assert!(lists["note"].as_str().unwrap().contains("no more lists"), "{lists}");
}

#[test]
fn a_binary_field_and_a_float_field_of_one_document_are_fused() {
    let mut rng = Rng::new(64);
    let schema = Schema::builder()
        .key("id")
        .vector("dense", Vector::f32(8).similarity(Similarity::Euclidean))
        .vector("fp", Vector::bits(64).similarity(Similarity::Jaccard))
        .build()
        .unwrap();
    let (_, index) = in_memory(schema);
    let writer = index.writer_with(small_segments(40)).unwrap();
    let rows = sparse(&mut rng, 150, 8);
    let mut dense = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        dense.push(rng.vector(8));
        let document = Document::new().with("id", format!("d{number:04}"));
        writer.add(&document.with("dense", dense[number].clone()).with("fp", row.clone())).unwrap();
    }
    writer.close().unwrap();
    let searcher = index.searcher().unwrap();
    let by_bits = Knn::new("fp", rows[7].clone());
    let by_numbers = Knn::new("dense", dense[7].clone());
    assert_eq!(found(&searcher, &by_bits), brute_force(Similarity::Jaccard, &rows, &rows[7], 10));
    assert_eq!(searcher.search(&by_numbers).unwrap().keys()[0], "d0007");
    let fused = searcher.search(Fuse::rrf().query(by_bits.k(100)).query(by_numbers.k(100))).unwrap();
    assert_eq!(fused.keys()[0], "d0007");
    let hits = searcher.search(Knn::new("fp", rows[7].clone()).k(1).fields(["fp", "dense"])).unwrap();
    let fields = hits.hits[0].fields.as_ref().unwrap();
    assert!(fields["fp"].is_string() && fields["dense"].as_array().unwrap().len() == 8);
}

#[test]
fn queries_may_be_given_in_every_form_a_document_has() {
    let rows = vec![bits::from_text(FIRST).unwrap(), bits::from_text(SECOND).unwrap()];
    let searcher = index(Vector::bits(16), &rows, 100).searcher().unwrap();
    let ones: Vec<f32> = FIRST.chars().map(|bit| if bit == '1' { 1.0 } else { 0.0 }).collect();
    let expected = [("d0000".to_owned(), 0.0), ("d0001".to_owned(), 10.0)];
    for query in [
        Knn::new("fp", rows[0].clone()),
        Knn::new("fp", FIRST),
        Knn::new("fp", "d92a"),
        Knn::new("fp", ones.clone()),
        Knn::new("fp", [217.0, 42.0]),
    ] {
        assert_eq!(found(&searcher, &query), expected);
    }
    assert_eq!(searcher.vector("d0000", "fp").unwrap(), Some(ones));
    let parser = QueryParser::new(searcher.schema());
    let parser = parser.param("bits", FIRST).param_bytes("bytes", rows[0].clone());
    for query in [
        "{!knn f=fp topK=10}[217, 42]",
        "{!knn f=fp topK=10}$bits",
        "(*)=>[KNN 10 @fp $bytes AS distance]",
        r#"{"knn": {"field": "fp", "vector": "d92a"}}"#,
        r#"{"knn": {"field": "fp", "vector": [217, 42]}}"#,
    ] {
        let hits = searcher.search(parser.parse(query).unwrap()).unwrap();
        assert_eq!(hits.keys(), ["d0000", "d0001"], "{query}");
    }
    for (query, expected) in [
        (Knn::new("fp", "10"), "expected 16 bits"),
        (Knn::new("fp", vec![1u8; 3]), "expected a vector of 16 components, given 24"),
        (Knn::new("fp", [0.5; 16]), "position 0"),
        (Knn::new("fp", rows[0].clone()).nprobe(0), "nprobe is 0"),
    ] {
        let error = searcher.search(&query).unwrap_err().to_string();
        assert!(error.starts_with("query: field \"fp\"") && error.contains(expected), "{error}");
    }
}

#[test]
fn metrics_and_options_of_the_other_kind_of_vector_are_refused_by_name() {
    let refused = |field: &str| {
        let schema = format!(r#"{{"fields": [{{"name": "v", {field}}}]}}"#);
        Schema::from_json(&schema).unwrap_err().to_string()
    };
    let binary = r#""type": "binary_vector", "dimension": 16"#;
    for (field, expected) in [
        (format!(r#"{binary}, "similarity": "cosine""#), "accepted: hamming, jaccard"),
        (format!(r#"{binary}, "quantization": "int8""#), "quantization is for float vectors"),
        (format!(r#"{binary}, "sign_hash": true"#), "sign_hash is for float vectors"),
        (format!(r#"{binary}, "normalize": "on_write""#), "normalize is for similarity dot_product"),
        (format!(r#"{binary}, "similarity": "x""#), "hamming, jaccard"),
        (r#""type": "binary_vector""#.to_owned(), "expected a multiple of 8"),
        (
            r#""type": "vector", "dimension": 16, "similarity": "hamming""#.to_owned(),
            "accepted: euclidean, dot_product, cosine, max_inner_product",
        ),
        (r#""type": "vector", "dimension": 16, "index": "ivf""#.to_owned(), "ivf is for binary vectors"),
    ] {
        let error = refused(&field);
        assert!(error.starts_with("schema: field \"v\"") && error.contains(expected), "{error}");
    }
    let created = |vector: Vector| IndexBuilder::new().create(Arc::new(RamDirectory::new()), schema(vector));
    for (vector, expected) in [
        (Vector::bits(16).param("nlist", 4), "nlist"),
        (Vector::bits(16).ivf().m(4), "\"m\""),
        (Vector::bits(16).ivf().multiple(), "choose index hnsw or flat"),
        (Vector::bits(16).ivf().nlist(0), "expected an integer from 1"),
        (Vector::bits(16).format("hnsw_sq8"), "format hnsw_sq8 is for float vectors"),
    ] {
        let error = created(vector).map(drop).unwrap_err().to_string();
        assert!(error.contains("\"fp\"") && error.contains(expected), "{error}");
    }
}

#[test]
fn a_binary_field_round_trips_through_json_and_keeps_its_vectors_through_updates_and_merges() {
    let vector = Vector::bits(16).similarity(Similarity::Jaccard).ivf().nlist(4);
    let declared = schema(vector);
    assert_eq!(Schema::from_value(&declared.to_json()).unwrap(), declared);
    assert_eq!(declared.to_json()["fields"][0]["type"], "binary_vector");
    let (directory, index) =
        in_memory(Schema::builder().key("id").text("t").vector("fp", Vector::bits(16)).build().unwrap());
    let writer = index.writer_with(small_segments(3)).unwrap();
    for number in 0..10u8 {
        let document = Document::new().with("id", format!("d{number}")).with("fp", [number, 255]);
        writer.add(&document.with("t", "before")).unwrap();
    }
    writer.update("d3", &Document::new().with("t", "after")).unwrap();
    writer.delete("d4").unwrap();
    writer.commit().unwrap();
    writer.force_merge(1, &Cancel::new()).unwrap();
    writer.close().unwrap();
    let searcher = index.searcher().unwrap();
    let document = searcher.get("d3").unwrap().unwrap();
    assert_eq!((document.get("fp"), document.get("t")), (Some(&"03ff".into()), Some(&"after".into())));
    let hits = searcher.search(Knn::new("fp", [4u8, 255])).unwrap();
    assert_eq!(hits.hits.len(), 9);
    let report = admin::check_in(IndexBuilder::new(), Arc::new(directory), &Cancel::new(), &()).unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
}
