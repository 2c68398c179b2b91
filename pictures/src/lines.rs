//! Lines against two axes.

use crate::axis;
use crate::markup::{element, place, title, words};
use crate::picture::{Picture, WIDTH};

/// Where the plot is within the picture: what is left free for names.
const LEFT: f64 = 62.0;
const RIGHT: f64 = 18.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 40.0;
const PLOT: f64 = 210.0;
/// Names of the horizontal axis are so far apart, in pixels.
const APART: f64 = 46.0;
/// About how wide a letter is.
const LETTER: f64 = 6.4;
const LEGEND_ROW: f64 = 18.0;

/// How numbers lie along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// At equal distances.
    Linear,
    /// At equal factors; only numbers above 0 are drawn.
    Logarithmic,
}

/// An axis; it reaches from the least number to the greatest where no end is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What is along it.
    pub name: String,
    /// How numbers lie along it.
    pub scale: Scale,
    /// Where it begins.
    pub from: Option<f64>,
    /// Where it ends.
    pub to: Option<f64>,
}

/// A place of a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Along the horizontal axis.
    pub x: f64,
    /// Along the vertical axis.
    pub y: f64,
    /// Drawn beside the point, where it is not empty.
    pub name: String,
}

impl Point {
    /// A place without a name.
    #[must_use]
    pub fn new(x: f64, y: f64) -> Self {
        Self { x, y, name: String::new() }
    }
}

/// A line.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What it is, for the legend.
    pub name: String,
    /// Which color, 0 to 8.
    pub color: usize,
    /// Whether it is dashed: what is computed or done otherwise, of the same color.
    pub dashed: bool,
    /// Whether its points are marked: what was measured.
    pub dots: bool,
    /// In the order in which they are joined.
    pub points: Vec<Point>,
}

/// Lines in one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines {
    /// What the picture shows, in words.
    pub label: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// Levels that are marked, with names.
    pub rules: Vec<(f64, String)>,
    /// The lines.
    pub series: Vec<Series>,
}

/// From numbers to pixels.
struct Along {
    low: f64,
    high: f64,
    scale: Scale,
    from: f64,
    to: f64,
}

impl Along {
    fn of(axis: &Axis, numbers: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let least = numbers.clone().fold(f64::INFINITY, f64::min);
        let most = numbers.fold(f64::NEG_INFINITY, f64::max);
        Self { low: axis.from.unwrap_or(least), high: axis.to.unwrap_or(most), scale: axis.scale, from, to }
    }

    fn place(&self, value: f64) -> f64 {
        let scaled = |value: f64| if self.scale == Scale::Linear { value } else { value.max(1e-9).ln() };
        let (low, high) = (scaled(self.low), scaled(self.high));
        // A single number is in the middle.
        let share = if high > low { (scaled(value) - low) / (high - low) } else { 0.5 };
        self.from + share.clamp(-0.02, 1.02) * (self.to - self.from)
    }

    fn marks(&self, wanted: usize) -> Vec<f64> {
        match self.scale {
            Scale::Linear => axis::even(self.low, self.high, wanted),
            Scale::Logarithmic => axis::geometric(self.low, self.high),
        }
    }
}

impl Lines {
    /// The picture; where there is no point it says so.
    #[must_use]
    pub fn draw(&self) -> Picture {
        let fits =
            |axis: &Axis, value: f64| value.is_finite() && (axis.scale == Scale::Linear || value > 0.0);
        let drawn = |series: &Series| Series {
            points: series
                .points
                .iter()
                .filter(|it| fits(&self.x, it.x) && fits(&self.y, it.y))
                .cloned()
                .collect(),
            ..series.clone()
        };
        let series: Vec<Series> = self.series.iter().map(drawn).collect();
        let all = series.iter().flat_map(|series| &series.points);
        if all.clone().next().is_none() {
            return Picture::new(
                &*self.label,
                30.0,
                words(4.0, 20.0, "start", "", "There is nothing to draw."),
            );
        }
        let (legend, below) = legend(&series);
        let (top, bottom) = (TOP + below, TOP + below + PLOT);
        let x = Along::of(&self.x, all.clone().map(|point| point.x), LEFT + 8.0, WIDTH - RIGHT - 8.0);
        let y = Along::of(&self.y, all.map(|point| point.y), bottom, top);
        let mut elements = legend + &self.grid(&x, &y, top, bottom);
        for one in &series {
            elements += &line(one, &x, &y);
        }
        for one in series.iter().filter(|one| one.dots) {
            elements += &dots(one, &x, &y, &self.x.name, &self.y.name);
        }
        Picture::new(&*self.label, bottom + BOTTOM, elements)
    }

    /// Marks, names of the axes, marked levels.
    fn grid(&self, x: &Along, y: &Along, top: f64, bottom: f64) -> String {
        let level = |class: &str, at: f64| {
            let (from, to, at) = (LEFT, WIDTH - RIGHT, place(at));
            element("line", &[("x1", &from), ("x2", &to), ("y1", &at), ("y2", &at), ("class", &class)], "")
        };
        let mut elements = String::new();
        let mut above = f64::INFINITY;
        for value in y.marks(5) {
            let at = y.place(value);
            elements += &level("grid", at);
            if above - at > 12.0 {
                elements += &words(LEFT - 7.0, at + 4.0, "end", "", &axis::number(value));
                above = at;
            }
        }
        let mut before = f64::NEG_INFINITY;
        for value in x.marks(7) {
            let at = x.place(value);
            if at - before > APART {
                let (at, from, to) = (place(at), bottom, bottom + 4.0);
                elements += &element(
                    "line",
                    &[("x1", &at), ("x2", &at), ("y1", &from), ("y2", &to), ("class", &"grid")],
                    "",
                );
                elements += &words(at, bottom + 16.0, "middle", "", &axis::number(value));
                before = at;
            }
        }
        for (value, name) in &self.rules {
            let at = y.place(*value);
            elements += &level("rule", at);
            elements += &words(WIDTH - RIGHT - 4.0, at - 4.0, "end", "name", name);
        }
        elements += &words((LEFT + WIDTH - RIGHT) / 2.0, bottom + 33.0, "middle", "name", &self.x.name);
        elements + &words(4.0, top - 11.0, "start", "name", &self.y.name)
    }
}

fn line(series: &Series, x: &Along, y: &Along) -> String {
    let path: Vec<String> = series
        .points
        .iter()
        .enumerate()
        .map(|(at, it)| {
            format!("{}{} {}", if at == 0 { "M" } else { "L" }, place(x.place(it.x)), place(y.place(it.y)))
        })
        .collect();
    let class = format!("line s{}{}", series.color % 9, if series.dashed { " dashed" } else { "" });
    element("path", &[("d", &path.join("")), ("class", &class)], &title(&series.name))
}

fn dots(series: &Series, x: &Along, y: &Along, x_name: &str, y_name: &str) -> String {
    let class = format!("f{}", series.color % 9);
    let falls = matches!((series.points.first(), series.points.last()), (Some(first), Some(last)) if last.y < first.y);
    let mut elements = String::new();
    for point in &series.points {
        let (cx, cy) = (place(x.place(point.x)), place(y.place(point.y)));
        let told = format!(
            "{}{}{}: {x_name} {}, {y_name} {}",
            series.name,
            if point.name.is_empty() { "" } else { ", " },
            point.name,
            axis::number(point.x),
            axis::number(point.y)
        );
        elements +=
            &element("circle", &[("cx", &cx), ("cy", &cy), ("r", &3), ("class", &class)], &title(&told));
        if !point.name.is_empty() {
            // Where the line does not run: below one that rises, above one that falls; at the right end to the left.
            let (at, anchor, down) = match (cx > WIDTH - 120.0, falls) {
                (true, _) => (cx - 7.0, "end", 14.0),
                (false, false) => (cx + 7.0, "start", 14.0),
                (false, true) => (cx + 7.0, "start", -5.0),
            };
            elements += &words(at, cy + down, anchor, "", &point.name);
        }
    }
    elements
}

/// The colors of the lines with their names, those of one color once, and the height that takes.
fn legend(series: &[Series]) -> (String, f64) {
    let mut shown: Vec<&Series> = Vec::new();
    for one in series.iter().filter(|one| !one.name.is_empty()) {
        if !shown.iter().any(|it| it.color == one.color && it.name == one.name) {
            shown.push(one);
        }
    }
    if shown.len() < 2 {
        return (String::new(), 0.0);
    }
    let (mut elements, mut at, mut row) = (String::new(), 4.0, 1.0);
    for one in shown {
        let wide = 34.0 + LETTER * one.name.chars().count() as f64;
        if at > 4.0 && at + wide > WIDTH - RIGHT {
            (at, row) = (4.0, row + 1.0);
        }
        let y = row * LEGEND_ROW - 6.0;
        let class = format!("line s{}{}", one.color % 9, if one.dashed { " dashed" } else { "" });
        let path = format!("M{} {y}h18", place(at));
        elements += &element("path", &[("d", &path), ("class", &class)], "");
        elements += &words(at + 23.0, y + 4.0, "start", "name", &one.name);
        at += wide;
    }
    (elements, row * LEGEND_ROW + 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(name: &str, scale: Scale) -> Axis {
        Axis { name: name.to_owned(), scale, from: None, to: None }
    }

    fn lines(points: Vec<Point>) -> Lines {
        let series = Series { name: "<one>".to_owned(), color: 0, dashed: false, dots: true, points };
        Lines {
            label: "recall".to_owned(),
            x: axis("candidates", Scale::Logarithmic),
            y: axis("recall", Scale::Linear),
            rules: vec![(0.95, "asked for: 0.95".to_owned())],
            series: vec![
                series.clone(),
                Series { color: 1, name: "two".to_owned(), dashed: true, dots: false, ..series },
            ],
        }
    }

    #[test]
    fn axes_have_round_numbers_and_names_and_points_say_what_they_are() {
        let picture = lines([(10.0, 0.9), (100.0, 0.99), (640.0, 1.0)].map(|(x, y)| Point::new(x, y)).into());
        let svg = picture.draw().svg();
        for part in [
            ">candidates</text>",
            ">recall</text>",
            ">0.92</text>",
            ">200</text>",
            "asked for: 0.95",
            "&lt;one&gt;: candidates 100, recall 0.99",
            "dashed",
        ] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
    }

    #[test]
    fn no_points_one_point_and_numbers_that_are_none_are_drawn_without_harm() {
        assert!(
            lines(vec![Point::new(0.0, 1.0), Point::new(1.0, f64::NAN)])
                .draw()
                .svg()
                .contains("nothing to draw")
        );
        let svg = lines(vec![Point { x: 20.0, y: 0.9, name: "20".to_owned() }]).draw().svg();
        assert!(!svg.contains("NaN") && !svg.contains("inf") && svg.contains(">20</text>"), "{svg}");
    }
}
