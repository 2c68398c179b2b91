//! Parquet files: `lucerne-parquet` reads them, a program of its own so that nobody else builds Arrow.

use crate::args::Import;
use crate::failure::{Code, Failure, Outcome};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = "lucerne-parquet";

/// True for a file named so.
pub(super) fn is_parquet(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"))
}

/// Imports a Parquet file; vectors are columns of it.
pub(super) fn run(args: &Import, json: bool) -> Outcome {
    if !args.vectors.is_empty()
        || args.order.is_some()
        || args.limit.is_some()
        || args.memory.is_some()
        || args.skip_bad
    {
        let problem = "a Parquet file has its vectors as columns and is taken as a whole";
        let without = "without --vectors, --order, --limit, --memory and --skip-bad";
        return Err(Failure::usage(format!("{problem}: {without}")));
    }
    let mut command = Command::new(program());
    command.arg("import").arg(&args.dir).arg(&args.docs);
    if args.upsert {
        command.arg("--upsert");
    }
    if json {
        command.arg("--json");
    }
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(Failure::new(Code::Io, format!("{} was not imported", args.docs.display()))),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let install = "cargo install --path arrow --features parquet";
            Err(Failure::usage(format!("Parquet files need the program {PROGRAM}: {install}")))
        }
        Err(error) => Err(Failure::new(Code::Io, format!("{PROGRAM}: {error}"))),
    }
}

/// The one beside this program, or any in `PATH`.
fn program() -> PathBuf {
    let beside = std::env::current_exe().ok().map(|own| own.with_file_name(PROGRAM));
    beside.filter(|program| program.exists()).unwrap_or_else(|| PROGRAM.into())
}
