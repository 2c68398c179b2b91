//! What can be said on the command line, as plain data. The commands make sense of it.

mod documents;
mod eval;
mod relevance;
mod search;
mod segments;

pub(crate) use documents::{AddIndex, BitOrder, Create, Import};
pub(crate) use eval::{Eval, HashQuality, RecallBy};
pub(crate) use relevance::Relevance;
pub(crate) use search::{Format, Fusion, Search, Second};
pub(crate) use segments::{Check, ForceMerge, Inspect, Rewriting, Upgrade};

use clap::{Parser, Subcommand};

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
    HashQuality(HashQuality),
    Relevance(Relevance),
    ForceMerge(ForceMerge),
    Upgrade(Upgrade),
    AddIndex(AddIndex),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
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
