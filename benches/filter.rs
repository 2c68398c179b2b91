//! Nearest neighbors among the documents of a filter: recall, time against exact search over the same documents, and
//! the strategies used, by what the filter keeps, how it lies to the query, and deletes. For a format's reader alone, and
//! for the engine, which turns the filter into a set first.
//!
//! `cargo bench --bench filter [-- [--docs N] [--dim N] [FILE.npy [QUERIES.npy]]]`
//!
//! Times are CPU time of the thread where the system tells it (Linux), so that a busy machine disturbs them less.
#![allow(clippy::print_stdout, missing_docs, reason = "a bench prints")]

mod common;

use common::{Data, Result, Table};
use lucerne::codec::format::{OpenContext, Working, WriteContext};
use lucerne::codec::vector::{Effort, VectorFormat, VectorHits, VectorReader, VectorRows, VectorSearch};
use lucerne::codec::{Accept, BitSet, Cancel, DocId, FieldInfo, OnStop, Params, SegmentId, Similarity};
use lucerne::directory::FsDirectory;
use lucerne::merge::MergePolicy;
use lucerne::schema::{Field, Keyword};
use lucerne::{Document, Index, Knn, Schema, Searcher, Term, Vector, WriterOptions};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

const QUERIES: usize = 50;
/// Documents that filters of neighboring documents are around.
const ANCHORS: usize = 16;
/// Per cent of the documents kept.
const KEPT: [f64; 6] = [50.0, 10.0, 1.0, 0.1, 0.01, 0.0];
/// Each figure is measured for at least so long.
const TIME: Duration = Duration::from_millis(50);

/// How a filter lies to the query.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
    /// Documents by a hash of their number.
    Anywhere,
    /// Those nearest to the anchor that is nearest to the query.
    Near,
    /// Those nearest to the anchor that is farthest from it.
    Far,
}

const LIES: [(Lie, &str); 3] = [(Lie::Anywhere, "none"), (Lie::Near, "near"), (Lie::Far, "far")];

fn main() -> Result<()> {
    let Some(arguments) = common::arguments(20_000)? else { return Ok(()) };
    let data = Data::new(&arguments, QUERIES)?;
    println!("filter: {}, {} queries, k = 10, default effort", data.source, data.queries.len());
    let sets = Sets::new(&data);
    println!("\nThe format's reader, one segment\n{}", codec(&data, &sets)?.text());
    println!("\nThe engine, one segment\n{}", engine(&data, &sets)?.text());
    Ok(())
}

fn hash(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x1234_5678_9ABC_DEF1);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn is_deleted(doc: DocId) -> bool {
    hash(u64::from(doc) + 777) % 10 < 3
}

/// Cosine, as vectors need not have length 1.
fn similarity(left: &[f32], right: &[f32]) -> f32 {
    let dot = |x: &[f32], y: &[f32]| -> f32 { x.iter().zip(y).map(|(x, y)| x * y).sum() };
    dot(left, right) / (dot(left, left) * dot(right, right)).sqrt().max(1e-30)
}

/// Orders of the documents; a filter keeps the first of one.
struct Sets {
    /// By hash, then around each anchor.
    orders: Vec<Vec<DocId>>,
    /// For each query the nearest and the farthest anchor's order.
    anchors: Vec<(usize, usize)>,
}

impl Sets {
    fn new(data: &Data) -> Self {
        let docs = 0..data.vectors.len() as DocId;
        let sorted = |place: &dyn Fn(DocId) -> f64| {
            let mut order: Vec<(f64, DocId)> = docs.clone().map(|doc| (place(doc), doc)).collect();
            order.sort_by(|left, right| left.0.total_cmp(&right.0));
            order.into_iter().map(|(_, doc)| doc).collect::<Vec<_>>()
        };
        let anchors: Vec<&[f32]> = (0..ANCHORS as u64)
            .map(|anchor| &*data.vectors[(hash(anchor) % data.vectors.len() as u64) as usize])
            .collect();
        let mut orders = vec![sorted(&|doc| hash(u64::from(doc)) as f64)];
        for anchor in &anchors {
            orders.push(sorted(&|doc| -f64::from(similarity(&data.vectors[doc as usize], anchor))));
        }
        let of_query = |query: &Vec<f32>| {
            let mut near: Vec<usize> = (0..ANCHORS).collect();
            let place = |anchor: &usize| -similarity(anchors[*anchor], query);
            near.sort_by(|left, right| place(left).total_cmp(&place(right)));
            (near[0] + 1, near[ANCHORS - 1] + 1)
        };
        Self { anchors: data.queries.iter().map(of_query).collect(), orders }
    }

    /// Which order the filter of a query takes from.
    fn order(&self, query: usize, lie: Lie) -> usize {
        match lie {
            Lie::Anywhere => 0,
            Lie::Near => self.anchors[query].0,
            Lie::Far => self.anchors[query].1,
        }
    }

    fn count(&self, kept: f64) -> usize {
        (self.orders[0].len() as f64 * kept / 100.0).round() as usize
    }
}

/// CPU time of this thread, or the time of day.
fn clock(started: Instant) -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    nanos.map_or_else(|| started.elapsed(), Duration::from_nanos)
}

/// What the first of several rounds of `runs` calls returns, and mean microseconds of a call.
fn measure<T>(runs: usize, mut round: impl FnMut() -> Result<T>) -> Result<(T, f64)> {
    let started = Instant::now();
    let mut from = clock(started);
    let first = round()?;
    let spent = clock(started) - from;
    if spent >= TIME {
        return Ok((first, spent.as_secs_f64() * 1e6 / runs as f64));
    }
    // Short calls are measured warm.
    from = clock(started);
    for rounds in 1.. {
        round()?;
        let spent = clock(started) - from;
        if spent >= TIME {
            return Ok((first, spent.as_secs_f64() * 1e6 / (rounds * runs) as f64));
        }
    }
    Err("no time passes".into())
}

/// What a cell of the table is about.
struct Cell {
    kept: f64,
    lie: &'static str,
    deletes: bool,
}

/// What was found, and how: documents, and the strategies used.
struct Found {
    hits: Vec<Vec<u32>>,
    strategies: BTreeMap<&'static str, usize>,
}

fn table(more: &[&'static str]) -> Table {
    let heads = ["keep %", "correlation", "deletes %", "hits", "recall@10", "mean µs", "exact µs", "ratio"];
    Table::new(heads.iter().chain(more).copied().chain(["strategies"]))
}

fn row(table: &mut Table, cell: &Cell, found: (Found, f64), exact: (Found, f64), more: &[String]) {
    let (times, (found, exact)) = ([found.1, exact.1], (found.0, exact.0));
    let wanted: usize = exact.hits.iter().map(Vec::len).sum();
    let right = |(found, exact): (&Vec<u32>, &Vec<u32>)| {
        assert_eq!(found.len(), exact.len(), "min(k, matches) hits");
        let exact: BTreeSet<&u32> = exact.iter().collect();
        found.iter().filter(|hit| exact.contains(hit)).count()
    };
    let right: usize = found.hits.iter().zip(&exact.hits).map(right).sum();
    let strategies = found
        .strategies
        .iter()
        .map(|(strategy, count)| format!("{strategy} {count}"))
        .collect::<Vec<_>>()
        .join(", ");
    let cells = [
        format!("{}", cell.kept),
        cell.lie.to_owned(),
        if cell.deletes { "30" } else { "0" }.to_owned(),
        format!("{:.1}", wanted as f64 / exact.hits.len() as f64),
        if wanted == 0 { "-".to_owned() } else { format!("{:.4}", right as f64 / wanted as f64) },
        format!("{:.1}", times[0]),
        format!("{:.1}", times[1]),
        format!("{:.2}", times[0] / times[1]),
    ];
    table.row(cells.into_iter().chain(more.iter().cloned()).chain([strategies]));
}

const ID: SegmentId = SegmentId([1; 16]);

fn codec(data: &Data, sets: &Sets) -> Result<Table> {
    let format = lucerne_formats::builtin().vectors.first().cloned().ok_or("no vector format")?;
    let field = FieldInfo {
        number: 0,
        name: "v".to_owned(),
        dimension: data.dimension() as u32,
        similarity: Similarity::Cosine,
        params: Params::new(),
    };
    let folder = common::fresh_folder("filter-codec")?;
    let reader = segment(&*format, &field, &FsDirectory::create(&folder)?, data)?;
    let docs = data.vectors.len() as u32;
    let queries: Vec<Vec<u8>> =
        data.queries.iter().map(|query| query.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
    let mut table = table(&[]);
    for deletes in [false, true] {
        for (kept, (lie, name)) in KEPT.into_iter().flat_map(|kept| LIES.map(|lie| (kept, lie))) {
            let accepted = |query| {
                let mut set = BitSet::empty(docs);
                for &doc in &sets.orders[sets.order(query, lie)][..sets.count(kept)] {
                    if !(deletes && is_deleted(doc)) {
                        set.insert(doc);
                    }
                }
                set
            };
            let accepted: Vec<BitSet> = (0..queries.len()).map(accepted).collect();
            let search = |effort, keep: &mut dyn FnMut(VectorHits)| -> Result<()> {
                for (query, set) in queries.iter().zip(&accepted) {
                    let ties = |left: DocId, right: DocId| left.cmp(&right);
                    let accept = Accept::only(set);
                    let cancel = &Cancel::new();
                    keep(reader.search(&VectorSearch {
                        query,
                        k: 10,
                        effort,
                        accept,
                        ties: &ties,
                        cancel,
                        on_stop: OnStop::Fail,
                    })?);
                }
                Ok(())
            };
            let found = |effort| -> Result<Found> {
                let (mut hits, mut strategies) = (Vec::new(), BTreeMap::new());
                search(effort, &mut |found: VectorHits| {
                    hits.push(found.neighbors.iter().map(|hit| hit.doc).collect());
                    *strategies.entry(found.strategy).or_default() += 1;
                })?;
                Ok(Found { hits, strategies })
            };
            let found = |effort| measure(queries.len(), || found(effort));
            let (default, exact) = (Effort::Candidates(lucerne::limits::DEFAULT_CANDIDATES), Effort::Exact);
            let cell = Cell { kept, lie: name, deletes };
            row(&mut table, &cell, found(default)?, found(exact)?, &[]);
        }
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(table)
}

fn segment(
    format: &dyn VectorFormat,
    field: &FieldInfo,
    directory: &FsDirectory,
    data: &Data,
) -> Result<Box<dyn VectorReader>> {
    let max_doc = data.vectors.len() as u32;
    let context = WriteContext {
        directory,
        segment: "_0",
        segment_id: ID,
        max_doc,
        seed: 42,
        threads: std::thread::available_parallelism()?.get(),
        working: Working::Heap,
        cancel: &Cancel::new(),
        progress: &(),
    };
    let rows: Vec<u8> = data.vectors.iter().flatten().flat_map(|x| x.to_le_bytes()).collect();
    let docs: Vec<DocId> = (0..max_doc).collect();
    let written = format.write(&context, field, VectorRows { rows: &rows, docs: &docs }, None)?;
    let context =
        OpenContext { directory, segment_id: ID, max_doc, files: &written.files, meta: &written.meta };
    Ok(format.open(&context, field)?)
}

/// The term of the documents that a share of an order keeps.
fn term(kept: f64, order: usize) -> String {
    format!("{kept} of {order}")
}

fn engine(data: &Data, sets: &Sets) -> Result<Table> {
    let schema = Schema::builder()
        .key("id")
        .field(Field::keyword_with("in", Keyword::separated_by(',')))
        .vector("v", Vector::f32(data.dimension()))
        .build()?;
    let mut terms = vec![Vec::new(); data.vectors.len()];
    for (number, order) in sets.orders.iter().enumerate() {
        for kept in KEPT {
            order[..sets.count(kept)].iter().for_each(|&doc| terms[doc as usize].push(term(kept, number)));
        }
    }
    let folder = common::fresh_folder("filter")?;
    let index = Index::create(&folder, schema)?;
    let options = WriterOptions::new().ram_budget(8 << 30).merge_policy(MergePolicy::None);
    let writer = index.writer_with(options)?;
    for (row, (vector, terms)) in data.vectors.iter().zip(&terms).enumerate() {
        let document = Document::new().with("id", row.to_string()).with("v", vector.clone());
        writer.add(&document.with("in", terms.join(",")))?;
    }
    writer.commit()?;
    let mut table = table(&["filter µs"]);
    cells(data, sets, &index.searcher()?, false, &mut table)?;
    for doc in (0..data.vectors.len() as DocId).filter(|doc| is_deleted(*doc)) {
        writer.delete(&doc.to_string())?;
    }
    writer.commit()?;
    cells(data, sets, &index.searcher()?, true, &mut table)?;
    drop((writer, index));
    std::fs::remove_dir_all(&folder)?;
    Ok(table)
}

fn cells(data: &Data, sets: &Sets, searcher: &Searcher, deletes: bool, table: &mut Table) -> Result<()> {
    for (kept, (lie, name)) in KEPT.into_iter().flat_map(|kept| LIES.map(|lie| (kept, lie))) {
        let query = |number: usize| {
            let filter = Term::new("in", term(kept, sets.order(number, lie)));
            Knn::new("v", data.queries[number].clone()).filter(filter)
        };
        let queries: Vec<Knn> = (0..data.queries.len()).map(query).collect();
        let exact: Vec<Knn> = queries.iter().map(|query| query.clone().exact()).collect();
        let found = |queries: &[Knn]| -> Result<Found> {
            let (mut hits, mut strategies) = (Vec::new(), BTreeMap::new());
            for query in queries {
                let found = searcher.search(query)?;
                hits.push(found.keys().into_iter().map(str::parse).collect::<std::result::Result<_, _>>()?);
                found
                    .segments
                    .iter()
                    .for_each(|segment| *strategies.entry(segment.strategy).or_default() += 1);
            }
            Ok(Found { hits, strategies })
        };
        let (_, filter) = measure(data.queries.len(), || {
            (0..data.queries.len()).try_for_each(|number| {
                searcher.count(Term::new("in", term(kept, sets.order(number, lie)))).map(drop)
            })?;
            Ok(())
        })?;
        let cell = Cell { kept, lie: name, deletes };
        let found = |queries: &[Knn]| measure(queries.len(), || found(queries));
        row(table, &cell, found(&queries)?, found(&exact)?, &[format!("{filter:.1}")]);
    }
    Ok(())
}
