//! What was measured as a picture.

use super::Line;
use crate::args::Eval;
use lucerne_pictures::{Axis, Lines, Picture, Point, Scale, Series};

/// Recall against distances, and queries per second against recall, a point for each setting.
pub(super) fn of(args: &Eval, lines: &[Line]) -> Picture {
    let least = lines.iter().map(|line| line.recall).fold(0.9, f64::min);
    let least = ((least * 20.0).floor() / 20.0).max(0.0);
    let recall = || Axis {
        name: format!("recall@{}", args.k),
        scale: Scale::Linear,
        from: Some(least),
        to: Some(1.0),
    };
    let measured =
        |name: &str| Axis { name: name.to_owned(), scale: Scale::Logarithmic, from: None, to: None };
    let drawn = |label: &str, x: Axis, y: Axis, place: &dyn Fn(&Line) -> (f64, f64)| {
        let point = |line: &Line| {
            let (x, y) = place(line);
            Point { x, y, name: line.setting() }
        };
        let points = lines.iter().map(point).collect();
        let series = Series { name: args.field.clone(), color: 0, dashed: false, dots: true, points };
        Lines { label: label.to_owned(), x, y, rules: Vec::new(), series: vec![series] }.draw()
    };
    let threads =
        if args.threads == 1 { "one thread".to_owned() } else { format!("{} threads", args.threads) };
    let distances =
        drawn("Recall against distances", measured("distances computed per query"), recall(), &|line| {
            (line.visited, line.recall)
        });
    let speed = drawn(
        "Queries per second against recall",
        recall(),
        measured(&format!("queries per second, {threads}")),
        &|line| (line.recall, line.qps),
    );
    let heading = format!(
        "{}, field {}: {} queries{}",
        args.dir.display(),
        args.field,
        lines.first().map_or(0, |line| line.queries),
        args.rescore().map(|factor| format!(", rescored ×{factor}")).unwrap_or_default(),
    );
    Picture::stack("Recall and speed of the settings measured", &[distances, speed]).titled(&heading)
}
