//! Scans of 4-bit codes behind filters: right where filters keep what is far, and with a damaged file.

use crate::common::{Segment, field, format, search_accepted};
use lucerne_codec::testing::random_rows;
use lucerne_codec::vector::{Effort, VectorHits, VectorReader};
use lucerne_codec::{Accept, BitSet, Cancel, DocId, Result, Similarity};

const DOCS: u32 = 4_000;
const GRAPH: &str = r#"{"advanced": {"graph_threshold": 0}}"#;

fn search(
    reader: &dyn VectorReader,
    query: &[f32],
    k: usize,
    effort: Effort,
    set: &BitSet,
) -> Result<VectorHits> {
    search_accepted(reader, query, k, effort, Accept::only(set))
}

fn set_of(docs: impl IntoIterator<Item = DocId>) -> BitSet {
    let mut set = BitSet::empty(DOCS);
    docs.into_iter().for_each(|doc| {
        set.insert(doc);
    });
    set
}

#[test]
fn a_filter_of_what_is_far_from_the_query_finds_the_nearest() {
    for dimension in [65, 128] {
        let rows = random_rows(DOCS as usize, dimension, 1);
        let field = field(dimension, Similarity::Euclidean, GRAPH);
        let segment = Segment::flush(format("hnsw_sq8"), &field, &rows);
        assert!(segment.file(".sq4").ends_with(".sq4"));
        let reader = segment.open();
        let (mut right, mut wanted) = (0, 0);
        for query in random_rows(12, dimension, 2) {
            let all = search(&*reader, &query, DOCS as usize, Effort::Exact, &set_of(0..DOCS)).unwrap();
            // Of the farthest, those that are wanted are about as far as hundreds of others.
            let (nearer, far) = all.neighbors.split_at(DOCS as usize * 3 / 4);
            let set = set_of(far.iter().map(|neighbor| neighbor.doc));
            assert!(nearer.iter().all(|neighbor| !set.contains(neighbor.doc)));
            let hits = search(&*reader, &query, 10, Effort::Candidates(100), &set).unwrap();
            assert_eq!((hits.strategy, hits.neighbors.len()), ("scan codes", 10));
            let is_right = |doc: DocId| far[..10].iter().any(|far| far.doc == doc);
            right += hits.neighbors.iter().filter(|hit| is_right(hit.doc)).count();
            wanted += 10;
            // Filters that have nothing to do with the query take one pass.
            let set = set_of((0..DOCS).filter(|doc| doc % 4 == 1));
            let hits = search(&*reader, &query, 10, Effort::Candidates(100), &set).unwrap();
            assert!(hits.strategy == "scan codes" && hits.visited < 1_200, "{hits:?}");
        }
        // 8-bit codes confuse some of them, too.
        assert!(right * 3 >= wanted * 2, "{dimension}: {right} of {wanted}");
    }
}

#[test]
fn damaged_codes_of_four_bits_give_as_many_hits_as_match() {
    let rows = random_rows(DOCS as usize, 65, 1);
    let segment = Segment::flush(format("hnsw_sq8"), &field(65, Similarity::MaxInnerProduct, GRAPH), &rows);
    let name = segment.file(".sq4");
    let whole = segment.directory.get(&name).unwrap();
    let query = &random_rows(1, 65, 2)[0];
    let sets = [set_of(0..DOCS), set_of((0..DOCS).filter(|doc| doc % 9 < 2)), set_of(5..300)];
    // Infinities, numbers that are none, the greatest and the least, of both signs.
    let patterns = [0x7F80u16, 0xFF80, 0x7FC0, 0xFFFF, 0x7F7F, 0xFF7F, 0x0001, 0x8000];
    for (number, pattern) in patterns.iter().enumerate() {
        let mut damaged = whole.to_vec();
        let end = damaged.len() - 32;
        let corrections = &mut damaged[end - 4 * DOCS as usize..end];
        for (at, pair) in corrections.chunks_mut(2).enumerate().filter(|(at, _)| at % (number + 1) == 0) {
            pair.copy_from_slice(&patterns.get(at % 16).unwrap_or(pattern).to_le_bytes());
        }
        segment.directory.put(&name, damaged);
        let reader = segment.open();
        for (k, set) in [1, 10, 400].into_iter().flat_map(|k| sets.iter().map(move |set| (k, set))) {
            let hits = search(&*reader, query, k, Effort::Candidates(300), set).unwrap().neighbors;
            assert_eq!(hits.len(), k.min(set.count() as usize));
            assert!(hits.iter().all(|hit| set.contains(hit.doc) && hit.distance.is_finite()));
        }
        assert!(!reader.verify(&Cancel::new()).unwrap().is_empty());
    }
}
