// The search itself: `postings.js` says how well each entry matches each word; here it is decided what that means for a query.
const cutawayFind = (() => {
  const { WORD, asked, forms, spelt, words } = cutawayWords;
  const FIELDS = { title: 6, path: 2.5, said: 2.5, text: 1.6, code: 0.6 }; // headings before notes before code; `said`: by links that lead here
  const KIND = { chapter: 1.15, section: 1, step: 0.2, listing: 0.6, clip: 0.75, command: 0.5, claim: 0.15, term: 0.4 };
  const CODE = { step: 1, listing: 1 }; // of a query that looks like code
  const PART = 0.3; // what the best part of a section adds to it
  const COVERED = 2; // how much it counts that an entry has all words
  const REPEATED = 0.2; // the share of pages with a heading of the same words from which it says nothing about what stands below
  const NEAR = { exact: 1, prefix: 0.7, other: 0.9, fuzzy: 0.6, parts: 0.15 };
  const WHOLE = { share: 0.35, same: 0.4, title: 0.3, spelt: 0.2, text: 1, pair: 1.3, page: 0.45, linked: 0.045, again: 0.85 };
  const RANKED = 100, READ = 15; // of the best by words, how many are looked at as a whole, and how many in their text

  let entries = [], pages = [], others = [], cache = new Map();

  // Entries of a site's index, with the titles above each; then all of it in chunks, so that typing goes on meanwhile.
  async function open(data) {
    pages = data.pages;
    const unpack = cutawayUnpack(data);
    entries = [];
    for (const [page, number] of data.numbers.entries())
      for (let k = 0; k < number; k++) {
        const id = entries.length, back = data.homes[id], title = data.titles[id];
        const [anchor, text, code, said] = [data.ids, data.texts, data.code, data.said].map((column) => unpack(column[id]));
        entries.push({ id, page, kind: data.kinds[data.kind[id]], anchor, title: typeof title === "string" ? unpack(title) : title, home: back ? id - back : -1, text, code, said, links: data.links[id], parts: [] });
      }
    const titled = new Map();
    for (const entry of entries) {
      if (Array.isArray(entry.title)) entry.title = entries[entry.home].text.slice(...entry.title); // a claim, of its section's text
      const above = entry.home < 0 ? [] : [...entries[entry.home].above, entries[entry.home].title];
      entry.above = above;
      entry.path = above.join(" ");
      entry.isSection = entry.home < 0 || ["section", "term"].includes(entry.kind);
      entry.place = entry.isSection ? entry : entries[entry.home].place;
      if (!entry.isSection) entry.place.parts.push(entry);
      const place = titled.get(entry.title) ?? titled.set(entry.title, new Set()).get(entry.title);
      place.add(entry.page);
    }
    for (const entry of entries) entry.isRepeated = entry.kind === "section" && titled.get(entry.title).size >= Math.max(4, pages.length * REPEATED);
    others = data.synonyms.map((sides) => sides.map((side) => side.map((text) => ({ words: asked(text), whole: (text.match(WORD) ?? []).length > asked(text).length ? spaced(text) : "" }))));
    await cutawayPostings.build(entries, FIELDS, words, cutawayWords.vocabulary);
    cache = new Map();
  }

  // How well each entry matches one word: {scores: Map, terms}; what it finds is kept while the reader goes on typing.
  const HOW = { exact: cutawayPostings.exact, prefix: cutawayPostings.beginning };
  function one(word, how) {
    const key = `${how} ${word}`;
    let found = cache.get(key);
    if (!found) cache.set(key, (found = HOW[how](word)));
    return found;
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

  function concept(one, isLast, terms) {
    const { typed, readings } = one;
    const into = new Map();
    const parts = readings.length > 1 && has(readings[0][0]) ? NEAR.parts : 0.8; // a name that the book has is meant as a whole
    for (const [k, reading] of readings.entries()) together(reading, "exact", k ? parts : 1, into, terms);
    const [[whole]] = readings.length ? readings : [[""]];
    if (isLast && typed.length > 2) together([whole], "prefix", NEAR.prefix, into, terms);
    if (into.size) return into;
    const halves = /^\p{L}{6,}$/u.test(typed) && parted(typed);
    if (halves) together(halves, "exact", NEAR.other, into, terms);
    if (into.size || typed.length < 4) return into;
    one.meant = cutawayPostings.near(spelt(typed));
    for (const word of one.meant) for (const reading of cutawayWords.readings(word)) together(reading, "exact", NEAR.fuzzy, into, terms);
    return into;
  }

  // The synonyms that a query has, as {start, wanted, right}; of two in the same words the longer.
  function synonyms(text, concepts) {
    const typed = concepts.map(({ readings }) => readings.map((reading) => reading.join(" ")));
    const found = [];
    for (const [left, right] of others)
      for (const { words, whole } of left) {
        const wanted = words.map(({ readings }) => readings[0].join(" "));
        const start = typed.findIndex((_, k) => wanted.every((word, j) => typed[k + j]?.includes(word)));
        if (start >= 0 && wanted.length && spaced(text).includes(whole)) found.push({ start, end: start + wanted.length, size: wanted.length + (whole ? 0.5 : 0), right });
      }
    return found.filter((one) => !found.some((other) => other.size > one.size && other.start <= one.start && one.end <= other.end));
  }

  // Concepts may be matched by what the book says instead.
  function withSynonyms(text, concepts, scored, each) {
    for (const { start, end, right } of synonyms(text, concepts))
      for (const { words } of right) {
        const into = new Map(), terms = new Set();
        together(words.flatMap(({ readings }) => readings[0]), "exact", end - start > 1 ? 1 : NEAR.other, into, terms);
        for (let k = start; k < end; k++) {
          for (const term of terms) each[k].add(term);
          for (const [id, score] of into) if (score > (scored[k].get(id) ?? 0) * (end - start)) scored[k].set(id, score / (end - start));
        }
      }
  }

  // Two words that the book writes as one.
  function withJoined(concepts, scored, each) {
    for (let k = 1; k < concepts.length; k++) {
      const word = cutawayWords.stem(concepts[k - 1].typed + concepts[k].typed);
      if (!/^\p{L}+$/u.test(word) || !has(word)) continue;
      for (const place of [k - 1, k]) together([word], "exact", 0.5, scored[place], each[place]);
    }
  }

  const spaced = (text) => ` ${(text.toLowerCase().match(WORD) ?? []).join(" ")} `;

  // What is needed of an entry each time it is among the best, made once.
  const looks = (entry) => (entry.looks ??= { title: spaced(entry.title), words: [...new Set(words(entry.title))], spelt: new Set((entry.title.match(WORD) ?? []).map(spelt)) });
  // A text as its words, and as one form of each that is spoken.
  function ordered(text) {
    const found = text.match(WORD) ?? [];
    return { spaced: ` ${found.join(" ").toLowerCase()} `, sequence: found.map((word) => forms(word)[0]).filter(Boolean) };
  }
  const read = (entry) =>
    (entry.read ??= [[entry.title, entry.said, entry.text], ...entry.parts.map((part) => [part.title, part.said, part.text])].flat().filter(Boolean).map(ordered));

  // How many neighbours among the words asked for are neighbours in the text.
  function neighbours(sequence, terms) {
    const found = new Set();
    for (let at = 1; at < sequence.length; at++)
      for (let k = 1; k < terms.length; k++) if (terms[k].has(sequence[at]) && terms[k - 1].has(sequence[at - 1])) found.add(k);
    return found;
  }

  // What a section as a whole says: whether the words stand together, how much of its title was asked for.
  function weighed({ entry, sum }, query, isRead) {
    const { title, words: inTitle } = looks(entry);
    const share = inTitle.filter((word) => query.terms.has(word)).length / (inTitle.length || 1);
    let weight = (1 + WHOLE.share * share) * (entry.isRepeated && share < 1 ? 0.5 : 1);
    weight *= 1 + WHOLE.spelt * query.spelt.filter((words) => words.some((word) => looks(entry).spelt.has(word))).length / query.spelt.length;
    if (query.spaced.length > 3) {
      if (title === query.spaced) weight *= 1 + WHOLE.same;
      else if (title.includes(query.spaced)) weight *= 1 + WHOLE.title;
    }
    if (isRead && query.each.length > 1) {
      const texts = read(entry);
      if (!title.includes(query.spaced) && texts.some(({ spaced }) => spaced.includes(query.spaced))) weight *= query.each.length > 2 ? 1 + 2 * WHOLE.text : 1 + WHOLE.text / 2;
      const pairs = new Set(texts.flatMap(({ sequence }) => [...neighbours(sequence, query.each)]));
      weight *= 1 + WHOLE.pair * pairs.size / (query.each.length - 1);
    }
    return sum * weight * (1 + WHOLE.page * query.share(entry.page)) * (1 + WHOLE.linked * Math.log2(1 + entry.links));
  }

  // How much of what was found stands on a page, beside the page that has most.
  function shares(hits) {
    const sums = new Map();
    for (const { entry, score } of hits) sums.set(entry.page, (sums.get(entry.page) ?? 0) + score);
    const most = Math.max(...sums.values());
    return (page) => (sums.get(page) ?? 0) / most;
  }

  const best = (hits) => hits.sort((a, b) => b.score - a.score || a.entry.id - b.entry.id);

  // What was found in each entry, and in each section as a whole: its own best score for each word, and that of its parts.
  function gathered(scored, rarity, kinds) {
    const found = new Map(), places = new Map(), all = rarity.reduce((sum, one) => sum + one, 0);
    const none = () => new Float64Array(scored.length);
    for (const [k, one] of scored.entries())
      for (const [id, score] of one) {
        const entry = entries[id];
        const hit = found.get(id) ?? found.set(id, { entry, sum: 0, matched: 0 }).get(id);
        hit.sum += score;
        hit.matched += rarity[k] / all;
        const place = places.get(entry.place) ?? places.set(entry.place, { own: none(), parts: none(), best: null }).get(entry.place);
        if (entry.isSection) place.own[k] = score * kinds[entry.kind];
        else place.parts[k] = Math.max(place.parts[k], score * kinds[entry.kind]);
      }
    for (const hit of found.values()) {
      hit.score = hit.sum * hit.matched ** COVERED * kinds[hit.entry.kind];
      const place = places.get(hit.entry.place);
      if (!place.best || hit.score > place.best.score) place.best = hit;
    }
    return { found: [...found.values()], places };
  }

  // The sections by their words alone.
  function sections(places, rarity) {
    const all = rarity.reduce((sum, one) => sum + one, 0);
    const hits = [...places].map(([entry, { own, parts, best }]) => {
      const sum = own.reduce((sum, one, k) => sum + Math.max(one, parts[k]) + PART * Math.min(one, parts[k]), 0);
      const matched = rarity.reduce((sum, one, k) => sum + (own[k] || parts[k] ? one : 0), 0) / all;
      return { entry, shown: best.entry, score: sum * matched ** COVERED };
    });
    return best(hits).slice(0, RANKED);
  }

  // Sections looked at as a whole, best first; those of a page that has come before count less.
  function ranked(hits, query) {
    for (const [k, hit] of hits.entries()) {
      hit.sum = hit.score;
      hit.score = weighed(hit, query, k < READ);
    }
    const seen = new Map();
    for (const hit of best(hits)) {
      const times = seen.get(hit.entry.page) ?? 0;
      seen.set(hit.entry.page, times + 1);
      hit.score *= WHOLE.again ** times;
    }
    return best(hits).map(({ entry, shown, score }) => ({ entry: shown, place: entry, score }));
  }

  // The best entries for a query, best first, one for each section: {entry, score}; `terms` are the words to be marked.
  function find(text, kind = "") {
    const concepts = asked(text);
    const each = concepts.map(() => new Set());
    if (!concepts.length) return { hits: [], terms: new Set(), counts: {} };
    const isOpen = /[\p{L}\p{N}_]$/u.test(text); // the last word may go on
    const scored = concepts.map((one, k) => concept(one, isOpen && k === concepts.length - 1, each[k]));
    withJoined(concepts, scored, each);
    withSynonyms(text, concepts, scored, each);
    const terms = new Set(each.flatMap((one) => [...one]));
    const rarity = scored.map(({ size }) => Math.log(1 + entries.length / (1 + size)));
    const inCode = concepts.filter(({ typed }) => /[_.@]/.test(typed)).length + (/[()=[\]]/.test(text) ? 1 : 0);
    const kinds = inCode >= concepts.length / 2 ? { ...KIND, ...CODE } : KIND;
    const { found, places } = gathered(scored, rarity, kinds);
    const counts = {};
    for (const { entry } of found) counts[entry.kind] = (counts[entry.kind] ?? 0) + 1;
    const isOfKind = ({ entry }) => entry.kind === kind || (kind === "section" && entry.kind === "chapter");
    if (kind) return { hits: best(found.filter(isOfKind)).slice(0, RANKED), terms, counts };
    const hits = sections(places, rarity);
    const query = { spaced: spaced(text), spelt: concepts.map(({ typed, meant }) => meant ?? [spelt(typed)]), terms, each, share: shares(hits) };
    return { hits: ranked(hits, query), terms, counts };
  }

  const address = (entry) => pages[entry.page] + (entry.kind === "chapter" || !entry.anchor ? "" : `#${entry.anchor}`);

  return { address, find, open };
})();
