//! Vectors for graphs, and what a graph is asked.

use lucerne_codec::{Cancel, Ordinal};
use lucerne_formats::distance::{DistanceComputer, GraphVectors, NodeDistances, NodePanel};
use lucerne_formats::hnsw::graph::{
    BuildParams, Graph, GraphSearcher, GraphView, NO_NODE, SearchParams, SearchScratch, SearchStats, build,
    unreachable,
};

use lucerne_simd::PANEL;

pub(super) const DIMENSION: usize = 16;

/// SplitMix64.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(super) fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

#[derive(Clone)]
pub(super) struct Vectors(pub(super) Vec<[f32; DIMENSION]>);

pub(super) struct To<'a>(pub(super) &'a Vectors, pub(super) [f32; DIMENSION]);

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

/// Vectors that are compared a panel at a time as well.
pub(super) struct InPanels(pub(super) Vectors);

struct Panel<'a>(&'a Vectors, Vec<Ordinal>);

impl NodePanel for Panel<'_> {
    fn set_nodes(&mut self, nodes: &[Ordinal]) {
        self.1 = nodes.to_vec();
    }

    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [[f32; PANEL]]) {
        let mut distances = vec![0.0; ordinals.len()];
        for (lane, &node) in self.1.iter().enumerate() {
            To(self.0, self.0.0[node as usize]).gather(ordinals, &mut distances);
            out.iter_mut().zip(&distances).for_each(|(out, &distance)| out[lane] = distance);
        }
    }

    fn fingerprint(&self, node: Ordinal) -> u64 {
        let bytes = self.0.0[node as usize].iter().flat_map(|value| value.to_le_bytes());
        // Others may have the same.
        bytes.fold(0, |sum, byte| (sum * 31 + u64::from(byte)) % 10_007)
    }
}

impl GraphVectors for InPanels {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn computer(&self) -> Box<dyn NodeDistances + '_> {
        self.0.computer()
    }

    fn panel(&self) -> Option<Box<dyn NodePanel + '_>> {
        Some(Box::new(Panel(&self.0, Vec::new())))
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
    pub(super) fn clustered(n: usize, seed: u64) -> Self {
        let mut random = Random(seed);
        let mut centers = Random(7);
        let centers: Vec<[f32; DIMENSION]> =
            (0..50).map(|_| std::array::from_fn(|_| centers.unit())).collect();
        let mut near = |center: &[f32; DIMENSION]| {
            std::array::from_fn(|i| center[i] + 0.3 * (random.unit() + random.unit() - 1.0))
        };
        Self((0..n).map(|i| near(&centers[i * 31 % 50])).collect())
    }

    pub(super) fn nearest(
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

pub(super) fn params(threads: usize) -> BuildParams<'static> {
    BuildParams { threads, ..BuildParams::default() }
}

pub(super) fn built(vectors: &Vectors, threads: usize) -> Graph {
    build(&params(threads), vectors, &Cancel::new(), &()).unwrap()
}

pub(super) fn find(
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
pub(super) fn search(
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
    searcher.search_accepted(SearchParams { ef, budget: u64::MAX, hidden: None }, accept, out)
}

/// Links per node on level 0.
pub(super) fn mean_degree(graph: &Graph) -> f64 {
    let links = graph.levels()[0].rows.iter().filter(|&&link| link != NO_NODE).count();
    links as f64 / graph.len() as f64
}

pub(super) fn recall(graph: &impl GraphView, vectors: &Vectors, candidates: usize) -> f64 {
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

pub(super) fn assert_sound(graph: &Graph) {
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
