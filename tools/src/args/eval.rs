//! Arguments of `eval`, `calibrate` and `hash-quality`.

use super::threads;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Measure recall and latency of vector search.
#[derive(Debug, Args)]
#[command(after_help = "\
Recall is the share of the true K nearest neighbors that the search returns. The true neighbors
come from an .ibin file of row numbers (u32 number of queries, u32 k, then k row numbers per
query); they are compared with the integer field --row-field, or with the keys of documents
whose keys are row numbers. Without --truth they are computed by exact search.

A hit that is as near as the last of the true K counts as one of them: of equally near
documents, any may be returned. The column \"by id\" counts the true K alone.

Each setting is measured after a warm-up, over all queries, for at least one second. With --json
each setting is one object: asked (the recall asked for), candidates, recall (the recall reached),
recall_by_id, qps, mean_us, p50_us, p99_us, visited (distances computed) and more.

Examples:
  lucerne eval packages.idx --field embedding --queries queries.npy --truth truth.ibin \\
      --row-field row
  lucerne eval packages.idx --field embedding --queries queries.npy \\
      --candidates 10,20,50,100 --rescore 2
  lucerne eval packages.idx --field embedding --queries queries.npy --recall 0.9,0.95,0.99
  lucerne eval packages.idx --field embedding --queries queries.npy --plot curve.svg")]
pub(crate) struct Eval {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// The vector field to search.
    #[arg(long)]
    pub(crate) field: String,

    /// Query vectors: .npy, .fbin or .fvecs.
    #[arg(long, value_name = "FILE")]
    pub(crate) queries: PathBuf,

    /// The true neighbors of the queries, as row numbers.
    #[arg(long, value_name = "FILE.ibin", conflicts_with = "exact")]
    pub(crate) truth: Option<PathBuf>,

    /// The integer field that holds a document's row number.
    #[arg(long, value_name = "FIELD", requires = "truth")]
    pub(crate) row_field: Option<String>,

    /// Compute the true neighbors by exact search; the default without --truth.
    #[arg(long)]
    pub(crate) exact: bool,

    /// Which hits count as found: all as near as the last true neighbor, or the true neighbors alone.
    #[arg(long, value_name = "HOW", value_enum, default_value_t = RecallBy::Distance)]
    pub(crate) recall_by: RecallBy,

    /// Number of neighbors to search for.
    #[arg(short, value_name = "K", default_value_t = lucerne::limits::DEFAULT_K)]
    pub(crate) k: usize,

    /// Rescore the best ⌈K × FACTOR⌉ candidates with the original f32 vectors; 1 or more. 0 is the default: only where codes say
    /// too little, which the index has measured.
    #[arg(long, value_name = "FACTOR")]
    pub(crate) rescore: Option<f32>,

    /// Recalls to ask for, separated by commas [default: that of the field, or 0.95].
    #[arg(long, value_name = "R,R", value_delimiter = ',', conflicts_with_all = ["candidates", "nprobe"])]
    pub(crate) recall: Vec<f32>,

    /// Numbers of candidates to measure instead, separated by commas.
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    pub(crate) candidates: Vec<usize>,

    /// Numbers of inverted lists to probe, separated by commas; for a field with index ivf.
    #[arg(long, value_name = "N,N", value_delimiter = ',', conflicts_with = "candidates")]
    pub(crate) nprobe: Vec<usize>,

    /// Threads that search at the same time.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = threads)]
    pub(crate) threads: usize,

    /// Use the first N queries only.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,

    /// Draw recall against distances and against queries per second into this file, as SVG. Without settings
    /// of your own, recalls from 0.8 to 0.99 are asked for.
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
}

/// Which hits count as found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RecallBy {
    /// Those as near as the last true neighbor
    Distance,
    /// The true neighbors
    Id,
}

/// Measure what your queries take to reach a recall, and keep it with the index.
#[derive(Debug, Args)]
#[command(after_help = "\
Each segment knows how many candidates a recall takes, measured with vectors like its own. Queries
that lie elsewhere (texts among images, questions among documents) may take more. This command
searches with yours and keeps for each recall how many times the candidates they take. It holds for
the whole field, through flushes and merges, until it is measured again or --reset.

Examples:
  lucerne calibrate packages.idx --field embedding --queries queries.npy
  lucerne calibrate packages.idx --field embedding --reset")]
pub(crate) struct Calibrate {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// The vector field.
    #[arg(long)]
    pub(crate) field: String,

    /// Query vectors: .npy, .fbin or .fvecs; at most 1,000 of them are used.
    #[arg(long, value_name = "FILE", required_unless_present = "reset")]
    pub(crate) queries: Option<PathBuf>,

    /// Number of neighbors to search for.
    #[arg(short, value_name = "K", default_value_t = lucerne::limits::DEFAULT_K)]
    pub(crate) k: usize,

    /// Use the first N queries only.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,

    /// Forget the calibration of the field.
    #[arg(long, conflicts_with = "queries")]
    pub(crate) reset: bool,
}

/// Measure the recall that sign hashes would have on the vectors of a field.
#[derive(Debug, Args)]
#[command(after_help = "\
Recall is the share of the true K nearest vectors that are among the candidates found by sign
hashes. The queries are vectors of the index (which do not find themselves), or --queries. The
field need not have sign hashes: they are computed in memory, from at most 256 MiB of its
vectors. A warning is printed when the recall with the default number of candidates, 20 × K, is
below 0.9.

Examples:
  lucerne hash-quality packages.idx --field embedding
  lucerne hash-quality packages.idx --field embedding --queries queries.npy -k 50 \\
      --candidates 500,1000,2000")]
pub(crate) struct HashQuality {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// The vector field.
    #[arg(long)]
    pub(crate) field: String,

    /// Number of vectors of the index to use as queries.
    #[arg(long, value_name = "N", default_value_t = 1_000, conflicts_with = "queries")]
    pub(crate) sample: usize,

    /// Query vectors to use instead: .npy, .fbin or .fvecs.
    #[arg(long, value_name = "FILE")]
    pub(crate) queries: Option<PathBuf>,

    /// Number of neighbors to search for.
    #[arg(short, value_name = "K", default_value_t = lucerne::limits::DEFAULT_K)]
    pub(crate) k: usize,

    /// Numbers of candidates to measure, separated by commas [default: 5, 10, 20, 50 and 100 × K].
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    pub(crate) candidates: Vec<usize>,
}

impl Eval {
    /// The factor to rescore by; `None` for 0.
    pub(crate) fn rescore(&self) -> Option<f32> {
        self.rescore.filter(|&factor| factor != 0.0)
    }
}
