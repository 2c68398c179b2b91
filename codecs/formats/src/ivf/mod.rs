//! `ivf`: inverted lists over raw bits. The vectors of a segment are grouped around centroids, and those of a list are
//! numbered one after the other: a list is a range of ordinals, and going through it reads its rows in order.
//!
//! | file | idea |
//! |---|---|
//! | `train` | centroids from a sample |
//! | `build` | every vector to its nearest centroid |
//! | `file` | the `.ivf` file |

pub mod build;
pub mod file;
pub mod train;

pub use build::Lists;
pub use file::{ListFile, ListsMeta};
