//! Elements of XML as text.

use std::fmt::Display;

/// A text as it stands in XML and HTML, between tags or in an attribute. Characters that XML has no place for, and those
/// that turn the direction of writing, are shown as others.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\t' | '\n' => safe.push(' '),
            // The pictures of control characters.
            '\0'..='\u{1f}' => safe.extend(char::from_u32(0x2400 + char as u32)),
            '\u{7f}'..='\u{9f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                safe.push('\u{fffd}');
            }
            _ => safe.push(char),
        }
    }
    safe
}

/// An element; `content` is markup.
pub(crate) fn element(name: &str, attributes: &[(&str, &dyn Display)], content: &str) -> String {
    let mut text = format!("<{name}");
    for (name, value) in attributes {
        text.push_str(&format!(" {name}=\"{}\"", escaped(&value.to_string())));
    }
    if content.is_empty() {
        text.push_str("/>");
    } else {
        text.push_str(&format!(">{content}</{name}>"));
    }
    text
}

/// What a pointer that rests on an element is told.
pub(crate) fn title(text: &str) -> String {
    element("title", &[], &escaped(text))
}

/// Words in a picture, `anchor` is `start`, `middle` or `end`.
pub(crate) fn words(x: f64, y: f64, anchor: &str, class: &str, text: &str) -> String {
    let (x, y) = (place(x), place(y));
    element("text", &[("x", &x), ("y", &y), ("text-anchor", &anchor), ("class", &class)], &escaped(text))
}

/// A place in a picture, to a hundredth.
pub(crate) fn place(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_elsewhere_is_text() {
        let hostile = "</text><script>x</script>&\"'\0\u{1b}\u{202e}";
        let shown = element("g", &[("aria-label", &hostile)], &escaped(hostile));
        assert_eq!(shown.matches('<').count(), 2);
        assert!(shown.contains("&lt;script&gt;") && shown.contains("␀␛\u{fffd}"));
        assert_eq!(element("rect", &[("x", &place(1.0 / 3.0))], ""), "<rect x=\"0.33\"/>");
    }
}
