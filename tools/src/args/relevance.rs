//! Arguments of `relevance`.

use clap::Args;
use std::path::PathBuf;

/// Measure recall, MRR and nDCG against relevance judgements.
#[derive(Debug, Args)]
#[command(after_help = "\
The file has JSON lines as FlagEmbedding writes them: {\"query\": \"…\", \"pos\": [\"…\"], \"neg\":
[\"…\"]}. A passage is the key of a document, or with --passages the exact value of that stored
field. Passages that no document has are counted and listed; queries without a correct passage
in the index are not measured.

With --text the query's text searches a text field. With --field and --queries the query's
vector searches a vector field: row i of --queries belongs to line i of the file. With both, the
two rankings are fused by rank (RRF).

Examples:
  lucerne relevance packages.idx dev.jsonl --passages description --text description
  lucerne relevance packages.idx dev.jsonl --passages description --field embedding \\
      --queries dev.npy -k 1,10,100")]
pub(crate) struct Relevance {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// The relevance judgements.
    #[arg(value_name = "FILE.jsonl")]
    pub(crate) file: PathBuf,

    /// The stored field that holds the passages; without it passages are keys.
    #[arg(long, value_name = "FIELD")]
    pub(crate) passages: Option<String>,

    /// The text field to search.
    #[arg(long, value_name = "FIELD", required_unless_present = "field")]
    pub(crate) text: Option<String>,

    /// The vector field to search.
    #[arg(long, value_name = "FIELD", requires = "queries")]
    pub(crate) field: Option<String>,

    /// Query vectors, one per line of the file: .npy, .fbin or .fvecs.
    #[arg(long, value_name = "FILE", requires = "field")]
    pub(crate) queries: Option<PathBuf>,

    /// Cutoffs of the measures, separated by commas: the first K hits of each ranking count.
    #[arg(short, value_name = "K,K", value_delimiter = ',', default_value = "10")]
    pub(crate) k: Vec<usize>,

    /// Candidates that each vector search keeps per segment.
    #[arg(long, value_name = "N")]
    pub(crate) candidates: Option<usize>,
}
