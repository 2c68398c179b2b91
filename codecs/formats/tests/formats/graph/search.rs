//! Searching, cancelling and renumbering.

use super::support::*;
use lucerne_codec::{Cancel, Error, Ordinal, Progress};
use lucerne_formats::hnsw::graph::{GraphSearcher, SearchParams, SearchScratch, bfs_order, build};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[test]
fn only_accepted_vectors_are_returned_and_all_can_be() {
    let vectors = Vectors::clustered(3_000, 6);
    let graph = built(&vectors, 1);
    let mut scratch = SearchScratch::new();
    let mut out = Vec::new();
    for one_in in [2u32, 20, 500] {
        let accept = |ordinal: Ordinal| ordinal % one_in == 1;
        let mut found = 0;
        for query in &Vectors::clustered(50, 77).0 {
            search(&graph, &vectors, query, 50, accept, &mut scratch, &mut out).unwrap();
            assert!(out.iter().all(|&(_, ordinal)| accept(ordinal)));
            assert!(out.len() == 50.min(3_000_u32.div_ceil(one_in) as usize));
            let truth = vectors.nearest(query, 5, accept);
            found += truth.iter().filter(|hit| out.contains(hit)).count();
        }
        assert!(found >= 245, "one in {one_in}: {found} of 250");
    }
    search(&graph, &vectors, &vectors.0[0], 10, |_| false, &mut scratch, &mut out).unwrap();
    assert!(out.is_empty());
}

#[test]
fn one_search_shows_what_those_with_fewer_candidates_find() {
    let vectors = Vectors::clustered(3_000, 6);
    let graph = built(&vectors, 1);
    let (mut scratch, mut out) = (SearchScratch::new(), Vec::new());
    let efs = [10, 20, 40, 80, 160];
    let params = |ef, budget| SearchParams { ef, budget, hidden: None };
    let (mut same, mut traced, mut searched) = (0, 0, 0);
    for query in &Vectors::clustered(50, 77).0 {
        let (distances, cancel) = (&mut To(&vectors, *query), &Cancel::new());
        let mut searcher = GraphSearcher { graph: &graph, distances, scratch: &mut scratch, cancel };
        let mut shown = Vec::new();
        let mut trace = |budget, most| {
            shown.clear();
            let keep = |found: &[(f32, Ordinal)], visited| {
                shown.push((found.to_vec(), visited));
                Ok(shown.len() < most)
            };
            searcher.trace(10, params(160, budget), &efs, keep).unwrap();
            shown.clone()
        };
        assert!(trace(1, 5).is_empty(), "a budget that is spent at once");
        assert_eq!(trace(u64::MAX, 2).len(), 2, "ended by what it shows to");
        let shown = trace(u64::MAX, 9);
        assert_eq!(shown.len(), efs.len());
        for (ef, (found, visited)) in efs.into_iter().zip(shown) {
            let stats = searcher.search(10, params(ef, u64::MAX), &mut out).unwrap();
            assert_eq!(found.len(), ef);
            same += found[..10].iter().filter(|hit| out[..10].contains(hit)).count();
            (traced, searched) = (traced + visited, searched + stats.visited);
        }
    }
    assert!(same >= 2_450, "{same} of 2500");
    assert!(traced.abs_diff(searched) < searched / 50, "{traced} distances, {searched} by searches");
}

#[test]
fn work_stops_when_asked_to_and_says_how_far_it_is() {
    struct Stop(Cancel, AtomicU64);
    impl Progress for Stop {
        fn report(&self, phase: &'static str, done: u64, total: u64) {
            assert!(phase == "graph" && done <= total);
            self.1.fetch_add(1, Relaxed);
            if done > 1_000 {
                self.0.cancel();
            }
        }
    }
    let vectors = Vectors::clustered(5_000, 1);
    for threads in [1, 2] {
        let stop = Stop(Cancel::new(), AtomicU64::new(0));
        let stopped = build(&params(threads), &vectors, &stop.0, &stop);
        assert!(matches!(stopped, Err(Error::Cancelled)));
        assert!((2..10).contains(&stop.1.load(Relaxed)));
    }
}

#[test]
fn another_order_is_the_same_graph_with_neighbors_close() {
    let vectors = Vectors::clustered(2_000, 8);
    let graph = built(&vectors, 1);
    let order = bfs_order(&graph).unwrap();
    let renumbered = graph.renumber(&order).unwrap();
    assert_sound(&renumbered);
    let moved = Vectors(order.iter().map(|&old| vectors.0[old as usize]).collect());
    for query in &Vectors::clustered(50, 9).0 {
        let before = find(&graph, &vectors, query, 20);
        let after = find(&renumbered, &moved, query, 20);
        let distances = |hits: &[(f32, u32)]| hits.iter().map(|hit| hit.0).collect::<Vec<_>>();
        assert_eq!(distances(&before), distances(&after));
    }
    assert!(graph.renumber(&order[1..]).is_err());
    assert!(graph.renumber(&vec![0; 2_000]).is_err());
}
