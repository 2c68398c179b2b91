//! Progress bars with rate and time left, on standard error when it is a terminal and nowhere otherwise, nor with `--quiet`.

use super::{out, units};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use lucerne::codec::Progress;
use lucerne::merge::{MergeEvent, MergeListener};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

const TICK: Duration = Duration::from_millis(100);

const WAITING: &str = "{spinner} {msg}  {elapsed}";
const RUNNING: &str = "{bar:30} {percent:>3} %  {msg}, {rate} per second  {eta} left";
/// The message has the rate.
const TOLD: &str = "{bar:30} {percent:>3} %  {msg}  {eta} left";

/// A bar over `total` units of input, or a count while the total is unknown. Its message tells the rate.
pub(crate) fn bar(total: Option<u64>) -> ProgressBar {
    started(total, if total.is_some() { TOLD } else { WAITING })
}

fn started(total: Option<u64>, template: &str) -> ProgressBar {
    let hidden = out::is_quiet();
    let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(total, target);
    bar.set_style(style(template, Unit::Things));
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
    bar.set_style(style(WAITING, Unit::Things));
    bar.set_message(message);
}

/// What a phase counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Things,
    Bytes,
}

impl Unit {
    /// Of the engine's phases these two count bytes.
    fn of(phase: &str) -> Self {
        if matches!(phase, "copy" | "verify") { Self::Bytes } else { Self::Things }
    }
}

fn style(template: &str, unit: Unit) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("rate", move |state: &ProgressState, text: &mut dyn std::fmt::Write| {
        let rate = state.per_sec();
        let _ = text.write_str(&match unit {
            Unit::Bytes => units::bytes(rate as u64),
            Unit::Things if rate < 10.0 => format!("{rate:.1}"),
            Unit::Things => units::grouped(rate as u64),
        });
    })
}

/// Shows the phases of a long call.
#[derive(Clone, Debug)]
pub(crate) struct PhaseBar(ProgressBar);

impl PhaseBar {
    pub(crate) fn new() -> Self {
        Self(started(Some(0), RUNNING))
    }

    /// A phase has come so far. Rate and time left are those of the phase.
    fn show(&self, phase: &str, message: String, done: u64, total: u64) {
        if self.0.message() != message {
            self.0.set_style(style(RUNNING, Unit::of(phase)));
            self.0.reset();
            self.0.set_message(message);
        }
        self.0.set_length(total);
        self.0.set_position(done);
    }

    /// Prints something while the bar is away.
    pub(crate) fn beside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }

    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for PhaseBar {
    fn report(&self, phase: &'static str, done: u64, total: u64) {
        self.show(phase, phase.to_owned(), done, total);
    }
}

/// Tells a bar of the phases of merges, once there is one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Merges(Arc<OnceLock<PhaseBar>>);

impl Merges {
    /// Merges are shown on this bar from now on.
    pub(crate) fn show_on(&self, bar: ProgressBar) {
        let _shown_already = self.0.set(PhaseBar(bar));
    }

    /// Merges are shown from the start.
    pub(crate) fn shown() -> Self {
        Self(Arc::new(OnceLock::from(PhaseBar::new())))
    }

    /// Receives the merge events of a writer.
    pub(crate) fn listener(&self) -> impl MergeListener + 'static {
        let bar = Arc::clone(&self.0);
        move |event: &MergeEvent| {
            if let (Some(bar), MergeEvent::Progress { segment, phase, done, total }) = (bar.get(), event) {
                bar.show(phase, format!("{segment} {phase}"), *done, *total);
            }
        }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = self.0.get() {
            bar.finish();
        }
    }
}
