//! Live docs: which documents of a segment are not deleted. The only structure of a segment that gets newer
//! versions, each in a file of its own.

use crate::envelope::FileEntry;
use crate::format::OpenContext;
use crate::{BitSet, Directory, Result, SegmentId};

/// Writes and reads live docs.
pub trait LiveDocsFormat: Send + Sync {
    /// The name commits remember.
    fn name(&self) -> &'static str;

    /// Writes segment `segment`'s live docs for the commit of generation `generation`.
    fn write(
        &self,
        directory: &dyn Directory,
        segment: &str,
        segment_id: SegmentId,
        generation: u64,
        live: &BitSet,
    ) -> Result<FileEntry>;

    /// Reads live docs; the whole file is verified. `context.files` holds the one file.
    fn read(&self, context: &OpenContext<'_>) -> Result<BitSet>;

    /// Reads what is left of a damaged file, if that is all of them: for repairs.
    fn salvage(&self, context: &OpenContext<'_>) -> Result<BitSet> {
        self.read(context)
    }
}
