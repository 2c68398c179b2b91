//! The page in one file, with the answers of its views in it: `inspect --html`. It needs no server and no network.

use super::page::{self, File};
use super::views;
use super::watched::Commit;
use crate::failure::{Failure, Outcome};
use lucerne::Searcher;
use lucerne::schema::{FieldType, VectorField};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the file may do: run and show what is in it, and nothing else.
const POLICY: &str =
    "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline'; img-src data:";

/// The report of a commit.
pub(in crate::commands) fn html(dir: &Path, searcher: Searcher) -> Outcome<String> {
    let commit = Commit::new(dir, searcher);
    let mut answers = Map::new();
    for (view, question) in questions(&commit.searcher) {
        let answer = views::of_commit(view)?(&commit, &question);
        // The page shows why a view is missing where that would be.
        let answer = answer.unwrap_or_else(|failure| {
            let Failure { message, hint, .. } = failure;
            json!({ "error": message, "hint": hint })
        });
        answers.insert(format!("{view} {question}"), answer);
    }
    Ok(in_one_file(&answers.into()))
}

/// All that the pictures ask. Documents are not among it.
fn questions(searcher: &Searcher) -> Vec<(&'static str, Value)> {
    let mut questions =
        vec![("overview", Value::Null), ("plan", json!({ "max_segments": 1 })), ("merges", Value::Null)];
    for field in searcher.schema().vector_fields() {
        for view in ["vectors", "figures", "distances", "projection"] {
            questions.push((view, json!({ "field": VectorField::name(&field) })));
        }
    }
    let fields = searcher.schema().fields().iter();
    let others = fields.filter(|field| !matches!(field.field_type(), FieldType::Vector(_)));
    questions.extend(others.map(|field| ("values", json!({ "field": field.name() }))));
    questions
}

/// The page with its files and the answers in it.
fn in_one_file(answers: &Value) -> String {
    let text = |name: &str| page::file(name).map_or("", |file| file.text);
    let scripts = page::scripts().map(|File { name, text, .. }| {
        // Relative names mean nothing in a script that comes from no place.
        let text = text.replace("from \"./", "from \"page/").replace("import(\"./", "import(\"page/");
        (
            format!("page/{name}"),
            Value::from(format!("data:text/javascript;charset=utf-8,{}", encoded(&text))),
        )
    });
    let imports = json!({ "imports": scripts.collect::<Map<_, _>>() });
    let made = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let embedded = format!(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n<style>\n{}{}</style>\n\
         <script type=\"importmap\">{}</script>\n\
         <script type=\"application/json\" id=\"embedded\" data-made=\"{made}\">{}</script>\n\
         <script type=\"module\">import \"page/main.js\";</script>\n</head>",
        text("style.css"),
        text("pictures.css"),
        in_markup(&imports),
        in_markup(answers),
    );
    let loads = |line: &&str| {
        ["<link rel=\"stylesheet", "<link rel=\"modulepreload", "<script"]
            .iter()
            .any(|it| line.starts_with(it))
    };
    let lines: Vec<&str> = text("").lines().filter(|line| !loads(line)).collect();
    lines.join("\n").replacen("</head>", &embedded, 1)
}

/// JSON that cannot end the element it is in: `<` is only in texts there.
fn in_markup(json: &Value) -> String {
    json.to_string().replace('<', "\\u003c")
}

/// A text as a part of an address.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~()*/,;:=!$@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_loads_nothing_and_no_text_of_an_index_ends_an_element() {
        let hostile = "</script><script>alert(1)</script><!--";
        let html = in_one_file(&json!({ "values {\"field\":\"x\"}": { "terms": [hostile] } }));
        assert!(!html.contains(hostile) && html.contains("\\u003c/script>"));
        assert!(!html.contains("src=") && !html.contains("href=\"style.css\""));
        assert_eq!(html.matches("</script>").count(), 3);
        assert!(html.contains("page%2Fdom.js") || html.contains("page/dom.js"));
    }
}
