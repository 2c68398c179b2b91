//! Opens a segment's postings.

use super::dictionary::Dictionary;
use super::field::Field;
use super::lists::Lists;
use super::meta::{FieldMeta, Meta};
use super::spellings::Spellings;
use super::{LENGTHS, POSITIONS, POSTINGS, TERMS, VERSION, verify};
use lucerne_codec::envelope::{FOOTER_LEN, FileEntry, NO_FIELD};
use lucerne_codec::format::{OpenContext, Problem};
use lucerne_codec::postings::{FieldPostings, PostingsField, PostingsReader};
use lucerne_codec::{Cancel, Error, Input, Report, Result};
use serde_json::json;

pub(super) struct Reader {
    fields: Vec<PostingsField>,
    postings: Vec<Field>,
    file_lens: Vec<(String, u64)>,
}

/// A checked file without its footer.
fn open_file(context: &OpenContext<'_>, entry: &FileEntry, format: &str) -> Result<Input> {
    let input = context.open(entry, format, VERSION, NO_FIELD)?;
    input.sub(0, (input.len() as u64).saturating_sub(FOOTER_LEN))
}

impl Reader {
    pub(super) fn open(context: &OpenContext<'_>) -> Result<Self> {
        let first = context.files.first().map_or("(no file)", |file| &file.name);
        let meta = Meta::from_metadata(context.meta, first, context.max_doc)?;
        if !context.files.iter().map(|file| file.len).eq(meta.files.iter().copied()) {
            return Err(Error::corrupt(first, 0, "postings_v1: files of other lengths than were written"));
        }
        let (terms, post, positional) = match context.files {
            [terms, post] if !meta.positions() => (terms, post, None),
            // A field without terms may have made the files of positions and lengths.
            [terms, post, positions, lengths] => (terms, post, Some((positions, lengths))),
            files => {
                let problem = format!("{} files are named for postings_v1", files.len());
                return Err(Error::corrupt(first, 0, problem));
            }
        };
        let terms = open_file(context, terms, TERMS.1)?;
        let post = open_file(context, post, POSTINGS.1)?;
        let (pos, len) = match positional {
            Some((pos, len)) => {
                (Some(open_file(context, pos, POSITIONS.1)?), Some(open_file(context, len, LENGTHS.1)?))
            }
            None => (None, None),
        };
        let open_field = |meta: FieldMeta| {
            let dictionary = Dictionary::open(&terms, meta.dictionary(), context.max_doc)?;
            let spellings = meta.spellings.as_ref();
            let spellings = spellings.map(|at| Spellings::open(&terms, at, meta.stats.terms)).transpose()?;
            let pos = pos.clone().filter(|_| meta.field.positions);
            let lists = Lists { post: post.clone(), pos, max_doc: context.max_doc };
            let lengths = match (meta.lengths, &len) {
                (Some(at), Some(len)) => {
                    Some(len.sub(at.start, u64::from(at.width) * u64::from(context.max_doc))?)
                }
                _ => None,
            };
            Ok(Field { meta, dictionary, spellings, lists, lengths })
        };
        Ok(Self {
            fields: meta.fields.iter().map(|field| field.field.clone()).collect(),
            postings: meta.fields.into_iter().map(open_field).collect::<Result<_>>()?,
            file_lens: context.files.iter().map(|file| (file.name.clone(), file.len)).collect(),
        })
    }
}

impl PostingsReader for Reader {
    fn fields(&self) -> &[PostingsField] {
        &self.fields
    }

    fn field(&self, number: u32) -> Option<&dyn FieldPostings> {
        let at = self.fields.binary_search_by_key(&number, |field| field.number).ok()?;
        self.postings.get(at).map(|field| field as &dyn FieldPostings)
    }

    fn inspect(&self) -> Report {
        let fields = self.postings.iter().map(|field| {
            let stats = field.meta.stats;
            json!({
                "field": field.meta.field.name,
                "docs": stats.docs,
                "terms": stats.terms,
                "tokens": stats.tokens,
                "dictionary_bytes": field.meta.index.saturating_sub(field.meta.dictionary),
            })
        });
        let files: serde_json::Map<String, Report> =
            self.file_lens.iter().map(|(name, len)| (name.clone(), json!(len))).collect();
        json!({ "fields": fields.collect::<Vec<_>>(), "files": files })
    }

    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        for field in &self.postings {
            verify::field(field, cancel, &mut problems)?;
        }
        Ok(problems)
    }
}
