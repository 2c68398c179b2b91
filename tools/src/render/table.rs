//! Aligned tables without frames.

use super::out::{HEADING, printable};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use console::{measure_text_width, truncate_str};

/// Characters of a cell whose width nothing else limits.
const WIDEST: usize = 80;

/// Where the text of a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A table with one line per row.
#[derive(Debug)]
pub(crate) struct Rows {
    heading: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Rows {
    pub(crate) fn new<T: Into<String>>(heading: impl IntoIterator<Item = (T, Align)>) -> Self {
        Self {
            heading: heading.into_iter().map(|(name, align)| (name.into(), align)).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; it has a cell for each heading.
    pub(crate) fn push(&mut self, row: Vec<String>) {
        // A cell is one line, and cannot steer the terminal.
        self.rows
            .push(row.iter().map(|cell| printable(cell).replace('\n', " ").trim_end().to_owned()).collect());
    }

    /// The lines. The columns from `flexible` on share what `width` leaves, and are cut; the others never
    /// are. Without a width they are cut at a fixed one.
    pub(crate) fn text(mut self, width: Option<usize>, flexible: usize) -> String {
        let limits = self.limits(width, flexible);
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(self.heading.iter().map(|(name, _)| name.as_str()));
        for row in &mut self.rows {
            for (cell, limit) in row.iter_mut().zip(&limits) {
                if measure_text_width(cell) > *limit {
                    *cell = truncate_str(cell, *limit, "…").into_owned();
                }
            }
            table.add_row(&*row);
        }
        for (column, (_, align)) in self.heading.iter().enumerate() {
            let Some(column) = table.column_mut(column) else { continue };
            column.set_padding((0, 2));
            column.set_cell_alignment(match align {
                Align::Left => CellAlignment::Left,
                Align::Right => CellAlignment::Right,
            });
        }
        let mut text = String::new();
        for (number, line) in table.lines().enumerate() {
            let line = line.trim_end();
            match number {
                0 => text.push_str(&format!("{HEADING}{line}{HEADING:#}")),
                _ => text.push_str(line),
            }
            text.push('\n');
        }
        text
    }

    /// The rows in Markdown, nothing cut.
    pub(crate) fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let cell = |text: &String| text.replace('\\', "\\\\").replace('|', "\\|");
        let rule = |align: &Align| if *align == Align::Right { "---:" } else { "---" }.to_owned();
        let mut text = line(self.heading.iter().map(|(name, _)| cell(name)).collect());
        text.push_str(&line(self.heading.iter().map(|(_, align)| rule(align)).collect()));
        self.rows.iter().for_each(|row| text.push_str(&line(row.iter().map(cell).collect())));
        text
    }

    /// How wide each column may be.
    fn limits(&self, width: Option<usize>, flexible: usize) -> Vec<usize> {
        let widest = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            let heading = self.heading.get(column).map_or(0, |(name, _)| measure_text_width(name));
            cells.map(|cell| measure_text_width(cell)).max().unwrap_or(0).max(heading)
        };
        let widths: Vec<usize> = (0..self.heading.len()).map(widest).collect();
        let Some(width) = width else {
            return (0..widths.len())
                .map(|column| if column < flexible { usize::MAX } else { WIDEST })
                .collect();
        };
        let fixed: usize = widths.iter().take(flexible).map(|width| width + 2).sum();
        let mut rest = width.saturating_sub(fixed);
        let mut limits: Vec<usize> = vec![usize::MAX; widths.len()];
        // Narrow columns first: what they leave goes to the others.
        let mut order: Vec<usize> = (flexible..widths.len()).collect();
        order.sort_by_key(|&column| widths.get(column));
        let mut left = order.len();
        for column in order {
            let share = (rest / left).saturating_sub(2).max(8);
            let used = widths.get(column).copied().unwrap_or(0).min(share);
            if let Some(limit) = limits.get_mut(column) {
                *limit = used;
            }
            rest = rest.saturating_sub(used + 2);
            left -= 1;
        }
        limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Rows {
        let mut rows = Rows::new([("key", Align::Left), ("score", Align::Right), ("short", Align::Left)]);
        rows.push(vec!["vim".into(), "0.9".into(), "an editor\nfor all \u{1b}[31mof us, and more".into()]);
        rows.push(vec!["emacs".into(), "0.75".into(), "an editor".into()]);
        rows
    }

    #[test]
    fn columns_are_aligned_and_cut_to_the_width() {
        let text = rows().text(Some(32), 2).replace("\u{1b}[1m", "").replace("\u{1b}[0m", "");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines,
            ["key    score  short", "vim      0.9  an editor for a…", "emacs   0.75  an editor"]
        );
        assert!(lines.iter().all(|line| measure_text_width(line) <= 32));
    }

    #[test]
    fn markdown_is_whole_and_its_bars_are_escaped() {
        let mut rows = rows();
        rows.push(vec!["a|b".into(), "1".into(), "c\\".into()]);
        let expected = "| key | score | short |\n| --- | ---: | --- |\n| vim | 0.9 | an editor for all  [31mof \
                        us, and more |\n| emacs | 0.75 | an editor |\n| a\\|b | 1 | c\\\\ |\n";
        assert_eq!(rows.markdown(), expected);
    }

    #[test]
    fn without_a_width_nothing_short_is_cut_and_nothing_steers_the_terminal() {
        let text = rows().text(None, 2);
        assert!(text.contains("an editor for all  [31mof us, and more"), "{text}");
    }
}
