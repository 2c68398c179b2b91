//! Arguments of `inspect`, `web`, `check`, `force-merge`, `upgrade` and `drop-raw`.

use super::threads;
use clap::Args;
use lucerne::index::CommitRef;
use std::path::PathBuf;

/// Show the segments, sizes, schema and defaults of an index.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lucerne inspect packages.idx              segments, totals, defaults
  lucerne inspect packages.idx _3           all metadata of segment _3
  lucerne inspect packages.idx schema       the schema, with all defaults filled in
  lucerne inspect packages.idx size         what is in field \"size\": a histogram, or frequent terms
  lucerne inspect packages.idx --watch      follow commits and merges until Ctrl-C
  lucerne inspect packages.idx --json       everything, for programs
  lucerne inspect packages.idx --html report.html       pictures, to attach to a ticket")]
pub(crate) struct Inspect {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// The name of a segment, "schema", or the name of a field.
    #[arg(value_name = "PART")]
    pub(crate) part: Option<String>,

    /// Show a commit that is kept, given by its tag or generation.
    #[arg(long, value_name = "TAG|N", value_parser = super::history::commit)]
    pub(crate) at: Option<CommitRef>,

    /// Print plain numbers, without units.
    #[arg(long)]
    pub(crate) bytes: bool,

    /// Follow commits and merges: refresh what a terminal shows; elsewhere print a line for each change.
    #[arg(long, conflicts_with_all = ["part", "at", "html"])]
    pub(crate) watch: bool,

    /// Write pictures of the index to this file instead, a page of its own: segments, what a forced merge
    /// would do, vectors, values, frequent terms. Documents are not in it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["part", "bytes"])]
    pub(crate) html: Option<PathBuf>,
}

/// Show an index in a browser on this machine: segments, fields, documents, and a search console.
#[derive(Debug, Args)]
#[command(after_help = "\
An address is printed; open it. The page only reads, follows new commits by itself, loads nothing
from elsewhere, and answers nobody who does not know the address. Ctrl-C ends it.

Examples:
  lucerne web packages.idx
  lucerne web packages.idx --port 8080
  lucerne inspect packages.idx --html report.html       the same pictures in one file")]
pub(crate) struct Web {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// The port to listen on, on 127.0.0.1 [default: a free one].
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub(crate) port: u16,
}

/// Verify an index: read every byte, compare all checksums and structures. Repair what is damaged.
#[derive(Debug, Args)]
#[command(after_help = "\
The exit code is 1 when damage is found, and is not repaired. Without --repair nothing is changed.
Do not write to the index at the same time.

A repair makes damaged terms, columns, keys, codes and graphs again from stored documents and raw
vectors. Documents whose own bytes are damaged are lost, and listed by key: those of the newest commit,
and apart from them those of commits that are kept.

Examples:
  lucerne check packages.idx
  lucerne check packages.idx --repair --dry-run
  lucerne check packages.idx --repair --save-lost lost.jsonl --damaged-to damaged")]
pub(crate) struct Check {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// Repair what is damaged, in one commit.
    #[arg(long)]
    pub(crate) repair: bool,

    /// Say what a repair would do and what would be lost; change nothing.
    #[arg(long, requires = "repair")]
    pub(crate) dry_run: bool,

    /// Write each lost document of the newest commit as a line of JSON to a new file: its key, and its
    /// stored fields if they are whole.
    #[arg(long, value_name = "FILE", requires = "repair")]
    pub(crate) save_lost: Option<PathBuf>,

    /// Copy the files of damaged segments to this folder before they are replaced.
    #[arg(long, value_name = "FOLDER", requires = "repair", conflicts_with = "dry_run")]
    pub(crate) damaged_to: Option<PathBuf>,
}

/// Merge segments into fewer.
#[derive(Debug, Args)]
#[command(after_help = "\
The plan is printed first. For each source segment it says whether its int8 codes are kept,
requantized (its quantiles have drifted from the merged ones) or resampled (new quantiles are
computed from a sample of the vectors). Ctrl-C leaves the index unchanged. No other writer may
have the index open (exit code 4).

Examples:
  lucerne force-merge packages.idx --dry-run
  lucerne force-merge packages.idx --dry-run --plot plan.svg
  lucerne force-merge packages.idx --max-segments 1
  lucerne force-merge packages.idx --expunge-deletes --above 0.05")]
pub(crate) struct ForceMerge {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// Number of segments to merge into, at most.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = segments)]
    pub(crate) max_segments: usize,

    /// Instead, rewrite the segments that have many deleted documents.
    #[arg(long, conflicts_with = "max_segments")]
    pub(crate) expunge_deletes: bool,

    /// Rewrite segments in which more than this share of the documents is deleted.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, requires = "expunge_deletes")]
    pub(crate) above: f64,

    /// Draw the plan into this file, as SVG: the segments that become one, and what happens to their codes.
    #[arg(long, value_name = "FILE", requires = "dry_run")]
    pub(crate) plot: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) how: Rewriting,
}

/// Rewrite segments of older releases in this release's formats.
#[derive(Debug, Args)]
#[command(after_help = "\
Every segment is rewritten whose formats, format versions or field parameters differ from those
that would be used now. Documents and search results stay the same; the changes are one commit.
If an index is too old to be opened, the error names the release whose `lucerne upgrade` to run
first. Ctrl-C leaves the index unchanged.

Examples:
  lucerne upgrade packages.idx --dry-run
  lucerne upgrade packages.idx")]
pub(crate) struct Upgrade {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    #[command(flatten)]
    pub(crate) how: Rewriting,
}

/// Take the raw vectors of a field away and keep its int8 codes.
#[derive(Debug, Args)]
#[command(after_help = "\
First up to 200 vectors of the field are searched for, exactly, as now, and as without raw vectors:
the shares found and the bytes won are printed. Then one small file per segment is written, in one
commit. Raw vectors do not come back: exact searches, rescoring and reading vectors back are
refused from then on, and later segments keep none.

Examples:
  lucerne drop-raw packages.idx --field embedding --dry-run
  lucerne drop-raw packages.idx --field embedding")]
pub(crate) struct DropRaw {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// The vector field.
    #[arg(long)]
    pub(crate) field: String,

    /// Print what it would cost and win, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Estimate the disk and memory that an index will take.
#[derive(Debug, Args)]
#[command(after_help = "\
Vectors are known by the schema. What text, values and stored fields take is measured on --sample,
a file of documents as they will come; without it they are not counted. Vectors that the sample
lacks are made up.

Examples:
  lucerne estimate schema.json --docs 1000000 --sample first-5000.jsonl
  lucerne estimate schema.json --docs 1000000 --json")]
pub(crate) struct Estimate {
    /// File of the schema.
    pub(crate) schema: PathBuf,

    /// Number of documents.
    #[arg(long, value_name = "N")]
    pub(crate) docs: u64,

    /// Documents, one JSON object per line.
    #[arg(long, value_name = "FILE")]
    pub(crate) sample: Option<PathBuf>,
}

/// Arguments of both force-merge and upgrade.
#[derive(Debug, Args)]
pub(crate) struct Rewriting {
    /// Print the plan and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Memory for the merge, which then works in files where it must, and more slowly; one that cannot stay
    /// below it is refused. The pages of files do not count [default: no ceiling].
    #[arg(long, value_name = "SIZE", value_parser = super::size)]
    pub(crate) memory: Option<u64>,

    /// Threads that build the merged segment [default: all cores].
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,

    /// Seed of random numbers; with --threads 1 the same segments give the same bytes.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

fn segments(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(segments) if segments > 0 => Ok(segments),
        _ => Err("expected 1 or more".to_owned()),
    }
}
