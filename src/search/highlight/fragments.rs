//! Cuts the best fragments out of texts with marks.

use super::marks::Mark;
use crate::query::Highlight;
use std::collections::BTreeMap;

/// A part of a text, with its marks.
struct Fragment<'t> {
    text: &'t str,
    start: usize,
    end: usize,
    marks: &'t [Mark],
}

/// The best fragments of some texts, each with its marks, in the order of the texts.
pub(super) fn fragments(texts: &[(&str, Vec<Mark>)], highlight: &Highlight) -> Vec<String> {
    let mut all = Vec::new();
    for (text, marks) in texts.iter().filter(|(_, marks)| !marks.is_empty()) {
        match highlight.fragments {
            0 => all.push(Fragment { text, start: 0, end: text.len(), marks }),
            _ => cut(text, marks, highlight.size, &mut all),
        }
    }
    if highlight.fragments > 0 {
        let mut order: Vec<usize> = (0..all.len()).collect();
        let score = |at: &usize| all.get(*at).map_or(0.0, score);
        order.sort_by(|left, right| score(right).total_cmp(&score(left)).then(left.cmp(right)));
        order.truncate(highlight.fragments);
        order.sort_unstable();
        return order.iter().filter_map(|at| all.get(*at)).map(|one| written(one, highlight)).collect();
    }
    all.iter().map(|one| written(one, highlight)).collect()
}

/// A part of the query counts once, and again with less and less weight: as BM25 without lengths.
fn score(fragment: &Fragment<'_>) -> f32 {
    let mut counts: BTreeMap<usize, f32> = BTreeMap::new();
    fragment.marks.iter().for_each(|mark| *counts.entry(mark.part).or_default() += 1.0);
    counts.values().map(|count| count / (count + 1.2)).sum()
}

/// Adds fragments of about `size` characters around the marks, none over another.
fn cut<'t>(text: &'t str, marks: &'t [Mark], size: usize, into: &mut Vec<Fragment<'t>>) {
    let (mut from, mut free) = (0, 0);
    while let Some(first) = marks.get(from) {
        let mut len = characters(text, first.start, first.end);
        let (mut to, mut end) = (from + 1, first.end);
        while let Some(mark) = marks.get(to) {
            let longer = if mark.end > end { characters(text, end, mark.end) } else { 0 };
            // Of a mark that begins in front of the end, all is taken.
            if len + longer > size && mark.start >= end {
                break;
            }
            (len, end, to) = (len + longer, end.max(mark.end), to + 1);
        }
        // What is left of the length is around them, in equal parts where there is enough text.
        let left = size.saturating_sub(len);
        let behind = text.get(end..).map_or(0, |behind| behind.chars().take(left).count());
        let start = back(text, first.start, (left / 2).max(left - behind), free);
        let used = characters(text, start, first.start);
        let limit = marks.get(to).map_or(text.len(), |next| next.start);
        let stop = forth(text, end, left.saturating_sub(used), limit);
        into.push(Fragment { text, start, end: stop, marks: marks.get(from..to).unwrap_or_default() });
        (from, free) = (to, stop);
    }
}

fn characters(text: &str, from: usize, to: usize) -> usize {
    text.get(from..to).map_or(0, |text| text.chars().count())
}

/// The beginning of the first word that is at most `count` characters before `at`, and not before `least`.
fn back(text: &str, at: usize, count: usize, least: usize) -> usize {
    let before = text.get(least..at).unwrap_or_default();
    let far = before.char_indices().rev().take(count).last().map_or(before.len(), |(start, _)| start);
    if far == 0 {
        return least + (before.len() - before.trim_start().len());
    }
    let rest = before.get(far..).unwrap_or_default();
    // A word that is cut by it is left out, unless there are no spaces at all.
    let is_cut = before.get(..far).is_some_and(|cut| !cut.ends_with(char::is_whitespace));
    let skipped = match (is_cut, rest.find(char::is_whitespace)) {
        (false, _) => 0,
        (true, Some(space)) => space,
        (true, None) => rest.len(),
    };
    let rest = rest.get(skipped..).unwrap_or_default();
    at - rest.trim_start().len()
}

/// The end of the last word that is at most `count` characters behind `at`, and not behind `most`.
fn forth(text: &str, at: usize, count: usize, most: usize) -> usize {
    let behind = text.get(at..most).unwrap_or_default();
    let far = behind.char_indices().nth(count).map_or(behind.len(), |(end, _)| end);
    let near = behind.get(..far).unwrap_or_default();
    let is_cut =
        text.get(at + far..).is_some_and(|rest| !rest.is_empty() && !rest.starts_with(char::is_whitespace));
    let kept = match (is_cut, near.rfind(char::is_whitespace)) {
        (false, _) => near.len(),
        (true, Some(space)) => space,
        (true, None) => 0,
    };
    at + near.get(..kept).unwrap_or_default().trim_end().len()
}

/// The text of a fragment, with tags around what is marked; marks that overlap or touch each other are one.
fn written(fragment: &Fragment<'_>, highlight: &Highlight) -> String {
    let Fragment { text, start, end, marks } = fragment;
    let [before, after] = &highlight.tags;
    let (mut written, mut at) = (String::new(), *start);
    let put = |written: &mut String, from: usize, to: usize| {
        let part = text.get(from..to).unwrap_or_default();
        match highlight.escape_html {
            true => part.chars().for_each(|character| escape(character, written)),
            false => written.push_str(part),
        }
    };
    let mut marks = marks.iter().peekable();
    while let Some(mark) = marks.next() {
        let mut to = mark.end;
        while let Some(next) = marks.next_if(|next| next.start <= to) {
            to = to.max(next.end);
        }
        put(&mut written, at, mark.start);
        written.push_str(before);
        put(&mut written, mark.start, to);
        written.push_str(after);
        at = to;
    }
    put(&mut written, at, *end);
    written
}

fn escape(character: char, into: &mut String) {
    match character {
        '&' => into.push_str("&amp;"),
        '<' => into.push_str("&lt;"),
        '>' => into.push_str("&gt;"),
        '"' => into.push_str("&quot;"),
        '\'' => into.push_str("&#39;"),
        character => into.push(character),
    }
}
