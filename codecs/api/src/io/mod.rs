//! Files as a format sees them: written once, then read as immutable bytes.

pub mod bytes;
mod cursor;
mod directory;
mod input;
mod words;

pub use cursor::Cursor;
pub use directory::{Directory, Lock, Output, TemporaryOutput};
pub use input::{Access, ByteView, Input};
pub use words::{SharedWords, Words};
