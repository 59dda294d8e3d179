// The search itself: MiniSearch says how well each entry matches each word; here it is decided what that means for a query.
const cutawayFind = (() => {
  const { WORD, asked, forms, words } = cutawayWords;
  const FIELDS = { title: 6, path: 2.5, text: 1.6, code: 0.6 }; // headings before notes before code
  const KIND = { chapter: 1.15, section: 1, step: 0.3, listing: 0.4, clip: 0.5, command: 0.7, claim: 0.15, term: 1 };
  const CODE = { step: 1, listing: 1 }; // of a query that looks like code
  const COVERED = 2; // how much it counts that an entry has all words
  const REPEATED = 4; // pages with a heading of the same words: it says nothing about what stands below
  const NEAR = { exact: 1, prefix: 0.7, other: 0.7, fuzzy: 0.6 };
  const RANKED = 100, READ = 60; // of the best by words, how many are looked at as a whole, and how many in their text

  let entries = [], pages = [], others = [], mini, cache = new Map();

  // Entries of a site's index, with the titles above each; then all of it in chunks, so that typing goes on meanwhile.
  async function open(data) {
    const { kinds } = data;
    pages = data.pages;
    entries = data.rows.map(([page, kind, id, title, home, text, code], number) => ({ id: number, page, kind: kinds[kind], anchor: id, title, home, text, code }));
    const titled = new Map();
    for (const entry of entries) {
      if (Array.isArray(entry.title)) entry.title = entries[entry.home].text.slice(...entry.title); // a claim, of its section's text
      const above = entry.home < 0 ? [] : [...entries[entry.home].above, entries[entry.home].title];
      entry.above = above;
      entry.path = above.join(" ");
      const place = titled.get(entry.title) ?? titled.set(entry.title, new Set()).get(entry.title);
      place.add(entry.page);
    }
    for (const entry of entries) entry.isRepeated = entry.kind === "section" && titled.get(entry.title).size >= REPEATED;
    others = data.synonyms.map((sides) => sides.map((side) => side.map((text) => asked(text))));
    mini = new MiniSearch({ fields: Object.keys(FIELDS), tokenize: words, processTerm: (term) => term });
    await mini.addAllAsync(entries, { chunkSize: 20 });
    cache = new Map();
  }

  // How well each entry matches one word: {scores: Map, terms}; what it finds is kept while the reader goes on typing.
  function one(word, how) {
    const key = `${how} ${word}`;
    if (cache.has(key)) return cache.get(key);
    const options = { boost: FIELDS, tokenize: (text) => [text], prefix: how === "prefix", fuzzy: how === "fuzzy" ? (word.length < 6 ? 1 : 2) : false };
    const scores = new Map(), terms = new Set();
    for (const { id, score, terms: found } of mini.search(word, options)) {
      scores.set(id, score);
      for (const term of found) terms.add(term);
    }
    const kept = { scores, terms };
    cache.set(key, kept);
    return kept;
  }

  const has = (word) => one(word, "exact").scores.size > 0;

  // All words of a reading must be there; their scores add up.
  function together(reading, how, weight, into, terms) {
    const found = reading.map((word) => one(word, how));
    const [fewest] = [...found].sort((a, b) => a.scores.size - b.scores.size);
    for (const id of fewest?.scores.keys() ?? []) {
      if (!found.every(({ scores }) => scores.has(id))) continue;
      const score = weight * found.reduce((sum, { scores }) => sum + scores.get(id), 0);
      if (score > (into.get(id) ?? 0)) into.set(id, score);
    }
    if (fewest?.scores.size) for (const one of found) for (const term of one.terms) terms.add(term);
  }

  // A word that the book does not have may be two that it has.
  function parted(word) {
    for (let k = 3; k <= word.length - 3; k++) {
      const halves = [cutawayWords.stem(word.slice(0, k)), cutawayWords.stem(word.slice(k))];
      if (halves.every(has)) return halves;
    }
    return null;
  }

  function concept({ typed, readings }, isLast, terms) {
    const into = new Map();
    for (const [k, reading] of readings.entries()) together(reading, "exact", k ? 0.8 : 1, into, terms);
    const [[whole]] = readings.length ? readings : [[""]];
    if (isLast && typed.length > 2) together([whole], "prefix", NEAR.prefix, into, terms);
    if (into.size) return into;
    const halves = /^\p{L}{6,}$/u.test(typed) && parted(typed);
    if (halves) together(halves, "exact", NEAR.other, into, terms);
    if (!into.size && typed.length > 3) together([whole], "fuzzy", NEAR.fuzzy, into, terms);
    return into;
  }

  // Where the query has the words of a synonym: those concepts may be matched by what the book says instead.
  function withSynonyms(concepts, scored, terms) {
    const typed = concepts.map(({ readings }) => readings.map((reading) => reading.join(" ")));
    for (const [left, right] of others)
      for (const phrase of left) {
        const wanted = phrase.map(({ readings }) => readings[0].join(" "));
        const start = typed.findIndex((_, k) => wanted.every((word, j) => typed[k + j]?.includes(word)));
        if (start < 0 || !wanted.length) continue;
        for (const instead of right) {
          const into = new Map();
          together(instead.flatMap(({ readings }) => readings[0]), "exact", wanted.length > 1 ? 1 : NEAR.other, into, terms);
          for (let k = start; k < start + wanted.length; k++)
            for (const [id, score] of into) if (score > (scored[k].get(id) ?? 0) * wanted.length) scored[k].set(id, score / wanted.length);
        }
      }
  }

  // Two words that the book writes as one.
  function withJoined(concepts, scored, terms) {
    for (let k = 1; k < concepts.length; k++) {
      const word = cutawayWords.stem(concepts[k - 1].typed + concepts[k].typed);
      if (!/^\p{L}+$/u.test(word) || !has(word)) continue;
      for (const place of [k - 1, k]) together([word], "exact", 0.5, scored[place], terms);
    }
  }

  const spaced = (text) => ` ${(text.toLowerCase().match(WORD) ?? []).join(" ")} `;

  // What is needed of an entry each time it is among the best, made once.
  const looks = (entry) => (entry.looks ??= { title: spaced(entry.title), words: [...new Set(words(entry.title))] });

  // What the entry as a whole says: whether the words stand together, how much of its title was asked for.
  function weighed({ entry, sum }, query, terms, isRead) {
    const { title, words: inTitle } = looks(entry);
    const share = inTitle.filter((word) => terms.has(word)).length / (inTitle.length || 1);
    let weight = (1 + 0.4 * share) * (entry.isRepeated && share < 1 ? 0.5 : 1);
    if (query.spaced.length > 3) {
      if (title === query.spaced) weight *= 1.6;
      else if (title.includes(query.spaced)) weight *= 1.3;
      else if (isRead && query.count > 1 && (entry.spaced ??= spaced(entry.text)).includes(query.spaced)) weight *= query.count > 2 ? 3 : 1.4;
    }
    return sum * weight * (1 + 0.3 * query.share(entry.page));
  }

  // How much of what was found stands on a page, beside the page that has most.
  function shares(hits) {
    const sums = new Map();
    const counted = new Map();
    for (const { entry, score } of hits) {
      if ((counted.get(entry.page) ?? 0) === 5) continue;
      counted.set(entry.page, (counted.get(entry.page) ?? 0) + 1);
      sums.set(entry.page, (sums.get(entry.page) ?? 0) + score);
    }
    const most = Math.max(...sums.values());
    return (page) => (sums.get(page) ?? 0) / most;
  }

  // The best entries for a query, best first, one for each section: {entry, score}; `terms` are the words to be marked.
  function find(text, kind = "") {
    const concepts = asked(text);
    const terms = new Set();
    if (!concepts.length) return { hits: [], terms, counts: {} };
    const isOpen = /[\p{L}\p{N}_]$/u.test(text); // the last word may go on
    const scored = concepts.map((one, k) => concept(one, isOpen && k === concepts.length - 1, terms));
    withJoined(concepts, scored, terms);
    withSynonyms(concepts, scored, terms);
    const sums = new Map();
    for (const found of scored) for (const [id, score] of found) {
      const sum = sums.get(id) ?? [0, 0];
      sums.set(id, [sum[0] + score, sum[1] + 1 / concepts.length]);
    }
    const kinds = /[_()=[\]]|\w\.\w/.test(text) ? { ...KIND, ...CODE } : KIND;
    const counts = {};
    const rough = [];
    for (const [id, [sum, matched]] of sums) {
      const entry = entries[id];
      counts[entry.kind] = (counts[entry.kind] ?? 0) + 1;
      if (!kind || entry.kind === kind || (kind === "section" && entry.kind === "chapter")) rough.push({ entry, score: sum * matched ** COVERED * kinds[entry.kind] });
    }
    const best = rough.sort((a, b) => b.score - a.score).slice(0, RANKED);
    const query = { spaced: spaced(text), count: concepts.length, share: shares(best) };
    for (const hit of best) hit.sum = hit.score;
    for (const [k, hit] of best.entries()) hit.score = weighed(hit, query, terms, k < READ);
    best.sort((a, b) => b.score - a.score || a.entry.id - b.entry.id);
    return { hits: kind ? best : ofSections(best), terms, counts };
  }

  const section = (entry) => (entry.home < 0 || ["chapter", "section"].includes(entry.kind) ? entry : section(entries[entry.home]));

  // Of what stands in one section the best; the others add a little to it.
  function ofSections(best) {
    const places = new Map();
    for (const hit of best) {
      const place = section(hit.entry).id;
      const first = places.get(place);
      if (!first) places.set(place, hit);
      else first.score += 0.1 * hit.score;
    }
    return [...places.values()].sort((a, b) => b.score - a.score || a.entry.id - b.entry.id);
  }

  const LONG = 180; // characters of an excerpt

  // A text in pieces, [words, whether they are marked].
  function marked(text, terms) {
    const pieces = [];
    let end = 0;
    for (const found of text.matchAll(WORD)) {
      if (!forms(found[0]).some((word) => terms.has(word))) continue;
      pieces.push([text.slice(end, found.index), false], [found[0], true]);
      end = found.index + found[0].length;
    }
    return [...pieces, [text.slice(end), false]].filter(([words]) => words);
  }

  // The part of an entry that has most of the words.
  function excerpt(entry, terms) {
    const pieces = marked(entry.text, terms);
    const inCode = !pieces.some(([, isMarked]) => isMarked) ? marked(entry.code, terms).filter(([, isMarked]) => isMarked) : [];
    if (inCode.length) return [["in code: ", false], ...inCode.flatMap((word) => [word, [" ", false]])];
    const { text } = entry;
    const places = [];
    let at = 0;
    for (const [words, isMarked] of pieces) {
      if (isMarked) places.push([at, words.toLowerCase()]);
      at += words.length;
    }
    const different = (from) => new Set(places.filter(([at]) => at >= from && at < from + LONG - 20).map(([, word]) => word)).size;
    let [start, most] = [places[0]?.[0] ?? 0, 0];
    for (const [from] of places) if (different(from) > most) [start, most] = [from, different(from)];
    start = Math.max(0, text.lastIndexOf(" ", Math.max(0, start - 40)) + 1);
    if (start < 30) start = 0;
    const last = text.length <= start + LONG ? text.length : text.lastIndexOf(" ", start + LONG);
    return [...(start ? [["… ", false]] : []), ...marked(text.slice(start, last), terms), ...(last < text.length ? [[" …", false]] : [])];
  }

  const address = (entry) => pages[entry.page] + (entry.kind === "chapter" || !entry.anchor ? "" : `#${entry.anchor}`);

  return { address, excerpt, find, marked, open, section };
})();
