//! Commits of an index to an object store, and from it.
//!
//! `cargo install --path object-store` installs it.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use lucerne::{Cancel, ErrorKind, Index};
use lucerne_object_store::{Error, PullOptions, PushOptions, Remote, list_commits, pull, push, sweep};
use serde_json::json;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

const USAGE: &str = "usage: lucerne-object-store push INDEX URL [--expected-generation N] [--json]
       lucerne-object-store pull URL FOLDER [--generation N] [--json]
       lucerne-object-store commits URL [--json]
       lucerne-object-store sweep URL --older-than DAYS [--json]

URL: s3://bucket/prefix (settings: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL, …)
     or file:///folder
Exit codes: 0 done, 1 damaged, 2 wrong usage, 3 store, disk or file cannot be used, 4 another commit or process was first";

fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, message }) => {
            eprintln!("{message}");
            ExitCode::from(code)
        }
    }
}

struct Failure {
    code: u8,
    message: String,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match error.kind() {
            ErrorKind::Corrupt => 1,
            ErrorKind::Usage => 2,
            ErrorKind::Conflict | ErrorKind::Locked => 4,
            _ => 3,
        };
        Self { code, message: format!("error: {error}") }
    }
}

fn usage() -> Failure {
    Failure { code: 2, message: USAGE.to_owned() }
}

fn run(arguments: &[&str]) -> Result<(), Failure> {
    let (mut words, mut options, mut json) = (Vec::new(), Vec::new(), false);
    let mut rest = arguments.iter();
    while let Some(&word) = rest.next() {
        match word {
            "--help" | "-h" => {
                println!("{USAGE}");
                return Ok(());
            }
            "--json" => json = true,
            option if option.starts_with("--") => options.push((option, *rest.next().ok_or_else(usage)?)),
            word => words.push(word),
        }
    }
    match (words.as_slice(), options.as_slice()) {
        (&["push", index, url], options) => {
            let push_options = match options {
                [] => PushOptions::new(),
                [("--expected-generation", number)] => PushOptions::new().expected_generation(whole(number)?),
                _ => return Err(usage()),
            };
            push_to(index, url, &push_options, json)
        }
        (&["pull", url, folder], options) => {
            let pull_options = match options {
                [] => PullOptions::new(),
                [("--generation", number)] => PullOptions::new().generation(whole(number)?),
                _ => return Err(usage()),
            };
            pull_to(url, folder, &pull_options, json)
        }
        (&["commits", url], []) => commits(url, json),
        (&["sweep", url], [("--older-than", days)]) => {
            let seconds = whole(days)?.saturating_mul(24 * 3_600);
            swept(url, Duration::from_secs(seconds), json)
        }
        _ => Err(usage()),
    }
}

fn whole(digits: &str) -> Result<u64, Failure> {
    digits
        .parse()
        .map_err(|_| Failure { code: 2, message: format!("error: {digits:?} is no whole number\n{USAGE}") })
}

fn push_to(index: &str, url: &str, options: &PushOptions, json: bool) -> Result<(), Failure> {
    let opened = Index::open(index).map_err(Error::from)?;
    let report = push(&opened, &Remote::from_url(url)?, options, &Cancel::new(), &())?;
    let text = format!(
        "{url}: commit {} (generation {}), {} documents, {} files of {} bytes; {} files of {} bytes uploaded, the others were there",
        report.number,
        report.generation,
        report.docs,
        report.files,
        report.bytes,
        report.uploaded_files,
        report.uploaded_bytes,
    );
    let value = json!({
        "number": report.number, "generation": report.generation, "docs": report.docs, "files": report.files,
        "bytes": report.bytes, "uploaded_files": report.uploaded_files, "uploaded_bytes": report.uploaded_bytes,
    });
    print(json, &value, &text);
    Ok(())
}

fn pull_to(url: &str, folder: &str, options: &PullOptions, json: bool) -> Result<(), Failure> {
    let report = pull(&Remote::from_url(url)?, folder, options, &Cancel::new(), &())?;
    let text = format!(
        "{folder}: commit {} (generation {}), {} documents, {} files of {} bytes; {} files of {} bytes downloaded, the others were there",
        report.number,
        report.generation,
        report.docs,
        report.files,
        report.bytes,
        report.downloaded_files,
        report.downloaded_bytes,
    );
    let value = json!({
        "number": report.number, "generation": report.generation, "docs": report.docs, "files": report.files,
        "bytes": report.bytes, "downloaded_files": report.downloaded_files, "downloaded_bytes": report.downloaded_bytes,
    });
    print(json, &value, &text);
    Ok(())
}

fn commits(url: &str, json: bool) -> Result<(), Failure> {
    for commit in list_commits(&Remote::from_url(url)?, &Cancel::new())? {
        let seconds = commit.pushed.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let value = json!({
            "number": commit.number, "generation": commit.generation, "docs": commit.docs, "files": commit.files,
            "bytes": commit.bytes, "pushed": seconds,
        });
        let age = SystemTime::now().duration_since(commit.pushed).unwrap_or_default().as_secs();
        let text = format!(
            "commit {} (generation {}): {} documents, {} files of {} bytes, pushed {} h {} min ago",
            commit.number,
            commit.generation,
            commit.docs,
            commit.files,
            commit.bytes,
            age / 3_600,
            age % 3_600 / 60,
        );
        print(json, &value, &text);
    }
    Ok(())
}

fn swept(url: &str, older_than: Duration, json: bool) -> Result<(), Failure> {
    let report = sweep(&Remote::from_url(url)?, older_than, &Cancel::new())?;
    let text = format!(
        "{url}: {} commits and {} files of {} bytes deleted, {} commits kept",
        report.deleted_commits, report.deleted_files, report.deleted_bytes, report.kept_commits,
    );
    let value = json!({
        "kept_commits": report.kept_commits, "deleted_commits": report.deleted_commits,
        "deleted_files": report.deleted_files, "deleted_bytes": report.deleted_bytes,
    });
    print(json, &value, &text);
    Ok(())
}

/// One line: JSON, or words.
fn print(json: bool, value: &serde_json::Value, text: &str) {
    match json {
        true => println!("{value}"),
        false => println!("{text}"),
    }
}
