//! A picture as a whole.

use crate::markup::{element, escaped, place, title, words};

/// How elements of pictures look, in light and dark: for a page that has pictures in it.
pub const STYLE: &str = include_str!("style.css");

/// The width of all pictures, in pixels.
pub(crate) const WIDTH: f64 = 640.0;

/// Elements of SVG with a size and a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// What it shows, for those who do not see it.
    label: String,
    height: f64,
    elements: String,
}

impl Picture {
    pub(crate) fn new(label: impl Into<String>, height: f64, elements: String) -> Self {
        Self { label: label.into(), height: place(height), elements }
    }

    /// Pictures one below the other.
    #[must_use]
    pub fn stack(label: &str, pictures: &[Self]) -> Self {
        let (mut height, mut elements) = (0.0, String::new());
        for picture in pictures {
            let moved = format!("translate(0 {height})");
            elements += &element("g", &[("transform", &moved)], &picture.elements);
            height += picture.height;
        }
        Self::new(label, height, elements)
    }

    /// The picture below a heading.
    #[must_use]
    pub fn titled(&self, heading: &str) -> Self {
        const ROOM: f64 = 26.0;
        let moved = format!("translate(0 {ROOM})");
        let elements = words(4.0, 17.0, "start", "heading", heading)
            + &element("g", &[("transform", &moved)], &self.elements);
        Self::new(self.label.clone(), self.height + ROOM, elements)
    }

    /// An element for a page that has [`STYLE`].
    #[must_use]
    pub fn svg(&self) -> String {
        self.element("", "")
    }

    /// A file of its own, with the style and a ground.
    #[must_use]
    pub fn file(&self) -> String {
        let ground = element("rect", &[("width", &"100%"), ("height", &"100%"), ("class", &"ground")], "");
        let inside = format!("{}<style>{}</style>{ground}", title(&self.label), escaped_style());
        let size = format!(" width=\"{WIDTH}\" height=\"{}\"", self.height);
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", self.element(&size, &inside))
    }

    fn element(&self, size: &str, first: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {}\"{size} class=\"picture\" role=\"img\" \
             aria-label=\"{}\">{first}{}</svg>",
            self.height,
            escaped(&self.label),
            self.elements
        )
    }
}

/// The style between tags of XML: it has no character that is markup but the quotes, which may stand there.
fn escaped_style() -> String {
    STYLE.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_style_in_it_and_loads_nothing() {
        let picture = Picture::new("<a>", 100.0, words(1.0, 2.0, "start", "name", "b & c"));
        let file = picture.titled("first").file();
        for part in
            ["<title>&lt;a&gt;</title>", "prefers-color-scheme: dark", "height=\"126\"", ">b &amp; c</text>"]
        {
            assert!(file.contains(part), "{part}: {file}");
        }
        assert!(!file.contains("href") && !file.contains("url("));
        assert!(!picture.svg().contains("<style>"));
        let stacked = Picture::stack("two", &[picture.clone(), picture]);
        assert!(
            stacked.svg().contains("viewBox=\"0 0 640 200\"") && stacked.svg().contains("translate(0 100)")
        );
    }
}
