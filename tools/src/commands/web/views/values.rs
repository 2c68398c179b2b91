//! A field of words, keywords, numbers or dates: what is in it.

use super::{asked, in_time, list, number, text};
use crate::commands::web::watched::Commit;
use crate::failure::{Failure, In as _, Outcome};
use lucerne::query::{Aggregation, Calendar};
use lucerne::schema::FieldType;
use lucerne::search::SearchOptions;
use lucerne::{Query, Search, admin};
use serde_json::{Value, json};

/// Terms that are listed.
const TERMS: usize = 40;
/// Bars of a histogram of numbers; one more has what is above.
const BARS: usize = 30;
/// Where the 99th percentile is so many medians, bars grow.
const LOPSIDED: f64 = 20.0;

/// Terms and their documents, or a histogram with percentiles, by the type of the field.
pub(super) fn field(commit: &Commit, question: &Value) -> Outcome<Value> {
    let name = asked(question, "field")?;
    let schema = commit.searcher.schema();
    let declared = schema.require(name).in_index(&commit.dir)?;
    let mut view = match declared.field_type() {
        FieldType::Text(_) | FieldType::Keyword(_) => terms(commit, name)?,
        FieldType::I64 | FieldType::F64 => numbers(commit, name)?,
        FieldType::Date => dates(commit, name)?,
        FieldType::Bool => aggregated(commit, [("values", Aggregation::terms(name))])?,
        FieldType::SparseVector => sparse(commit, name)?,
        other => {
            return Err(Failure::usage(format!("{name:?} is of type {}; it has no values", other.name())));
        }
    };
    if let Some(fields) = view.as_object_mut() {
        fields.insert("field".to_owned(), name.into());
        fields.insert("type".to_owned(), declared.field_type().name().into());
        fields.insert("docs".to_owned(), commit.searcher.len().into());
    }
    Ok(view)
}

/// The most frequent terms; tokens and the number of documents with any, deleted ones included.
fn terms(commit: &Commit, name: &str) -> Outcome<Value> {
    let top = admin::top_terms(&commit.searcher, name, TERMS, &in_time()).in_index(&commit.dir)?;
    let (mut docs, mut tokens, mut dictionary) = (0, 0, 0);
    for segment in list(commit.report()?, "segments") {
        let fields = segment.get("terms").map_or(&[][..], |terms| list(terms, "fields"));
        for field in fields.iter().filter(|field| text(field, "field") == name) {
            docs += number(field, "docs");
            tokens += number(field, "tokens");
            dictionary += number(field, "dictionary_bytes");
        }
    }
    let top: Vec<Value> = top.into_iter().map(|(term, docs)| json!({ "term": term, "docs": docs })).collect();
    Ok(json!({ "with_terms": docs, "tokens": tokens, "dictionary_bytes": dictionary, "terms": top }))
}

fn numbers(commit: &Commit, name: &str) -> Outcome<Value> {
    let mut view = aggregated(
        commit,
        [
            ("stats", Aggregation::stats(name)),
            ("percentiles", Aggregation::percentiles(name, [1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0])),
        ],
    )?;
    let float = |pointer: &str| view.pointer(pointer).and_then(Value::as_f64);
    // Few very large values would leave all others in one bar.
    let (Some(least), Some(high)) = (float("/stats/min"), float("/percentiles/values/99.0")) else {
        return Ok(view);
    };
    let (low, middle) = (float("/percentiles/values/1.0"), float("/percentiles/values/50.0"));
    // Bars of one width would leave most values in the first.
    let low = low.filter(|low| *low > 0.0 && least >= 0.0 && middle.is_some_and(|it| high > LOPSIDED * it));
    let edges = match low {
        Some(low) => geometric(low, high),
        None => even(least, high, view.pointer("/stats/min").is_some_and(Value::is_i64)),
    };
    let ranges = Aggregation::ranges(name);
    let ranges = match (low, edges.first()) {
        (Some(_), Some(first)) => ranges.below(*first),
        _ => ranges,
    };
    let ranges = edges.windows(2).fold(ranges, |ranges, pair| match pair {
        [from, to] => ranges.between(*from, *to),
        _ => ranges,
    });
    let ranges = edges.last().into_iter().fold(ranges, |ranges, last| ranges.at_least(*last));
    let bars = aggregated(commit, [("bars", ranges)])?;
    if let (Some(fields), Some(bars)) = (view.as_object_mut(), bars.get("bars")) {
        fields.insert("bars".to_owned(), bars.clone());
        fields.insert("logarithmic".to_owned(), low.is_some().into());
    }
    Ok(view)
}

fn dates(commit: &Commit, name: &str) -> Outcome<Value> {
    let mut view = aggregated(commit, [("min", Aggregation::min(name)), ("max", Aggregation::max(name))])?;
    let year = |pointer: &str| view.pointer(pointer)?.as_str()?.get(..4)?.parse::<i64>().ok();
    let (Some(first), Some(last)) = (year("/min/value"), year("/max/value")) else { return Ok(view) };
    let calendar = match last - first {
        ..1 => Calendar::Week,
        1..8 => Calendar::Month,
        _ => Calendar::Year,
    };
    let bars = aggregated(commit, [("bars", Aggregation::dates(name, calendar))])?;
    if let (Some(fields), Some(bars)) = (view.as_object_mut(), bars.get("bars")) {
        fields.insert("bars".to_owned(), bars.clone());
    }
    Ok(view)
}

/// Edges of bars of one width.
fn even(least: f64, high: f64, whole: bool) -> Vec<f64> {
    let width = (high - least) / BARS as f64;
    let width = if whole { width.ceil() } else { width };
    let width = if width > 0.0 && width.is_finite() { width } else { 1.0 };
    (0..=BARS).map(|bar| least + width * bar as f64).collect()
}

/// Edges of bars that grow by one factor; `low` is above 0.
fn geometric(low: f64, high: f64) -> Vec<f64> {
    let factor = (high / low).powf(1.0 / BARS as f64);
    (0..=BARS as i32).map(|bar| low * factor.powi(bar)).collect()
}

/// What the format reports of a field of sparse vectors, for each segment that has it.
fn sparse(commit: &Commit, name: &str) -> Outcome<Value> {
    let segments = list(commit.report()?, "segments").iter();
    let reports = segments.filter_map(|segment| {
        let is_own = |it: &&Value| it.pointer("/field/name").is_some_and(|own| own == name);
        let report = list(segment.get("sparse")?, "fields").iter().find(is_own)?;
        Some(json!({ "segment": segment.get("name"), "report": report }))
    });
    Ok(json!({ "sparse": reports.collect::<Vec<Value>>() }))
}

/// Aggregations of all documents.
fn aggregated<const N: usize>(commit: &Commit, wanted: [(&str, Aggregation); N]) -> Outcome<Value> {
    let search = Search::new(Query::all()).limit(1);
    let search = wanted.into_iter().fold(search, |search, (name, it)| search.aggregate(name, it));
    let options = SearchOptions::new().cancel(&in_time());
    let hits = commit.searcher.search_with(search, &options).in_index(&commit.dir)?;
    Ok(serde_json::to_value(&hits.aggregations).unwrap_or_default())
}
