//! Distances: what a graph knows of vectors. It compares ordinals, and never sees a vector.

use lucerne_codec::Ordinal;
pub use lucerne_simd::{PANEL, near_lanes};

/// Distances from one query to stored vectors. Smaller is nearer; never NaN.
///
/// FAISS calls this `DistanceComputer`, Lucene `RandomVectorScorer`.
pub trait DistanceComputer {
    /// Puts the distance to the vector `ordinals[i]` into `out[i]`. Both slices have the same length, and every ordinal
    /// is that of a stored vector.
    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [f32]);

    /// Puts the distance to the vector `first + i` into `out[i]`, as far as there are vectors.
    fn scan(&mut self, first: Ordinal, out: &mut [f32]) {
        let ordinals: Vec<Ordinal> = (first..).take(out.len()).collect();
        self.gather(&ordinals, out);
    }
}

/// Distances from up to [`PANEL`] queries, side by side, to stored vectors: each vector is read once for all of them.
pub trait PanelDistances {
    /// Puts the distance from query `l` to the vector `ordinals[i]` into `out[i][l]`, the same that the [`DistanceComputer`] of
    /// that query gives. Both slices have the same length, and every ordinal is that of a stored vector. Lanes
    /// beyond the queries of the panel are unspecified.
    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [[f32; PANEL]]);
}

/// Vectors that can be each other's query: what building and merging a graph needs.
pub trait GraphVectors: Sync {
    /// Number of vectors.
    fn len(&self) -> usize;

    /// True when there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True when distances are −x·y of vectors of any length. A vector need not be its own nearest then, and angles say
    /// which vectors lie in one direction, distances do not.
    fn are_inner_products(&self) -> bool {
        false
    }

    /// A computer of distances between them, for one thread to keep. It has no query before
    /// [`NodeDistances::set_query`].
    fn computer(&self) -> Box<dyn NodeDistances + '_>;

    /// What compares several of them at once with others, for one thread to keep. `None` where there is no such thing.
    fn panel(&self) -> Option<Box<dyn NodePanel + '_>> {
        None
    }
}

/// Up to [`PANEL`] of the vectors side by side: each other vector is read once for all of them. Distances are about those of
/// [`NodeDistances`], never negative and never NaN.
pub trait NodePanel: Send {
    /// Makes these nodes the queries.
    fn set_nodes(&mut self, nodes: &[Ordinal]);

    /// Puts the distance from node `l` of the panel to the vector `ordinals[i]` into `out[i][l]`. Both slices have the same length.
    /// Lanes beyond the nodes are unspecified.
    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [[f32; PANEL]]);

    /// A number that is the same for vectors that no distance can tell apart, and hardly ever for others.
    fn fingerprint(&self, node: Ordinal) -> u64;
}

/// Distances from one of the vectors to others. They are symmetric.
///
/// Lucene calls this `UpdateableRandomVectorScorer`, FAISS adds `symmetric_dis` to its `DistanceComputer`.
pub trait NodeDistances: DistanceComputer + Send {
    /// Makes the vector `node` the query.
    fn set_query(&mut self, node: Ordinal);

    /// A cheaper computer of about the same distances from the same query, if there is one, to search a graph with:
    /// what it finds is to be rescored by [`DistanceComputer::gather`].
    fn traversal(&mut self) -> Option<&mut dyn DistanceComputer> {
        None
    }
}
