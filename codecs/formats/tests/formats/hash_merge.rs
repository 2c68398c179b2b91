//! What merges of segments with sign hashes keep and renew, and what flushes share.

use crate::common::{Segment, built_in, field, format, merge, outcomes};
use lucerne_codec::Similarity;
use lucerne_codec::testing::random_rows;
use lucerne_formats::encoding::sign_hash::HashVectors;

const DIMENSION: usize = 20;

fn shifted(count: usize, seed: u64, shift: f32) -> Vec<Vec<f32>> {
    let mut rows = random_rows(count, DIMENSION, seed);
    rows.iter_mut().flatten().for_each(|value| *value += shift);
    rows
}

/// The hash of each document.
fn hashes(segment: &Segment) -> Vec<Vec<u8>> {
    let reader = segment.open();
    let rows = built_in(&*reader).encoded::<HashVectors>().unwrap().hashes().rows();
    let hash = |doc| {
        let ordinal = reader.ordinal(doc).unwrap().unwrap() as usize;
        let hash_len = DIMENSION.div_ceil(8);
        rows.bits[ordinal * hash_len..][..hash_len].to_vec()
    };
    (0..segment.docs).map(hash).collect()
}

#[test]
fn plain_hashes_are_copied_and_those_of_other_formats_are_made() {
    let plain =
        field(DIMENSION, Similarity::Cosine, r#"{"sign_hash": "plain", "advanced": {"graph_threshold": 0}}"#);
    let bare = field(DIMENSION, Similarity::Cosine, "{}");
    let sources = [
        Segment::flush(format("hnsw_hash"), &plain, &shifted(300, 1, 0.0)),
        Segment::flush(format("hnsw_sq8"), &bare, &shifted(50, 2, 0.0)),
        Segment::flush(format("hnsw_hash"), &plain, &shifted(20, 3, 5.0)),
    ];
    let (merged, plan, report) = merge(format("hnsw_hash"), &plain, &sources.each_ref());
    for report in [&plan, &report] {
        assert_eq!(outcomes(report), ["kept", "rehashed", "kept"]);
    }
    assert_eq!(report["vectors_rehashed"], 50);
    let found = hashes(&merged);
    assert_eq!((&found[..300], &found[350..]), (&hashes(&sources[0])[..], &hashes(&sources[2])[..]));
}

#[test]
fn corrected_hashes_share_a_center_while_it_is_near_the_vectors() {
    for similarity in [Similarity::Cosine, Similarity::Euclidean] {
        let field = field(DIMENSION, similarity, r#"{"advanced": {"graph_threshold": 0}}"#);
        let first = Segment::flush(format("hnsw_hash"), &field, &shifted(600, 1, 2.0));
        let previous = first.open();
        let near = shifted(100, 2, 2.05);
        let near = Segment::flush_after(format("hnsw_hash"), &field, &near, Some(&*previous));
        let mut far = random_rows(100, DIMENSION, 4);
        far.iter_mut().for_each(|row| row[0] += 9.0);
        let far = Segment::flush_after(format("hnsw_hash"), &field, &far, Some(&*previous));
        let center = |segment: &Segment| {
            built_in(&*segment.open())
                .encoded::<HashVectors>()
                .unwrap()
                .hashes()
                .center()
                .map(<[f32]>::to_vec)
                .unwrap()
        };
        assert_eq!(center(&first), center(&near), "{similarity}");
        assert_ne!(center(&first), center(&far), "{similarity}");
        let (merged, plan, report) = merge(format("hnsw_hash"), &field, &[&first, &near]);
        assert_eq!(outcomes(&plan), ["kept", "kept"]);
        assert_eq!(report["vectors_rehashed"], 0);
        assert_eq!(center(&merged), center(&first));
        assert_eq!(hashes(&merged), [hashes(&first), hashes(&near)].concat());
        let many_far = Segment::flush(format("hnsw_hash"), &field, &{
            let mut rows = random_rows(500, DIMENSION, 5);
            rows.iter_mut().for_each(|row| row[0] += 9.0);
            rows
        });
        let (merged, _, report) = merge(format("hnsw_hash"), &field, &[&first, &many_far]);
        assert_eq!(outcomes(&report), ["rehashed", "rehashed"], "{similarity}");
        assert_ne!(center(&merged), center(&first));
    }
}
