//! Progress bars, on standard error when it is a terminal and nowhere otherwise.

use indicatif::{ProgressBar, ProgressStyle};
use lucerne::codec::Progress;
use lucerne::merge::{MergeEvent, MergeListener};
use std::time::Duration;

const TICK: Duration = Duration::from_millis(100);

const WAITING: &str = "{spinner} {msg}  {elapsed}";

/// A bar over `total` units of input, or a count while the total is unknown. Hidden when standard error is
/// not a terminal.
pub(crate) fn bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{bar:30} {percent:>3} %  {msg}  {eta} left"),
        None => (ProgressBar::no_length(), WAITING),
    };
    bar.set_style(style(template));
    keep_moving(&bar);
    bar
}

/// Moves the spinner and the clock of a bar that can be seen, in a thread of its own; they stand still where the system
/// gives none.
fn keep_moving(bar: &ProgressBar) {
    if bar.is_hidden() {
        return;
    }
    let bar = bar.downgrade();
    let _ = std::thread::Builder::new().spawn(move || {
        while let Some(bar) = bar.upgrade().filter(|bar| !bar.is_finished()) {
            bar.tick();
            drop(bar);
            std::thread::sleep(TICK);
        }
    });
}

/// Turns the bar into a spinner, for work whose length is not known.
pub(crate) fn wait(bar: &ProgressBar, message: String) {
    bar.set_style(style(WAITING));
    bar.set_message(message);
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Shows the phases of a long call of the engine.
#[derive(Debug)]
pub(crate) struct PhaseBar(ProgressBar);

impl PhaseBar {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new(0);
        bar.set_style(style("{bar:30} {pos} of {len} {msg}  {elapsed}"));
        keep_moving(&bar);
        Self(bar)
    }

    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for PhaseBar {
    fn report(&self, phase: &'static str, done: u64, total: u64) {
        self.0.set_message(phase);
        self.0.set_length(total);
        self.0.set_position(done);
    }
}

/// Shows the phases of merges, with the time left of each.
#[derive(Clone, Debug)]
pub(crate) struct MergeBar(ProgressBar);

impl MergeBar {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new(0);
        bar.set_style(style("{bar:30} {percent:>3} %  {msg}  {eta} left"));
        Self(bar)
    }

    /// Receives the merge events of a writer.
    pub(crate) fn listener(&self) -> impl MergeListener + 'static {
        let bar = self.0.clone();
        move |event: &MergeEvent| {
            if let MergeEvent::Progress { segment, phase, done, total } = event {
                let message = format!("{segment} {phase}");
                if bar.message() != message {
                    bar.reset(); // The time left is that of the phase.
                    bar.set_message(message);
                }
                bar.set_length(*total);
                bar.set_position(*done);
            }
        }
    }

    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
