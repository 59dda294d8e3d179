// One token more with what is known of the others: of each tensor that grows with the tokens, only the last row is computed.
// What only moves numbers is done as ever; what no rule is known for is computed whole.
(() => {
  const live = globalThis.cutawayLive, { size, tensor, known, compute, broadcast, slice, strides } = live.numbers;
  const WORK = new Set(["function", "mask", "product", "softmax", "norm", "mean"]); // kinds that compute

  // The sizes of what comes out, where a rule is known.
  function sizes(kind, name, args) {
    const [a, b, v] = args;
    if (kind === "function" || kind === "mask") return broadcast(args.flatMap((one) => (one?.d ? [one.s] : [])));
    if (kind === "softmax" || kind === "norm") return a.s;
    if (name === "linear") return [...a.s.slice(0, -1), b.s.at(-2)];
    if (name === "scaled_dot_product_attention") return [...a.s.slice(0, -1), v.s.at(-1)];
    return name === "matmul" || name === "bmm" || name === "mm" ? [...broadcast([a.s.slice(0, -2), b.s.slice(0, -2)]), a.s.at(-2), b.s.at(-1)] : null;
  }

  const last = (x, axis) => slice(x, axis, x.s[axis] - 1);

  // The operands that the last row needs.
  function narrowed(kind, name, args, s, axis) {
    const fromEnd = axis - s.length;
    if (kind === "function" || kind === "mask") {
      return args.map((x) => (x?.d && x.s.at(fromEnd) > 1 && -fromEnd <= x.s.length ? last(x, x.s.length + fromEnd) : x));
    }
    const [a, ...rest] = args;
    if (kind !== "product") return [last(a, axis), ...rest];
    if (name === "scaled_dot_product_attention") {
      const [k, v, mask, dropout] = rest; // the last position sees all, so that it needs no causal mask
      return [last(a, axis), k, v, mask && mask.s.at(-2) > 1 ? last(mask, mask.s.length - 2) : mask, dropout, false];
    }
    return [last(a, axis), ...rest];
  }

  // Rows that are known, and the one that was computed. Where columns grow as well, earlier rows lack one; nobody reads them.
  function extended(before, row, s, axis, isWide) {
    const out = tensor(s), [step] = strides(s.slice(axis)), block = step * s[axis], put = step * (s[axis] - 1);
    if (isWide) out.d.fill(NaN);
    for (let k = 0; k * block < out.d.length; k++) {
      if (!isWide) out.d.set(before.d.subarray(k * put, k * put + put), k * block);
      out.d.set(row.d.subarray(k * step, k * step + step), k * block + put);
    }
    return out;
  }

  // The axis whose last place is new, and whether another grew, too. A bend of a matrix product's columns has no rule.
  function grown(kind, before, s) {
    const axes = s ? [...s.keys()].filter((axis) => before.s?.[axis] === s[axis] - 1) : [], [axis = -1] = axes;
    const isRow = axes.length && s.every((n, k) => n === before.s[k] || axes.includes(k)) && (kind === "function" || kind === "mask" || axis < s.length - 1);
    return [isRow ? axis : -1, axes.length > 1];
  }

  // What each node gives for one token more; `spent` gets, of each node that computes, its number of sums or numbers.
  live.cachedSteps = function* (model, before, inputs, spent) {
    const values = [];
    for (const [node, [op, raw, keywords]] of model.graph.nodes.entries()) {
      let value = model.weight(node);
      if (op === "input") value = tensor([1, inputs[raw[0]].length], new Float32Array(inputs[raw[0]]));
      if (!value) {
        const args = live.resolve(raw, values), [kind, name] = known(op), isWork = WORK.has(kind);
        const s = isWork ? sizes(kind, name, args) : null, [axis, isWide] = grown(kind, before[node], s);
        if (axis < 0) value = yield* compute(op, args, keywords);
        else {
          const narrow = narrowed(kind, name, args, s, axis), row = yield* compute(op, narrow, keywords);
          value = extended(before[node], row, s, axis, isWide);
        }
        if (isWork && value.d) spent[node] = live.work(kind, name, args, value) / (axis < 0 ? 1 : value.s[axis]);
      }
      values.push(value);
      yield;
    }
    return values;
  };

  // Multiplications of a product; else numbers made.
  live.work = (kind, name, args, { s }) => {
    const inner = kind === "product" ? args[0].s.at(-1) : 1;
    return size(s) * inner * (name === "scaled_dot_product_attention" ? 2 : 1);
  };
})();
