//! `search`: by words, values, vectors, and all of them together.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Find documents: by words, by values, nearest to a vector, or by all of them together.
#[derive(Debug, Args)]
#[command(after_help = "\
A --query says what to find; its text tells its language:
  title:editor AND size:[* TO 5000] -section:games          as for Lucene; AND binds tighter than OR
  {!knn f=embedding topK=10}[0.1, 0.7]                      as for Solr
  (@section:{python})=>[KNN 3 @embedding $v AS distance]    as for Redis, with --param v=@q.npy
  {\"term\": {\"field\": \"section\", \"value\": \"python\"}}         JSON; also a whole search
Words without a field are searched in the first text field of the schema, or in --default-field.

--knn finds the documents nearest to a vector. With --query, say how the two combine: --hybrid
ranks by both, --rerank vector reorders the best of the query by their vectors. A --filter keeps
what it matches and does not score; the nearest are searched among what it keeps, so that none is
lost.

A --vector-file is .npy, .fbin or .fvecs, or raw little-endian f32 bytes (.f32, .bin).

Examples:
  lucerne search packages.idx --query 'editor -section:games' --sort size:desc --fields short,size
  lucerne search packages.idx --knn embedding --like vim --filter 'section:python AND size:<1000'
  lucerne search packages.idx --query 'ssh library' --knn embedding --vector-file q.npy --hybrid
  lucerne search packages.idx --query editor --knn embedding --like vim --rerank vector --explain")]
pub(crate) struct Search {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// What to find.
    #[arg(short, long, value_name = "TEXT|JSON", allow_hyphen_values = true)]
    pub(crate) query: Option<String>,

    /// What $NAME stands for in the query: a number, a text, a JSON list, or a vector from a file.
    #[arg(long, value_name = "NAME=VALUE|@FILE[:ROW]", value_parser = name_and_value)]
    pub(crate) param: Vec<(String, String)>,

    /// Only documents that match this too; as a --query.
    #[arg(long, value_name = "TEXT|JSON", allow_hyphen_values = true)]
    pub(crate) filter: Option<String>,

    /// The field that words without a field are searched in [default: the first text field].
    #[arg(long, value_name = "FIELD")]
    pub(crate) default_field: Option<String>,

    /// The vector field to search.
    #[arg(long, value_name = "FIELD")]
    pub(crate) knn: Option<String>,

    /// The query vector, a JSON list of numbers; of a binary field zeros and ones or hexadecimal digits too.
    #[arg(long, value_name = "LIST", requires = "knn", allow_hyphen_values = true)]
    #[arg(conflicts_with_all = ["vector_file", "row", "like"])]
    pub(crate) vector: Option<String>,

    /// A file that holds the query vector.
    #[arg(long, value_name = "FILE", requires = "knn", conflicts_with = "like")]
    pub(crate) vector_file: Option<PathBuf>,

    /// The row of the file, counted from 0.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "vector_file")]
    pub(crate) row: u64,

    /// The query vector is that of the document with this key.
    #[arg(long, value_name = "KEY", requires = "knn")]
    pub(crate) like: Option<String>,

    /// Candidates each segment's index keeps while searching: more finds more and is slower [default: 100].
    #[arg(long, value_name = "N", requires = "knn")]
    pub(crate) candidates: Option<usize>,

    /// Inverted lists of each segment to go through, in a field with index ivf.
    #[arg(long, value_name = "N", requires = "knn")]
    pub(crate) nprobe: Option<usize>,

    /// Over-fetch factor, 1 or more: the best ⌈K · factor⌉ estimates are settled by their raw vectors.
    #[arg(long, value_name = "FACTOR", requires = "knn")]
    pub(crate) rescore: Option<f32>,

    /// Compare with every vector instead of using the index.
    #[arg(long, requires = "knn")]
    pub(crate) exact: bool,

    /// Find the nearest of all documents and filter them then, instead of the nearest of what the filter
    /// keeps: there may be fewer hits.
    #[arg(long, requires_all = ["knn", "filter"], conflicts_with = "query")]
    pub(crate) post_filter: bool,

    /// Rank by --query and --knn together: by their ranks (rrf), or by their scores (linear).
    #[arg(long, value_name = "HOW", num_args = 0..=1, default_missing_value = "rrf")]
    #[arg(requires_all = ["query", "knn"], conflicts_with = "rerank")]
    pub(crate) hybrid: Option<Fusion>,

    /// Weights of --query and --knn in --hybrid.
    #[arg(long, value_name = "A,B", requires = "hybrid", value_parser = weights, default_value = "1,1")]
    pub(crate) weights: (f32, f32),

    /// Reorder the best of --query: score = first score + weight × similarity of the vector.
    #[arg(long, value_name = "BY", requires_all = ["query", "knn"])]
    pub(crate) rerank: Option<Second>,

    /// How many are reordered, or taken from each ranking of --hybrid [default: 100, at least those shown].
    #[arg(long, value_name = "N")]
    pub(crate) window: Option<usize>,

    /// Weight of the similarity in --rerank.
    #[arg(long, value_name = "W", requires = "rerank", default_value_t = 1.0)]
    pub(crate) weight: f32,

    /// Hits wanted [default: 10, or as many as the query says].
    #[arg(short = 'k', long = "limit", value_name = "K")]
    pub(crate) limit: Option<usize>,

    /// Hits to leave out first.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) offset: usize,

    /// Only hits with at least this score.
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    pub(crate) min_score: Option<f32>,

    /// Sort all matches by a field, or by _score; several decide among equals.
    #[arg(long, value_name = "FIELD[:desc]", value_delimiter = ',')]
    pub(crate) sort: Vec<String>,

    /// Stored fields to show, separated by commas; '*' shows all.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) fields: Vec<String>,

    /// Say how each score came about.
    #[arg(long)]
    pub(crate) explain: bool,

    /// Say why the document of this key is or is not among the hits, instead of showing them.
    #[arg(long, value_name = "KEY", conflicts_with = "explain")]
    pub(crate) why: Option<String>,

    /// How hits are printed; --json is short for --format json.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: Format,
}

/// How hits are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Markdown,
    Json,
}

/// How two rankings become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fusion {
    Rrf,
    Linear,
}

/// What the best are reordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Second {
    Vector,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            Ok((name.trim_start_matches('$').to_owned(), value.to_owned()))
        }
        _ => Err("expected NAME=VALUE or NAME=@FILE".to_owned()),
    }
}

fn weights(text: &str) -> Result<(f32, f32), String> {
    let weight = |text: &str| text.trim().parse::<f32>().ok().filter(|weight| weight.is_finite());
    let pair = text.split_once(',').and_then(|(query, knn)| Some((weight(query)?, weight(knn)?)));
    pair.ok_or_else(|| "expected two numbers, the query's weight and the vector's: 1,0.5".to_owned())
}
