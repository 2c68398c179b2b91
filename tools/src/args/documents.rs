//! `create`, `import` and `add-index`: what goes into an index.

use super::threads;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Which of eight bits comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BitOrder {
    /// The least significant.
    Lsb,
    /// The most significant.
    Msb,
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

Types: text, keyword, i64, f64, bool, date, vector, binary_vector. Similarities: cosine (the default),
dot_product, euclidean, max_inner_product; of binary vectors hamming (the default), jaccard. Vectors are quantized to int8 and indexed as an HNSW graph unless the field
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
file: .npy (f16, f32, f64, u8, i8; two dimensions, C order), .fbin, .fvecs, .bvecs. A row of a binary field is
its zeros and ones, or a byte for every eight.

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

    /// Which of the eight bits of a byte comes first, in vectors of binary fields.
    #[arg(long, value_name = "ORDER", default_value = "lsb")]
    pub(crate) bit_order: BitOrder,

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
