//! The arguments of the command line, as plain data. `commands` interprets them.

mod documents;
mod eval;
mod export;
mod history;
mod relevance;
mod search;
mod segments;
mod writes;

pub(crate) use documents::{AddIndex, Alter, BitOrder, Create, Import};
pub(crate) use eval::{Calibrate, Eval, HashQuality, RecallBy};
pub(crate) use export::Export;
pub(crate) use history::{Backup, Restore, Tag, Tags, Untag};
pub(crate) use relevance::Relevance;
pub(crate) use search::{Format, Fusion, Search, Second};
pub(crate) use segments::{Check, DropRaw, Estimate, ForceMerge, Inspect, Rewriting, Upgrade, Web};
pub(crate) use writes::{Delete, Update, Which};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use std::fmt::Write as _;

const EXIT_CODES: &str = "\
Exit codes:
  0    success
  1    damage found (check), or no hit (search)
  2    wrong usage: arguments, schema, document, query, unknown field
  3    input or output: file or index not found, disk full, damage found by any command but check
  4    another writer has the index open
  124  timed out (search --timeout)
  130  interrupted";

/// The commands by task, as `lucerne --help` lists them.
const TASKS: [(&str, &[&str]); 7] = [
    ("Create and fill an index", &["create", "import", "add-index", "alter", "estimate"]),
    ("Change documents, and read all of them", &["delete", "update", "export"]),
    ("Search", &["search"]),
    ("Inspect and maintain", &["inspect", "web", "check", "force-merge", "upgrade", "drop-raw"]),
    ("Back up, keep and restore commits", &["backup", "tag", "tags", "untag", "restore"]),
    ("Measure recall, speed and relevance", &["eval", "calibrate", "hash-quality", "relevance"]),
    ("Other", &["completions", "help"]),
];

/// Vector and full-text search from the command line.
#[derive(Debug, Parser)]
#[command(name = "lucerne", version, propagate_version = true, after_help = EXIT_CODES)]
#[command(arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Print JSON, one object per line, for programs.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Print results, warnings and errors only: no progress, no notes.
    #[arg(long, global = true)]
    pub(crate) quiet: bool,
}

/// The command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Create(Create),
    Alter(Alter),
    Import(Import),
    Delete(Delete),
    Update(Update),
    Export(Export),
    Search(Box<Search>),
    Inspect(Inspect),
    Web(Web),
    Check(Check),
    Eval(Eval),
    Calibrate(Calibrate),
    HashQuality(HashQuality),
    Relevance(Relevance),
    ForceMerge(ForceMerge),
    Upgrade(Upgrade),
    DropRaw(DropRaw),
    Estimate(Estimate),
    AddIndex(AddIndex),
    Backup(Backup),
    Tag(Tag),
    Tags(Tags),
    Untag(Untag),
    Restore(Restore),
    /// Print a shell completion script.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

impl Arguments {
    /// Reads the arguments of this process; prints help or what is wrong with them, and exits then.
    pub(crate) fn read() -> Self {
        let matches = by_task(Self::command()).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// The command with a help page that groups the subcommands by task.
fn by_task(mut command: clap::Command) -> clap::Command {
    command.build();
    let heading = command.get_styles().get_header();
    let mut template = "{about-with-newline}\n{usage-heading} {usage}\n".to_owned();
    for (task, names) in TASKS {
        let _ = writeln!(template, "\n{heading}{task}:{heading:#}");
        for name in names {
            let about = command.find_subcommand(name).and_then(clap::Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(template, "  {name:<13} {about}");
        }
    }
    let _ = write!(template, "\n{heading}Options:{heading:#}\n{{options}}{{after-help}}");
    command.help_template(template)
}

/// `128MiB`, `2GiB`, `500MB`, `1048576B`.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text.strip_prefix(digits).unwrap_or_default().to_ascii_lowercase().as_str() {
        "b" => Some(1),
        "k" | "kib" => Some(1 << 10),
        "m" | "mib" => Some(1 << 20),
        "g" | "gib" => Some(1 << 30),
        "t" | "tib" => Some(1 << 40),
        "kb" => Some(1_000),
        "mb" => Some(1_000_000),
        "gb" => Some(1_000_000_000),
        "tb" => Some(1_000_000_000_000),
        _ => None,
    };
    let bytes =
        digits.trim().parse::<u64>().ok().zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
    let bytes = bytes.filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| "expected a whole number with a unit, as 128MiB or 2GB".to_owned())
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
    use std::collections::BTreeSet;

    #[test]
    fn the_arguments_are_declared_without_contradiction() {
        Arguments::command().debug_assert();
        by_task(Arguments::command()).debug_assert();
    }

    #[test]
    fn every_command_belongs_to_one_task() {
        let mut command = Arguments::command();
        command.build();
        let declared: BTreeSet<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        let listed: Vec<&str> = TASKS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), declared);
        assert_eq!(listed.len(), declared.len());
    }
}
