// The same search as a call of the command line, in Rust, and in Python.

/** A call for a shell. */
export function shell(call) {
  return call.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : quoted(word))).join(" ");
}

/** `--query=a b` becomes `--query='a b'`. */
function quoted(word) {
  const [, name, text] = /^(--[\w-]+=)?([\s\S]*)$/.exec(word);
  return `${name ?? ""}'${text.replaceAll("'", `'\\''`)}'`;
}

/** A text literal; what JSON writes, Rust (but for \u0000) and Python read. */
function literal(text) {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028-\u202f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The same of Rust. */
function text(content) {
  return literal(content).replace(/\\u([0-9a-f]{4})/g, "\\u{$1}").replaceAll("\\b", "\\u{8}").replaceAll("\\f", "\\u{c}");
}

const names = (list) => list.split(",").map((it) => it.trim()).filter(Boolean);
const float = (number) => (/^-?\d+$/.test(number) ? `${number}.0` : number);

/** `section:5` as a name and a number. */
function counted(asked, otherwise) {
  const [, name, number] = /^(.*?)(?::(\d+))?$/.exec(asked);
  return [name, number ?? String(otherwise)];
}

/** `size:desc` as a name and an order. */
function ordered(asked) {
  const [, name, order] = /^(.*?)(?:[: ](asc|desc))?$/i.exec(asked);
  return [name, (order ?? "asc").toLowerCase()];
}

/** A program in Rust. */
export function rust(index, asked) {
  const uses = new Set(["Index", "Search"]);
  const lines = [];
  const parsed = asked.query !== undefined || asked.filter !== undefined;
  if (parsed) lines.push("let parser = QueryParser::new(searcher.schema());");
  if (asked.knn) {
    uses.add("Knn");
    if (asked.like) lines.push(`let vector = searcher.vector(${text(asked.like)}, ${text(asked.knn)})?.unwrap_or_default();`);
    const vector = asked.like ? "vector" : `vec!${asked.vector ?? "[]"}`;
    const calls = [
      asked.recall && `.recall(${float(asked.recall)})`, asked.candidates && `.candidates(${asked.candidates})`,
      asked.rescore && `.rescore(${float(asked.rescore)})`, asked.exact && ".exact()",
    ].filter(Boolean).join("");
    lines.push(`let near = Knn::new(${text(asked.knn)}, ${vector})${calls};`);
  }
  if (asked.query !== undefined && asked.knn) {
    uses.add("Fuse");
    lines.push(`let words = parser.parse_query(${text(asked.query)})?;`);
    lines.push(`let mut search = Search::new(Fuse::${asked.hybrid ?? "rrf"}().query(words).query(near));`);
  } else if (asked.query !== undefined) lines.push(`let mut search = parser.parse(${text(asked.query)})?;`);
  else if (asked.knn) lines.push("let mut search = Search::new(near);");
  else {
    uses.add("Query");
    lines.push("let mut search = Search::new(Query::all());");
  }
  const add = (call) => lines.push(`search = search${call};`);
  if (asked.filter !== undefined) add(`.filter(parser.parse_query(${text(asked.filter)})?)`);
  if (asked.limit) add(`.limit(${asked.limit})`);
  if (asked.offset) add(`.offset(${asked.offset})`);
  if (asked.sort) {
    uses.add("Sort");
    names(asked.sort).forEach((it) => add(`.sort(Sort::${ordered(it)[1]}(${text(ordered(it)[0])}))`));
  }
  if (asked.fields === "*") add(".fields([\"\"; 0])");
  else if (asked.fields) add(`.fields([${names(asked.fields).map(text).join(", ")}])`);
  if (asked.highlight) names(asked.highlight).forEach((it) => add(`.highlight(${text(it)})`));
  if (asked.facet) names(asked.facet).forEach((it) => add(`.facet(${text(counted(it)[0])}, ${counted(it, 20)[1]})`));
  if (asked["group-by"]) add(`.group_by(${text(counted(asked["group-by"])[0])}, ${counted(asked["group-by"], 1)[1]})`);
  if (asked.mmr && asked.knn) {
    uses.add("Rerank");
    add(`.rerank(Rerank::mmr(${text(asked.knn)}, ${float(asked.mmr)}))`);
  }
  if (asked.total) add(".count_total(true)");
  if (asked.explain) add(".explain()");
  const body = [`let searcher = Index::open(${text(index.dir)})?.searcher()?;`, ...lines,
    "for hit in searcher.search(search)?.hits {", "    println!(\"{:.3} {} {:?}\", hit.score, hit.key, hit.fields);", "}", "Ok(())"];
  return [`${parsed ? "use lucerne::query::QueryParser;\n" : ""}use lucerne::{${[...uses].sort().join(", ")}};`, "",
    "fn main() -> lucerne::Result<()> {", ...body.map((line) => `    ${line}`), "}", ""].join("\n");
}

/** A program in Python. */
export function python(index, asked) {
  const lines = ["import lucerne", "", `index = lucerne.open(${literal(index.dir)})`];
  let query = asked.query === undefined ? "lucerne.All()" : literal(asked.query);
  if (asked.knn) {
    if (asked.like) lines.push(`vector = index.searcher().vector(${literal(asked.like)}, ${literal(asked.knn)})`);
    const options = [
      asked.recall && `recall=${asked.recall}`, asked.candidates && `candidates=${asked.candidates}`,
      asked.rescore && `rescore=${asked.rescore}`, asked.exact && "exact=True",
    ].filter(Boolean);
    lines.push(`near = lucerne.Knn(${[literal(asked.knn), asked.like ? "vector" : asked.vector ?? "[]", ...options].join(", ")})`);
    const field = index.schema?.fields.find((it) => it.type === "text")?.name;
    if (asked.query !== undefined && (field === undefined || !/^[\p{L}\p{N} ]+$/u.test(asked.query) || /\b(AND|OR|NOT)\b/.test(asked.query))) {
      return "# In Python a Fuse is made of query objects: write the query as one, such as lucerne.Match(field, words)\n# or lucerne.Bool(...), and give it to lucerne.Fuse together with lucerne.Knn(...).\n";
    }
    query = asked.query === undefined ? "near" : `lucerne.Fuse(lucerne.Match(${literal(field)}, ${query}), near${asked.hybrid === "linear" ? ', method="linear"' : ""})`;
  }
  const list = (names_) => `[${names_.map(literal).join(", ")}]`;
  const options = [
    asked.filter !== undefined && `filter=${literal(asked.filter)}`, asked.limit && `limit=${asked.limit}`, asked.offset && `offset=${asked.offset}`,
    asked.sort && `sort=[${names(asked.sort).map((it) => `(${literal(ordered(it)[0])}, "${ordered(it)[1]}")`).join(", ")}]`,
    asked.fields && `fields=${asked.fields === "*" ? "[]" : list(names(asked.fields))}`,
    asked.highlight && `highlight=${list(names(asked.highlight))}`,
    asked.facet && `facets={${names(asked.facet).map((it) => `${literal(counted(it)[0])}: ${counted(it, 20)[1]}`).join(", ")}}`,
    asked["group-by"] && `group_by=(${literal(counted(asked["group-by"])[0])}, ${counted(asked["group-by"], 1)[1]})`,
    asked.mmr && asked.knn && `mmr=(${literal(asked.knn)}, ${asked.mmr})`, asked.total && "total=True", asked.explain && "explain=True",
  ].filter(Boolean);
  lines.push(`for hit in index.search(${[query, ...options].join(", ")}):`, "    print(f\"{hit.score:.3f} {hit.key} {hit.fields}\")", "");
  return lines.join("\n");
}
