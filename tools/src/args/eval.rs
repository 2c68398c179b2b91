//! `eval` and `hash-quality`: recall and latency.

use super::threads;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// What makes a hit a right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RecallBy {
    Id,
    Distance,
}

/// Measure recall and latency.
#[derive(Debug, Args)]
#[command(after_help = "\
Recall is the share of the true K nearest that was found. The truth is an .ibin file of row numbers (u32
queries, u32 k, then k row numbers per query), matched with the integer field --row-field of the documents,
or with their keys where keys are row numbers. Without --truth it is computed by exact search.

Each setting is measured after a warm-up, over all queries, for a second at least. With --json there is one
object per line and setting: candidates, recall, qps, mean_us, p50_us, p99_us and more.

Examples:
  lucerne eval packages.idx --field embedding --queries queries.npy --truth truth.ibin --row-field row
  lucerne eval packages.idx --field embedding --queries queries.npy --candidates 10,20,50,100 --rescore 2")]
pub(crate) struct Eval {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// The vector field to search.
    #[arg(long)]
    pub(crate) field: String,

    /// Query vectors: .npy, .fbin or .fvecs.
    #[arg(long, value_name = "FILE")]
    pub(crate) queries: PathBuf,

    /// True neighbours of the queries, as row numbers.
    #[arg(long, value_name = "FILE.ibin", conflicts_with = "exact")]
    pub(crate) truth: Option<PathBuf>,

    /// The integer field that holds a document's row number.
    #[arg(long, value_name = "FIELD", requires = "truth")]
    pub(crate) row_field: Option<String>,

    /// Compute the truth by exact search; the default without --truth.
    #[arg(long)]
    pub(crate) exact: bool,

    /// Hits wanted.
    #[arg(short, value_name = "K", default_value_t = lucerne::limits::DEFAULT_K)]
    pub(crate) k: usize,

    /// Over-fetch factor, 1 or more: the best ⌈K · factor⌉ estimates are settled by their raw vectors.
    #[arg(long, value_name = "FACTOR")]
    pub(crate) rescore: Option<f32>,

    /// Numbers of candidates to measure, separated by commas [default: 100, with sign hashes 20 times K].
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    pub(crate) candidates: Vec<usize>,

    /// Numbers of inverted lists to go through, separated by commas, in a field with index ivf.
    #[arg(long, value_name = "N,N", value_delimiter = ',', conflicts_with = "candidates")]
    pub(crate) nprobe: Vec<usize>,

    /// What makes a hit a right one: being one of the true neighbours, or, where many are equally near, not being
    /// farther than the last of them. By distance needs exact distances.
    #[arg(long, value_name = "WHAT", default_value = "id")]
    pub(crate) recall_by: RecallBy,

    /// Threads that ask at the same time.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = threads)]
    pub(crate) threads: usize,

    /// Use the first N queries only.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

/// Measure how good sign hashes are for the vectors of a field.
#[derive(Debug, Args)]
#[command(after_help = "\
Recall is the share of the K exactly nearest vectors that are among the candidates found by sign hashes, for
vectors of the index themselves (none finds itself) or for --queries. The field need not have sign hashes:
they are made in memory, of 256 MiB of its vectors at most. A warning follows where the recall with the default
number of candidates, 20 for each neighbour, is below 0.9.

Examples:
  lucerne hash-quality packages.idx --field embedding
  lucerne hash-quality packages.idx --field embedding --queries queries.npy -k 50 --candidates 500,1000,2000")]
pub(crate) struct HashQuality {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// The vector field.
    #[arg(long)]
    pub(crate) field: String,

    /// Vectors of the index to search for.
    #[arg(long, value_name = "N", default_value_t = 1_000, conflicts_with = "queries")]
    pub(crate) sample: usize,

    /// Query vectors to search for instead: .npy, .fbin or .fvecs.
    #[arg(long, value_name = "FILE")]
    pub(crate) queries: Option<PathBuf>,

    /// Neighbours wanted.
    #[arg(short, value_name = "K", default_value_t = lucerne::limits::DEFAULT_K)]
    pub(crate) k: usize,

    /// Numbers of candidates to measure, separated by commas [default: 5, 10, 20, 50 and 100 times K].
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    pub(crate) candidates: Vec<usize>,
}
