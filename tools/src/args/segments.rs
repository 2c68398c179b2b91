//! `inspect`, `check`, `force-merge` and `upgrade`: what an index consists of.

use super::threads;
use clap::Args;
use std::path::PathBuf;

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

fn segments(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(segments) if segments > 0 => Ok(segments),
        _ => Err("expected 1 or more".to_owned()),
    }
}
