//! Aggregations, totals and groups against an evaluator that looks at every document: what `query_model` finds is also
//! counted, and grouped.

use crate::common::rng::Rng;
use crate::query_model::{Doc, Model};
use lucerne::query::{Aggregation, Calendar};
use lucerne::search::{SearchOptions, Total};
use lucerne::{Hit, Hits, Search, Searcher};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Moments with what they are counted under: by day, by week, by month, by quarter, by year.
pub(super) const MOMENTS: [(&str, [&str; 5]); 5] = [
    ("2023-12-31T23:59:59.999Z", ["2023-12-31", "2023-12-25", "2023-12-01", "2023-10-01", "2023-01-01"]),
    ("2024-01-01T00:00:00Z", ["2024-01-01", "2024-01-01", "2024-01-01", "2024-01-01", "2024-01-01"]),
    ("2024-02-29T12:00:00Z", ["2024-02-29", "2024-02-26", "2024-02-01", "2024-01-01", "2024-01-01"]),
    ("2024-03-03T09:30:00Z", ["2024-03-03", "2024-02-26", "2024-03-01", "2024-01-01", "2024-01-01"]),
    ("1969-07-20T20:17:40Z", ["1969-07-20", "1969-07-14", "1969-07-01", "1969-07-01", "1969-01-01"]),
];
const CALENDARS: [Calendar; 5] =
    [Calendar::Day, Calendar::Week, Calendar::Month, Calendar::Quarter, Calendar::Year];
const NUMBERS: [&str; 4] = ["n", "x", "sizes", "more"];
const FIELDS: [&str; 8] = ["tags", "flag", "extra", "made", "n", "x", "sizes", "more"];

/// A value: how it is ordered, and as JSON.
type Val = ((i64, String), Value);

/// The values of a document in a field, ascending.
fn values(doc: &Doc, field: &str) -> Vec<Val> {
    let number = |number: f64, json: Value| (((number * 2.0) as i64, String::new()), json);
    let text = |text: &str| ((0, text.to_owned()), json!(text));
    let mut values: Vec<Val> = match field {
        "tags" => doc.tags.iter().map(|tag| text(tag)).collect(),
        "extra" => doc.extra.iter().map(|tag| text(tag)).collect(),
        "made" => doc.made.iter().map(|at| text(MOMENTS[*at].0)).collect(),
        "flag" => doc.flag.iter().map(|flag| number(f64::from(u8::from(*flag)), json!(flag))).collect(),
        "n" => doc.n.iter().map(|n| number(*n as f64, json!(n))).collect(),
        "more" => doc.more.iter().map(|n| number(*n as f64, json!(n))).collect(),
        "x" => doc.x.iter().map(|x| number(*x, json!(x))).collect(),
        "sizes" => doc.sizes.iter().map(|n| number(*n as f64, json!(n))).collect(),
        other => panic!("{other}"),
    };
    values.sort_by(|left, right| left.0.cmp(&right.0));
    values
}

fn numbers(docs: &[&Doc], field: &str) -> Vec<f64> {
    let all = docs.iter().flat_map(|doc| values(doc, field));
    let mut all: Vec<f64> = all.map(|(_, json)| json.as_f64().unwrap()).collect();
    all.sort_by(f64::total_cmp);
    all
}

/// What an aggregation returns for documents.
type Evaluate = dyn Fn(&Asked, &[&Doc]) -> Value;

/// A random aggregation, and what it should return for documents.
struct Asked {
    aggregation: Aggregation,
    inner: BTreeMap<String, Asked>,
    evaluate: Box<Evaluate>,
}

impl Asked {
    fn result(&self, docs: &[&Doc]) -> Value {
        (self.evaluate)(self, docs)
    }

    fn bucket(&self, key: Value, docs: &[&Doc]) -> Value {
        let mut bucket =
            Map::from_iter([("key".to_owned(), key), ("doc_count".to_owned(), json!(docs.len()))]);
        for (name, inner) in &self.inner {
            bucket.insert(name.clone(), inner.result(docs));
        }
        bucket.into()
    }

    fn new(aggregation: Aggregation, evaluate: impl Fn(&Asked, &[&Doc]) -> Value + 'static) -> Self {
        Self { aggregation, inner: BTreeMap::new(), evaluate: Box::new(evaluate) }
    }

    fn random(rng: &mut Rng, depth: usize) -> Self {
        let mut asked = match rng.below(if depth == 0 { 4 } else { 9 }) {
            0 => percentiles(*rng.pick(&NUMBERS)),
            1 | 2 => one_number(rng),
            3 => distinct(*rng.pick(&FIELDS)),
            4 | 5 => terms(*rng.pick(&FIELDS), 1 + rng.below(4), 1 + rng.below(2) as u64),
            6 => ranges(*rng.pick(&NUMBERS)),
            7 => {
                histogram(*rng.pick(&NUMBERS), *rng.pick(&[1.0, 2.0, 0.5, 3.0]), *rng.pick(&[0.0, 0.5, -1.0]))
            }
            _ => dates(rng.below(5)),
        };
        let json = serde_json::to_value(&asked.aggregation).unwrap();
        let kinds = ["terms", "range", "histogram", "date_histogram"];
        let has_buckets = kinds.iter().any(|kind| json.get(kind).is_some());
        for name in ["a", "b"] {
            if !has_buckets || rng.chance(50) {
                continue;
            }
            let inner = Self::random(rng, depth - 1);
            asked.aggregation = asked.aggregation.sub(name, inner.aggregation.clone());
            asked.inner.insert(name.to_owned(), inner);
        }
        asked
    }
}

fn buckets(buckets: Vec<Value>, other: usize, total: usize) -> Value {
    json!({"buckets": buckets, "sum_other_doc_count": other, "total_buckets": total})
}

/// The documents of each different value, in the order of values.
fn by_value<'d>(docs: &[&'d Doc], field: &str) -> Vec<(Value, Vec<&'d Doc>)> {
    let mut by_value: BTreeMap<(i64, String), (Value, Vec<&Doc>)> = BTreeMap::new();
    for doc in docs {
        let mut own = values(doc, field);
        own.dedup();
        for (order, json) in own {
            by_value.entry(order).or_insert((json, Vec::new())).1.push(doc);
        }
    }
    by_value.into_values().collect()
}

fn terms(field: &'static str, size: usize, least: u64) -> Asked {
    Asked::new(Aggregation::terms(field).size(size).min_count(least), move |asked, docs| {
        let mut all = by_value(docs, field);
        let sum: usize = all.iter().map(|(_, docs)| docs.len()).sum();
        all.retain(|(_, docs)| docs.len() as u64 >= least);
        all.sort_by_key(|(_, docs)| std::cmp::Reverse(docs.len()));
        let total = all.len();
        all.truncate(size);
        let shown: usize = all.iter().map(|(_, docs)| docs.len()).sum();
        buckets(all.into_iter().map(|(key, docs)| asked.bucket(key, &docs)).collect(), sum - shown, total)
    })
}

fn ranges(field: &'static str) -> Asked {
    let aggregation =
        Aggregation::ranges(field).below(0).between(-1, 1.5).called("middle").at_least(0).between(2, 1);
    Asked::new(aggregation, move |asked, docs| {
        let ranges: [(&str, f64, f64, Value); 4] = [
            ("*-0", f64::MIN, 0.0, json!({"to": 0})),
            ("middle", -1.0, 1.5, json!({"from": -1, "to": 1.5})),
            ("0-*", 0.0, f64::MAX, json!({"from": 0})),
            ("2-1", 2.0, 1.0, json!({"from": 2, "to": 1})),
        ];
        let all = ranges.into_iter().map(|(name, from, to, bounds)| {
            let within =
                |doc: &&&Doc| numbers(&[doc], field).iter().any(|number| *number >= from && *number < to);
            let docs: Vec<&Doc> = docs.iter().filter(within).copied().collect();
            let mut bucket = asked.bucket(json!(name), &docs);
            bucket.as_object_mut().unwrap().extend(bounds.as_object().unwrap().clone());
            bucket
        });
        buckets(all.collect(), 0, 4)
    })
}

fn histogram(field: &'static str, interval: f64, offset: f64) -> Asked {
    Asked::new(Aggregation::histogram(field, interval).offset(offset), move |asked, docs| {
        let number = |value: f64| ((value - offset) / interval).floor() as i64;
        let mut by_number: BTreeMap<i64, Vec<&Doc>> = BTreeMap::new();
        for doc in docs {
            let mut own: Vec<i64> = numbers(&[doc], field).into_iter().map(number).collect();
            own.dedup();
            own.into_iter().for_each(|number| by_number.entry(number).or_default().push(doc));
        }
        let (Some(first), Some(last)) = (by_number.keys().next(), by_number.keys().last()) else {
            return buckets(Vec::new(), 0, 0);
        };
        let all = (*first..=*last).map(|number| {
            let docs = by_number.get(&number).cloned().unwrap_or_default();
            asked.bucket(json!(number as f64 * interval + offset), &docs)
        });
        let all: Vec<Value> = all.collect();
        let len = all.len();
        buckets(all, 0, len)
    })
}

fn dates(calendar: usize) -> Asked {
    Asked::new(Aggregation::dates("made", CALENDARS[calendar]).min_count(1), move |asked, docs| {
        let mut by_start: BTreeMap<&str, Vec<&Doc>> = BTreeMap::new();
        for doc in docs {
            let starts = doc.made.iter().map(|at| MOMENTS[*at].1[calendar]);
            starts.for_each(|start| by_start.entry(start).or_default().push(doc));
        }
        let len = by_start.len();
        let all = by_start
            .into_iter()
            .map(|(start, docs)| asked.bucket(json!(format!("{start}T00:00:00Z")), &docs));
        buckets(all.collect(), 0, len)
    })
}

fn distinct(field: &'static str) -> Asked {
    Asked::new(Aggregation::distinct(field), move |_, docs| json!({"value": by_value(docs, field).len()}))
}

fn one_number(rng: &mut Rng) -> Asked {
    let field = *rng.pick(&NUMBERS);
    let aggregation = match rng.below(6) {
        0 => Aggregation::min(field),
        1 => Aggregation::max(field),
        2 => Aggregation::avg(field),
        3 => Aggregation::sum(field),
        4 => Aggregation::count(field),
        _ => Aggregation::stats(field),
    };
    let kind =
        serde_json::to_value(&aggregation).unwrap().as_object().unwrap().keys().next().unwrap().clone();
    Asked::new(aggregation, move |_, docs| {
        let all = numbers(docs, field);
        let (count, sum) = (all.len(), all.iter().sum::<f64>());
        let avg = (count > 0).then(|| sum / count as f64);
        match &*kind {
            "min" => json!({"value": all.first()}),
            "max" => json!({"value": all.last()}),
            "avg" => json!({"value": avg}),
            "sum" => json!({"value": sum}),
            "value_count" => json!({"value": count}),
            _ => json!({"count": count, "min": all.first(), "max": all.last(), "avg": avg, "sum": sum}),
        }
    })
}

fn percentiles(field: &'static str) -> Asked {
    Asked::new(Aggregation::percentiles(field, [0.0, 37.5, 50.0, 100.0]), move |_, docs| {
        let all = numbers(docs, field);
        let at = |percent: f64| {
            let place = percent / 100.0 * (all.len().max(1) - 1) as f64;
            let low = *all.get(place as usize)?;
            let high = all.get(place as usize + 1).copied().unwrap_or(low);
            Some(low + (high - low) * place.fract())
        };
        json!({"values": {"0.0": at(0.0), "37.5": at(37.5), "50.0": at(50.0), "100.0": at(100.0)}})
    })
}

/// Whether two are the same, numbers to the last bits.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            let (left, right) = (left.as_f64().unwrap(), right.as_f64().unwrap());
            (left - right).abs() <= 1e-9 * left.abs().max(1.0)
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, left)| right.get(name).is_some_and(|right| same(left, right)))
        }
        _ => left == right,
    }
}

/// A search whose documents are `all`, best first, counts, aggregates and groups them.
pub(super) fn agree(searcher: &Searcher, search: &Search, all: &Hits, model: &Model, rng: &mut Rng) {
    let context = || search.to_json();
    let found = all.hits.len() as u64;
    assert!(
        all.total.value() <= found && (!all.total.is_exact() || all.total.value() == found),
        "{}",
        context()
    );
    let page = search.clone().limit(1 + rng.below(4)).offset(rng.below(4));
    let counted = searcher.search(page.clone().count_total(true)).unwrap();
    assert_eq!(counted.total, Total::Exactly(found), "{}", context());
    let uncounted = searcher.search(&page).unwrap().total;
    assert!(
        uncounted.value() <= found && (!uncounted.is_exact() || uncounted.value() == found),
        "{}",
        context()
    );

    let asked: Vec<Asked> = (0..2).map(|_| Asked::random(rng, 2)).collect();
    let mut search = page;
    for (number, asked) in asked.iter().enumerate() {
        search = search.aggregate(number.to_string(), asked.aggregation.clone());
    }
    let mut docs: Vec<&Doc> = all.hits.iter().map(|hit| &model[&hit.key]).collect();
    if let (true, Some(hit)) = (rng.chance(30), all.hits.get(rng.below(all.hits.len().max(1)))) {
        search = search.min_score(hit.score);
        let above = all.hits.iter().filter(|other| other.score >= hit.score);
        docs = above.map(|hit| &model[&hit.key]).collect();
    }
    for threads in [1, 3] {
        let hits = searcher.search_with(&search, &SearchOptions::new().threads(threads)).unwrap();
        assert_eq!(hits.total, Total::Exactly(docs.len() as u64), "{}", search.to_json());
        for (number, asked) in asked.iter().enumerate() {
            let result = serde_json::to_value(&hits.aggregations[&number.to_string()]).unwrap();
            let expected = asked.result(&docs);
            assert!(same(&result, &expected), "{}:\n{result}\nexpected\n{expected}", search.to_json());
        }
    }
}

/// Groups are made of the documents of the search without them, `all`, in their order.
pub(super) fn groups_agree(searcher: &Searcher, search: &Search, all: &Hits, model: &Model, rng: &mut Rng) {
    let (field, size) = (*rng.pick(&FIELDS), 1 + rng.below(3));
    let mut groups: Vec<(Option<Value>, Vec<&Hit>)> = Vec::new();
    for hit in &all.hits {
        let value = values(&model[&hit.key], field).into_iter().next().map(|(_, json)| json);
        match groups.iter_mut().find(|(other, _)| value.is_some() && *other == value) {
            Some((_, group)) if group.len() < size => group.push(hit),
            Some(_) => {}
            None => groups.push((value, vec![hit])),
        }
    }
    let (offset, limit) = (rng.below(3), 1 + rng.below(4));
    let search = search.clone().group_by(field, size).offset(offset).limit(limit);
    let found = searcher.search(&search).unwrap().hits;
    let of = |hit: &Hit| {
        let group = hit.group.as_ref().unwrap();
        let keys = std::iter::once(hit).chain(&group.next).map(|hit| hit.key.clone());
        (group.value.as_ref().map(|value| serde_json::to_value(value).unwrap()), keys.collect::<Vec<_>>())
    };
    let expected = groups.into_iter().skip(offset).take(limit);
    let expected = expected.map(|(value, hits)| (value, hits.iter().map(|hit| hit.key.clone()).collect()));
    assert_eq!(
        found.iter().map(of).collect::<Vec<_>>(),
        expected.collect::<Vec<_>>(),
        "{}",
        search.to_json()
    );
}

/// The values of fields with their numbers of documents, over the whole index.
pub(super) fn values_agree(searcher: &Searcher, model: &Model, rng: &mut Rng) {
    let docs: Vec<&Doc> = model.values().collect();
    let (field, limit) = (*rng.pick(&FIELDS), 1 + rng.below(5));
    let prefix = if ["tags", "extra"].contains(&field) { *rng.pick(&["", "b", "ro"]) } else { "" };
    let found = searcher.values(field, prefix, limit).unwrap();
    let found = found.into_iter().map(|(value, count)| (serde_json::to_value(value).unwrap(), count));
    let expected = by_value(&docs, field).into_iter().map(|(json, docs)| (json, docs.len() as u64));
    let expected = expected.filter(|(json, _)| json.as_str().is_none_or(|text| text.starts_with(prefix)));
    assert_eq!(found.collect::<Vec<_>>(), expected.take(limit).collect::<Vec<_>>(), "{field} {prefix:?}");
}
