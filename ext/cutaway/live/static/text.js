// What is typed becomes ids, and ids become what is read.
(() => {
  const live = (globalThis.cutawayLive ??= {});
  const NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
  const count = (n, noun) => `${NUMBERS[n] ?? n} ${noun}${n === 1 ? "" : "s"}`;

  live.hint = ({ letters, typed }) => (letters ? `${count(typed, "letter")} of ${[...letters].join(", ")}` : "a text in English");

  function readLetters({ letters, typed }, text) {
    const signs = [...text.trim()];
    const ids = signs.map((sign) => [sign, sign.toUpperCase(), sign.toLowerCase()].map((one) => letters.indexOf(one)).find((id) => id >= 0) ?? -1);
    const foreign = signs[ids.indexOf(-1)], lacking = typed - ids.length;
    if (!signs.length) return { error: `Type ${live.hint({ letters, typed })}.` };
    if (foreign) return { error: `“${foreign}” is not known to this model: type ${live.hint({ letters, typed })}.` };
    if (lacking > 0) return { error: `${count(lacking, "letter")} more: the model reads ${typed}.` };
    if (lacking < 0) return { error: `${count(-lacking, "letter")} too many: the model reads ${typed}.` };
    return { ids };
  }

  function readText({ bpe, longest }, text) {
    const ids = live.bpe.encode(bpe, text);
    if (ids.length < 2) return { error: "Type at least one character." };
    if (ids.length > longest) return { error: `${count(ids.length - longest, "token")} too many: this page takes ${longest}.` };
    return { ids };
  }

  live.read = (reads, text) => (reads.bpe ? readText : readLetters)(reads, text);
  live.write = (reads, ids) => (reads.bpe ? live.bpe.decode(reads.bpe, ids) : ids.map((id) => (reads.letters ? (reads.letters[id] ?? "?") : `${id}`)));
  live.canRead = (reads) => !!(reads.letters || reads.bpe); // else the recorded input is the only one
})();
