// How well each entry has each word: BM25+ (Lv and Zhai, 2011) of each field, times the field's weight, added up.
const cutawayPostings = (() => {
  const K = 1.2, B = 0.5, D = 0.5; // as MiniSearch has them: when a word said again counts little more, lengths, what one occurrence counts
  const AT_ONCE = 200; // entries, between which a reader may go on typing
  const SHORT = 6, PREFIX = 0.375;

  let postings, sorted, spellings, letters;

  // `fields`: name -> weight; `words`: text -> its words, in all forms; `vocabulary`: their spellings, once all are read.
  async function build(entries, fields, words, vocabulary) {
    postings = new Map();
    for (const [name, weight] of Object.entries(fields)) {
      const having = new Map();
      const lengths = new Float64Array(entries.length);
      for (const [id, entry] of entries.entries()) {
        if (id % AT_ONCE === 0) await new Promise((done) => setTimeout(done));
        const counts = new Map();
        for (const word of words(entry[name])) counts.set(word, (counts.get(word) ?? 0) + 1);
        lengths[id] = counts.size;
        for (const [word, count] of counts) {
          const list = having.get(word);
          if (list) list.push(id, count);
          else having.set(word, [id, count]);
        }
      }
      const mean = lengths.reduce((sum, one) => sum + one, 0) / entries.length || 1;
      for (const [word, list] of having) {
        const number = list.length / 2;
        const rare = weight * Math.log(1 + (entries.length - number + 0.5) / (number + 0.5));
        let scores = postings.get(word);
        if (!scores) postings.set(word, (scores = new Map()));
        for (let k = 0; k < list.length; k += 2) {
          const id = list[k], count = list[k + 1];
          const score = rare * (D + (count * (K + 1)) / (count + K * (1 - B + (B * lengths[id]) / mean)));
          scores.set(id, (scores.get(id) ?? 0) + score);
        }
      }
    }
    sorted = [...postings.keys()].sort();
    spellings = vocabulary();
    letters = spellings.map(lettersOf);
  }

  const NONE = new Map();
  const exact = (word) => postings.get(word) ?? NONE;

  // What has one of several words, each with a weight: {scores, terms}.
  function any(weights) {
    const scores = new Map();
    for (const [word, weight] of weights) for (const [id, score] of exact(word)) scores.set(id, (scores.get(id) ?? 0) + weight * score);
    return { scores, terms: [...weights.keys()] };
  }

  // The place of the first word that is not before this one.
  function placeOf(word) {
    let low = 0, high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle] < word) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // Words that begin so; the fewer letters are missing, the more they count.
  function beginning(start) {
    const weights = new Map(postings.has(start) ? [[start, 1]] : []);
    for (let at = placeOf(start); sorted[at]?.startsWith(start); at++) {
      const { length } = sorted[at];
      if (length > start.length) weights.set(sorted[at], (PREFIX * length) / (length + 0.3 * (length - start.length)));
    }
    return any(weights);
  }

  // One bit for each letter that a word has.
  function lettersOf(word) {
    let bits = 0;
    for (let k = 0; k < word.length; k++) bits |= 1 << (word.charCodeAt(k) & 31);
    return bits;
  }
  function ones(bits) {
    let count = 0;
    for (; bits; bits &= bits - 1) count++;
    return count;
  }

  // Letters left out, put in, changed or swapped with their neighbour; more than `most` are not counted.
  function distance(a, b, most) {
    let before, last, row = Array.from({ length: b.length + 1 }, (_, k) => k);
    for (let i = 1; i <= a.length; i++) {
      [before, last, row] = [last, row, [i]];
      let least = i;
      for (let j = 1; j <= b.length; j++) {
        const isSame = a[i - 1] === b[j - 1];
        row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + !isSame);
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], before[j - 2] + 1);
        least = Math.min(least, row[j]);
      }
      if (least > most) return least;
    }
    return row[b.length];
  }

  // The spellings that are nearest to a word that nobody wrote: one letter off, in long words two.
  function near(word) {
    let most = word.length < SHORT ? 1 : 2;
    const bits = lettersOf(word);
    let found = [];
    for (const [at, other] of spellings.entries()) {
      if (Math.abs(other.length - word.length) > most || ones(bits ^ letters[at]) > 2 * most) continue;
      const off = distance(word, other, most);
      if (off > most) continue;
      if (off < most) [most, found] = [off, []];
      found.push(other);
    }
    return found;
  }

  return { beginning, build, exact: (word) => ({ scores: exact(word), terms: postings.has(word) ? [word] : [] }), near };
})();
