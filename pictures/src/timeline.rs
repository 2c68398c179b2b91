//! What took how long, along time.

use crate::axis;
use crate::markup::{element, place, title, words};
use crate::picture::{Picture, WIDTH};

const ROW: f64 = 18.0;
/// Rows at most; what finds no room there is left out, the oldest first.
const ROWS: usize = 12;
/// The narrowest bar.
const LEAST: f64 = 3.0;
const LETTER: f64 = 7.0;

/// Something that began and ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// What it is.
    pub name: String,
    /// Seconds on any clock.
    pub from: f64,
    /// Not before `from`.
    pub to: f64,
    /// What it was, in words.
    pub text: String,
    /// Which color, 0 to 8.
    pub color: usize,
}

/// Spans as bars, side by side or in rows where they overlap; the axis counts back from the end of the last. Spans with times
/// that are no numbers are left out.
#[must_use]
pub fn timeline(label: &str, spans: &[Span]) -> Picture {
    let fits = |span: &&Span| span.from.is_finite() && span.to.is_finite() && span.from <= span.to;
    let mut spans: Vec<&Span> = spans.iter().filter(fits).collect();
    // The newest find room first.
    spans.sort_by(|left, right| right.to.total_cmp(&left.to));
    let Some(end) = spans.first().map(|span| span.to) else {
        return Picture::new(label, 30.0, words(4.0, 20.0, "start", "", "There is nothing to draw."));
    };
    let begin = spans.iter().map(|span| span.from).fold(end, f64::min);
    let (unit, seconds) = unit(end - begin);
    let x =
        |at: f64| if end > begin { (at - begin) / (end - begin) * (WIDTH - 8.0) + 4.0 } else { WIDTH / 2.0 };
    // Where each row is taken from, from the right.
    let (mut rows, mut elements) = (Vec::<f64>::new(), String::new());
    for span in spans {
        let (from, to) = (x(span.from).min(x(span.to) - LEAST), x(span.to));
        let row = match rows.iter().position(|taken| to <= *taken - 1.0) {
            Some(row) => row,
            None if rows.len() < ROWS => {
                rows.push(f64::INFINITY);
                rows.len() - 1
            }
            None => continue,
        };
        if let Some(taken) = rows.get_mut(row) {
            *taken = from;
        }
        let (left, top, width, class) =
            (place(from), row as f64 * ROW + 2.0, place(to - from), format!("f{}", span.color % 9));
        let rect = [
            ("x", &left as &dyn std::fmt::Display),
            ("y", &top),
            ("width", &width),
            ("height", &14),
            ("class", &class),
        ];
        elements += &element("rect", &rect, &title(&format!("{}: {}", span.name, span.text)));
        if to - from > LETTER * span.name.chars().count() as f64 + 8.0 {
            elements += &words(from + 4.0, top + 11.0, "start", "inside", &span.name);
        }
    }
    let below = rows.len() as f64 * ROW + 6.0;
    let line = [
        ("x1", &4.0 as &dyn std::fmt::Display),
        ("x2", &(WIDTH - 4.0)),
        ("y1", &below),
        ("y2", &below),
        ("class", &"grid"),
    ];
    elements += &element("line", &line, "");
    for back in axis::even(0.0, (end - begin) / seconds, 6) {
        let at = x(end - back * seconds);
        let anchor = if at > WIDTH - 40.0 {
            "end"
        } else if at < 40.0 {
            "start"
        } else {
            "middle"
        };
        elements += &words(at, below + 14.0, anchor, "", &axis::number(back));
    }
    elements += &words(WIDTH / 2.0, below + 31.0, "middle", "name", &format!("{unit} before the newest"));
    Picture::new(label, below + 38.0, elements)
}

/// The largest unit of which there are a few.
fn unit(span: f64) -> (&'static str, f64) {
    match span {
        ..180.0 => ("seconds", 1.0),
        ..10_800.0 => ("minutes", 60.0),
        ..259_200.0 => ("hours", 3_600.0),
        _ => ("days", 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_that_overlap_are_in_rows_and_the_axis_counts_back() {
        let span =
            |name: &str, from, to| Span { name: name.to_owned(), from, to, text: "x".to_owned(), color: 1 };
        let svg =
            timeline("merges", &[span("_3", 0.0, 60.0), span("_7", 50.0, 100.0), span("bad", f64::NAN, 1.0)])
                .svg();
        assert!(svg.contains("_3: x") && svg.contains("_7: x") && !svg.contains("bad"), "{svg}");
        assert!(
            svg.contains("y=\"2\"") && svg.contains("y=\"20\"") && svg.contains("seconds before the newest"),
            "{svg}"
        );
        assert!(timeline("none", &[]).svg().contains("nothing to draw"));
        assert!(!timeline("one", &[span("_1", 5.0, 5.0)]).svg().contains("NaN"));
    }
}
