// Why a number is what it is, by the kind of its operation: a sentence, and the formula with its operands.
(() => {
  const live = (globalThis.cutawayLive ??= {});
  const { make, digits } = live;
  const SHOWN = 12; // rows at first
  const SIGNS = { add: "+", sub: "−", mul: "×", div: "÷", pow: "^", eq: "==", ne: "≠", ge: "≥", gt: ">", le: "≤", lt: "<" };
  const line = (kind, parts) => make(kind, {}, ...parts.map((part) => (part.append ? part : make("span", {}, part))));
  const formula = (...parts) => line("p.formula", parts);
  const equals = (x) => make("b", {}, `= ${digits(x)}`);
  const plain = (...parts) => make("p", {}, parts.join(""));
  const less = (x) => (x < 0 ? `+ ${digits(-x)}` : `− ${digits(x)}`);
  const joined = (parts, sign) => parts.flatMap((part, i) => (i ? [sign, part] : [part]));

  // A row: what is multiplied or taken, what it comes to, and a bar of its sign and size.
  const row = (show, own, low, high) => (term) => {
    const { part } = term, at = (x) => `${(100 * (x - low)) / (high - low || 1)}%`, bar = make("i");
    bar.style.setProperty("--from", at(Math.min(0, part)));
    bar.style.setProperty("--to", at(Math.max(0, part)));
    bar.style.setProperty("--paint", live.shade(part, Math.max(high, -low)));
    return make(term === own ? "li.own" : "li", {}, line("div", show(term)), part === term.value ? make("b") : equals(part), bar);
  };

  // The largest first; the others are made when they are asked for.
  function rows(terms, show, own) {
    const sorted = terms.toSorted((a, b) => Math.abs(b.part) - Math.abs(a.part)), parts = terms.map(({ part }) => part);
    const draw = row(show, own, Math.min(0, ...parts), Math.max(0, ...parts));
    const list = (some) => make("ul.rows", {}, ...some.map(draw));
    const rest = sorted.splice(SHOWN), sum = rest.reduce((all, { part }) => all + part, 0);
    const more = make("details", { hidden: !rest.length }, make("summary", {}, `and ${rest.length} more, together ${digits(sum)}`));
    more.ontoggle = () => more.lastChild.matches("ul") || more.append(list(rest));
    return [list(sorted), more];
  }

  const REASONS = {
    product({ value, terms, bias }, show) {
      const say = `the sum of ${terms.length - (bias ? 1 : 0)} products${bias ? " and a bias" : ""}`;
      const parts = (term) => (term === bias ? [show(bias), "bias"] : [show(term), "×", show(term.with)]);
      return [say, ...rows(terms, parts), formula("sum of all", equals(value))];
    },

    softmax({ op, value, terms, own, numbers: { max, sum } }, show, nameOf) {
      const seen = terms.filter((term) => term.value > -Infinity), hidden = terms.length - seen.length;
      const power = (term) => [make("small", {}, nameOf(term)), show(term), `e^${digits(term.value - max)}`];
      const rest = hidden ? ` ${hidden} more are −∞ and count nothing.` : "";
      const note = plain("Each is less ", digits(max), ", the largest, then a power of e; together ", digits(sum), ".", rest);
      const above = digits(own.value - max), isLog = op.startsWith("log");
      const say = isLog ? `${above}, less the logarithm of ${digits(sum)}` : `e to the ${above}, divided by ${digits(sum)}`;
      const made = isLog ? formula(above, `− log(${digits(sum)})`, equals(value)) : formula(digits(own.part), `÷ ${digits(sum)}`, equals(value));
      return [say, made, ...rows(seen, power, own), note];
    },

    norm({ value, row, own, gain, shift, numbers: { mean, variance, square, eps } }, show) {
      const isCentred = mean !== undefined, above = isCentred ? ["(", show(own), `${less(mean)})`] : [show(own)];
      const note = isCentred ? `mean ${digits(mean)} and variance ${digits(variance)} of` : `mean square ${digits(square)} of`;
      const scaled = [`÷ √(${digits(variance ?? square)} + ${digits(eps)})`];
      if (gain) scaled.push("×", show(gain));
      if (shift) scaled.push("+", show(shift));
      const say = ["its row ", isCentred ? "centred and " : "", "scaled", gain ? ", times a gain" : "", shift ? ", plus a shift" : ""].join("");
      const list = rows(row.map((term) => ({ ...term, part: term.value })), (term) => [show(term)]);
      return [say, formula(...above, ...scaled, equals(value)), plain(note, ` these ${row.length} numbers:`), ...list];
    },

    function({ value, op, a, b, numbers }, show) {
      const name = op.split(".")[0].replaceAll("_", ""), sign = SIGNS[name];
      const given = [a ?? numbers.a, b ?? numbers.b].filter((one) => one !== undefined);
      const shown = given.map((one) => (one.index ? show(one) : digits(one)));
      const called = sign && given[1] !== undefined ? joined(shown, sign) : [`${name}(`, ...joined(shown, ","), ")"];
      return [`${name} of ${given.map((one) => digits(one.value ?? one)).join(" and ")}`, formula(...called, equals(value))];
    },

    pick: ({ row: [row], id }, show) => [`picked from a table by ${digits(id.value)}`, formula("row", show(id), "of a table:", show(row))],

    mask({ op, value, mask, own, fill }, show) {
      const isOwn = op.startsWith("where") === !!mask.value, put = fill ? show(fill) : digits(value); // where keeps what is marked
      const say = isOwn ? "not masked" : `masked, so that ${digits(value)} stands there`;
      return [say, isOwn ? formula("mask", show(mask), ": so it stays", show(own)) : formula("mask", show(mask), ": so it is", put)];
    },

    mean({ op, value, terms, numbers: { count } }, show) {
      if (op.startsWith("linalg")) {
        const squares = rows(terms, (term) => [show(term), "²"]);
        return [`the root of the sum of the squares of ${terms.length} numbers`, ...squares, formula("√ sum of all", equals(value))];
      }
      const by = count > 1 ? ` ÷ ${count}` : "";
      return [`the sum of ${terms.length} numbers${by}`, ...rows(terms, (term) => [show(term)]), formula(`sum of all${by}`, equals(value))];
    },
  };

  function said(session, { kind, op, node, index, value }) {
    if (kind === "constant") return "a constant, given by its place alone";
    if (kind === "weight") return session.graph.nodes[node][2].buffer ? "a constant of the model" : "a weight of the model: learned in training";
    if (session.graph.taped) return "as it was recorded; what made it can't be computed here";
    if (kind !== "input") return `made by ${op}, of which nothing more is known here`;
    const token = value < 0 ? "no token" : `the ${session.reads.letters ? "letter" : "token"} “${session.write([value])[0]}”`;
    return `${token} at position ${index.at(-1)}, as ${session.own ? "you typed it" : "recorded"}`;
  }

  // The sentence, and what is shown of the reason. `show` makes an operand to go on with.
  live.explained = (session, why, show) => {
    const of = (role) => why.terms.filter((term) => term.role === role), all = { ...why, row: of("row") };
    for (const { role } of why.terms) if (role !== "row") all[role] = of(role)[0];
    const nameOf = ({ node, index }) => (session.isOfTokens(node, -1) ? session.tokens[index.at(-1)] : "");
    const [say, ...body] = REASONS[why.kind]?.(all, show, nameOf) ?? [said(session, why)];
    return [say, body.length ? body : [plain("This is ", say, ".")]];
  };
})();
