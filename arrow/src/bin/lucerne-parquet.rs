//! Parquet files into an index, and out of it. `lucerne import INDEX FILE.parquet` runs this program.
//!
//! `cargo install --path arrow --features parquet` installs it. Files are read and written with Snappy and Zstandard.

use lucerne::{Cancel, Index};
use lucerne_arrow::{OnExisting, add, read};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::error::Error;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

const USAGE: &str = "usage: lucerne-parquet import INDEX FILE.parquet [--upsert] [--json]
       lucerne-parquet export INDEX FILE.parquet [LIST-FIELD …]";

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let arguments: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).collect();
    let done = match arguments.split_first_chunk::<3>() {
        Some((&[verb, index, file], rest)) if verb == "import" => {
            import(Path::new(index), Path::new(file), rest)
        }
        Some((&[verb, index, file], rest)) if verb == "export" => {
            export(Path::new(index), Path::new(file), rest)
        }
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(3)
        }
    }
}

/// Adds all rows in one commit, or none.
fn import(index: &Path, file: &Path, options: &[&OsStr]) -> Outcome {
    if !options.iter().all(|option| *option == "--upsert" || *option == "--json") {
        return Err(USAGE.into());
    }
    let given = |name: &str| options.iter().any(|option| *option == name);
    let on_existing = if given("--upsert") { OnExisting::Replace } else { OnExisting::Fail };
    let begun = Instant::now();
    let opened = File::open(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let rows = ParquetRecordBatchReaderBuilder::try_new(opened)?.build()?;
    let writer = Index::open(index)?.writer()?;
    match add(&writer, rows, on_existing, &Cancel::new()) {
        Ok(count) => {
            writer.close()?;
            let seconds = begun.elapsed().as_secs_f64();
            match given("--json") {
                true => println!("{{\"docs\":{count},\"seconds\":{seconds}}}"),
                false => {
                    let speed = count as f64 / seconds;
                    println!("Imported {count} documents in {seconds:.2} s ({speed:.0} per second).");
                }
            }
            Ok(())
        }
        Err(error) => {
            writer.rollback()?;
            writer.close()?;
            Err(format!("{error}; nothing of {} was kept", file.display()).into())
        }
    }
}

/// Writes the documents by ascending key; the file has its name only when it is whole.
fn export(index: &Path, file: &Path, lists: &[&OsStr]) -> Outcome {
    let searcher = Index::open(index)?.searcher()?;
    let lists: Vec<_> = lists.iter().map(|name| name.to_string_lossy()).collect();
    let lists: Vec<&str> = lists.iter().map(AsRef::as_ref).collect();
    let rows = read(&searcher, &lists)?;
    let unfinished = file.with_extension("parquet.unfinished");
    let compression = Compression::ZSTD(ZstdLevel::default());
    let properties = WriterProperties::builder().set_compression(compression).build();
    let written = || -> Outcome {
        use arrow_array::RecordBatchReader as _;
        let mut writer = ArrowWriter::try_new(File::create(&unfinished)?, rows.schema(), Some(properties))?;
        for batch in rows {
            writer.write(&batch?)?;
        }
        writer.into_inner()?.sync_all()?;
        Ok(fs::rename(&unfinished, file)?)
    };
    if let Err(error) = written() {
        // Best effort: the first error is the one to tell.
        let _ = fs::remove_file(&unfinished);
        return Err(error);
    }
    println!("Exported {} documents.", searcher.len());
    Ok(())
}
