// What a number is called: its variable and index, and its place in words.
(() => {
  const live = (globalThis.cutawayLive ??= {});
  const WORDS = { B: "sequence", H: "head", T: "position", "B*T": "position", V: "token" };

  live.at = ({ s, d }, index) => d[index.reduce((at, i, axis) => at * s[axis] + i, 0)];

  // Renamings have no reason of their own: on to what they rename, for its name or else for its reason.
  function follow(session, node, index, isName) {
    for (;;) {
      const [op, , , module, , label] = session.graph.nodes[node], plain = op.split(".")[0], name = label || plain;
      const found = { node, index, name: name.split(".").slice(-2).join("."), module: module || name };
      if (isName && (name !== plain || !live.why)) return found;
      const why = live.why(session.model, session.values, node, index);
      if (why.kind !== "same") return isName ? found : why;
      [{ node, index }] = why.terms;
    }
  }

  live.reason = (session, node, index) => follow(session, node, index);
  live.called = (session, node, index) => follow(session, node, index, true);
  live.written = ({ name, index }) => (index.length ? `${name}[${index.join(", ")}]` : name);
  live.axis = ({ graph }, node, axis) => WORDS[graph.nodes[node][6]?.[axis]] ?? "place";

  // "head 0", "row 5 (A)", "column 2 (B)"
  live.words = (session, node, index) => {
    const axes = session.graph.nodes[node][6] ?? [], { s } = session.tensor(node);
    return index.flatMap((i, axis) => {
      const letter = axes[axis], fromEnd = index.length - axis, isPlain = !letter || (fromEnd < 3 && axes.at(-1) === axes.at(-2));
      if (s[axis] === 1 && index.length > 1) return [];
      const token = letter === "V" ? session.write([i]) : session.isOfTokens(node, axis) ? [session.tokens[i]] : [];
      return [isPlain ? (["column", "row"][fromEnd - 1] ?? "place") : (WORDS[letter] ?? "channel"), i, ...token.map((one) => `(${one})`)].join(" ");
    });
  };
})();
