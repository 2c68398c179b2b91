//! What can be said on the command line, as plain data. The commands make sense of it.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

const EXIT_CODES: &str = "\
Exit codes:
  0    ok
  1    damage found (check), or no hit (search)
  2    usage: arguments, schema, document, query, unknown field
  3    input or output: file or index not found, disk full, damage met by any command but check
  4    the index is locked by another writer
  130  interrupted";

/// An embedded vector search engine: folders of immutable segments, made, filled, searched and looked after.
#[derive(Debug, Parser)]
#[command(name = "lucerne", version, propagate_version = true, after_help = EXIT_CODES)]
#[command(arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Print JSON, for programs.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Create(Create),
    Import(Import),
    Search(Search),
    Inspect(Inspect),
    Check(Check),
    Eval(Eval),
    ForceMerge(ForceMerge),
    Upgrade(Upgrade),
    AddIndex(AddIndex),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Create an index.
#[derive(Debug, Args)]
#[command(after_help = "\
A schema:
  { \"key\": \"name\",
    \"fields\": [
      { \"name\": \"description\", \"type\": \"text\" },
      { \"name\": \"size\", \"type\": \"i64\" },
      { \"name\": \"embedding\", \"type\": \"vector\", \"dimension\": 384, \"similarity\": \"cosine\" } ] }

Types: text, keyword, i64, f64, bool, date, vector. Similarities: cosine (the default), dot_product,
euclidean, max_inner_product. Vectors are quantized to int8 and indexed as an HNSW graph unless the field
says otherwise (\"index\": \"flat\", \"quantization\": \"none\", \"m\": 16, \"beam_width\": 100).

Example:
  lucerne create packages.idx --schema schema.json")]
pub(crate) struct Create {
    /// Folder of the new index; created if need be.
    pub(crate) dir: PathBuf,

    /// The schema, a JSON file (- reads standard input).
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: PathBuf,
}

/// Add documents, with vectors from files of their own if wanted.
#[derive(Debug, Args)]
#[command(after_help = "\
Documents are JSON objects, one per line; empty lines do not count. Line i gets row i of each --vectors
file: .npy (f16, f32, f64, u8, i8; two dimensions, C order), .fbin, .fvecs.

Everything is committed at the end. Ctrl-C stops cleanly: what was taken is committed, exit code 130 (a
second Ctrl-C stops at once). A bad line stops the import and takes back what was not committed yet, so that
the import can be repeated once the line is mended.

Examples:
  lucerne import packages.idx docs.jsonl --vectors embedding=vectors.npy
  zstdcat docs.jsonl.zst | lucerne import packages.idx - --ram-mb 64 --commit-every 100000")]
pub(crate) struct Import {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// Documents: .jsonl, .jsonl.zst, or - for standard input.
    pub(crate) docs: PathBuf,

    /// Vectors of a field, from a file; may be given for several fields.
    #[arg(long, value_name = "FIELD=FILE", value_parser = field_and_file)]
    pub(crate) vectors: Vec<(String, PathBuf)>,

    /// Order of arrival: little-endian u32 row numbers, counted from 0; rows not named are left out.
    #[arg(long, value_name = "FILE.u32")]
    pub(crate) order: Option<PathBuf>,

    /// Replace documents of the same key instead of refusing the new one.
    #[arg(long)]
    pub(crate) upsert: bool,

    /// Pass over bad lines and count them, instead of stopping at the first.
    #[arg(long)]
    pub(crate) skip_bad: bool,

    /// Take at most this many documents.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,

    /// Commit each time this many documents were taken, not only at the end.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) commit_every: Option<u64>,

    /// Write a segment each time this many documents are buffered, even when memory is left.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) flush_docs: Option<u32>,

    /// Memory for buffered documents, in MiB [default: 256].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) ram_mb: Option<u32>,

    /// Threads, for reading documents as for building segments [default: the cores of the machine]. With one
    /// thread documents arrive exactly in their order.
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,

    /// Start no background merges: segments stay as they are flushed.
    #[arg(long)]
    pub(crate) no_merge: bool,

    /// Seed of all that is random; with --threads 1 the same input gives the same bytes.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

/// Find the documents nearest to a vector.
#[derive(Debug, Args)]
#[command(after_help = "\
A --vector-file is .npy, .fbin or .fvecs, or raw little-endian f32 bytes (.f32, .bin).

Examples:
  lucerne search packages.idx --knn embedding --vector-file queries.npy --row 3 --fields short,section
  lucerne search points.idx --knn position --vector '[0.1, 0.7]' -k 5 --exact --json")]
pub(crate) struct Search {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// The vector field to search.
    #[arg(long, value_name = "FIELD")]
    pub(crate) knn: String,

    /// The query vector, a JSON list of numbers.
    #[arg(long, value_name = "LIST", required_unless_present = "vector_file")]
    #[arg(conflicts_with_all = ["vector_file", "row"], allow_hyphen_values = true)]
    pub(crate) vector: Option<String>,

    /// A file that holds the query vector.
    #[arg(long, value_name = "FILE")]
    pub(crate) vector_file: Option<PathBuf>,

    /// The row of the file, counted from 0.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "vector_file")]
    pub(crate) row: u64,

    #[command(flatten)]
    pub(crate) knobs: Knobs,

    /// Candidates each segment's index keeps while searching: more finds more and is slower [default: 100].
    #[arg(long, value_name = "N")]
    pub(crate) candidates: Option<usize>,

    /// Compare with every vector instead of using the index.
    #[arg(long)]
    pub(crate) exact: bool,

    /// Stored fields to show, separated by commas; '*' shows all.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) fields: Vec<String>,
}

/// Knobs that search and eval share.
#[derive(Debug, Args)]
pub(crate) struct Knobs {
    /// Hits wanted.
    #[arg(short, value_name = "K", default_value_t = lucerne::DEFAULT_K)]
    pub(crate) k: usize,

    /// Over-fetch factor, 1 or more: the best ⌈K · factor⌉ estimates are settled by their raw vectors.
    #[arg(long, value_name = "FACTOR")]
    pub(crate) rescore: Option<f32>,
}

/// Show what an index consists of.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lucerne inspect packages.idx              segments, totals, defaults in force
  lucerne inspect packages.idx _3           everything a segment says of itself
  lucerne inspect packages.idx schema       the schema, with the choices it left open
  lucerne inspect packages.idx --json       all of it, for programs")]
pub(crate) struct Inspect {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// A segment's name, or \"schema\".
    #[arg(value_name = "SEGMENT")]
    pub(crate) part: Option<String>,

    /// Numbers without units.
    #[arg(long)]
    pub(crate) bytes: bool,
}

/// Read every byte of an index and compare everything with everything.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code 1 when something is damaged. Changes nothing; nobody should write to the index meanwhile.

Example:
  lucerne check packages.idx")]
pub(crate) struct Check {
    /// Folder of the index.
    pub(crate) dir: PathBuf,
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

    #[command(flatten)]
    pub(crate) knobs: Knobs,

    /// Numbers of candidates to measure, separated by commas [default: 100].
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    pub(crate) candidates: Vec<usize>,

    /// Threads that ask at the same time.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = threads)]
    pub(crate) threads: usize,

    /// Use the first N queries only.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

/// Merge segments into fewer, the plan first.
#[derive(Debug, Args)]
#[command(after_help = "\
The plan says for each source segment whether its codes are kept, requantized (its quantiles have drifted)
or resampled (the merged quantiles would fit nobody). Ctrl-C leaves the index as it was. Needs the index for
itself; exit code 4 says who holds it.

Examples:
  lucerne force-merge packages.idx --dry-run
  lucerne force-merge packages.idx --max-segments 1
  lucerne force-merge packages.idx --expunge-deletes --above 0.05")]
pub(crate) struct ForceMerge {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// Segments that may be left.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = segments)]
    pub(crate) max_segments: usize,

    /// Rewrite segments with many deleted documents instead.
    #[arg(long, conflicts_with = "max_segments")]
    pub(crate) expunge_deletes: bool,

    /// Share of deleted documents above which a segment is rewritten.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, requires = "expunge_deletes")]
    pub(crate) above: f64,

    #[command(flatten)]
    pub(crate) how: Rewriting,
}

/// Write old segments anew, as this release writes them.
#[derive(Debug, Args)]
#[command(after_help = "\
Rewrites each segment whose formats, their versions, or field parameters are not those it would be written
with now; documents and answers stay, and all is one commit. An index that is too old to be opened here needs
this command of an older release first; the error says of which. Ctrl-C leaves the index as it was.

Examples:
  lucerne upgrade packages.idx --dry-run
  lucerne upgrade packages.idx")]
pub(crate) struct Upgrade {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    #[command(flatten)]
    pub(crate) how: Rewriting,
}

/// What force-merge and upgrade share.
#[derive(Debug, Args)]
pub(crate) struct Rewriting {
    /// Show the plan and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Threads that build the merged segment [default: the cores of the machine].
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,

    /// Seed of all that is random; with --threads 1 the same segments give the same bytes.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

/// Add all documents of other indexes of the same schema, in one commit.
#[derive(Debug, Args)]
#[command(after_help = "\
Segments are linked, or copied where they cannot be; nothing is merged. A key that both have refuses all.

Example:
  lucerne add-index all.idx part1.idx part2.idx")]
pub(crate) struct AddIndex {
    /// Folder of the index that grows.
    pub(crate) dir: PathBuf,

    /// Folders of the indexes to add.
    #[arg(required = true)]
    pub(crate) others: Vec<PathBuf>,
}

fn field_and_file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((field, file)) if !field.is_empty() && !file.is_empty() => Ok((field.to_owned(), file.into())),
        _ => Err("expected FIELD=FILE".to_owned()),
    }
}

fn segments(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(segments) if segments > 0 => Ok(segments),
        _ => Err("expected 1 or more".to_owned()),
    }
}

fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(threads) if (1..=1024).contains(&threads) => Ok(threads),
        _ => Err("expected 1 to 1024".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_are_declared_without_contradiction() {
        Arguments::command().debug_assert();
    }
}
