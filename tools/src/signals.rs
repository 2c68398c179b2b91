//! Ctrl-C: the first asks to stop, the second stops.

use crate::failure::Code;
use lucerne::codec::Cancel;

/// A flag that Ctrl-C (or a polite kill) sets. A second one ends the process at once, which harms no index:
/// the last commit is whole at any time.
pub(crate) fn stop_flag() -> Cancel {
    let stop = Cancel::new();
    let flag = stop.clone();
    // Without a handler the signal ends the process, which is as safe, only less polite.
    let _ = ctrlc::set_handler(move || {
        if flag.is_cancelled() {
            std::process::exit(i32::from(Code::Interrupted as u8));
        }
        flag.cancel();
    });
    stop
}
