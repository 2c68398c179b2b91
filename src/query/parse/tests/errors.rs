use super::parser;

/// Each message: the problem, then the query, then a caret at the position.
#[test]
fn errors_show_the_position_and_what_was_expected() {
    for (query, caret, expected) in [
        ("", "^", "expected a query (*:* finds everything), found the end"),
        ("  ", "  ^", "expected a query"),
        ("a AND", "     ^", "expected a term, found the end"),
        ("AND a", "^", "expected a term, found \"AND\""),
        ("a OR OR b", "     ^", "expected a term, found \"OR\""),
        ("a && || b", "     ^", "expected a term, found \"||\""),
        ("NOT", "   ^", "expected a term, found the end"),
        ("+", " ^", "expected a term, found the end"),
        ("a - b", "   ^", "expected a term, found ' '"),
        ("title:(a b", "      ^", "this parenthesis is not closed; expected another )"),
        ("(a))", "   ^", "expected a term or the end, found ')'"),
        ("a ()", "  ^", "expected a term between the parentheses"),
        ("title:\"a b", "      ^", "this quote is not closed"),
        ("title:", "      ^", "expected a value of \"title\", found the end"),
        ("titel:a", "^", "no field \"titel\"; the schema has: id, title, body, section, tags, size"),
        ("std::vector", "^", "no field \"std\""),
        ("size:big", "     ^", "field \"size\": expected a whole number of 64 bits, found \"big\""),
        ("size:1.5", "     ^", "expected a whole number"),
        ("size:99999999999999999999", "     ^", "expected a whole number"),
        ("price:nan", "      ^", "field \"price\": expected a number, found \"nan\""),
        ("price:1e999", "      ^", "expected a number"),
        ("free:yes", "     ^", "field \"free\": expected true or false, found \"yes\""),
        ("made:yesterday", "     ^", "field \"made\": expected a date (YYYY-MM-DD"),
        ("size:[1 TO x]", "           ^", "expected a number, found \"x\""),
        ("size:[1 to 5", "            ^", "expected ] or }, found the end"),
        ("size:[1 2]", "        ^", "expected TO, found '2'"),
        ("size:[TO 5]", "      ^", "expected a value, or * for no bound"),
        ("size:[1 TO 5)", "           ^", "expected a number, found \"5)\""),
        ("size:>", "      ^", "expected a value, found the end"),
        ("[1 TO 2]", "^", "expected a field and a colon before a range, found '['"),
        ("title:[a TO b]", "      ^", "it is a text field"),
        ("free:>true", "     ^", "it is a bool field"),
        ("vector:[1 TO 2]", "       ^", "it is a vector field"),
        ("vector:5", "       ^", "field \"vector\": expected vector:* (has a vector) or {!knn f=vector"),
        ("size:1*", "     ^", "found a prefix"),
        ("size:1*2", "     ^", "found a pattern"),
        ("size:1?", "     ^", "found a pattern"),
        ("free:/t.*/", "     ^", "found a regular expression"),
        ("made:2024~1", "     ^", "found a fuzzy word"),
        ("/[ab/", "^", "no regular expression: unclosed character class"),
        ("title:/a{1000}{1000}/", "      ^", "too many states"),
        ("a AND (b /x(/)", "         ^", "no regular expression"),
        ("title:a~3", "        ^", "expected 0, 1 or 2 edits, found '3'"),
        ("title:a~0.5", "         ^", "expected white space or an operator after the number, found '.'"),
        ("title:a*b~", "         ^", "a fuzzy word has no wildcards"),
        ("@title:%a", "         ^", "expected % after the word"),
        ("@title:%%%a%%%", "       ^", "1 or 2 edits"),
        ("@title:%%", "         ^", "expected a word between the signs"),
        ("@title:w'a*", "           ^", "expected ' after the pattern"),
        ("a^b", "  ^", "expected a number of at least 0"),
        ("title:\"a b\"~x", "            ^", "expected a number of positions, found 'x'"),
        ("section:\"a b\"~1", "             ^", "expected ~ only after a phrase in a text field"),
        ("a^2*", "   ^", "expected white space or an operator, found '*'"),
        ("a^1e", "   ^", "expected white space or an operator after the number, found 'e'"),
        ("a^0x1", "   ^", "expected white space or an operator after the number"),
        ("\"a b\"~2c", "       ^", "expected white space or an operator after the number"),
        ("\"a b\"~1.5", "       ^", "expected white space or an operator after the number, found '.'"),
        ("\"a b\"~2*", "       ^", "expected white space or an operator, found '*'"),
        ("(a b)*", "     ^", "expected white space or an operator"),
        ("size:[1 TO 2]*", "             ^", "expected white space or an operator"),
        ("size:\"1\"*", "     ^", "found a prefix"),
        ("a^x", "  ^", "expected a number of at least 0, found 'x'"),
        ("a^-1", "  ^", "expected a number of at least 0, found '-'"),
        ("a\\", " ^", "expected a character after \\"),
        ("größe:5", "^", "no field \"größe\""),
        ("ä ö )", "    ^", "expected a term or the end"),
        ("{!lucene}a", "  ^", "expected knn, the only parser of Solr that is supported, found 'l'"),
        ("{!knn topK=3}[1]", "^", "expected f=FIELD"),
        ("{!knn f=vector topK=x}[1]", "                    ^", "expected a whole number, found \"x\""),
        (
            "{!knn f=vector top=3}[1]",
            "               ^",
            "expected f, topK, recall, candidates, rescore or }",
        ),
        ("{!knn f=vector", "              ^", "expected f, topK"),
        ("{!knn f=vector}", "               ^", "expected the vector, [1.0, 2.0, …] or $name, found the end"),
        ("{!knn f=vector}[1,2", "                   ^", "expected , or ], found the end"),
        ("{!knn f=vector}[1,a]", "                  ^", "expected a number, found 'a'"),
        (
            "{!knn f=vector}[1,2,3]",
            "               ^",
            "field \"vector\": expected a vector of 4 components, given 3",
        ),
        ("{!knn f=vector}[1,2,3,4] x", "                         ^", "expected the end"),
        ("{!knn f=title}[1]", "              ^", "field \"title\": expected a vector field"),
        ("{!knn f=nope}[1]", "        ^", "no field \"nope\""),
        ("{!knn f='x", "        ^", "this quote is not closed"),
        ("{!knn f=vector}$w", "               ^", "no parameter $w; given: $b, $k, $list"),
        ("*=>[KNN 3 @vector $w]", "                  ^", "no parameter $w"),
        ("*=>[KNN x @vector $v]", "        ^", "expected the number of neighbors, found 'x'"),
        ("*=>[KNN 3 vector $v]", "          ^", "expected @ and a vector field, found 'v'"),
        ("*=>[KNN 3 @title $v]", "                 ^", "expected a vector field"),
        ("*=>[KNN 3 @vector $name]", "                  ^", "expected a vector of 4 numbers"),
        ("*=>[KNN 3 @vector $v AS]", "                       ^", "expected a name for the score"),
        ("*=>[KNN 3 @vector $v WITH x]", "                     ^", "expected EF_RUNTIME, AS or ], found 'W'"),
        ("*=>[KNN 3 @vector $v] x", "                      ^", "expected the end"),
        ("*=>[HNSW]", "    ^", "expected KNN"),
        ("@section:{python", "         ^", "this brace is not closed"),
        ("@section:{}", "          ^", "expected a value between { and }"),
        ("@title:{a}", "       ^", "it is a text field: use @field:word"),
        ("@size:[1 2", "          ^", "expected ], found the end"),
        ("@size:[1]", "        ^", "expected a number, inf or -inf, found ']'"),
        ("@size:{x}", "       ^", "expected a whole number"),
        ("(@size:[1 2]", "^", "this parenthesis is not closed"),
        ("@size:[1 2] |", "             ^", "expected a term"),
        ("@nope:x", " ^", "no field \"nope\""),
    ] {
        let error = match parser().parse(query) {
            Ok(_) => panic!("{query} is accepted"),
            Err(error) => error.to_string(),
        };
        let lines: Vec<&str> = error.lines().collect();
        assert_eq!(lines.len(), 3, "{error}");
        assert!(lines[0].starts_with("query: ") && lines[0].contains(expected), "{query}: {error}");
        assert!(lines[0].ends_with(&format!("(character {})", caret.chars().count())), "{query}: {error}");
        assert_eq!(lines[1], format!("  {query}"), "{error}");
        assert_eq!(lines[2], format!("  {caret}"), "{query}: {error}");
    }
}

#[test]
fn nesting_is_bounded() {
    for (open, close) in [("(", ")"), ("title:(", ")"), ("-(", ")"), ("(a AND ", ")")] {
        let nested = |depth: usize| format!("{}a{}", open.repeat(depth), close.repeat(depth));
        parser().parse(&nested(64)).unwrap();
        let error = parser().parse(&nested(65)).unwrap_err().to_string();
        assert!(error.contains("nested more than 64 deep"), "{error}");
        assert!(parser().parse(&nested(100_000)).is_err());
    }
    let redis = format!("@size:[1 2] {}a{}", "(".repeat(65), ")".repeat(65));
    assert!(parser().parse(&redis).unwrap_err().to_string().contains("nested more than 64 deep"));
}
