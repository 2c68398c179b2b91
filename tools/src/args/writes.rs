//! Arguments of `delete` and `update`.

use clap::Args;
use std::path::PathBuf;

/// Delete documents: by a query, by their keys, or those that have expired.
#[derive(Debug, Args)]
#[command(after_help = "\
All documents are deleted in one commit. The syntax of --query is that of: lucerne search.
--expired FIELD deletes the documents whose date in that field has passed; nothing expires by
itself. The space is won by merges: in the background of later imports, or by
lucerne force-merge DIR --expunge-deletes

Examples:
  lucerne delete packages.idx --query 'section:games AND size:<100' --dry-run
  lucerne delete packages.idx --key vim --key nano
  lucerne delete packages.idx --keys-file gone.txt
  lucerne delete sessions.idx --expired expires_at")]
#[group(id = "which", required = true, multiple = false, args = ["query", "key", "keys_file", "expired"])]
pub(crate) struct Delete {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    #[command(flatten)]
    pub(crate) which: Which,

    /// Delete the documents whose date in this field has passed.
    #[arg(long, value_name = "FIELD")]
    pub(crate) expired: Option<String>,
}

/// Change fields of documents, found by a query or by their keys.
#[derive(Debug, Args)]
#[command(after_help = "\
All documents are updated in one commit, or none: a value that does not fit one of them is an
error. Fields that are not named stay as they are, vectors bit for bit. VALUE is JSON, or a
text as it is; of a text, keyword or date field it is a text unless it is a JSON string or list.

Examples:
  lucerne update packages.idx --query 'section:editors' --set section=tools --increment views=1
  lucerne update packages.idx --key vim --set 'tags=[\"editor\",\"terminal\"]' --remove draft")]
#[group(id = "which", required = true, multiple = false, args = ["query", "key", "keys_file"])]
pub(crate) struct Update {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    #[command(flatten)]
    pub(crate) which: Which,

    /// Give a field a value; null removes it.
    #[arg(long, value_name = "FIELD=VALUE", value_parser = field_and_value)]
    pub(crate) set: Vec<(String, String)>,

    /// Add a number to a field; a field without a value counts as 0.
    #[arg(long, value_name = "FIELD=NUMBER", value_parser = field_and_value)]
    pub(crate) increment: Vec<(String, String)>,

    /// Take a field out of the documents.
    #[arg(long, value_name = "FIELD")]
    pub(crate) remove: Vec<String>,
}

/// Which documents.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The documents that match a query.
    #[arg(short, long, value_name = "TEXT|JSON", allow_hyphen_values = true)]
    pub(crate) query: Option<String>,

    /// The field that words without a field search [default: the first text field].
    #[arg(long, value_name = "FIELD", requires = "query")]
    pub(crate) default_field: Option<String>,

    /// The document with this key; repeat it for others.
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub(crate) key: Vec<String>,

    /// The documents with the keys in a file, one on each line, or - for standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) keys_file: Option<PathBuf>,

    /// Print how many documents there are and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

fn field_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((field, value)) if !field.is_empty() => Ok((field.to_owned(), value.to_owned())),
        _ => Err("expected FIELD=VALUE".to_owned()),
    }
}
