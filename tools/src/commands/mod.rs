//! The commands: from arguments to calls of the engine.

mod add_index;
mod alter;
mod backup;
mod calibrate;
mod check;
mod completions;
mod create;
mod drop_raw;
mod estimate;
mod eval;
mod export;
mod force_merge;
mod hash_quality;
mod history;
mod import;
mod inspect;
mod memory;
mod pictures;
mod relevance;
mod repair;
mod search;
mod synonyms;
mod under_way;
mod upgrade;
mod web;
mod writes;

use crate::args::{Arguments, Command};
use crate::failure::{Failure, In as _, Outcome};
use crate::vectors::Shape;
use lucerne::directory::FsDirectory;
use lucerne::index::{CommitRef, IndexBuilder};
use lucerne::schema::VectorField;
use lucerne::{Memory, Searcher};
use std::path::Path;
use std::sync::Arc;

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let json = arguments.json;
    match &arguments.command {
        Command::Create(args) => create::run(args, json),
        Command::Alter(args) => alter::run(args, json),
        Command::Import(args) => import::run(args, json),
        Command::Delete(args) => writes::delete(args, json),
        Command::Update(args) => writes::update(args, json),
        Command::Export(args) => export::run(args, json),
        Command::Search(args) => search::run(args, json),
        Command::Inspect(args) => inspect::run(args, json),
        Command::Web(args) => web::run(args, json),
        Command::Check(args) => check::run(args, json),
        Command::ForceMerge(args) => force_merge::run(args, json),
        Command::Upgrade(args) => upgrade::run(args, json),
        Command::DropRaw(args) => drop_raw::run(args, json),
        Command::Estimate(args) => estimate::run(args, json),
        Command::AddIndex(args) => add_index::run(args, json),
        Command::Backup(args) => backup::run(args, json),
        Command::Tag(args) => history::tag(args, json),
        Command::Tags(args) => history::tags(args, json),
        Command::Untag(args) => history::untag(args, json),
        Command::Restore(args) => history::restore(args, json),
        Command::Calibrate(args) => calibrate::run(args, json),
        Command::Eval(args) => eval::run(args, json),
        Command::HashQuality(args) => hash_quality::run(args, json),
        Command::Relevance(args) => relevance::run(args, json),
        Command::Completions { shell } => completions::run(*shell),
    }
}

/// A searcher of the newest commit.
fn searcher(dir: &Path) -> Outcome<Searcher> {
    lucerne::Index::open(dir).and_then(|index| index.searcher()).in_index(dir)
}

/// A searcher of a commit that is kept, or of the newest one.
fn searcher_at(dir: &Path, at: Option<&CommitRef>) -> Outcome<Searcher> {
    let Some(at) = at else { return searcher(dir) };
    lucerne::Index::open(dir).and_then(|index| index.open_at(at.clone())).in_index(dir)
}

/// Dimension and kind of a vector field; the error lists the vector fields of the index.
fn shape(schema: &lucerne::Schema, field: &str) -> Outcome<Shape> {
    let found = schema.vector_field_named(field).map(|field| field.options());
    let found = found.map(|options| Shape { dimension: options.dimension(), binary: options.is_binary() });
    found.map_err(|error| {
        let failure = Failure::usage(error.to_string());
        let names: Vec<_> =
            schema.vector_fields().map(|field| VectorField::name(&field).to_owned()).collect();
        if names.is_empty() {
            failure.hint("the index has no vector fields")
        } else {
            failure.hint(format!("vector fields of the index: {}", names.join(", ")))
        }
    })
}

/// An index below a ceiling of memory, if there is one.
fn open_below(dir: &Path, ceiling: Option<u64>) -> lucerne::Result<lucerne::Index> {
    if ceiling.is_some() {
        with_tight_allocator();
    }
    let memory = ceiling.map_or_else(Memory::unlimited, Memory::ceiling);
    IndexBuilder::new().memory(&memory).open(Arc::new(FsDirectory::open(dir)?))
}

/// Starts this command again with an allocator of glibc that gives memory back, since a ceiling cannot count what it keeps:
/// one arena, since each further one keeps what its threads have freed; and what is large always in maps of its own, of which
/// nothing is left when it is freed (by default larger and larger pieces come from the heap, and leave gaps). Goes on as it
/// is where that cannot be done, or the caller has set the number of arenas.
fn with_tight_allocator() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        use std::os::unix::process::CommandExt as _;
        const ARENAS: &str = "MALLOC_ARENA_MAX";
        const LARGE: &str = "131072";
        if std::env::var_os(ARENAS).is_none()
            && let Ok(program) = std::env::current_exe()
        {
            let mut again = std::process::Command::new(program);
            again.args(std::env::args_os().skip(1)).env(ARENAS, "1");
            let _not_started =
                again.env("MALLOC_MMAP_THRESHOLD_", LARGE).env("MALLOC_TRIM_THRESHOLD_", LARGE).exec();
        }
    }
}
