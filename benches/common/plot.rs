//! Panels of one curve each, both axes logarithmic, as an SVG.

use std::fmt::Write;

/// One curve.
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    pub(crate) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 240.0;
const MARGIN: f64 = 48.0;

/// Two panels a row.
pub(crate) fn log_log(panels: &[Panel], label: &str) -> String {
    let rows = panels.len().div_ceil(2) as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        2.0 * WIDTH,
        rows * HEIGHT
    );
    for (index, panel) in panels.iter().enumerate() {
        let (x, y) = ((index % 2) as f64 * WIDTH, (index / 2) as f64 * HEIGHT);
        let _ = writeln!(svg, "<g transform=\"translate({x} {y})\">{}</g>", draw(panel, label));
    }
    svg + "</svg>\n"
}

/// Whole powers of ten around the values.
fn decades(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
    let low = low.log10().floor();
    (low, high.log10().ceil().max(low + 1.0))
}

fn draw(Panel { title, points }: &Panel, label: &str) -> String {
    let (left, right) = decades(points.iter().map(|point| point.0));
    let (low, high) = decades(points.iter().map(|point| point.1));
    let x = |log: f64| MARGIN + (log - left) / (right - left) * (WIDTH - 1.5 * MARGIN);
    let y = |log: f64| HEIGHT - MARGIN + (log - low) / (high - low) * (1.6 * MARGIN - HEIGHT);
    let mut svg = format!("<text x=\"{MARGIN}\" y=\"18\" font-weight=\"bold\">{title}</text>");
    let text = |at: (f64, f64), anchor: &str, text: String| {
        format!("<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{text}</text>", at.0, at.1)
    };
    let line = |from: (f64, f64), to: (f64, f64)| {
        format!("<path d=\"M{:.1} {:.1}L{:.1} {:.1}\" stroke=\"#ddd\"/>", from.0, from.1, to.0, to.1)
    };
    for decade in left as i32..=right as i32 {
        let at = x(f64::from(decade));
        svg += &line((at, y(low)), (at, y(high)));
        svg += &text((at, y(low) + 16.0), "middle", short(10f64.powi(decade)));
    }
    for decade in low as i32..=high as i32 {
        let at = y(f64::from(decade));
        svg += &line((x(left), at), (x(right), at));
        svg += &text((x(left) - 6.0, at + 4.0), "end", short(10f64.powi(decade)));
    }
    svg += &text((x((left + right) / 2.0), HEIGHT - 14.0), "middle", label.to_owned());
    let places: Vec<(f64, f64)> =
        points.iter().map(|point| (x(point.0.log10()), y(point.1.log10()))).collect();
    let path: Vec<String> = places.iter().map(|at| format!("{:.1},{:.1}", at.0, at.1)).collect();
    let _ = write!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"#2563eb\" stroke-width=\"2\"/>",
        path.join(" ")
    );
    for (at, point) in places.iter().zip(points) {
        let _ = write!(svg, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"#2563eb\"/>", at.0, at.1);
        svg += &text((at.0, at.1 - 7.0), "middle", short(point.1));
    }
    svg
}

/// Three digits at most, with k or M.
fn short(value: f64) -> String {
    match value {
        _ if value >= 999_500.0 => {
            format!("{:.3}M", value / 1e6).trim_end_matches(['0', 'M']).trim_end_matches('.').to_owned() + "M"
        }
        _ if value >= 9_999.5 => format!("{:.0}k", value / 1e3),
        _ if value >= 999.5 => format!("{:.1}k", value / 1e3),
        _ if value >= 9.95 => format!("{value:.0}"),
        _ => format!("{value:.2}"),
    }
}
