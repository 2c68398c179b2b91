//! Losses of commits that are kept beside the newest one are told apart from its own.

use crate::repair::{open, run, small};
use lucerne::admin::{self, LostPart, RepairRun};
use lucerne::codec::Directory as _;
use lucerne::{Document, Match, Schema, Search, Searcher, Vector};

#[test]
fn what_a_tagged_commit_alone_has_lost_is_told_apart_from_the_losses_of_the_newest() {
    let schema = Schema::builder().key("id").text("t").vector("v", Vector::f32(2)).build().unwrap();
    let document =
        |key: &str, text: &str| Document::new().with("id", key).with("t", text).with("v", vec![1.0, 2.0]);
    let directory = small(schema, |writer| {
        for key in ["a", "b", "c"] {
            writer.add(&document(key, "old")).unwrap();
        }
        writer.tag("old").unwrap();
        writer.upsert(&document("a", "new")).unwrap();
        writer.delete("b").unwrap();
        writer.tag("between").unwrap();
        writer.upsert(&document("d", "new")).unwrap();
    });
    let tags = open(&directory).tags().unwrap();
    let vectors =
        directory.files().into_keys().find(|name| name.starts_with("_0.") && name.ends_with(".vec"));
    directory.delete(&vectors.unwrap()).unwrap();
    let report = run(&directory, RepairRun::Repair).unwrap();
    let keys = |lost: &[admin::LostDocument]| -> Vec<String> {
        assert!(lost.iter().all(|lost| lost.part == LostPart::Vector { field: "v".to_owned() }));
        lost.iter().map(|lost| lost.key.clone().unwrap()).collect()
    };
    assert_eq!(keys(&report.lost), ["c"]);
    let kept = report.lost_in_kept.iter();
    let kept: Vec<_> = kept.map(|kept| (kept.generation, kept.tags.join(" "), keys(&kept.lost))).collect();
    let lost = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        kept,
        [
            (tags["between"], "between".to_owned(), lost(&["c"])),
            (tags["old"], "old".to_owned(), lost(&["a", "b", "c"])),
        ]
    );
    let index = open(&directory);
    let found =
        |searcher: &Searcher| searcher.search(Search::new(Match::new("t", "new old"))).unwrap().hits.len();
    assert_eq!(found(&index.searcher().unwrap()), 2);
    assert_eq!(["between", "old"].map(|tag| found(&index.open_at(tag).unwrap())), [1, 0]);
}
