//! Arguments of `create`, `import` and `add-index`.

use super::threads;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// The order of the bits in a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BitOrder {
    /// Least significant bit first.
    Lsb,
    /// Most significant bit first.
    Msb,
}

/// Create an index from a schema.
#[derive(Debug, Args)]
#[command(after_help = "\
A schema:
  { \"key\": \"name\",
    \"fields\": [
      { \"name\": \"description\", \"type\": \"text\" },
      { \"name\": \"size\", \"type\": \"i64\" },
      { \"name\": \"embedding\", \"type\": \"vector\", \"dimension\": 384, \"similarity\": \"cosine\" } ] }

Types: text, keyword, i64, f64, bool, date, vector, binary_vector, sparse_vector. Similarities: cosine
(default), dot_product, euclidean, max_inner_product; for binary vectors hamming (default) or
jaccard. By default vectors are quantized to int8 and indexed with an HNSW graph; a field can
choose otherwise (\"index\": \"flat\", \"quantization\": \"none\", \"datatype\": \"float16\", \"m\": 16).

Example:
  lucerne create packages.idx --schema schema.json")]
pub(crate) struct Create {
    /// Folder of the new index; created if it does not exist.
    pub(crate) dir: PathBuf,

    /// The schema: a JSON file, or - for standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: PathBuf,

    /// Take the synonyms of a text field from a file: a rule a line, as "tv, television" or "laptop => notebook".
    #[arg(long, value_name = "FIELD=FILE")]
    pub(crate) synonyms: Vec<String>,
}

/// Add fields to an index, or change how fields are indexed or scored.
#[derive(Debug, Args)]
#[command(after_help = "\
FILE holds the whole new schema: all fields there are, in their order, then new ones. What is
in force is printed by: lucerne inspect DIR schema --json

May change: new fields at the end; how a vector field is indexed (index, quantization,
sign_hash, m, beam_width, ...), and from one vector per document to multiple; weight, k1, b
and synonyms of a text field; dynamic. Never changes: the key; name, order, type, path, indexed and stored
of a field; the dimension, similarity and datatype of a vector field; the analysis of a text field; the
separator of a keyword field. For these, create another index and import the documents again.

Documents that are there have no value in a new field until they are written again. Segments
that are there keep the way their vectors are indexed until they are merged, or rewritten by:
lucerne upgrade DIR

Example:
  lucerne inspect packages.idx schema --json > schema.json      (then edit it)
  lucerne alter packages.idx --schema schema.json
  lucerne alter packages.idx --synonyms description=synonyms.txt")]
pub(crate) struct Alter {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// The new schema: a JSON file, or - for standard input.
    #[arg(long, value_name = "FILE", required_unless_present = "synonyms")]
    pub(crate) schema: Option<PathBuf>,

    /// Take the synonyms of a text field from a file: a rule a line, as "tv, television" or "laptop => notebook".
    #[arg(long, value_name = "FIELD=FILE")]
    pub(crate) synonyms: Vec<String>,

    /// Print what would change and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Add documents from JSON, with vectors from vector files.
#[derive(Debug, Args)]
#[command(after_help = "\
Documents are JSON objects, one per line (empty lines are skipped) or in one JSON array; in UTF-8
or UTF-16, plain or compressed with gzip or zstd. CSV is not supported. Document i gets row i of
each --vectors file: .npy (f16, f32, f64, u8 or i8; two dimensions, C order), .fbin, .fvecs or
.bvecs. In a binary field a row holds one 0 or 1 per bit, or one byte per eight bits.

The documents are committed at the end. Ctrl-C commits the documents imported so far and exits
with code 130; a second Ctrl-C exits at once. A bad line stops the import and discards what is
not committed yet: correct the line and run the import again.

Examples:
  lucerne import packages.idx docs.jsonl --vectors embedding=vectors.npy
  lucerne import packages.idx docs.jsonl.gz --ram-mb 64 --commit-every 100000
  jq -c '.docs[]' export.json | lucerne import packages.idx -")]
pub(crate) struct Import {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// The documents: a file of JSON lines or a JSON array (.gz and .zst too), or - for standard input. A .parquet file is
    /// read by the program lucerne-parquet (cargo install --path arrow --features parquet).
    pub(crate) docs: PathBuf,

    /// A field and the file that holds its vectors; repeat it for other fields.
    #[arg(long, value_name = "FIELD=FILE", value_parser = field_and_file)]
    pub(crate) vectors: Vec<(String, PathBuf)>,

    /// Order of the bits in each byte, for vectors of binary fields.
    #[arg(long, value_name = "ORDER", default_value = "lsb")]
    pub(crate) bit_order: BitOrder,

    /// Order in which documents are added: a file of little-endian u32 row numbers, from 0. Rows that are
    /// not in the file are left out.
    #[arg(long, value_name = "FILE.u32")]
    pub(crate) order: Option<PathBuf>,

    /// Replace documents that have the same key, instead of refusing the new ones.
    #[arg(long)]
    pub(crate) upsert: bool,

    /// Skip bad lines and count them, instead of stopping at the first one.
    #[arg(long)]
    pub(crate) skip_bad: bool,

    /// Import at most N documents.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,

    /// Commit after every N documents, not only at the end.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) commit_every: Option<u64>,

    /// Write a segment after every N buffered documents, even when memory is left.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) flush_docs: Option<u32>,

    /// Memory for buffered documents, in MiB [default: 256].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) ram_mb: Option<u32>,

    /// Memory for everything: buffers, flushes and merges, which then work in files where they must, and
    /// more slowly. The pages of files do not count [default: no ceiling].
    #[arg(long, value_name = "SIZE", value_parser = super::size)]
    pub(crate) memory: Option<u64>,

    /// Threads that read documents and build segments [default: all cores]. With one thread, documents are
    /// added exactly in their order.
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,

    /// Do not merge segments in the background.
    #[arg(long)]
    pub(crate) no_merge: bool,

    /// Seed of random numbers; with --threads 1 the same input gives the same bytes.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

/// Add all documents of other indexes that have the same schema.
#[derive(Debug, Args)]
#[command(after_help = "\
All documents are added in one commit. Segment files are linked, or copied where links are not
possible; nothing is merged. If two indexes contain the same key, nothing is added.

Example:
  lucerne add-index all.idx part1.idx part2.idx")]
pub(crate) struct AddIndex {
    /// Folder of the index to add to.
    pub(crate) dir: PathBuf,

    /// Folders of the indexes to add.
    #[arg(required = true)]
    pub(crate) others: Vec<PathBuf>,
}

pub(super) fn field_and_file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((field, file)) if !field.is_empty() && !file.is_empty() => Ok((field.to_owned(), file.into())),
        _ => Err("expected FIELD=FILE".to_owned()),
    }
}
