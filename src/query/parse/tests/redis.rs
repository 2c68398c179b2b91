use super::{assert_table, parser, query};
use serde_json::json;

#[test]
fn filters_are_tags_ranges_and_words() {
    let python = json!({ "term": { "field": "section", "value": "python" } });
    let editor = json!({ "match": { "field": "title", "text": "editor", "operator": "and" } });
    let small = json!({ "range": { "field": "size", "gte": 0, "lte": 1000 } });
    assert_table([
        ("@section:{python}", python.clone()),
        (
            "@section:{ python | perl }",
            json!({ "terms": { "field": "section", "values": ["python", "perl"] } }),
        ),
        ("@section:{$name}", json!({ "term": { "field": "section", "value": "perl" } })),
        (r"@section:{a\|b c|\{d}", json!({ "terms": { "field": "section", "values": ["a|b c", "{d"] } })),
        ("@section:{py*}", json!({ "prefix": { "field": "section", "prefix": "py" } })),
        ("@id:{1|2}", json!({ "terms": { "field": "id", "values": ["1", "2"] } })),
        ("@free:{true}", json!({ "term": { "field": "free", "value": true } })),
        ("@size:[0 1000]", small.clone()),
        ("@size:[(10 inf]", json!({ "range": { "field": "size", "gt": 10 } })),
        ("@size:[-inf (10]", json!({ "range": { "field": "size", "lt": 10 } })),
        ("@price:[0.5 $most]", json!({ "range": { "field": "price", "gte": 0.5, "lte": 10.5 } })),
        ("@made:[2024-01-01 +inf]", json!({ "range": { "field": "made", "gte": "2024-01-01" } })),
        ("@title:editor", editor.clone()),
        ("@title:ed*", json!({ "prefix": { "field": "title", "prefix": "ed" } })),
        ("@title:\"text ed\"*", json!({ "prefix": { "field": "title", "prefix": "text ed" } })),
        (
            "@title:\"text editor\"",
            json!({ "phrase": { "field": "title", "text": "text editor", "slop": 0 } }),
        ),
        (
            "@title:(text editor)",
            json!({ "match": { "field": "title", "text": "text editor", "operator": "and" } }),
        ),
        ("@section:{python} @size:[0 1000] editor", json!({ "bool": { "must": [python, small, editor] } })),
        ("-@section:{python}", json!({ "bool": { "must_not": [python] } })),
        ("@size:[0 1000] -@section:{python}", json!({ "bool": { "must": [small], "must_not": [python] } })),
        ("@section:{python} | @size:[0 1000]", json!({ "bool": { "should": [python, small] } })),
        (
            "@section:{python} (editor | @size:[0 1000])",
            json!({ "bool": { "must": [python, { "bool": { "should": [editor, small] } }] } }),
        ),
        (
            "@section:{python} ~editor",
            json!({ "bool": { "must": [python, { "bool": {
                "should": [{ "match": { "field": "title", "text": "editor", "operator": "or" } }],
                "minimum_should_match": 0 } }] } }),
        ),
    ]);
}

#[test]
fn redis_syntax_is_read_as_filtered_knn_queries() {
    let knn = |more: serde_json::Value| {
        let mut knn = json!({ "field": "vector", "vector": [1.0, 2.0, 3.0, 4.0], "k": 3,
            "exact": false, "post_filter": false });
        knn.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "knn": knn })
    };
    let bytes = json!({ "vector": [0.5, 1.0, 1.5, 2.0] });
    assert_table([
        ("(*)=>[KNN 3 @vector $v AS vector_score]", knn(json!({}))),
        ("*=>[KNN 3 @vector $v]", knn(json!({}))),
        (" * => [ knn 3 @vector $v ] ", knn(json!({}))),
        ("*=>[KNN 3 @vector $b]", knn(bytes)),
        ("*=>[KNN 3 @vector $list]", knn(json!({ "vector": [4.0, 3.0, 2.5, 1.0] }))),
        ("*=>[KNN $k @vector $v EF_RUNTIME 200 AS s]", knn(json!({ "k": 7, "candidates": 200 }))),
        (
            "(@section:{python|perl} @size:[0 1000] @title:editor)=>[KNN 3 @vector $v AS vector_score]",
            knn(json!({ "filter": query("@section:{python|perl} @size:[0 1000] @title:editor") })),
        ),
        ("@size:[0 9]=>[KNN 3 @vector $v]", knn(json!({ "filter": query("@size:[0 9]") }))),
    ]);
    let search = parser().parse("(*)=>[KNN 3 @vector $v AS vector_score]").unwrap();
    assert_eq!((search.limit, search.score_as.as_deref()), (3, Some("vector_score")));
    let query = parser().parse_query("(*)=>[KNN 3 @vector $v AS vector_score]").unwrap_err().to_string();
    assert!(query.contains("without AS"), "{query}");
}
