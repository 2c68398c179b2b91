//! The one place that prints. Results go to standard output, everything else to standard error; colors only
//! where a terminal shows them and NO_COLOR is not set. A reader that goes away is no error.

use crate::failure::{Code, Failure, Outcome};
use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

/// How headings look on a terminal.
pub(crate) const HEADING: Style = Style::new().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// Whether only results, warnings and errors are wanted.
static QUIET: AtomicBool = AtomicBool::new(false);

/// From now on nothing is printed beside results, warnings and errors.
pub(crate) fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

pub(crate) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Prints a text as it is.
pub(crate) fn text(text: &str) -> Outcome {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(Failure::new(Code::Io, format!("cannot write the output: {error}"))),
    }
}

/// Prints a line.
pub(crate) fn line(line: &str) -> Outcome {
    text(&format!("{line}\n"))
}

/// Prints a value as one line of JSON.
pub(crate) fn json(value: &impl Serialize) -> Outcome {
    match serde_json::to_string(value) {
        Ok(json) => line(&json),
        Err(error) => Err(Failure::new(Code::Io, format!("cannot write JSON: {error}"))),
    }
}

/// Prints why a command failed.
pub(crate) fn failure(failure: &Failure) {
    if let Some(message) = &failure.message {
        to_stderr(ERROR, "error", message);
    }
    if let Some(hint) = &failure.hint {
        to_stderr(HINT, "hint", hint);
    }
}

/// Prints something the user should know although the command goes on.
pub(crate) fn warning(message: &str) {
    to_stderr(WARNING, "warning", message);
}

/// Prints something beside the result.
pub(crate) fn note(message: &str) {
    if !is_quiet() {
        to_stderr(HINT, "note", message);
    }
}

fn to_stderr(style: Style, label: &str, message: &str) {
    // Nothing can be done when standard error is gone.
    let _ = writeln!(anstream::stderr().lock(), "{style}{label}:{style:#} {}", printable(message));
}

/// Shows a text in the place of what the terminal shows, as far as there is room.
pub(crate) fn screen(shown: &str) -> Outcome {
    let rows = console::Term::stdout().size_checked().map_or(24, |(rows, _)| usize::from(rows));
    let mut lines: Vec<&str> = shown.lines().collect();
    if lines.len() >= rows {
        lines.truncate(rows.saturating_sub(2));
        lines.push("…");
    }
    // Home, each line and what is left of it, and what is left of the screen.
    let lines: String = lines.iter().map(|line| format!("{line}\u{1b}[K\n")).collect();
    text(&format!("\u{1b}[H{lines}\u{1b}[J"))
}

/// Characters to a line of the terminal, if standard output is one.
pub(crate) fn width() -> Option<usize> {
    let terminal = io::stdout().is_terminal();
    terminal.then(|| console::Term::stdout().size_checked().map_or(100, |(_, columns)| usize::from(columns)))
}

/// A text without the characters that could steer a terminal; lines stay lines.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|char| if char.is_control() && char != '\n' { ' ' } else { char }).collect()
}
