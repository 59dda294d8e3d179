// Asks a built site's own search, with its own scripts: `node search.mjs SITE < queries` prints for each line what is found, best first.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import vm from "node:vm";

const site = process.argv[2];
const context = vm.createContext({ setTimeout, performance });
context.window = context;
const read = (name) => readFileSync(join(site, name), "utf-8");
// The small script that the pages name, and in it the one that it loads; older ones may lie beside them.
const named = (text, not) => [...text.matchAll(/cutaway-search-\w+\.js/g)].map(([name]) => name).find((name) => name !== not);
const opener = named(read("index.html"));
const found = named(read(join("_static", opener)), opener);
for (const name of ["_static/language_data.js", join("_static", found), "searchindex.js"]) vm.runInContext(read(name), context, { filename: name });
context.queries = readFileSync(0, "utf-8").split("\n").filter(Boolean);
const answer = await vm.runInContext(
  `(async () => {
    const before = performance.now();
    await cutawayFind.open(cutawaySearchIndex);
    const opened = performance.now() - before;
    const answers = queries.map((query) => {
      const start = performance.now();
      const { hits, terms } = cutawayFind.find(query);
      const best = hits.slice(0, 10).map(({ entry, score }) => ({
        id: entry.anchor, section: entry.place.anchor, kind: entry.kind, title: entry.title, score,
        excerpt: cutawayExcerpt.excerpt(entry, terms).map(([words, isMarked]) => isMarked ? "[" + words + "]" : words).join(""),
      }));
      return { query, ms: performance.now() - start, best };
    });
    return JSON.stringify({ opened, entries: cutawaySearchIndex.ids.length, answers });
  })()`,
  context,
);
console.log(answer);
