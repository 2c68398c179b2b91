use super::{assert_table, parser};
use serde_json::{Value, json};

fn knn(vector: Value, k: usize, more: Value) -> Value {
    let mut knn =
        json!({ "field": "vector", "vector": vector, "k": k, "exact": false, "post_filter": false });
    knn.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "knn": knn })
}

#[test]
fn solr_syntax_is_read_as_knn_queries() {
    let one = || json!([1.0, 2.0, 3.0, 4.0]);
    assert_table([
        ("{!knn f=vector topK=10}[1.0, 2.0, 3.0, 4.0]", knn(one(), 10, json!({}))),
        (" {!knn  topK='3'  f=\"vector\" } [1,2 , 3e0, +4. ] ", knn(one(), 3, json!({}))),
        ("{!knn f=vector}$v", knn(one(), 10, json!({}))),
        ("{!knn f=vector}[-1, .5, 0, 1e-1]", knn(json!([-1.0, 0.5, 0.0, 0.1f32]), 10, json!({}))),
        (
            "{!knn f=vector topK=2 candidates=50 rescore=1.5}$b",
            knn(json!([0.5, 1.0, 1.5, 2.0]), 2, json!({ "candidates": 50, "rescore": 1.5 })),
        ),
    ]);
    assert_eq!(parser().parse("{!knn f=vector topK=3}$v").unwrap().limit, 3);
}
