// What the list shows of an entry: the part of its text that has most of the words, these marked.
const cutawayExcerpt = (() => {
  const { WORD, forms } = cutawayWords;
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

  return { excerpt, marked };
})();
