//! Arguments of `export`.

use super::documents::field_and_file;
use clap::Args;
use lucerne::index::CommitRef;
use std::path::PathBuf;

/// Write all documents as JSON lines, in the order of their keys.
#[derive(Debug, Args)]
#[command(after_help = "\
What is written is one commit, whatever others write meanwhile. Vectors are in the lines, unless
--vectors puts those of a field into a .npy file (f32, or bits packed to bytes): row i belongs to
line i, so that every document must have one. Fields that are not stored are not written, and vectors of
fields without raw vectors only by --vectors, which writes what their codes stand for. lucerne import reads
all of it back.

Examples:
  lucerne export packages.idx > docs.jsonl
  lucerne export packages.idx --output docs.jsonl.zst --vectors embedding=embedding.npy
  lucerne export packages.idx --query 'section:python' --fields name,short
  lucerne export packages.idx --query 'embedding:*' --vectors embedding=embedding.npy > docs.jsonl")]
pub(crate) struct Export {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// Only documents that match a query.
    #[arg(short, long, value_name = "TEXT|JSON", allow_hyphen_values = true)]
    pub(crate) query: Option<String>,

    /// The field that words without a field search [default: the first text field].
    #[arg(long, value_name = "FIELD", requires = "query")]
    pub(crate) default_field: Option<String>,

    /// Only documents with later keys than this one.
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub(crate) after: Option<String>,

    /// At most N documents.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,

    /// Stored fields to write, separated by commas [default: all].
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) fields: Vec<String>,

    /// A vector field and the .npy file for its vectors; repeat it for other fields.
    #[arg(long, value_name = "FIELD=FILE", value_parser = field_and_file)]
    pub(crate) vectors: Vec<(String, PathBuf)>,

    /// The file for the lines, compressed if its name ends in .gz or .zst [default: standard output].
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Export a commit that is kept, given by its tag or generation.
    #[arg(long, value_name = "TAG|N", value_parser = super::history::commit)]
    pub(crate) at: Option<CommitRef>,
}
