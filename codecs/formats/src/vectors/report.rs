//! Reports for people and tools: what an open field is, and what a merge decides and did.

use super::recall::curve::MEASURED_K;
use super::search::{cost, to_reach};
use super::segment::{Index, VectorSegment};
use crate::encoding::{FieldReport, MergePlan, MergeReport, MergeSources, Precision};
use crate::hnsw::file::GraphFile;
use crate::hnsw::graph::{GraphView, SelfSearch};
use crate::ivf::ListFile;
use lucerne_codec::{Component, FieldInfo, Report};
use serde_json::{Map, Value, json};

/// The recalls of which it is said what they take.
const SHOWN_RECALLS: [f32; 5] = [0.8, 0.9, 0.95, 0.98, 0.99];

/// Parts with their sizes, parameters in force, quantiles.
pub(super) fn inspect(segment: &VectorSegment) -> Report {
    let mut report = FieldReport::default();
    report.set("format", segment.format);
    report.set("vectors", segment.len);
    report.set("dimension", segment.field.dimension);
    report.set("similarity", segment.field.similarity.name());
    if segment.field.component() == Component::F16 {
        report.set("datatype", FieldInfo::FLOAT16);
    }
    if segment.params.multiple {
        report.set("documents", segment.map.count_documents());
    }
    match &segment.raw {
        Some(raw) => report.set_bytes("raw", raw.bytes().len()),
        None => report.set("raw_vectors", "not kept"),
    }
    segment.encoded.report(&mut report);
    match &segment.index {
        Index::Flat => {}
        Index::Hnsw(graph) => {
            let params = &segment.params;
            report.set("m", params.m);
            report.set("beam_width", params.beam_width);
            let described = match graph {
                Some(graph) => describe_graph(graph),
                None => json!(format!("none below {} vectors", params.graph_threshold)),
            };
            report.set("graph", described);
            report.set_bytes("graph", graph.as_ref().map_or(0, |graph| graph.input().len()));
        }
        Index::Ivf(lists) => {
            report.set("lists", describe_lists(segment, lists));
            report.set_bytes("lists", lists.bytes());
        }
    }
    if !segment.curves.is_empty() {
        // For each k the recall by candidates.
        report.set("recall", json!(segment.curves));
        report.set("searches", describe_searches(segment));
    }
    report.set_bytes("maps", segment.map.bytes());
    if segment.encoded.precision() == Precision::CandidatesOnly {
        describe_candidates(segment, &mut report);
    }
    report.finish()
}

/// Levels and links, and what searches for its own vectors have found when it was built.
fn describe_graph(graph: &GraphFile) -> Value {
    let mut described = json!({ "levels": graph.level_count(), "m": graph.m() });
    if let (Some(self_search), Some(fields)) = (graph.self_search(), described.as_object_mut()) {
        let SelfSearch { searched, missed, mended, complete } = self_search;
        let value = json!({ "searched": searched, "missed": missed, "mended": mended, "complete": complete });
        fields.insert("self_search".to_owned(), value);
    }
    described
}

/// What searches for the first measured k do to reach a recall: between the points of the curve they go on in proportion, beyond the last one by
/// how it rises (`measured` is false).
fn describe_searches(segment: &VectorSegment) -> Value {
    let [k, ..] = MEASURED_K;
    let last = segment.curves.0.first().and_then(|curve| curve.points.last());
    let most = last.map_or(0.0, |point| point.recall.max(point.rescored.unwrap_or(0.0)));
    let searches = SHOWN_RECALLS.map(|recall| {
        let (candidates, rescored) = to_reach(segment, k, recall);
        let recall = (f64::from(recall) * 1e4).round() / 1e4;
        json!({
            "recall": recall, "candidates": candidates, "rescored": rescored, "measured": recall <= most,
        })
    });
    Value::from(searches.to_vec())
}

/// How many lists there are, and how many were wanted if that is another number.
fn describe_lists(segment: &VectorSegment, lists: &ListFile) -> Value {
    let sizes = (0..lists.count()).map(|list| lists.range(list).map_or(0, |range| range.len()));
    let mut lists_report = Map::new();
    lists_report.insert("nlist".to_owned(), json!(lists.count()));
    lists_report.insert("largest".to_owned(), json!(sizes.max().unwrap_or(0)));
    if let Some(wanted) = segment.params.nlist.filter(|wanted| *wanted != lists.count()) {
        let note = if wanted > lists.count() {
            "no more lists than different vectors in the sample"
        } else {
            "written with another nlist; a merge makes them anew"
        };
        lists_report.insert("wanted".to_owned(), json!(wanted));
        lists_report.insert("note".to_owned(), json!(note));
    }
    Value::Object(lists_report)
}

/// The candidates of a search for 10, what it costs with a graph and without, and what searches keep in memory.
fn describe_candidates(segment: &VectorSegment, report: &mut FieldReport) {
    let k = 10;
    let candidates = segment.encoded.default_candidates(k).unwrap_or(k);
    let costs = cost::whole(candidates, segment.len, segment.encoded.scan_cost());
    report.set("candidates", format!("{} × k", candidates / k));
    report.set(
        "estimate",
        json!({
            "k": k,
            "candidates": candidates,
            "hnsw": costs.graph.round() as u64,
            "flat": costs.scan.round() as u64,
            "cheaper": if costs.graph < costs.scan { "hnsw" } else { "flat" },
        }),
    );
    let (searched, total) = (report.bytes_without("raw"), report.bytes_without(""));
    report.set_bytes("searched", searched);
    report.set_bytes("total", total);
}

/// Seconds of a merge's phases.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seconds {
    pub(super) quantiles: f64,
    pub(super) codes: f64,
    pub(super) graph: f64,
    pub(super) files: f64,
    pub(super) recall: f64,
}

impl Seconds {
    pub(super) fn report(self, report: &mut MergeReport) {
        let rounded = |seconds: f64| (seconds * 1e6).round() / 1e6;
        report.set(
            "seconds",
            json!({
                "quantiles": rounded(self.quantiles),
                "codes": rounded(self.codes),
                "graph": rounded(self.graph),
                "files": rounded(self.files),
                "recall": rounded(self.recall),
            }),
        );
    }
}

/// What a merge decides.
pub(super) fn merge(
    format: &str,
    sources: &MergeSources<'_>,
    formats: &[&'static str],
    plan: &dyn MergePlan,
) -> MergeReport {
    let mut report = MergeReport::default();
    report.set("format", format);
    report.set("vectors", sources.vectors.len());
    report.sources.resize(sources.sources.len(), Map::new());
    report.set_each("segment", sources.sources.iter().map(|source| source.segment));
    report.set_each("format", formats.iter().copied());
    report.set_each("live", sources.sources.iter().map(|source| source.live()));
    report.set_each("deleted", sources.sources.iter().map(|source| source.deleted()));
    plan.report(&mut report);
    for (source, entries) in sources.sources.iter().zip(&mut report.sources) {
        if source.live() == 0 {
            entries.insert("outcome".to_owned(), json!("empty"));
        }
    }
    report
}
