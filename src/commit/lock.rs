//! The lock of an index: one writer at a time, in any process.

use super::manifest::LOCK_FILE;
use crate::directory::place;
use crate::error::{Error, Result};
use lucerne_codec::{Directory, Lock};

/// Takes the lock; the error names the folder and who holds it. `purpose` is what the next error says
/// about this holder.
pub(crate) fn take(directory: &dyn Directory, purpose: &str) -> Result<Box<dyn Lock>> {
    directory.lock(LOCK_FILE, purpose).map_err(|error| match error {
        lucerne_codec::Error::Locked { holder, .. } => locked(place(directory), &holder),
        error => error.into(),
    })
}

/// The purpose of a writer, which goes without saying.
pub(crate) const WRITER: &str = "writer";

/// Directories note a holder as `process 123, purpose`.
fn locked(folder: String, holder: &str) -> Error {
    let process = format!("process {}", std::process::id());
    let (holder_process, purpose) = holder.split_once(", ").unwrap_or((holder, WRITER));
    let same_process = holder_process == process;
    let mut holder = holder_process.to_owned();
    if same_process {
        holder.push_str(", this process");
    }
    if purpose != WRITER {
        holder.push_str(", ");
        holder.push_str(purpose);
    }
    Error::Locked { folder, holder, same_process }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_the_folder_the_holder_and_what_to_do() {
        let said = |holder: &str| locked("/a.idx".to_owned(), holder).to_string();
        let own = std::process::id();
        let share = "close it, or share that Writer between threads";
        assert_eq!(
            said(&format!("process {own}, writer")),
            format!("/a.idx: another writer is open (process {own}, this process); {share}")
        );
        assert_eq!(
            said("process 0, creating the index"),
            "/a.idx: another writer is open (process 0, creating the index); wait until it is closed"
        );
        assert_eq!(said("unknown"), "/a.idx: another writer is open (unknown); wait until it is closed");
    }
}
