//! `search`: builds a search from the arguments, runs it and prints the hits.

pub(super) mod request;

use crate::args::{Format, Search};
use crate::commands::searcher_at;
use crate::failure::{Code, Failure, In as _, Outcome};
use crate::render::{hits, out};
use crate::signals::stop_flag;
use lucerne::search::SearchOptions;

pub(super) fn run(args: &Search, json: bool) -> Outcome {
    let searcher = searcher_at(&args.dir, args.at.as_ref())?;
    let search = request::of(args, &searcher, ("[", "]"))?;
    let options = options(args);
    let format = if json { Format::Json } else { args.format };
    if let Some(key) = &args.why {
        let explanation = searcher.explain_with(search, key, &options).in_index(&args.dir)?;
        return match format {
            Format::Json => out::json(&explanation),
            _ => out::text(&out::printable(&explanation.to_string())),
        };
    }
    let found = searcher.search_with(search, &options).in_index(&args.dir)?;
    if found.stopped.is_some() {
        out::warning("timed out; these are the hits found by then, and there may be better ones");
    }
    for field in &found.unknown_fields {
        out::warning(&format!(
            "no document has a field {field:?}, and the schema does not declare it; is it misspelt?"
        ));
    }
    if args.explain && format == Format::Table {
        out::note(&hits::timings(&found));
    }
    if args.total && format != Format::Json {
        out::note(&hits::total(&found));
    }
    match format {
        Format::Json => out::json(&hits::as_json(&found))?,
        Format::Markdown => out::text(&hits::markdown(&found, args.offset, &args.fields))?,
        Format::Table => out::text(&hits::table(&found, args.offset, &args.fields))?,
    }
    if !found.hits.is_empty() {
        return Ok(());
    }
    if format == Format::Json {
        return Err(Failure::silent(Code::DamageOrNoHit));
    }
    let hint = match (&args.knn, &args.query) {
        _ if found.stopped.is_some() => "a longer --timeout may find some".to_owned(),
        _ if args.hybrid.is_some() && args.offset > 0 => {
            let window = request::window(args);
            format!("both rankings end after {window} hits; a larger --window has more, on all pages")
        }
        _ if args.offset > 0 => format!("there may be hits before --offset {}", args.offset),
        (Some(field), None) => format!("do they have vectors in {field:?}?"),
        _ => "--why KEY explains why one of them is not found".to_owned(),
    };
    let failure = Failure::new(Code::DamageOrNoHit, "no hit");
    Err(failure.hint(format!("the index has {} documents; {hint}", searcher.len())))
}

/// How the search is run.
fn options(args: &Search) -> SearchOptions {
    let options = SearchOptions::new().cancel(&stop_flag()).threads(args.threads);
    let options = args.timeout.into_iter().fold(options, SearchOptions::timeout);
    if args.partial { options.partial() } else { options }
}
