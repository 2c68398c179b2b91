//! Files that are whole but say what no writer would have written: only the check reads all of it.

use crate::trials::{Forge, check, folder, the_index};
use lucerne::codec::format::{OpenContext, WriteContext, Written};
use lucerne::codec::stored::{StoredFormat, StoredReader};
use lucerne::codec::testing::MemoryDirectory;
use lucerne::codec::{DocId, MergeInput, Result};
use lucerne::index::IndexBuilder;
use lucerne::{Document, Schema};
use serde_json::{Value, json};
use std::sync::Arc;

/// The built-in format, that writes something else in place of document 3.
struct Liar {
    inner: Arc<dyn StoredFormat>,
    lie: &'static [u8],
}

impl StoredFormat for Liar {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn write(
        &self,
        context: &WriteContext<'_>,
        next: &mut dyn FnMut(DocId, &mut Vec<u8>) -> Result<()>,
    ) -> Result<Written> {
        self.inner.write(context, &mut |doc, into| {
            next(doc, into)?;
            if doc == 3 {
                self.lie.clone_into(into);
            }
            Ok(())
        })
    }

    fn open(&self, context: &OpenContext<'_>) -> Result<Box<dyn StoredReader>> {
        self.inner.open(context)
    }

    fn merge(
        &self,
        context: &WriteContext<'_>,
        sources: &[MergeInput<'_, dyn StoredReader>],
    ) -> Result<Written> {
        self.inner.merge(context, sources)
    }
}

#[test]
fn the_check_finds_stored_documents_that_are_no_json_or_have_another_key() {
    let lies: [(&[u8], Option<&str>); 9] = [
        (br#"{"id":"k3","t":"as it was"}"#, None),
        (br#"{"t":1,"id":"k3"}"#, None),
        (b"", Some("cannot be read")),
        (br#"{"id":"k3""#, Some("cannot be read")),
        (br#"["k3"]"#, Some("cannot be read")),
        (b"{\"id\":\"k3\",\"t\":\"\xff\"}", Some("cannot be read")),
        (br#"{"id":"k4"}"#, Some(r#"its key is "k3", but the string "k4" is stored"#)),
        (br#"{"id":3}"#, Some(r#"its key is "k3", but"#)),
        (br#"{"t":"as it was"}"#, Some(r#"its key is "k3", but none is stored"#)),
    ];
    for (lie, expected) in lies {
        let mut registry = IndexBuilder::new().registry().clone();
        let inner = Arc::clone(&registry.stored[0]);
        registry.stored = vec![Arc::new(Liar { inner, lie })];
        let directory = MemoryDirectory::new();
        let schema = Schema::builder().key("id").text("t").build().unwrap();
        let index =
            IndexBuilder::new().formats(registry).create(Arc::new(directory.clone()), schema).unwrap();
        let writer = index.writer().unwrap();
        for number in 0..6 {
            writer.add(&Document::new().with("id", format!("k{number}")).with("t", "as it was")).unwrap();
        }
        writer.close().unwrap();
        let what = String::from_utf8_lossy(lie);
        let problems = check(&directory).unwrap().problems;
        match expected {
            None => assert!(problems.is_empty(), "{what}: {problems:?}"),
            Some(expected) => {
                let [problem] = &*problems else { panic!("{what}: {problems:?}") };
                assert!(problem.file.ends_with(".stored"), "{what}: {problem:?}");
                assert!(problem.problem.starts_with("document 3: "), "{what}: {problem:?}");
                assert!(problem.problem.contains(expected), "{what}: {problem:?}");
            }
        }
    }
}

#[test]
fn the_check_finds_numbers_and_schemas_that_no_writer_can_go_on_from() {
    let image = the_index();
    let commit = Forge::new(&image).commit_file();
    let vector = "/schema/fields/6";
    let cases: [(&str, Value); 7] = [
        ("/next_segment", json!(1u64 << 61)),
        ("/next_segment", json!(1u64 << 48)),
        ("/schema/fields/0/analyzer", json!("nobody's")),
        (&format!("{vector}/m"), json!(1_000_000)),
        (&format!("{vector}/beam_width"), json!(0)),
        (&format!("{vector}/advanced/search_bits"), json!(5)),
        ("/schema/key", json!({ "name": "id", "max_length": 0 })),
    ];
    for (place, value) in cases {
        let mut forge = Forge::new(&image);
        forge.json(&commit, |json| {
            let (parent, name) = place.rsplit_once('/').unwrap();
            json.pointer_mut(parent).unwrap_or_else(|| panic!("{place}"))[name] = value.clone();
        });
        let directory = folder(&forge.image);
        let report = check(&directory).unwrap();
        assert!(!report.ok(), "{place} = {value}");
        assert!(
            report.problems.iter().any(|problem| problem.file == commit),
            "{place}: {:?}",
            report.problems
        );
        // It is what a writer would be refused for, too.
        let index = IndexBuilder::new().open(Arc::new(directory));
        assert!(index.and_then(|index| index.writer()).is_err(), "{place} = {value}");
    }
}
