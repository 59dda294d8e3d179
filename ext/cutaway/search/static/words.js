// What counts as a word, in texts and in what a reader types: numbers, symbols of code, words in one spelling.
const cutawayWords = (() => {
  const WORD = /\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?(?![\p{L}\p{N}_])|[\p{L}\p{N}_]+(?:[-’'.](?=[\p{L}_])[\p{L}\p{N}_]+|[-’'][\p{L}\p{N}_]+)*|[√@]/gu;
  const SIGNS = new Map([["√", [["sqrt"], ["root"]]], ["@", [["@"], ["matmul"]]]]);
  const GREEK = Object.fromEntries("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma sigma tau upsilon phi chi psi omega".split(" ").map((name, k) => [String.fromCharCode(945 + k), name]));
  const NUMBERS = new Map("zero,,two,three,four,five,six,seven,eight,nine,ten,eleven,twelve".split(",").map((name, k) => [name, String(k)])); // "one" is mostly no number
  const HUMPS = /[A-Z]+(?![a-z])|[A-Z]?[a-z]{2,}/g; // CausalSelfAttention
  const stemmer = globalThis.Stemmer ? new Stemmer() : { stemWord: (word) => word }; // of the site's language
  const unspoken = new Set([...(globalThis.stopwords ?? []), "per", "vs", "versus"]);
  const stems = new Map();

  // A word in the one of English's two spellings, and without a plural's s.
  function spelt(word) {
    const lower = word.toLowerCase();
    return lower.length < 6 ? lower : lower.replace(/is(?=(?:e|ed|es|er|ers|ing|ations?|able)$)/, "iz").replace(/our(?=s|ed|ing|$)/, "or").replace(/([^s])s$/, "$1");
  }

  // One form of a word for all its endings.
  function stem(word) {
    if (word.length < 4 || /[\d_.]/.test(word)) return word;
    let found = stems.get(word);
    if (found === undefined) stems.set(word, (found = stemmer.stemWord(spelt(word))));
    return found;
  }

  const clean = (word) => word.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[α-ω]/g, (letter) => GREEK[letter]).replace(/[’']s?$/, "").replace(/[’']/g, "");

  // The readings of one match: of `n_heads` the whole, `nheads`, and its parts, of `train.bin` too; each a list of words that belong together.
  function readings(match) {
    if (SIGNS.has(match)) return SIGNS.get(match);
    if (/^\d[\d,.e+-]*$/i.test(match)) return [[match.toLowerCase().replace(/,/g, "")]];
    const word = clean(match);
    const lower = word.toLowerCase();
    const parts = lower.split(/[-_.]+/).filter(Boolean);
    const found = [];
    if (NUMBERS.has(lower)) found.push([NUMBERS.get(lower)]);
    if (!lower.includes("-")) found.push([stem(lower)]);
    if (parts.length > 1) found.push([stem(parts.join(""))], parts.map(stem));
    const humps = word.match(HUMPS)?.filter((part) => part.length > 2) ?? [];
    if (humps.length > 1) found.push(humps.map((part) => stem(part.toLowerCase())));
    return found;
  }

  const isSpoken = (match) => !unspoken.has(match.toLowerCase().replace(/’/g, "'"));

  // All forms of one match under which it is in the index; a book has few words, and each of them often.
  const known = new Map();
  const vocabulary = () => [...new Set([...known.keys()].filter(isSpoken).map(spelt))];
  function forms(match) {
    let found = known.get(match);
    if (!found) known.set(match, (found = isSpoken(match) ? [...new Set(readings(match).flat())] : []));
    return found;
  }
  const words = (text) => (text.match(WORD) ?? []).flatMap(forms);

  // What is asked: for each word its readings.
  const asked = (text) => (text.match(WORD) ?? []).filter(isSpoken).map((match) => ({ typed: match.toLowerCase(), readings: readings(match) }));

  return { WORD, asked, forms, readings, spelt, stem, vocabulary, words };
})();
