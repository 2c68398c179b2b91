//! `upgrade`.

use crate::support::{Place, documents};
use lucerne::merge::MergePolicy;
use lucerne::{Index, Schema, Similarity, Vector, WriterOptions};

#[test]
fn upgrade_rewrites_segments_of_older_formats() {
    let place = Place::small();
    place.import(&documents(100), "--flush-docs 40").expect(0);
    let nothing = place.run("upgrade @").expect(0).out;
    assert!(nothing.contains("3 segments, nothing to upgrade"), "{nothing}");

    // From now on the field has other parameters; one segment is written with them.
    let e = Vector::f32(2).similarity(Similarity::Euclidean).m(8);
    let schema = Schema::builder().key("name").i64("size").vector("e", e).build().unwrap();
    let index = Index::open(place.dir()).unwrap();
    let writer = index.writer_with(WriterOptions::new().merge_policy(MergePolicy::None)).unwrap();
    writer.set_schema(&schema).unwrap();
    let locked = place.run("upgrade @").expect(4);
    assert!(locked.err.contains("another writer is open"), "{locked:?}");
    writer.delete("d7").unwrap();
    writer.close().unwrap();
    place.import("{\"name\":\"more\",\"size\":1,\"e\":[1,1]}", "--no-merge").expect(0);

    let search = "search @ --knn e --vector [30,0] -k 20 --exact --json";
    let (facts, found) = (place.run("inspect @ --json").expect(0).out, place.run(search).expect(0).json());
    let dry = place.run("upgrade @ --dry-run").expect(0).out;
    assert!(dry.contains("4 segments, the plan"), "{dry}");
    let plan = place.run("upgrade @ --dry-run --json").expect(0).json();
    assert_eq!(plan["plan"].as_array().unwrap().len(), 3, "{plan:#}");
    assert_eq!(place.run("inspect @ --json").expect(0).out, facts, "a dry run changes nothing");

    let done = place.run("upgrade @ --threads 1 --json").expect(0).json();
    assert_eq!(done["records"].as_array().unwrap().len(), 3, "{done:#}");
    assert_eq!((&done["segments_before"], &done["segments_after"]), (&4.into(), &4.into()));
    let now = place.run(search).expect(0).json();
    assert_eq!(now["hits"], found["hits"]);
    assert_eq!(place.docs(), 100);
    place.run("check @").expect(0);
    let nothing = place.run("upgrade @").expect(0).out;
    assert!(nothing.contains("nothing to upgrade"), "{nothing}");
    place.run("upgrade missing.idx").expect(3);
}
