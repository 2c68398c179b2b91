//! Graphs: recall, determinism, reachability, merging, and hostile bytes.

use lucerne_codec::format::WriteContext;
use lucerne_codec::testing::MemoryDirectory;
use lucerne_codec::{Cancel, Directory, Error, FieldInfo, Input, Ordinal, Progress, SegmentId, Similarity};
use lucerne_formats::distance::{DistanceComputer, GraphVectors, NodeDistances};
use lucerne_formats::hnsw::file::{GraphFile, GraphMeta, write};
use lucerne_formats::hnsw::graph::{
    BuildParams, Graph, GraphSearcher, GraphView, NO_NODE, SearchParams, SearchScratch, SearchStats,
    SourceGraph, bfs_order, build, merge_graphs, unreachable,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const DIMENSION: usize = 16;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

#[derive(Clone)]
struct Vectors(Vec<[f32; DIMENSION]>);

struct To<'a>(&'a Vectors, [f32; DIMENSION]);

impl DistanceComputer for To<'_> {
    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [f32]) {
        for (&ordinal, out) in ordinals.iter().zip(out) {
            let row = &self.0.0[ordinal as usize];
            *out = row.iter().zip(&self.1).map(|(a, b)| (a - b) * (a - b)).sum();
        }
    }
}

impl NodeDistances for To<'_> {
    fn set_query(&mut self, node: Ordinal) {
        self.1 = self.0.0[node as usize];
    }
}

impl GraphVectors for Vectors {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn computer(&self) -> Box<dyn NodeDistances + '_> {
        Box::new(To(self, [0.0; DIMENSION]))
    }
}

impl Vectors {
    /// Points around 50 centers, as embeddings are.
    fn clustered(n: usize, seed: u64) -> Self {
        let mut random = Random(seed);
        let mut centers = Random(7);
        let centers: Vec<[f32; DIMENSION]> =
            (0..50).map(|_| std::array::from_fn(|_| centers.unit())).collect();
        let mut near = |center: &[f32; DIMENSION]| {
            std::array::from_fn(|i| center[i] + 0.3 * (random.unit() + random.unit() - 1.0))
        };
        Self((0..n).map(|i| near(&centers[i * 31 % 50])).collect())
    }

    fn nearest(
        &self,
        query: &[f32; DIMENSION],
        k: usize,
        accept: impl Fn(Ordinal) -> bool,
    ) -> Vec<(f32, Ordinal)> {
        let ordinals: Vec<Ordinal> = (0..self.0.len() as u32).collect();
        let mut distances = vec![0.0; ordinals.len()];
        To(self, *query).gather(&ordinals, &mut distances);
        let mut all: Vec<(f32, Ordinal)> = distances.into_iter().zip(ordinals).collect();
        all.retain(|&(_, ordinal)| accept(ordinal));
        all.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
        all.truncate(k);
        all
    }
}

fn params(threads: usize) -> BuildParams {
    BuildParams { threads, ..BuildParams::default() }
}

fn built(vectors: &Vectors, threads: usize) -> Graph {
    build(&params(threads), vectors, &Cancel::new(), &()).unwrap()
}

fn find(
    graph: &impl GraphView,
    vectors: &Vectors,
    query: &[f32; DIMENSION],
    ef: usize,
) -> Vec<(f32, Ordinal)> {
    let (mut scratch, mut out) = (SearchScratch::new(), Vec::new());
    search(graph, vectors, query, ef, |_| true, &mut scratch, &mut out).unwrap();
    out
}

/// Finds the `ef` nearest accepted vectors, whatever it costs.
fn search(
    graph: &impl GraphView,
    vectors: &Vectors,
    query: &[f32; DIMENSION],
    ef: usize,
    accept: impl Fn(Ordinal) -> bool,
    scratch: &mut SearchScratch,
    out: &mut Vec<(f32, Ordinal)>,
) -> lucerne_codec::Result<SearchStats> {
    let distances = &mut To(vectors, *query);
    let mut searcher = GraphSearcher { graph, distances, scratch, cancel: &Cancel::new() };
    searcher.search_accepted(SearchParams { ef, budget: u64::MAX }, accept, out)
}

/// Links per node on level 0.
fn mean_degree(graph: &Graph) -> f64 {
    let links = graph.levels()[0].rows.iter().filter(|&&link| link != NO_NODE).count();
    links as f64 / graph.len() as f64
}

fn recall(graph: &impl GraphView, vectors: &Vectors, candidates: usize) -> f64 {
    let queries = Vectors::clustered(200, 99);
    let mut found = 0;
    for query in &queries.0 {
        let truth = vectors.nearest(query, 10, |_| true);
        let worst = truth.last().unwrap().0;
        let hits = find(graph, vectors, query, candidates);
        assert!(hits.windows(2).all(|pair| (pair[0].0, pair[0].1) < (pair[1].0, pair[1].1)));
        found += hits.iter().take(10).filter(|hit| hit.0 <= worst).count();
    }
    found as f64 / (queries.0.len() * 10) as f64
}

fn assert_sound(graph: &Graph) {
    assert!(unreachable(graph).unwrap().is_empty());
    for (number, level) in graph.levels().iter().enumerate() {
        let len = graph.level_len(number);
        let row_len = if number == 0 { 2 * graph.m() } else { graph.m() };
        assert_eq!(level.rows.len(), len * row_len);
        for (position, row) in level.rows.chunks_exact(row_len).enumerate() {
            let links: Vec<u32> = row.iter().copied().take_while(|&link| link != NO_NODE).collect();
            assert!(row[links.len()..].iter().all(|&link| link == NO_NODE));
            assert!(links.iter().all(|&link| (link as usize) < len && link as usize != position));
            let mut sorted = links.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), links.len(), "level {number}, node {position}: {links:?}");
        }
    }
}

#[test]
fn a_graph_finds_what_brute_force_finds() {
    let vectors = Vectors::clustered(5_000, 1);
    let graph = built(&vectors, 1);
    assert_sound(&graph);
    let recall = recall(&graph, &vectors, 100);
    assert!(recall >= 0.98, "recall {recall}");
}

#[test]
fn one_thread_and_one_seed_give_one_graph() {
    let vectors = Vectors::clustered(2_000, 2);
    let graph = built(&vectors, 1);
    assert_eq!(graph, built(&vectors, 1));
    let other = BuildParams { seed: 43, ..params(1) };
    assert_ne!(graph, build(&other, &vectors, &Cancel::new(), &()).unwrap());
}

#[test]
fn threads_build_a_graph_as_good() {
    let vectors = Vectors::clustered(5_000, 1);
    let graph = built(&vectors, 4);
    assert_sound(&graph);
    let recall = recall(&graph, &vectors, 100);
    assert!(recall >= 0.98, "recall {recall}");
}

#[test]
fn small_and_degenerate_inputs_give_sound_graphs() {
    for threads in [1, 3] {
        for n in [0, 1, 2, 3, 33, 700] {
            assert_sound(&built(&Vectors::clustered(n, 3), threads));
            let same = Vectors(vec![[0.5; DIMENSION]; n]);
            let graph = built(&same, threads);
            assert_sound(&graph);
            assert_eq!(find(&graph, &same, &[0.5; DIMENSION], n).len(), n);
        }
        let line = Vectors((0..3_000).map(|i| [i as f32; DIMENSION]).collect());
        assert_sound(&built(&line, threads));
    }
}

/// 3,000 copies of one vector and 2,000 of another among 3,000 others.
fn with_duplicates() -> Vectors {
    let mut vectors = Vectors::clustered(3_000, 4);
    let (first, second) = (vectors.0[17], vectors.0[1_700]);
    vectors.0.extend([first; 3_000]);
    vectors.0.extend([second; 2_000]);
    Random(5).shuffle(&mut vectors.0);
    vectors
}

#[test]
fn thousands_of_duplicates_hide_nothing() {
    let vectors = with_duplicates();
    for threads in [1, 2] {
        let graph = built(&vectors, threads);
        assert_sound(&graph);
        let recall = recall(&graph, &vectors, 100);
        assert!(recall >= 0.97, "recall {recall}");
        // Merged away and back: the trees of duplicates are rebuilt, not piled up.
        let ordinals: Vec<u32> = (0..vectors.0.len() as u32).collect();
        let source = SourceGraph { graph: &graph, ordinals: &ordinals };
        let merged = merge_graphs(&params(threads), &vectors, &[source], &[], &Cancel::new(), &()).unwrap();
        assert_sound(&merged);
        let after = self::recall(&merged, &vectors, 100);
        assert!(after >= recall - 0.01, "recall {after} after {recall}");
    }
}

/// Splits vectors into parts with graphs, deletes a share of each, and merges what is left.
fn merge_parts(threads: usize, parts: usize, deleted: f32, with_others: bool) -> (Vectors, Graph) {
    let mut random = Random(11);
    let mut merged = Vectors(Vec::new());
    let mut sources: Vec<(Graph, Vec<u32>)> = Vec::new();
    for part in 0..parts {
        let vectors = Vectors::clustered(if part == 1 { 2_000 } else { 1_000 }, 50 + part as u64);
        let mut ordinals = Vec::new();
        for vector in &vectors.0 {
            if random.unit() < deleted {
                ordinals.push(NO_NODE);
            } else {
                ordinals.push(merged.0.len() as u32);
                merged.0.push(*vector);
            }
        }
        sources.push((built(&vectors, 1), ordinals));
    }
    let mut without_graph: Vec<u32> = Vec::new();
    if with_others {
        let vectors = Vectors::clustered(500, 70);
        without_graph = (merged.0.len() as u32..).take(500).collect();
        merged.0.extend(vectors.0);
    }
    let sources: Vec<SourceGraph<'_>> =
        sources.iter().map(|(graph, ordinals)| SourceGraph { graph, ordinals }).collect();
    let graph =
        merge_graphs(&params(threads), &merged, &sources, &without_graph, &Cancel::new(), &()).unwrap();
    (merged, graph)
}

#[test]
fn merged_graphs_are_as_good_as_one_from_scratch() {
    for (parts, deleted, with_others) in [(4, 0.0, false), (4, 0.2, true), (2, 0.6, false), (1, 0.0, true)] {
        for threads in [1, 2] {
            let (vectors, merged) = merge_parts(threads, parts, deleted, with_others);
            assert_sound(&merged);
            let (found, expected) =
                (recall(&merged, &vectors, 50), recall(&built(&vectors, 1), &vectors, 50));
            assert!(
                found >= expected - 0.01,
                "{parts} parts, {deleted} deleted: recall {found}, from scratch {expected}"
            );
        }
    }
    assert_eq!(merge_parts(1, 3, 0.3, true).1, merge_parts(1, 3, 0.3, true).1);
}

#[test]
fn many_merges_with_deletes_keep_degree_and_recall() {
    let mut random = Random(21);
    let mut vectors = Vectors::clustered(2_000, 80);
    let mut graph = built(&vectors, 1);
    let degree = mean_degree(&graph);
    for round in 0..30 {
        let fresh = Vectors::clustered(100, 1_000 + round);
        let part = built(&fresh, 1);
        let mut next = Vectors(Vec::new());
        let ordinals: Vec<u32> = (vectors.0.iter())
            .map(|vector| {
                if random.unit() < 0.05 {
                    return NO_NODE;
                }
                next.0.push(*vector);
                next.0.len() as u32 - 1
            })
            .collect();
        let fresh_ordinals: Vec<u32> = (next.0.len() as u32..).take(100).collect();
        next.0.extend(fresh.0);
        let old = SourceGraph { graph: &graph, ordinals: &ordinals };
        let new = SourceGraph { graph: &part, ordinals: &fresh_ordinals };
        graph = merge_graphs(&params(1), &next, &[old, new], &[], &Cancel::new(), &()).unwrap();
        vectors = next;
    }
    assert_sound(&graph);
    assert!(mean_degree(&graph) > 0.9 * degree, "{} of {degree}", mean_degree(&graph));
    let (found, expected) = (recall(&graph, &vectors, 50), recall(&built(&vectors, 1), &vectors, 50));
    assert!(found >= expected - 0.01, "recall {found}, from scratch {expected}");
}

#[test]
fn merging_refuses_a_wrong_numbering() {
    let vectors = Vectors::clustered(20, 1);
    let graph = built(&vectors, 1);
    let all: Vec<u32> = (0..20).collect();
    let mut twice = all.clone();
    twice[3] = 4;
    let mut missing = all.clone();
    missing[3] = NO_NODE;
    for (ordinals, without_graph) in
        [(&twice, vec![]), (&missing, vec![]), (&all, vec![3]), (&all[..19].to_vec(), vec![19])]
    {
        let source = SourceGraph { graph: &graph, ordinals };
        let refused = merge_graphs(&params(1), &vectors, &[source], &without_graph, &Cancel::new(), &());
        assert!(matches!(refused, Err(Error::Invalid(_))));
    }
}

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

fn written(graph: &Graph) -> (Vec<u8>, GraphMeta) {
    let directory = MemoryDirectory::new();
    let cancel = Cancel::new();
    let context = WriteContext {
        directory: &directory,
        segment: "_0",
        segment_id: SegmentId([1; 16]),
        max_doc: graph.len() as u32,
        seed: 42,
        threads: 1,
        cancel: &cancel,
        progress: &(),
    };
    let field = FieldInfo {
        number: 0,
        name: "embedding".into(),
        dimension: DIMENSION as u32,
        similarity: Similarity::Euclidean,
        params: Default::default(),
    };
    let (entry, meta) = write(&context, &field, graph).unwrap();
    let bytes = directory.open(&entry.name).unwrap().bytes().to_vec();
    assert_eq!(bytes.len() as u64, entry.len);
    (bytes, meta)
}

fn opened(bytes: Vec<u8>, meta: &GraphMeta, len: usize) -> lucerne_codec::Result<GraphFile> {
    GraphFile::open(Input::new("_0.0.hnsw", Arc::new(bytes)), meta, len)
}

#[test]
fn a_file_answers_like_the_graph_written_to_it() {
    for n in [1, 2, 2_000] {
        let vectors = Vectors::clustered(n, 10);
        let graph = built(&vectors, 1);
        let (bytes, meta) = written(&graph);
        let file = opened(bytes.clone(), &meta, n).unwrap();
        assert_eq!(file.verify(&Cancel::new()).unwrap(), []);
        for query in &Vectors::clustered(20, 12).0 {
            assert_eq!(find(&graph, &vectors, query, 30), find(&file, &vectors, query, 30));
        }
        // A cut file and meta that does not fit are refused.
        for cut in [0, 63, 64, 80, bytes.len() / 2, bytes.len() - 1] {
            assert!(opened(bytes[..cut].to_vec(), &meta, n).is_err());
        }
        for wrong in [0, 1, meta.m + 1, u32::MAX] {
            let with = |change: &dyn Fn(&mut GraphMeta)| {
                let mut changed = meta.clone();
                change(&mut changed);
                changed
            };
            assert!(opened(bytes.clone(), &with(&|meta| meta.m = wrong), n).is_err());
            assert!(opened(bytes.clone(), &with(&|meta| meta.levels.push(wrong)), n).is_err());
            assert!(
                opened(bytes.clone(), &with(&|meta| meta.levels = vec![wrong.max(n as u32 + 1)]), n).is_err()
            );
        }
        assert!(opened(bytes, &meta, n + 1).is_err());
    }
}

#[test]
fn hostile_words_give_errors_or_answers_but_never_a_panic() {
    let vectors = Vectors::clustered(1_500, 13);
    let graph = built(&vectors, 1);
    let (good, meta) = written(&graph);
    let mut random = Random(14);
    let mut scratch = SearchScratch::new();
    let (mut refused, mut out) = (0, Vec::new());
    for round in 0..300 {
        let mut bytes = good.clone();
        let body = 64..bytes.len() - 16;
        match round % 3 {
            // All garbage, garbage in range, single words.
            0 => bytes[body].iter_mut().for_each(|byte| *byte = random.next() as u8),
            1 => bytes[body].chunks_exact_mut(4).for_each(|word| {
                word.copy_from_slice(&(random.below(1_500) as u32).to_le_bytes());
            }),
            _ => (0..20).for_each(|_| {
                let at = 64 + 4 * random.below((good.len() - 80) / 4);
                bytes[at..at + 4].copy_from_slice(&(random.next() as u32).to_le_bytes());
            }),
        }
        let file = opened(bytes, &meta, 1_500).unwrap();
        let cancel = Cancel::new();
        for query in &Vectors::clustered(3, round).0 {
            match search(&file, &vectors, query, 1_500, |_| true, &mut scratch, &mut out) {
                Ok(stats) => assert!(stats.visited < 1_500 * 3 && out.len() <= 1_500),
                Err(error) => {
                    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
                    refused += 1;
                }
            }
        }
        let clean = file.verify(&cancel).is_ok_and(|problems| problems.is_empty());
        assert!(!clean, "round {round}: damage not seen");
        let _ = (unreachable(&file), bfs_order(&file));
        let ordinals: Vec<u32> = (0..1_500).collect();
        let source = SourceGraph { graph: &file, ordinals: &ordinals };
        if round % 25 < 3 {
            match merge_graphs(&params(1), &vectors, &[source], &[], &cancel, &()) {
                Ok(merged) => assert!(unreachable(&merged).unwrap().is_empty()),
                Err(error) => assert!(matches!(error, Error::Corrupt { .. }), "{error}"),
            }
        }
    }
    assert!(refused > 100);
}
