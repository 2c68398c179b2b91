//! Parts of a whole side by side.

use crate::markup::{element, place, title, words};
use crate::picture::{Picture, WIDTH};

const HEIGHT: f64 = 24.0;
const LETTER: f64 = 7.0;

/// A part.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What it is.
    pub name: String,
    /// How much of it there is, in any unit.
    pub value: f64,
    /// The same for people.
    pub text: String,
    /// Which color, 0 to 8.
    pub color: usize,
}

/// A bar of parts as wide as the picture, each with its name where there is room for it.
#[must_use]
pub fn bars(label: &str, parts: &[Part]) -> Picture {
    Picture::new(label, HEIGHT + 6.0, bar(parts, 0.0))
}

/// The elements of a bar, `top` pixels from above.
pub(crate) fn bar(parts: &[Part], top: f64) -> String {
    let own = |part: &&Part| part.value > 0.0 && part.value.is_finite();
    let all: f64 = parts.iter().filter(own).map(|part| part.value).sum();
    let (mut at, mut elements) = (0.0, String::new());
    for part in parts.iter().filter(own) {
        let wide = part.value / all * WIDTH;
        // A line between parts, where they are wide enough for one.
        let inside = if wide > 4.0 { wide - 1.0 } else { wide };
        let (x, y, width, class) = (place(at), top, place(inside), format!("f{}", part.color % 9));
        let rect = [
            ("x", &x as &dyn std::fmt::Display),
            ("y", &y),
            ("width", &width),
            ("height", &HEIGHT),
            ("class", &class),
        ];
        elements += &element("rect", &rect, &title(&format!("{}: {}", part.name, part.text)));
        if wide > LETTER * part.name.chars().count() as f64 + 10.0 {
            elements += &words(at + 6.0, top + 16.0, "start", "inside", &part.name);
        }
        at += wide;
    }
    elements
}

/// Names of colors, in one row.
pub(crate) fn legend(names: &[(String, usize)], top: f64) -> String {
    let (mut at, mut elements) = (0.0, String::new());
    for (name, color) in names {
        let (x, y, class) = (place(at), top + 2.0, format!("f{}", color % 9));
        let square = [
            ("x", &x as &dyn std::fmt::Display),
            ("y", &y),
            ("width", &10),
            ("height", &10),
            ("class", &class),
        ];
        elements += &element("rect", &square, "");
        elements += &words(at + 15.0, top + 11.0, "start", "name", name);
        at += 32.0 + LETTER * name.chars().count() as f64;
    }
    elements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_fill_the_width_in_proportion_and_the_wide_ones_have_their_names_in_them() {
        let part =
            |name: &str, value| Part { name: name.to_owned(), value, text: format!("{value} B"), color: 1 };
        let svg = bars(
            "bytes",
            &[part("raw vectors", 3.0), part("keys", 1.0), part("none", 0.0), part("bad", f64::NAN)],
        )
        .svg();
        assert!(svg.contains("width=\"479\"") && svg.contains("x=\"480\""), "{svg}");
        assert!(
            svg.contains(">raw vectors</text>") && svg.contains("keys: 1 B") && !svg.contains("none"),
            "{svg}"
        );
    }
}
