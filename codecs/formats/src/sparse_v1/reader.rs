//! Sparse vectors by field.

use super::field::Field;
use super::lists::Lists;
use super::meta::Meta;
use super::rows::Rows;
use super::{LISTS, ROWS, VERSION, verify};
use lucerne_codec::envelope::{self, FOOTER_LEN, FileEntry, HEADER_LEN, NO_FIELD};
use lucerne_codec::format::{OpenContext, Problem};
use lucerne_codec::sparse::{SparseField, SparseReader, SparseVectors};
use lucerne_codec::{Cancel, Error, Input, Report, Result};
use serde_json::json;

pub(super) struct Reader {
    pub(super) max_doc: u32,
    infos: Vec<SparseField>,
    fields: Vec<Field>,
}

impl Reader {
    pub(super) fn open(context: &OpenContext<'_>) -> Result<Self> {
        let [rows, lists] = files(context)?;
        let rows = context.open(rows, ROWS.1, VERSION, NO_FIELD)?;
        let lists = context.open(lists, LISTS.1, VERSION, NO_FIELD)?;
        Self::read(context, &rows, Some(&lists))
    }

    /// Opens the rows alone, when nothing of them is damaged.
    pub(super) fn salvage(context: &OpenContext<'_>, cancel: &Cancel) -> Result<Box<dyn SparseReader>> {
        let [entry, _] = files(context)?;
        envelope::verify_entry(context.directory, entry)?;
        let rows = context.open(entry, ROWS.1, VERSION, NO_FIELD)?;
        let reader = Self::read(context, &rows, None)?;
        match reader.verify(cancel)?.first() {
            Some(Problem { problem, .. }) => Err(rows.corrupt(0, problem)),
            None => Ok(Box::new(reader)),
        }
    }

    fn read(context: &OpenContext<'_>, rows: &Input, lists: Option<&Input>) -> Result<Self> {
        let max_doc = context.max_doc;
        let metas = Meta::read(context, rows.name())?.fields;
        let (mut fields, mut rows_end, mut lists_end) =
            (Vec::with_capacity(metas.len()), HEADER_LEN, HEADER_LEN);
        for meta in metas {
            let own = Rows::open(rows, rows_end, &meta, max_doc)?;
            let of_field = lists.map(|lists| Lists::open(lists, lists_end, &meta)).transpose()?;
            rows_end = rows_end.saturating_add(Rows::len(&meta, max_doc));
            lists_end = lists_end.saturating_add(Lists::len(&meta));
            fields.push(Field { meta, rows: own, lists: of_field });
        }
        for (file, end) in [(Some(rows), rows_end), (lists, lists_end)] {
            let Some(file) = file else { continue };
            if end.checked_add(FOOTER_LEN) != Some(file.len() as u64) {
                return Err(file.corrupt(end, "the fields of sparse vectors do not fill the file"));
            }
        }
        let infos = fields.iter().map(|field| field.meta.field.clone()).collect();
        Ok(Self { max_doc, infos, fields })
    }
}

fn files<'a>(context: &OpenContext<'a>) -> Result<[&'a FileEntry; 2]> {
    match context.files {
        [rows, lists] => Ok([rows, lists]),
        files => {
            let name = files.first().map_or("sparse_v1", |file| &file.name);
            Err(Error::corrupt(
                name,
                0,
                format!("sparse_v1 has 2 files, the segment info names {}", files.len()),
            ))
        }
    }
}

impl SparseReader for Reader {
    fn fields(&self) -> &[SparseField] {
        &self.infos
    }

    fn field(&self, number: u32) -> Option<&dyn SparseVectors> {
        let at = self.infos.binary_search_by_key(&number, |field| field.number).ok()?;
        self.fields.get(at).map(|field| field as &dyn SparseVectors)
    }

    fn inspect(&self) -> Report {
        let fields = self.fields.iter().map(|field| {
            let meta = &field.meta;
            json!({
                "field": meta.field,
                "documents": meta.docs,
                "weights": meta.entries,
                "dimensions": meta.dimensions,
                "row_bytes": Rows::len(meta, self.max_doc),
                "list_bytes": Lists::len(meta),
            })
        });
        json!({ "fields": fields.collect::<Vec<_>>() })
    }

    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        for field in &self.fields {
            verify::field(field, self.max_doc, cancel, &mut problems)?;
        }
        Ok(problems)
    }
}
