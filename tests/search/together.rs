//! Searches that one call makes together find what each finds alone.

use crate::common::documents::{add_all, in_memory, one_field, random, rows, small_segments};
use crate::common::rng::Rng;
use lucerne::merge::MergePolicy;
use lucerne::search::SearchOptions;
use lucerne::{
    Document, ErrorKind, Hits, Knn, Query, Range, Schema, Search, Similarity, Term, Vector, WriterOptions,
};
use std::time::Duration;

#[test]
fn many_exact_searches_have_the_hits_of_each_alone() {
    let mut rng = Rng::new(5);
    for (vector, flat) in [
        (Vector::f32(24), false),
        (Vector::f32(24).flat().quantization(lucerne::schema::Quantization::None), true),
        (Vector::f32(24).flat(), true),
        (Vector::f16(24), false),
        (Vector::f32(24).multiple(), false),
    ] {
        for similarity in [Similarity::Cosine, Similarity::Euclidean, Similarity::MaxInnerProduct] {
            let (_directory, index) = in_memory(one_field(vector.clone().similarity(similarity)));
            let documents = random(500, 24, 3);
            add_all(&index, small_segments(150).merge_policy(MergePolicy::None), rows(&documents));
            let writer = index.writer_with(WriterOptions::new().merge_policy(MergePolicy::None)).unwrap();
            for key in documents.keys().step_by(9) {
                writer.delete(key).unwrap();
            }
            writer.commit().unwrap();
            let searcher = index.searcher().unwrap();
            assert!(searcher.segment_count() > 2);
            let mut searches: Vec<Search> = Vec::new();
            for number in 0..150 {
                let knn = Knn::new("v", rng.vector(24));
                searches.push(match number % 10 {
                    // Of other kinds, and wrong ones.
                    0 => Search::new(Query::all()).limit(3),
                    1 => Search::new(knn.k(4)),
                    2 => Search::new(knn.k(5).exact()).filter(Query::all()),
                    3 => Search::new(Knn::new("v", [1.0]).k(7).exact()),
                    4 => Search::new(knn.exact()).limit(4).offset(2),
                    5 => Search::new(knn.k(3).exact()),
                    6 if flat => Search::new(knn.k(7)),
                    _ => Search::new(knn.k(7).exact()),
                });
            }
            for threads in [1, 2, 5] {
                let found = searcher.search_many(&searches, &SearchOptions::new().threads(threads));
                assert_eq!(found.len(), searches.len());
                for (number, (found, search)) in found.into_iter().zip(&searches).enumerate() {
                    match (found, searcher.search(search)) {
                        (Ok(found), Ok(alone)) if number % 10 != 3 => {
                            assert_eq!(shown(&found), shown(&alone), "{number}")
                        }
                        (Err(found), Err(alone)) if number % 10 == 3 => {
                            assert_eq!(found.to_string(), alone.to_string())
                        }
                        (found, alone) => panic!("{number}: {found:?}, alone {alone:?}"),
                    }
                }
            }
        }
    }
}

#[test]
fn many_searches_of_binary_vectors_have_the_hits_of_each_alone() {
    let mut rng = Rng::new(6);
    let mut bits = |_| rng.vector(32).iter().map(|value| f32::from(*value > 0.8)).collect::<Vec<f32>>();
    let documents: Vec<(String, Vec<f32>)> =
        (0..900).map(|at| (format!("d{:03}", at * 7 % 900), bits(at))).collect();
    let queries: Vec<Vec<f32>> = (0..150).map(&mut bits).collect();
    for (vector, deletes) in [
        (Vector::bits(32).flat(), false),
        (Vector::bits(32).ivf(), false),
        (Vector::bits(32).ivf(), true),
        (Vector::bits(32).ivf().similarity(Similarity::Jaccard), false),
        (Vector::bits(32), true),
    ] {
        let (_directory, index) = in_memory(one_field(vector));
        add_all(&index, small_segments(300), documents.iter().map(|(key, bits)| (&key[..], &bits[..])));
        if deletes {
            let writer = index.writer_with(WriterOptions::new().merge_policy(MergePolicy::None)).unwrap();
            for (key, _) in documents.iter().step_by(9) {
                writer.delete(key).unwrap();
            }
            writer.commit().unwrap();
        }
        let searcher = index.searcher().unwrap();
        assert!(searcher.segment_count() > 2);
        let searches = queries.iter().enumerate().map(|(number, query)| {
            let knn = Knn::new("v", query.clone());
            match number % 6 {
                0 => Search::new(knn.k(7).nprobe(1)),
                1 => Search::new(knn.nprobe(3)).limit(4).offset(6),
                2 => Search::new(knn.k(9).nprobe(60)),
                3 => Search::new(knn.k(12).exact()),
                4 => Search::new(knn.k(7).nprobe(1)).filter(Query::all()),
                _ => Search::new(knn.k(7)),
            }
        });
        let searches: Vec<Search> = searches.collect();
        for (number, found) in searcher.search_many(&searches, &SearchOptions::new()).into_iter().enumerate()
        {
            assert_eq!(
                shown(&found.unwrap()),
                shown(&searcher.search(&searches[number]).unwrap()),
                "{number}"
            );
        }
    }
}

#[test]
fn many_searches_with_a_filter_have_the_hits_of_each_alone() {
    let mut rng = Rng::new(8);
    // Of 64 components and more there are 4-bit codes beside a graph.
    let long = Vector::f32(64).advanced("graph_threshold", 0);
    let short = [Vector::f32(24), Vector::f32(24).flat(), Vector::f32(24).multiple(), Vector::f16(24)];
    for (dimension, vector) in short.map(|vector| (24, vector)).into_iter().chain([(64, long)]) {
        let schema = Schema::builder().key("id").vector("v", vector).i64("n").build().unwrap();
        let (_directory, index) = in_memory(schema);
        let writer = index.writer_with(small_segments(700).merge_policy(MergePolicy::None)).unwrap();
        for number in 0..2_000_i64 {
            let document = Document::new().with("id", format!("d{:04}", number * 7 % 2_000));
            writer.add(&document.with("v", rng.vector(dimension)).with("n", number % 100)).unwrap();
        }
        (0..2_000).step_by(9).for_each(|number| assert!(writer.delete(&format!("d{number:04}")).unwrap()));
        writer.commit().unwrap();
        let searcher = index.searcher().unwrap();
        assert!(searcher.segment_count() > 2);
        let below = |most: i64| Range::new("n").lt(most);
        let searches = (0..300).map(|number| {
            let knn = Knn::new("v", rng.vector(dimension));
            // Filters change after some searches, and come back.
            let most = [1, 10, 60, 10][number / 20 % 4];
            match number % 9 {
                0 => Search::new(knn.k(7)).filter(below(most)),
                1 => Search::new(knn.k(5).filter(below(most)).rescore(3.0)),
                2 => Search::new(knn.filter(below(most)).exact()).limit(3).offset(2),
                3 => Search::new(knn.filter(below(90))).filter(below(most)).limit(6),
                4 => Search::new(knn.k(4).filter(below(most)).post_filter()),
                5 => Search::new(knn.clone().k(8).filter(knn.k(30).filter(below(most)))),
                6 => Search::new(knn.k(6).filter(below(most)).candidates(40)),
                7 => Search::new(knn.k(6).filter(Term::new("absent", 1))),
                _ => Search::new(knn.k(7).filter(below(most))),
            }
        });
        let searches: Vec<Search> = searches.collect();
        for threads in [1, 3] {
            let found = searcher.search_many(&searches, &SearchOptions::new().threads(threads));
            for (number, (found, search)) in found.into_iter().zip(&searches).enumerate() {
                match (found, searcher.search(search)) {
                    (Ok(found), Ok(alone)) => assert_eq!(shown(&found), shown(&alone), "{number}"),
                    (Err(found), Err(alone)) => assert_eq!(found.to_string(), alone.to_string()),
                    (found, alone) => panic!("{number}: {found:?}, alone {alone:?}"),
                }
            }
        }
    }
}

/// All of the hits but what they took.
fn shown(hits: &Hits) -> String {
    let parts = (&hits.hits, hits.exact, &hits.segments, hits.stopped, hits.total);
    format!("{parts:?}")
}

#[test]
fn many_exact_searches_stop_like_each_alone() {
    let (_directory, index) = in_memory(one_field(Vector::f32(24)));
    add_all(&index, WriterOptions::new(), rows(&random(300, 24, 3)));
    let searcher = index.searcher().unwrap();
    let searches = || (0..20).map(|at| Knn::new("v", vec![at as f32 + 0.5; 24]).k(5).exact());
    let late = SearchOptions::new().timeout(Duration::ZERO);
    for found in searcher.search_many(searches(), &late) {
        let error = found.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    }
    for found in searcher.search_many(searches(), &late.partial()) {
        assert!(found.unwrap().stopped.is_some());
    }
    let cancel = lucerne::Cancel::new();
    cancel.cancel();
    for found in searcher.search_many(searches(), &SearchOptions::new().cancel(&cancel)) {
        assert_eq!(found.unwrap_err().kind(), ErrorKind::Cancelled);
    }
}

#[test]
fn neighbors_of_unset_number_in_a_shared_filter_are_as_many_as_in_a_search_alone() {
    let mut rng = Rng::new(1);
    let (_directory, index) = in_memory(one_field(Vector::f32(16)));
    let documents = random(500, 16, 3);
    add_all(&index, small_segments(200), rows(&documents));
    let searcher = index.searcher().unwrap();
    let near = Knn::new("v", rng.vector(16));
    let mut query = || Knn::new("v", rng.vector(16)).k(40);
    let searches: [Vec<Search>; 3] = [
        // Where `k` is not set, it is that of the page.
        (0..8).map(|_| Search::new(query()).filter(near.clone()).limit(50)).collect(),
        (0..8).map(|_| Search::new(query().filter(near.clone())).limit(50)).collect(),
        // Equal filters that are not the same.
        (0..8).map(|at| Search::new(query()).filter(near.clone()).limit([20, 50][at % 2])).collect(),
    ];
    let mut wrong = Vec::new();
    for (kind, searches) in searches.iter().enumerate() {
        let found = searcher.search_many(searches, &SearchOptions::new());
        for (number, (found, search)) in found.into_iter().zip(searches).enumerate() {
            let (found, alone) = (found.unwrap(), searcher.search(search).unwrap());
            if shown(&found) != shown(&alone) {
                wrong.push((kind, number, found.hits.len(), alone.hits.len()));
            }
        }
    }
    assert!(wrong.is_empty(), "kind, search, hits together, hits alone: {wrong:?}");
}
