//! Facts for people and tools: what an open field is, and what a merge decides and did.

use super::Layers;
use super::cost::{self, Compared};
use super::merge::{Gathered, Seconds};
use super::plan::Planned;
use super::reader::{CANDIDATES_PER_HIT, LayeredReader};
use super::settings::Settings;
use crate::hnsw::graph::GraphView;
use crate::sign_hash::Estimator;
use crate::sq8::Quantiles;
use crate::sq8::meta::Center;
use crate::sq8::plan::Outcome;
use lucerne_codec::Facts;
use serde_json::json;

/// An f32 with the digits it needs and no more.
fn number(value: f32) -> Facts {
    let text: Result<f64, _> = value.to_string().parse();
    json!(text.unwrap_or_default())
}

fn pair(quantiles: Quantiles) -> Facts {
    json!([number(quantiles.lower), number(quantiles.upper)])
}

/// The word for a decision about the centre.
fn center(center: Center) -> Facts {
    match center {
        Center::Undecided => json!("undecided"),
        Center::None => json!("none"),
        Center::Crc32(crc) => json!(format!("{crc:08x}")),
    }
}

fn set(facts: &mut Facts, name: &str, value: Facts) {
    if let Some(facts) = facts.as_object_mut() {
        facts.insert(name.to_owned(), value);
    }
}

/// Parts with their sizes, parameters in force, quantiles.
pub(super) fn inspect(reader: &LayeredReader) -> Facts {
    let Settings { m, beam_width, graph_threshold, confidence, .. } = reader.settings;
    let mut facts = json!({
        "format": reader.layers.name,
        "vectors": reader.len,
        "dimension": reader.field.dimension,
        "similarity": reader.field.similarity.name(),
    });
    if reader.settings.multiple {
        set(&mut facts, "documents", json!(reader.map.count_documents()));
    }
    let mut bytes = json!({ "raw": reader.raw.bytes().len() });
    if let Some(codes) = reader.codes() {
        let meta = codes.meta();
        set(&mut facts, "quantiles", pair(meta.quantiles));
        set(&mut facts, "confidence_interval", json!(meta.confidence_interval));
        set(&mut facts, "center", center(meta.center));
        let encodings = meta.encodings.iter();
        set(
            &mut facts,
            "encodings",
            encodings
                .map(|encoding| json!({ "quantiles": pair(encoding.quantiles), "vectors": encoding.vectors }))
                .collect(),
        );
        let (codes, corrections, other) = codes.sizes();
        set(&mut bytes, "codes", json!(codes));
        set(&mut bytes, "corrections", json!(corrections));
        if other > 0 {
            set(&mut bytes, "encodings", json!(other));
        }
        if meta.confidence_interval != confidence {
            set(&mut facts, "confidence_interval_wanted", json!(confidence));
        }
    }
    if let Some(hashes) = reader.hashes() {
        set(&mut facts, "sign_hash", json!(hashes.meta().estimator.name()));
        set(&mut facts, "candidates", json!(format!("{CANDIDATES_PER_HIT} × k")));
        let (bits, corrections) = hashes.sizes();
        set(&mut bytes, "hashes", json!(bits));
        set(&mut bytes, "corrections", json!(corrections));
        set(&mut facts, "estimate", estimate(reader.len, hashes.meta().estimator));
    }
    if reader.layers.graph {
        set(&mut facts, "m", json!(m));
        set(&mut facts, "beam_width", json!(beam_width));
        set(
            &mut facts,
            "graph",
            match reader.graph() {
                Some(graph) => json!({ "levels": graph.level_count(), "m": graph.m() }),
                None => json!(format!("none below {graph_threshold} vectors")),
            },
        );
        if let Some(coarse) = &reader.coarse {
            set(&mut facts, "walk_bits", json!(4));
            set(&mut bytes, "codes_walked", json!(coarse.size()));
        }
        set(&mut bytes, "graph", json!(reader.graph().map_or(0, |graph| graph.input().len())));
    }
    if let Some(lists) = &reader.lists {
        set(&mut facts, "lists", super::lists::facts(reader, lists));
        set(&mut bytes, "lists", json!(lists.bytes()));
    }
    set(&mut bytes, "maps", json!(reader.map.bytes()));
    if reader.hashes().is_some() {
        let parts = bytes.as_object().into_iter().flatten();
        let sum = |but: &str| -> u64 {
            parts.clone().filter(|(name, _)| *name != but).filter_map(|(_, bytes)| bytes.as_u64()).sum()
        };
        let (searched, total) = (sum("raw"), sum(""));
        set(&mut bytes, "searched", json!(searched));
        set(&mut bytes, "total", json!(total));
    }
    set(&mut facts, "bytes", bytes);
    facts
}

/// What a search for 10 is expected to cost with a graph and without, in distances computed by a walk.
fn estimate(len: usize, estimator: Estimator) -> Facts {
    let candidates = 10 * CANDIDATES_PER_HIT;
    let (graph, flat) = cost::whole(candidates, len, Compared::Hashes(estimator));
    let cheaper = if graph < flat { "hnsw" } else { "flat" };
    json!({
        "k": 10,
        "candidates": candidates,
        "hnsw": graph.round() as u64,
        "flat": flat.round() as u64,
        "cheaper": cheaper,
    })
}

/// What a merge decides.
pub(super) fn merge_facts(
    layers: Layers,
    settings: &Settings,
    gathered: &Gathered<'_>,
    planned: &Planned,
) -> Facts {
    let mut facts = json!({
        "format": layers.name,
        "vectors": gathered.entries.len(),
    });
    if let Some(hashes) = &planned.hashes {
        set(&mut facts, "sign_hash", json!(hashes.estimator.name()));
    }
    if let Some(codes) = &planned.codes {
        set(&mut facts, "quantiles", pair(codes.quantiles));
        set(&mut facts, "center", center(codes.center.kind));
        set(
            &mut facts,
            "thresholds",
            json!({
                "keep": settings.thresholds.keep,
                "resample": settings.thresholds.resample,
            }),
        );
    }
    let sources = gathered.sources.iter().enumerate().map(|(index, source)| {
        let mut facts = json!({
            "segment": source.segment,
            "format": source.own.map_or("other", |own| own.layers.name),
            "live": source.live(),
            "deleted": source.deleted(),
        });
        let keeps = planned.hashes.as_ref().map(|hashes| hashes.keeps.get(index) == Some(&true));
        let outcome = match (&planned.codes, keeps) {
            (None, Some(false)) => "rehashed",
            (None, _) => Outcome::Kept.name(),
            (Some(codes), _) => {
                let plan = codes.plan.sources.get(index);
                if let Some(known) = codes.sources.get(index) {
                    set(&mut facts, "quantiles", pair(known.quantiles));
                }
                set(&mut facts, "drift", json!(plan.and_then(|plan| plan.drift)));
                plan.map_or(Outcome::Resampled, |plan| plan.outcome).name()
            }
        };
        set(&mut facts, "outcome", json!(if source.live() == 0 { "empty" } else { outcome }));
        facts
    });
    set(&mut facts, "sources", sources.collect());
    facts
}

/// Adds what was done: per source the vectors encoded anew (`renewed`), and the time it took.
pub(super) fn add_outcome(facts: &mut Facts, renewed: &[u64], seconds: Seconds) {
    let hashed = facts.get("sign_hash").is_some();
    let name = if hashed { "vectors_rehashed" } else { "vectors_requantized" };
    let sources = facts.get_mut("sources").and_then(Facts::as_array_mut);
    for (source, renewed) in sources.into_iter().flatten().zip(renewed) {
        set(source, name, json!(renewed));
    }
    if !renewed.is_empty() {
        set(facts, name, json!(renewed.iter().sum::<u64>()));
    }
    let rounded = |seconds: f64| (seconds * 1e6).round() / 1e6;
    set(
        facts,
        "seconds",
        json!({
            "quantiles": rounded(seconds.quantiles),
            "codes": rounded(seconds.codes),
            "graph": rounded(seconds.graph),
            "files": rounded(seconds.files),
        }),
    );
}
