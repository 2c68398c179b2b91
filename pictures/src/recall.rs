//! Recall against effort, as segments have measured it.

use crate::lines::{Axis, Lines, Point, Scale, Series};
use crate::picture::Picture;
use serde_json::Value;

/// Segments that have a color of their own; of more the lowest, the middle and the highest curve are drawn.
const COLORS: usize = 6;

/// The curves of a field of vectors: for each segment its name and what its format reports of the field. Dots were measured;
/// searches follow the lines between them, which are straight because the axis of candidates is logarithmic. `None` where
/// nothing was measured.
#[must_use]
pub fn recall(segments: &[(&str, &Value)], asked: f64) -> Option<Picture> {
    let mut own: Vec<(&str, Vec<[Option<f64>; 3]>)> = segments
        .iter()
        .filter_map(|(name, report)| Some((*name, points(report.pointer("/recall/0/points")?))))
        .filter(|(_, points)| !points.is_empty())
        .collect();
    let k = segments.iter().find_map(|(_, report)| report.pointer("/recall/0/k")?.as_u64())?;
    if own.len() > COLORS {
        let first = |points: &[[Option<f64>; 3]]| points.first().and_then(|it| it[1]).unwrap_or(0.0);
        own.sort_by(|left, right| first(&left.1).total_cmp(&first(&right.1)));
        let last = own.len() - 1;
        own = [0, last / 2, last].into_iter().filter_map(|at| own.get(at).cloned()).collect();
    }
    let mut series = Vec::new();
    for (color, (name, points)) in own.iter().enumerate() {
        let along = |by: usize| {
            let placed = points.iter().filter_map(move |it| Some(Point::new(it[0]?, *it.get(by)?.as_ref()?)));
            placed.collect::<Vec<_>>()
        };
        series.push(Series { name: (*name).to_owned(), color, dashed: false, dots: true, points: along(1) });
        if points.iter().any(|it| it[2].is_some()) {
            let name = format!("{name}, rescored");
            series.push(Series { name, color, dashed: true, dots: true, points: along(2) });
        }
    }
    let least = series.iter().flat_map(|it| &it.points).map(|it| it.y).fold(asked, f64::min);
    let lines = Lines {
        label: "Recall against candidates, for each segment".to_owned(),
        x: Axis { name: "candidates".to_owned(), scale: Scale::Logarithmic, from: None, to: None },
        y: Axis {
            name: format!("recall@{k}"),
            scale: Scale::Linear,
            from: Some(((least * 20.0).floor() / 20.0).clamp(0.0, 0.9)),
            to: Some(1.0),
        },
        rules: vec![(asked, format!("asked for: {asked}"))],
        series,
    };
    Some(lines.draw())
}

/// Candidates, recall, and recall when the best are rescored.
fn points(points: &Value) -> Vec<[Option<f64>; 3]> {
    let number = |point: &Value, name: &str| point.get(name).and_then(Value::as_f64);
    let points = points.as_array().into_iter().flatten();
    points.map(|point| ["candidates", "recall", "rescored"].map(|name| number(point, name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn of_many_segments_three_curves_are_drawn_and_without_any_there_is_no_picture() {
        let curve = |recall: f64| {
            json!({ "recall": [{ "k": 10, "queries": 64, "points": [
                { "candidates": 10, "recall": recall, "rescored": 0.95 }, { "candidates": 100, "recall": 0.99 },
            ] }] })
        };
        let reports: Vec<(String, Value)> =
            (0..9).map(|at| (format!("_{at}"), curve(0.9 - f64::from(at) * 0.01))).collect();
        let segments: Vec<(&str, &Value)> = reports.iter().map(|(name, report)| (&**name, report)).collect();
        let svg = recall(&segments, 0.95).unwrap().svg();
        for name in [">_8<", ">_4<", ">_0<", ">_8, rescored<", ">recall@10<", "asked for: 0.95"] {
            assert!(svg.contains(name), "{name}: {svg}");
        }
        assert!(!svg.contains(">_1<"));
        assert_eq!(recall(&[("_0", &json!({ "vectors": 3 }))], 0.95), None);
    }
}
