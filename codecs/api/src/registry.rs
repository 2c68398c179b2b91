//! Formats by name.

use crate::columns::ColumnsFormat;
use crate::commit::CommitFormat;
use crate::keys::KeysFormat;
use crate::live_docs::LiveDocsFormat;
use crate::postings::PostingsFormat;
use crate::segment_info::SegmentInfoFormat;
use crate::sparse::SparseFormat;
use crate::stored::StoredFormat;
use crate::vector::{VectorFormat, VectorKind};
use crate::{Error, Result};
use std::fmt;
use std::sync::Arc;

/// The formats an index can read, and which of them it writes with: in each list the first is written,
/// all are read. A vector format is found by the kind of field it serves, or by its name.
#[derive(Clone)]
pub struct Registry {
    /// Vector formats.
    pub vectors: Vec<Arc<dyn VectorFormat>>,
    /// Stored-document formats.
    pub stored: Vec<Arc<dyn StoredFormat>>,
    /// Postings formats.
    pub postings: Vec<Arc<dyn PostingsFormat>>,
    /// Column formats.
    pub columns: Vec<Arc<dyn ColumnsFormat>>,
    /// Formats of sparse vectors.
    pub sparse: Vec<Arc<dyn SparseFormat>>,
    /// Key formats.
    pub keys: Vec<Arc<dyn KeysFormat>>,
    /// Live-docs formats.
    pub live_docs: Vec<Arc<dyn LiveDocsFormat>>,
    /// The segment-info format.
    pub segment_info: Arc<dyn SegmentInfoFormat>,
    /// The commit format.
    pub commit: Arc<dyn CommitFormat>,
    /// Extensions of the files that the formats write, temporary ones included. A left-over file of a segment with
    /// another extension is deleted only if it begins with an envelope.
    pub extensions: Vec<&'static str>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.vectors.iter().map(|format| format.name()).collect();
        f.debug_struct("Registry").field("vectors", &names).finish_non_exhaustive()
    }
}

impl Registry {
    /// Adds a vector format; a later one of the same name replaces an earlier one.
    #[must_use]
    pub fn with_vectors(mut self, format: Arc<dyn VectorFormat>) -> Self {
        self.vectors.retain(|known| known.name() != format.name());
        self.vectors.push(format);
        self
    }

    /// The vector format of that name; `file` is the file that names it.
    pub fn vectors(&self, name: &str, file: &str) -> Result<&dyn VectorFormat> {
        find(&self.vectors, name, file, |format| format.name()).map(|format| &**format)
    }

    /// The vector format that serves fields of this kind.
    ///
    /// # Errors
    /// [`Error::Invalid`] when none does.
    pub fn vectors_for(&self, kind: VectorKind) -> Result<&dyn VectorFormat> {
        let format = self.vectors.iter().find(|format| format.serves() == Some(kind));
        let none = || Error::Invalid(format!("no registered vector format serves {kind}"));
        Ok(&**format.ok_or_else(none)?)
    }

    /// The stored-document format new segments are written with.
    pub fn default_stored(&self) -> Result<&dyn StoredFormat> {
        first(&self.stored, "stored documents")
    }

    /// The postings format new segments are written with.
    pub fn default_postings(&self) -> Result<&dyn PostingsFormat> {
        first(&self.postings, "postings")
    }

    /// The column format new segments are written with.
    pub fn default_columns(&self) -> Result<&dyn ColumnsFormat> {
        first(&self.columns, "columns")
    }

    /// The format of sparse vectors new segments are written with.
    pub fn default_sparse(&self) -> Result<&dyn SparseFormat> {
        first(&self.sparse, "sparse vectors")
    }

    /// The key format new segments are written with.
    pub fn default_keys(&self) -> Result<&dyn KeysFormat> {
        first(&self.keys, "keys")
    }

    /// The live-docs format new commits are written with.
    pub fn default_live_docs(&self) -> Result<&dyn LiveDocsFormat> {
        first(&self.live_docs, "live docs")
    }

    /// The stored-document format of that name.
    pub fn stored(&self, name: &str, file: &str) -> Result<&dyn StoredFormat> {
        find(&self.stored, name, file, |format| format.name()).map(|format| &**format)
    }

    /// The postings format of that name.
    pub fn postings(&self, name: &str, file: &str) -> Result<&dyn PostingsFormat> {
        find(&self.postings, name, file, |format| format.name()).map(|format| &**format)
    }

    /// The column format of that name.
    pub fn columns(&self, name: &str, file: &str) -> Result<&dyn ColumnsFormat> {
        find(&self.columns, name, file, |format| format.name()).map(|format| &**format)
    }

    /// The format of sparse vectors of that name.
    pub fn sparse(&self, name: &str, file: &str) -> Result<&dyn SparseFormat> {
        find(&self.sparse, name, file, |format| format.name()).map(|format| &**format)
    }

    /// The key format of that name.
    pub fn keys(&self, name: &str, file: &str) -> Result<&dyn KeysFormat> {
        find(&self.keys, name, file, |format| format.name()).map(|format| &**format)
    }

    /// The live-docs format of that name.
    pub fn live_docs(&self, name: &str, file: &str) -> Result<&dyn LiveDocsFormat> {
        find(&self.live_docs, name, file, |format| format.name()).map(|format| &**format)
    }
}

fn first<'a, F: ?Sized>(formats: &'a [Arc<F>], of: &str) -> Result<&'a F> {
    let none = || Error::Invalid(format!("the registry has no format for {of}"));
    Ok(&**formats.first().ok_or_else(none)?)
}

fn find<'a, F: ?Sized>(
    formats: &'a [Arc<F>],
    name: &str,
    file: &str,
    name_of: impl Fn(&F) -> &'static str,
) -> Result<&'a Arc<F>> {
    formats.iter().find(|format| name_of(format) == name).ok_or_else(|| {
        let known: Vec<_> = formats.iter().map(|format| name_of(format)).collect();
        Error::UnknownFormat { file: file.to_owned(), format: name.to_owned(), known: known.join(", ") }
    })
}
