//! `relevance`: how well a relevance set is answered.

use clap::Args;
use std::path::PathBuf;

/// Measure recall, MRR and nDCG with a relevance set.
#[derive(Debug, Args)]
#[command(after_help = "\
The set is JSON lines as of FlagEmbedding: {\"query\": \"…\", \"pos\": [\"…\"], \"neg\": [\"…\"]}. A passage is the key of
a document, or with --passages the exact value of that stored field. Passages that no document has are counted
and named; queries without any right passage in the index are not measured.

Queries are words for the text field --text, or vectors for the vector field --field: --queries has a row for
each line of the set, in its order. With both, the two lists are fused by rank.

Examples:
  lucerne relevance packages.idx dev.jsonl --passages description --text description
  lucerne relevance packages.idx dev.jsonl --passages description --field embedding --queries dev.npy -k 1,10,100")]
pub(crate) struct Relevance {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// The relevance set.
    #[arg(value_name = "FILE.jsonl")]
    pub(crate) file: PathBuf,

    /// The stored field whose value a passage is; without it a passage is a key.
    #[arg(long, value_name = "FIELD")]
    pub(crate) passages: Option<String>,

    /// The text field to search by words.
    #[arg(long, value_name = "FIELD", required_unless_present = "field")]
    pub(crate) text: Option<String>,

    /// The vector field to search.
    #[arg(long, value_name = "FIELD", requires = "queries")]
    pub(crate) field: Option<String>,

    /// Query vectors, one for each line: .npy, .fbin or .fvecs.
    #[arg(long, value_name = "FILE", requires = "field")]
    pub(crate) queries: Option<PathBuf>,

    /// How much of each ranking is looked at, separated by commas.
    #[arg(short, value_name = "K,K", value_delimiter = ',', default_value = "10")]
    pub(crate) k: Vec<usize>,

    /// Candidates that vector searches keep.
    #[arg(long, value_name = "N")]
    pub(crate) candidates: Option<usize>,
}
