//! Circles of arrows: files, or modules, that need each other.

use crate::imports::Arrows;
use std::collections::{BTreeMap, BTreeSet};

/// The groups of two and more that reach each other.
pub(crate) fn circles(arrows: &Arrows) -> Vec<BTreeSet<&str>> {
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        arrows.keys().map(|from| (from.as_str(), reached(arrows, from))).collect();
    let mut circles = BTreeSet::new();
    for (from, to) in &reach {
        let circle: BTreeSet<&str> =
            to.iter().copied().filter(|to| reach.get(to).is_some_and(|back| back.contains(from))).collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    circles.into_iter().collect()
}

/// All that can be reached from `start` by one arrow or more.
fn reached<'a>(arrows: &'a Arrows, start: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next = vec![start];
    while let Some(from) = next.pop() {
        for to in arrows.get(from).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(to.as_str()) {
                next.push(to);
            }
        }
    }
    reached
}

/// A circle in words: a line for every arrow in it, with the names that tie it.
pub(crate) fn in_words(circle: &BTreeSet<&str>, arrows: &Arrows) -> String {
    let mut lines = vec![format!("a circle of {}", circle.len())];
    for from in circle {
        for (to, names) in arrows[*from].iter().filter(|(to, _)| circle.contains(to.as_str())) {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            lines.push(format!("  {from} → {to}: {}", names.join(", ")));
        }
    }
    lines.join("\n  ")
}
