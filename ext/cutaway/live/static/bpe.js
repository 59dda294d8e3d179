// Byte pairs: what is typed becomes tokens, as the tokenizer that the model was trained with makes them.
(() => {
  const live = (globalThis.cutawayLive ??= {});
  const known = new WeakMap();

  // Possessive quantifiers, which JavaScript lacks: a lookahead gives nothing back either. `(?i:` is spelt out.
  function expression(pattern) {
    let groups = 0;
    const atom = String.raw`((?:\[(?:\\.|[^\]\\])+\])|(?:\\[pP]\{\w+\})|(?:\\.))([?+*]|\{\d+(?:,\d*)?\})\+`;
    const either = (one) => `[${one.replace(/[[\]]/g, "")}${one.replace(/[[\]]/g, "").toUpperCase()}]`;
    const plain = pattern.replace(/\(\?i:([^()]*)\)/g, (_, inside) => `(?:${inside.replace(/\[[a-z]+\]|[a-z]/g, either)})`);
    return new RegExp(plain.replace(RegExp(atom, "g"), (_, one, times) => `(?=(${one}${times}))\\${++groups}`), "gu");
  }

  function prepare(bpe) {
    if (!known.has(bpe)) {
      const ranks = new Map(bpe.tokens.map((token, id) => [token, id]));
      known.set(bpe, { ranks, split: expression(bpe.pattern) });
    }
    return known.get(bpe);
  }

  // The pair that was learned first is merged first, until none is left that was.
  function merged(chunk, ranks) {
    const parts = [...chunk];
    while (parts.length > 1) {
      let least = Infinity, at = -1;
      for (let i = 0; i + 1 < parts.length; i++) {
        const rank = ranks.get(parts[i] + parts[i + 1]) ?? Infinity;
        if (rank < least) [least, at] = [rank, i];
      }
      if (at < 0) break;
      parts.splice(at, 2, parts[at] + parts[at + 1]);
    }
    return parts.map((part) => ranks.get(part));
  }

  const bytes = (text) => String.fromCharCode(...new TextEncoder().encode(text));

  live.bpe = {
    encode(bpe, text) {
      const { ranks, split } = prepare(bpe);
      return [bpe.bos, ...(text.match(split) ?? []).flatMap((chunk) => {
        const whole = bytes(chunk);
        return ranks.has(whole) ? [ranks.get(whole)] : merged(whole, ranks);
      })];
    },
    // A token may hold a part of a character: what can't be read alone stands as its bytes.
    decode(bpe, ids) {
      const reader = new TextDecoder("utf-8", { fatal: true });
      return ids.map((id) => {
        const token = bpe.tokens[id];
        if (token === undefined) return bpe.special[id - bpe.tokens.length] ?? "?";
        const raw = Uint8Array.from(token, (c) => c.charCodeAt(0));
        try {
          return reader.decode(raw);
        } catch {
          return [...raw].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
        }
      });
    },
  };
})();
