//! Arguments of `search`.

use clap::{Args, ValueEnum};
use lucerne::Value;
use lucerne::index::CommitRef;
use lucerne::query::{Decay, DecayShape, Distance, Fuzziness};
use std::path::PathBuf;
use std::time::Duration;

/// Search by full text, field values, vector similarity, or any combination.
#[derive(Debug, Args)]
#[command(after_help = "\
The syntax of --query and --filter is detected from the text:
  title:editor AND size:[* TO 5000] -section:games          Lucene; AND binds tighter than OR
  edtior~1 OR ed*or OR /edit(or|s)/                         typing errors, wildcards, regular expressions
  {!knn f=embedding topK=10}[0.1, 0.7]                      Solr
  (@section:{python})=>[KNN 3 @embedding $v AS distance]    Redis, with --param v=@q.npy
  {\"term\": {\"field\": \"section\", \"value\": \"python\"}}         JSON: a query, or a whole search
Words without a field search the first text field of the schema, or --default-field.

--knn finds the documents whose vectors are nearest to the query vector, which is given by
--vector, --vector-file or --like. To use --knn and --query together, add --hybrid to fuse the
two rankings, or --rerank vector to reorder the best hits of the query by vector similarity.

--filter restricts the documents and does not score. It is applied before the vector search,
which returns the nearest of the matching documents: K hits whenever K documents match.

A --vector-file is .npy, .fbin, .fvecs, or raw little-endian f32 (.f32, .bin).

Examples:
  lucerne search packages.idx --query 'editor -section:games' --sort size:desc --fields short,size
  lucerne search packages.idx --knn embedding --like vim --filter 'section:python AND size:<1000'
  lucerne search packages.idx --query 'ssh library' --knn embedding --vector-file q.npy --hybrid
  lucerne search packages.idx --query editor --knn embedding --like vim --rerank vector --explain
  lucerne search packages.idx --query editor --facet section:5 --group-by section --total
  lucerne search packages.idx --query editor --aggregate '{\"sizes\": {\"stats\": {\"field\": \"size\"}}}'
  lucerne search packages.idx --knn embedding --liked vim --liked nano --disliked emacs --mmr 0.6
  lucerne search packages.idx --more-like vim --decay made,2024-05-01,90d")]
pub(crate) struct Search {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// Search a commit that is kept, given by its tag or generation.
    #[arg(long, value_name = "TAG|N", value_parser = super::history::commit)]
    pub(crate) at: Option<CommitRef>,

    /// The query.
    #[arg(short, long, value_name = "TEXT|JSON", allow_hyphen_values = true)]
    pub(crate) query: Option<String>,

    /// Value of $NAME in the query: a number, a text, a JSON list, or a vector from a file.
    #[arg(long, value_name = "NAME=VALUE|@FILE[:ROW]", value_parser = name_and_value)]
    pub(crate) param: Vec<(String, String)>,

    /// Return only documents that match this query; it does not change scores.
    #[arg(long, value_name = "TEXT|JSON", allow_hyphen_values = true)]
    pub(crate) filter: Option<String>,

    /// The field that words without a field search, or several of them [default: the first text field].
    #[arg(long, value_name = "FIELD[^BOOST]", value_delimiter = ',')]
    pub(crate) default_field: Vec<String>,

    /// Never refuse --query: what has no meaning in it is searched for as words, with a warning.
    #[arg(long, requires = "query")]
    pub(crate) lenient: bool,

    /// Words of --query and --filter may be mistyped: at most so many edits (0 to 2) away, by default by their length.
    #[arg(long, value_name = "EDITS", num_args = 0..=1, default_missing_value = "auto", require_equals = true)]
    #[arg(value_parser = fuzziness)]
    pub(crate) fuzzy: Option<Fuzziness>,

    /// Find the nearest vectors of this vector field.
    #[arg(long, value_name = "FIELD")]
    pub(crate) knn: Option<String>,

    /// The query vector: a JSON list of numbers; for a binary field also zeros and ones, or hexadecimal digits.
    #[arg(long, value_name = "LIST", requires = "knn", allow_hyphen_values = true)]
    #[arg(conflicts_with_all = ["vector_file", "row", "like"])]
    pub(crate) vector: Option<String>,

    /// A vector file that holds the query vector.
    #[arg(long, value_name = "FILE", requires = "knn", conflicts_with = "like")]
    pub(crate) vector_file: Option<PathBuf>,

    /// The row of --vector-file to use, from 0.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "vector_file")]
    pub(crate) row: u64,

    /// Use the vector of the document with this key as the query vector.
    #[arg(long, value_name = "KEY", requires = "knn")]
    pub(crate) like: Option<String>,

    /// Instead of a query vector: find documents like the one with this key, which is not found; repeat it for others.
    #[arg(long, value_name = "KEY", requires = "knn", conflicts_with_all = ["vector", "vector_file", "like"])]
    pub(crate) liked: Vec<String>,

    /// With --liked: unlike the document with this key; repeat it for others.
    #[arg(long, value_name = "KEY", requires = "liked")]
    pub(crate) disliked: Vec<String>,

    /// Find documents with the dimensions of a sparse vector, weights by dimension: splade:{"12": 0.5, "900": 1.25}.
    #[arg(long, value_name = "FIELD:JSON", conflicts_with_all = ["knn", "more_like"])]
    pub(crate) sparse: Option<String>,

    /// Find documents with the characteristic words of the one with this key.
    #[arg(long, value_name = "KEY", conflicts_with_all = ["query", "knn"])]
    pub(crate) more_like: Option<String>,

    /// Share of the true nearest neighbors to find, on average: above 0, up to 1 [default: that of the field, or 0.95].
    #[arg(long, value_name = "R", requires = "knn")]
    pub(crate) recall: Option<f32>,

    /// Candidates to keep per segment instead; more candidates mean higher recall and slower searches.
    #[arg(long, value_name = "N", requires = "knn")]
    pub(crate) candidates: Option<usize>,

    /// Inverted lists to probe in each segment; for a field with index ivf.
    #[arg(long, value_name = "N", requires = "knn")]
    pub(crate) nprobe: Option<usize>,

    /// Rescore the best ⌈K × FACTOR⌉ candidates with the original f32 vectors; 1 or more. Distances are exact then.
    #[arg(long, value_name = "FACTOR", requires = "knn")]
    pub(crate) rescore: Option<f32>,

    /// Compare the query vector with every original vector: exact, and slow on large indexes.
    #[arg(long, requires = "knn")]
    pub(crate) exact: bool,

    /// Apply --filter to the hits of the vector search instead of before it; may return fewer than K hits.
    #[arg(long, requires_all = ["knn", "filter"], conflicts_with = "query")]
    pub(crate) post_filter: bool,

    /// Fuse the rankings of --query and --knn or --sparse: by rank (rrf, reciprocal rank fusion) or by score (linear).
    #[arg(long, value_name = "HOW", num_args = 0..=1, default_missing_value = "rrf")]
    #[arg(requires = "query", conflicts_with = "rerank")]
    pub(crate) hybrid: Option<Fusion>,

    /// Weights of --query and of --knn or --sparse in --hybrid.
    #[arg(long, value_name = "A,B", requires = "hybrid", value_parser = weights, default_value = "1,1")]
    pub(crate) weights: (f32, f32),

    /// Reorder the best hits of --query: score = query score + --weight × vector similarity.
    #[arg(long, value_name = "BY", requires_all = ["query", "knn"])]
    pub(crate) rerank: Option<Second>,

    /// Reorder the best hits so that they are unlike each other: 1 changes nothing, 0 asks for unlike ones only.
    #[arg(long, value_name = "LAMBDA", conflicts_with_all = ["rerank", "decay"])]
    pub(crate) mmr: Option<f32>,

    /// Reorder the best hits by late interaction: the sum over the vectors in FILE of their best similarity to one in FIELD.
    #[arg(long, value_name = "FIELD:FILE", conflicts_with_all = ["rerank", "mmr", "decay"])]
    pub(crate) max_sim: Option<String>,

    /// The vector field by which hits are like each other in --mmr [default: that of --knn].
    #[arg(long, value_name = "FIELD", requires = "mmr")]
    pub(crate) mmr_field: Option<String>,

    /// Multiply the scores of the best hits by 1 near ORIGIN, 0.5 at the distance SCALE (with a unit in a date field: 30d).
    #[arg(long, value_name = "FIELD,ORIGIN,SCALE[,gauss|exp|linear]", value_parser = decay)]
    #[arg(conflicts_with = "rerank")]
    pub(crate) decay: Option<Decay>,

    /// Hits to rerank, or to take from each ranking of --hybrid, on all pages [default: 100, or K if that is more].
    #[arg(long, value_name = "N")]
    pub(crate) window: Option<usize>,

    /// Weight of the vector similarity in --rerank.
    #[arg(long, value_name = "W", requires = "rerank", allow_negative_numbers = true, default_value_t = 1.0)]
    pub(crate) weight: f32,

    /// Number of hits to return [default: 10, or the query's own limit].
    #[arg(short = 'k', long = "limit", value_name = "K")]
    pub(crate) limit: Option<usize>,

    /// Number of hits to skip, for paging.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) offset: usize,

    /// Return only hits with at least this score.
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    pub(crate) min_score: Option<f32>,

    /// Sort all matches by a field, or by _score; further fields break ties.
    #[arg(long, value_name = "FIELD[:desc]", value_delimiter = ',')]
    pub(crate) sort: Vec<String>,

    /// Show the words of the query in these text fields of each hit, between [ and ].
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) highlight: Vec<String>,

    /// Stored fields to return, separated by commas; '*' returns all.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) fields: Vec<String>,

    /// Vector fields to return with each hit, separated by commas; with --json.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) vectors: Vec<String>,

    /// Also count all documents found by the values of a field: the N most frequent ones [default: 20]. Repeatable.
    #[arg(long, value_name = "FIELD[:N]")]
    pub(crate) facet: Vec<String>,

    /// Also aggregate all documents found: an object of aggregations by name, as in Elasticsearch.
    #[arg(long, value_name = "JSON")]
    pub(crate) aggregate: Option<String>,

    /// Group the hits by the values of a field: the N best of each [default: 1]. --limit and --offset count groups.
    #[arg(long, value_name = "FIELD[:N]")]
    pub(crate) group_by: Option<String>,

    /// Count all documents found.
    #[arg(long)]
    pub(crate) total: bool,

    /// The longest that the search may take, with its unit: 50ms, 2s. Longer is an error (exit code 124).
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) timeout: Option<Duration>,

    /// After --timeout return the hits found by then, with a warning, instead of an error.
    #[arg(long, requires = "timeout")]
    pub(crate) partial: bool,

    /// Threads that search segments side by side; the hits are the same.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) threads: usize,

    /// Explain how each score was computed, and say where the time went.
    #[arg(long)]
    pub(crate) explain: bool,

    /// Instead of the hits, explain why the document with this key is or is not among them.
    #[arg(long, value_name = "KEY", conflicts_with = "explain")]
    pub(crate) why: Option<String>,

    /// Output format; --json is short for --format json.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: Format,
}

/// Output format of hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Markdown,
    Json,
}

/// How two rankings are fused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fusion {
    Rrf,
    Linear,
}

/// What the best hits are reranked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Second {
    Vector,
}

fn decay(text: &str) -> Result<Decay, String> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let (parts, shape) = match parts.as_slice() {
        [parts @ .., "gauss"] => (parts, DecayShape::Gauss),
        [parts @ .., "exp"] => (parts, DecayShape::Exp),
        [parts @ .., "linear"] => (parts, DecayShape::Linear),
        parts => (parts, DecayShape::Gauss),
    };
    let [field, origin, scale] = *parts else {
        return Err("expected FIELD,ORIGIN,SCALE: made,2024-05-01,30d or size,1000,500,exp".to_owned());
    };
    let number = |text: &str| text.parse::<serde_json::Number>().ok().map(serde_json::Value::from);
    let origin = number(origin).map_or_else(|| origin.into(), Value::from);
    let scale = scale.parse().map_or_else(|_| scale.into(), Distance::Number);
    Ok(Decay::new(shape, field, origin, scale))
}

fn fuzziness(text: &str) -> Result<Fuzziness, String> {
    match text {
        "auto" => Ok(Fuzziness::Auto),
        "0" | "1" | "2" => text.parse().map(Fuzziness::Edits).map_err(|_| text.to_owned()),
        _ => Err("expected auto, 0, 1 or 2".to_owned()),
    }
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            Ok((name.trim_start_matches('$').to_owned(), value.to_owned()))
        }
        _ => Err("expected NAME=VALUE or NAME=@FILE".to_owned()),
    }
}

/// A time with its unit.
fn time(text: &str) -> Result<Duration, String> {
    let number = text.trim_end_matches(|char: char| char.is_ascii_alphabetic());
    let seconds = match text.get(number.len()..) {
        Some("us") => 1e-6,
        Some("ms") => 1e-3,
        Some("s") => 1.0,
        Some("min") => 60.0,
        _ => f64::NAN,
    };
    let time = number.trim().parse::<f64>().ok().map(|number| number * seconds);
    let time = time.and_then(|time| Duration::try_from_secs_f64(time).ok());
    time.ok_or_else(|| "expected a time with its unit (us, ms, s, min): 50ms, 1.5s".to_owned())
}

fn weights(text: &str) -> Result<(f32, f32), String> {
    let weight = |text: &str| text.trim().parse::<f32>().ok().filter(|weight| weight.is_finite());
    let pair = text.split_once(',').and_then(|(query, knn)| Some((weight(query)?, weight(knn)?)));
    pair.ok_or_else(|| "expected two numbers, the query's weight and the vector's: 1,0.5".to_owned())
}
