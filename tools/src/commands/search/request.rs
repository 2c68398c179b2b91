//! Builds a search from the arguments.

use crate::args::{self, Fusion};
use crate::commands::shape;
use crate::failure::{Failure, In as _, Outcome};
use crate::vectors::{Shape, VectorFile};
use lucerne::document::{QueryVector, SparseVector};
use lucerne::query::{Aggregation, Highlight, MoreLike, QueryParser};
use lucerne::{Fuse, Knn, Query, Rerank, Search, Searcher, Sort, Sparse};
use std::collections::BTreeSet;
use std::path::Path;

/// Refuses arguments of --knn without it.
fn for_knn(args: &args::Search) -> Outcome {
    let has_vector = args.vector.is_some() || args.vector_file.is_some() || args.like.is_some();
    let has_examples = !args.liked.is_empty() || !args.disliked.is_empty();
    let has_effort = args.recall.is_some() || args.candidates.is_some() || args.nprobe.is_some();
    let has_effort = has_effort || args.rescore.is_some() || args.exact;
    let problem = match (has_vector || has_examples, has_effort) {
        _ if args.knn.is_some() => return Ok(()),
        (true, _) => "--like, --liked, --disliked, --vector and --vector-file are for --knn",
        (false, true) => "--recall, --candidates, --nprobe, --rescore and --exact are for --knn",
        (false, false) => return Ok(()),
    };
    Err(Failure::usage(problem).hint("give --knn FIELD, the vector field to search, and not --sparse"))
}

/// The search that the arguments describe; `marks` begin and end highlighted words.
pub(in crate::commands) fn of(
    args: &args::Search,
    searcher: &Searcher,
    marks: (&str, &str),
) -> Outcome<Search> {
    let parser = parser(args, searcher)?;
    let reranks =
        args.rerank.is_some() || args.mmr.is_some() || args.decay.is_some() || args.max_sim.is_some();
    if args.hybrid.is_some() && args.knn.is_none() && args.sparse.is_none() {
        return Err(Failure::usage("--hybrid fuses --query with --knn or --sparse; give one of them"));
    }
    for_knn(args)?;
    if args.window.is_some() && args.hybrid.is_none() && !reranks {
        return Err(Failure::usage("--window is only for --hybrid, --rerank, --mmr, --max-sim and --decay"));
    }
    let filter = args.filter.as_ref().map(|text| parser.parse_query(text).in_index(&args.dir)).transpose()?;
    let mut search = match (&args.query, nearest(args, searcher)?, &args.more_like) {
        _ if args.sparse.is_some() => by_sparse(args, &parser)?,
        (_, _, Some(key)) => MoreLike::key(key).into(),
        (None, None, None) if filter.is_some() => Query::all().into(),
        (None, None, None) => {
            return Err(Failure::usage(
                "nothing to search for; give --query, --filter, --more-like, --sparse, or --knn with a vector",
            )
            .hint("--query '*:*' finds every document"));
        }
        (None, Some((_, knn)), None) => of_nearest(args, knn, filter.as_ref()),
        (Some(query), None, None) => typed(args, &parser, query)?,
        (Some(query), Some(nearest), None) => together(args, &parser, query, nearest)?,
    };
    if let Some(filter) = filter.filter(|_| !args.post_filter) {
        search = search.filter(filter);
    }
    if let Some(limit) = args.limit {
        search = search.limit(limit);
    }
    if args.offset > 0 {
        search = search.offset(args.offset);
    }
    if let Some(least) = args.min_score {
        search = search.min_score(least);
    }
    if let Some(rerank) = second(args, searcher)? {
        search = search.rerank(rerank.window(window(args)));
    }
    for sort in &args.sort {
        search = search.sort(order(sort, searcher)?);
    }
    search = counted(args, search)?;
    for field in &args.highlight {
        search = search.highlight(Highlight::new(field).tags(marks.0, marks.1));
    }
    if !args.fields.is_empty() {
        let all = args.fields.iter().any(|field| field == "*");
        search = search.fields(if all { Vec::new() } else { args.fields.clone() });
    }
    if !args.vectors.is_empty() {
        search = search.vectors(&args.vectors);
    }
    Ok(if args.explain { search.explain() } else { search })
}

/// Adds what is to be counted, aggregated and grouped.
fn counted(args: &args::Search, mut search: Search) -> Outcome<Search> {
    let mut names = BTreeSet::new();
    for facet in &args.facet {
        let (field, values) = field_and_number(facet, "--facet", 20)?;
        if !names.insert(field) {
            return Err(Failure::usage(format!(
                "--facet {facet}: the values of {field:?} are counted twice"
            )));
        }
        search = search.facet(field, values);
    }
    if let Some(text) = &args.aggregate {
        let aggregations = Aggregation::by_name_from_json(text).map_err(|error| {
            Failure::usage(format!("--aggregate: {error}"))
                .hint("expected aggregations by name: --aggregate '{\"sizes\": {\"stats\": {\"field\": \"size\"}}}'")
        })?;
        for (name, aggregation) in aggregations {
            if names.contains(name.as_str()) {
                let problem =
                    format!("--aggregate: there is a --facet {name} already; expected another name");
                return Err(Failure::usage(problem));
            }
            search = search.aggregate(name, aggregation);
        }
    }
    if let Some(group_by) = &args.group_by {
        let (field, best) = field_and_number(group_by, "--group-by", 1)?;
        search = search.group_by(field, best);
    }
    Ok(if args.total { search.count_total(true) } else { search })
}

/// `section` or `section:5`.
fn field_and_number<'a>(text: &'a str, argument: &str, default: usize) -> Outcome<(&'a str, usize)> {
    match text.rsplit_once(':') {
        None => Ok((text, default)),
        Some((field, number)) => number.parse().map(|number| (field, number)).map_err(|_| {
            Failure::usage(format!("{argument} {text}: {number:?} is not a number; expected FIELD:N"))
        }),
    }
}

/// The reranking that is no part of --knn.
fn second(args: &args::Search, searcher: &Searcher) -> Outcome<Option<Rerank>> {
    if let Some(text) = &args.max_sim {
        return max_sim(text, searcher).map(Some);
    }
    match (args.mmr, &args.decay) {
        (Some(lambda), _) => match args.mmr_field.as_ref().or(args.knn.as_ref()) {
            Some(field) => Ok(Some(Rerank::mmr(field, lambda))),
            None => Err(Failure::usage("--mmr compares vectors; name their field with --mmr-field or --knn")),
        },
        (None, Some(decay)) => Ok(Some(Rerank::decay(decay.clone()).multiply())),
        (None, None) => Ok(None),
    }
}

fn typed(args: &args::Search, parser: &QueryParser, query: &str) -> Outcome<Search> {
    match args.lenient {
        true => Ok(lenient(parser, query).into()),
        false => parser.parse(query).in_index(&args.dir),
    }
}

/// What was typed as a query, with a warning for what was not understood.
fn lenient(parser: &QueryParser, typed: &str) -> Query {
    let lenient = parser.parse_lenient(typed);
    for warning in &lenient.warnings {
        crate::render::out::warning(warning);
    }
    lenient.query
}

fn parser(args: &args::Search, searcher: &Searcher) -> Outcome<QueryParser> {
    let mut parser = QueryParser::new(searcher.schema()).default_fields(&args.default_field);
    if let Some(edits) = args.fuzzy {
        parser = parser.fuzziness(edits);
    }
    for (name, value) in &args.param {
        parser = match value.strip_prefix('@') {
            None => parser.param(name, value.as_str()),
            Some(file) => from_file(parser, name, file)?,
        };
    }
    Ok(parser)
}

/// A parameter whose value is in a file: a row of a vector file, or raw bytes.
fn from_file(parser: QueryParser, name: &str, file: &str) -> Outcome<QueryParser> {
    let (path, row) = match file.rsplit_once(':').map(|(path, row)| (path, row.parse())) {
        Some((path, Ok(row))) => (Path::new(path), Some(row)),
        _ => (Path::new(file), None),
    };
    let is_raw = path.extension().is_some_and(|extension| extension == "bin" || extension == "f32");
    match (is_raw, row) {
        (true, None) => {
            let bytes = std::fs::read(path).map_err(|error| Failure::file(path, "read", &error))?;
            Ok(parser.param_bytes(name, bytes))
        }
        (true, Some(_)) => {
            Err(Failure::usage(format!("--param {name}: {file}: raw bytes are one vector and have no rows")))
        }
        (false, row) => Ok(parser.param(name, VectorFile::open(path, None)?.row(row.unwrap_or(0))?)),
    }
}

/// The kNN query of --knn, and its vector if that was given.
fn nearest(args: &args::Search, searcher: &Searcher) -> Outcome<Option<(Option<QueryVector>, Knn)>> {
    let Some(field) = &args.knn else { return Ok(None) };
    let shape = shape(searcher.schema(), field)?;
    let vector: Option<QueryVector> = match (&args.vector, &args.vector_file, &args.like) {
        (Some(text), _, _) => Some(parse(text, shape)?),
        (_, Some(path), _) => {
            let mut file = VectorFile::open(path, Some(shape))?;
            file.expect(field, shape)?;
            Some(file.row(args.row)?.into())
        }
        (_, _, Some(key)) => Some(like(args, searcher, key, field)?.into()),
        _ => None,
    };
    let mut knn = match &vector {
        Some(vector) => Knn::new(field, vector.clone()),
        None if args.liked.is_empty() => {
            return Err(Failure::usage("no query vector; give --vector, --vector-file, --like or --liked"));
        }
        None => {
            let (liked, disliked) = (names(&args.liked), names(&args.disliked));
            searcher.recommend(field, &liked, &disliked).in_index(&args.dir)?
        }
    };
    if let Some(recall) = args.recall {
        knn = knn.recall(recall);
    }
    if let Some(lists) = args.nprobe {
        knn = knn.nprobe(lists);
    }
    if let Some(candidates) = args.candidates {
        knn = knn.candidates(candidates);
    }
    if let Some(factor) = args.rescore {
        knn = knn.rescore(factor);
    }
    Ok(Some((vector, if args.exact { knn.exact() } else { knn })))
}

fn names(keys: &[String]) -> Vec<&str> {
    keys.iter().map(String::as_str).collect()
}

/// The vector of a document, which must have one and no more.
fn like(args: &args::Search, searcher: &Searcher, key: &str, field: &str) -> Outcome<Vec<f32>> {
    let mut vectors = searcher.vectors(key, field).in_index(&args.dir)?;
    match (vectors.pop(), vectors.len()) {
        (Some(vector), 0) => Ok(vector),
        (None, _) => {
            Err(Failure::usage(format!("--like: no document {key:?} that has a vector in {field:?}")))
        }
        (Some(_), others) => {
            let problem = format!("--like: document {key:?} has {} vectors in {field:?}", others + 1);
            Err(Failure::usage(problem).hint("give one of them with --vector or --vector-file"))
        }
    }
}

/// A JSON list of numbers; of a binary vector also its bits or bytes as they are.
fn parse(text: &str, shape: Shape) -> Outcome<QueryVector> {
    if shape.binary && !text.trim_start().starts_with('[') {
        return Ok(text.trim().into());
    }
    serde_json::from_str(text).map(QueryVector::Floats).map_err(|error| {
        Failure::usage(format!("--vector: {error}"))
            .hint("expected a JSON list of numbers: --vector '[0.1, 0.7]'")
    })
}

fn of_nearest(args: &args::Search, knn: Knn, filter: Option<&Query>) -> Search {
    let knn = match filter {
        Some(filter) if args.post_filter => knn.filter(filter.clone()).post_filter(),
        _ => knn,
    };
    Search::from(knn).limit(args.limit.unwrap_or(lucerne::limits::DEFAULT_K))
}

/// The hits that are reranked, or that each ranking gives to a fusion: the same number for all pages, which would
/// otherwise repeat some documents and never show others.
pub(super) fn window(args: &args::Search) -> usize {
    let page = args.limit.unwrap_or(lucerne::limits::DEFAULT_K);
    args.window.unwrap_or(page.max(lucerne::limits::DEFAULT_CANDIDATES))
}

/// The search for --query and --knn together.
fn together(
    args: &args::Search,
    parser: &QueryParser,
    query: &str,
    (vector, knn): (Option<QueryVector>, Knn),
) -> Outcome<Search> {
    let window = window(args);
    match (args.hybrid, args.rerank) {
        (Some(fusion), _) => fused(args, parser, query, fusion, knn.into()),
        (None, Some(args::Second::Vector)) => {
            let (Some(field), Some(vector)) = (&args.knn, vector) else {
                return Err(Failure::usage("--rerank vector needs --knn with --vector, --vector-file or --like"));
            };
            let rerank = Rerank::vector(field, vector).window(window).weight(args.weight);
            Ok(typed(args, parser, query)?.rerank(rerank))
        }
        (None, None) => Err(Failure::usage("--query and --knn are given, but not how to combine them")
            .hint("--hybrid ranks by both; --rerank vector reorders the best hits of the query; --filter restricts the documents")),
    }
}

/// The rankings of --query and of another query in one.
pub(super) fn fused(
    args: &args::Search,
    parser: &QueryParser,
    query: &str,
    fusion: Fusion,
    other: Query,
) -> Outcome<Search> {
    let fuse = match fusion {
        Fusion::Rrf => Fuse::rrf(),
        Fusion::Linear => Fuse::linear(),
    };
    let query = match args.lenient {
        true => lenient(parser, query),
        false => parser.parse_query(query).in_index(&args.dir)?,
    };
    let (of_query, of_vector) = args.weights;
    Ok(fuse.window(window(args)).weighted(query, of_query).weighted(other, of_vector).into())
}

/// `size`, `size:asc`, `size:desc`, or with a space as Solr writes it; the direction in any case.
fn order(sort: &str, searcher: &Searcher) -> Outcome<Sort> {
    match sort.trim().rsplit_once([':', ' ']) {
        Some((field, order)) if order.eq_ignore_ascii_case("desc") => Ok(Sort::desc(field.trim_end())),
        Some((field, order)) if order.eq_ignore_ascii_case("asc") => Ok(Sort::asc(field.trim_end())),
        Some((field, order)) if searcher.schema().field(field).is_some() => Err(Failure::usage(format!(
            "--sort {sort}: the order {order:?} is unknown; expected asc or desc"
        ))),
        _ => Ok(Sort::asc(sort.trim())),
    }
}

/// The search of --sparse, with --query if that is given, too.
fn by_sparse(args: &args::Search, parser: &QueryParser) -> Outcome<Search> {
    let text = args.sparse.as_deref().unwrap_or_default();
    let hint =
        "expected a field and its weights by dimension: --sparse 'splade:{\"12\": 0.5, \"900\": 1.25}'";
    let Some((field, vector)) = text.split_once(':') else {
        return Err(Failure::usage(format!("--sparse {text}: no vector")).hint(hint));
    };
    let vector: SparseVector = serde_json::from_str(vector)
        .map_err(|error| Failure::usage(format!("--sparse {field}: {error}")).hint(hint))?;
    let sparse = Sparse::new(field, vector);
    match (&args.query, args.hybrid) {
        (None, _) => Ok(sparse.into()),
        (Some(query), Some(fusion)) => fused(args, parser, query, fusion, sparse.into()),
        (Some(_), None) => Err(Failure::usage("--query and --sparse are given, but not how to combine them")
            .hint("--hybrid ranks by both; --filter restricts the documents")),
    }
}

/// The reranking of --max-sim: by all vectors of a file.
fn max_sim(text: &str, searcher: &Searcher) -> Outcome<Rerank> {
    let Some((field, path)) = text.split_once(':') else {
        return Err(Failure::usage(format!(
            "--max-sim {text}: no file of query vectors; expected FIELD:FILE"
        )));
    };
    let shape = shape(searcher.schema(), field)?;
    let mut file = VectorFile::open(Path::new(path), Some(shape))?;
    file.expect(field, shape)?;
    let vectors = (0..file.rows()).map(|row| file.row(row)).collect::<Outcome<Vec<_>>>()?;
    Ok(Rerank::max_sim(field, vectors).replace())
}
