// Why a number of a tensor is what it is: the numbers that it was made of, and what was done with them.
(() => {
  const live = globalThis.cutawayLive, { resolve, nodeOf } = live, {
    tensor, strides, spliced, kinds, known, moved, operands, axesOf, total, moments, exponentials, share,
    surprise, normed, attending,
  } = live.numbers;

  // The number at a place of a tensor; a size is itself a number.
  const at = (x, index) => (x?.d ? x.d[index.reduce((sum, i, axis) => sum * x.s[axis] + i, 0)] : x);

  // Where an index of the result points to in an operand: axes count from the last, one of a single number goes with all.
  const under = (index, s) => s.map((n, axis) => (n === 1 ? 0 : index[index.length - s.length + axis]));

  // The indices of all numbers along some axes.
  const along = (index, s, axes) => axes.reduce((all, axis) =>
    all.flatMap((one) => Array.from({ length: s[axis] }, (_, i) => spliced(one, axis, 1, i))), [index]);

  // The operation is done on the places of the numbers instead of the numbers: what it puts here came from there.
  function origin({ nodes, values, node, index }) {
    const sources = [];
    let count = 0;
    function places(raw) {
      if (Array.isArray(raw)) return raw.map(places);
      const x = resolve(raw, values);
      if (!x.d) return made(nodeOf(raw));
      sources.unshift([raw, count, x.s]);
      return tensor(x.s, new Float64Array(x.d.length).map(() => count++));
    }
    function made(which) {
      const [op, [first, ...rest]] = nodes[which];
      return moved(op, [places(first), ...resolve(rest, values)]);
    }
    const place = at(made(node), index), [raw, start, s] = sources.find((one) => one[1] <= place);
    return [raw, strides(s).map((step, axis) => Math.floor((place - start) / step) % s[axis])];
  }

  // What the arguments are called.
  const rolesOf = (name) =>
    ({ masked_fill: ["own", "mask", "fill"], where: ["mask", "own", "fill"] })[name] ?? ["a", "b", "c"];

  function pointwise({ name, raw, args, keywords, index, term, numbers }) {
    const terms = [], given = operands(name, args);
    Object.assign(numbers, keywords);
    rolesOf(name).forEach((role, k) => {
      const one = given[k], place = under(index, one?.s ?? []);
      if (one?.d && nodeOf(raw[k]) >= 0) terms.push(term(role, raw[k], place));
      else if (one != null) numbers[role] = at(one, place);
    });
    return terms;
  }

  // A row of one factor with a column of the other; linear has its columns as rows. How much attention takes from each
  // position stands in no node: it is computed inside of the operation.
  function products({ name, raw, args, keywords, index, term }) {
    const [first, second, extra] = { scaled_dot_product_attention: [-1, 2, -1], addmm: [1, 2, 0] }[name] ?? [0, 1, 2];
    const a = args[first] ?? attending(args, keywords), b = args[second], bias = args[extra];
    const [row, column] = index.slice(-2), outer = ({ s }) => under(index.slice(0, -2), s.slice(0, -2));
    const terms = Array.from({ length: a.s.at(-1) }, (_, i) => {
      const one = term("term", raw[first], [...outer(a), row, i], a);
      const { role, ...other } = term("", raw[second], name === "linear" ? [column, i] : [...outer(b), i, column]);
      return { ...one, part: one.value * other.value, with: other };
    });
    return bias?.d ? [...terms, ...whole([term("bias", raw[extra], under(index, bias.s))])] : terms;
  }

  // Of each position that counts, its loss.
  const losses = ({ raw, args: [x, { d }, , , ignored = -100], term }) =>
    [...d].flatMap((id, at) => {
      const one = term("row", raw[0], x.s.length > 1 ? [at, id] : [id]), n = x.s.at(-1);
      return id === ignored ? [] : { ...one, part: surprise(x.d.subarray(at * n, at * n + n), id) };
    });

  const whole = (terms) => terms.map((one) => ({ ...one, part: one.value }));

  const explained = {
    same: (asked) => [asked.term("same", ...origin(asked))],

    pick(asked) {
      const { name, raw, args: [table], index, term } = asked, [axis, ids] = kinds.pick[name](table, ...raw.slice(1));
      const place = index.slice(axis, axis + 1 + index.length - table.s.length);
      return [term("row", ...origin(asked)), term("id", ids, place)];
    },

    function: pointwise,
    mask: pointwise,
    product: products,

    softmax({ args: [x, dim], index, row, numbers }) {
      const [axis] = axesOf(x, dim), terms = row([axis]), [max, sum] = exponentials(terms.map((one) => one.value));
      Object.assign(numbers, { max, sum });
      terms[index[axis]].role = "own";
      return terms.map((one) => ({ ...one, part: Math.exp(one.value - max) }));
    },

    norm({ name, raw, args, index, term, row, numbers }) {
      const { axes, gain, shift, eps, centred } = normed(name, args), inside = index.slice(axes[0]), all = row(axes);
      const [mean, variance] = moments(all.map((one) => one.value), centred), terms = [term("own", raw[0], index)];
      Object.assign(numbers, centred ? { mean, variance, eps } : { square: variance, eps });
      if (gain) terms.push(term("gain", raw[2], inside));
      if (shift) terms.push(term("shift", raw[3], inside));
      return [...terms, ...all];
    },

    mean(asked) {
      const { name, args: [x, ...more], index, row, numbers } = asked, isLength = name.startsWith("linalg");
      const [given, keep] = more.slice(isLength), axes = axesOf(x, given), rest = [...index]; // a length has its power first
      const start = x.s.map((_, axis) => (axes.includes(axis) && !keep ? 0 : rest.shift()));
      const terms = name.startsWith("cross") ? losses(asked) : whole(row(axes, start));
      if (isLength) for (const one of terms) one.part = one.value ** 2;
      numbers.count = terms.length;
      return terms;
    },
  };

  live.why = ({ graph: { nodes } }, values, node, index) => {
    const [op, raw, keywords] = nodes[node], args = resolve(raw, values), [kind = op, name] = known(op);
    const term = (role, of, place, x = resolve(of, values)) => ({ role, node: nodeOf(of), index: place, value: at(x, place) });
    const row = (axes, from = index) => along(from, args[0].s, axes).map((place) => term("row", raw[0], place));
    const numbers = {}, asked = { nodes, values, node, index, name, raw, args, keywords, term, row, numbers };
    const terms = explained[kind]?.(asked) ?? [];
    return { node, index, value: at(values[node], index), op, kind, terms, numbers };
  };

  const applied = ({ kind, name, numbers, ...by }) =>
    kinds[kind][name](...rolesOf(name).map((role) => Math.fround(by[role] ?? NaN)), numbers);

  const totals = {
    function: applied,
    mask: applied,
    product: ({ all }) => all,
    same: ({ same }) => same,
    pick: ({ row }) => row,
    mean: ({ all, count, name }) => (name === "sum" ? all : name === "linalg_vector_norm" ? Math.sqrt(all) : all / count),
    softmax: ({ own, max, sum, name }) => share(name, max, sum)(own),
    norm: ({ own, mean = 0, variance, square = variance, eps, gain = 1, shift = 0 }) =>
      ((own - mean) / Math.sqrt(square + eps)) * gain + shift,
  };

  // The value once more, from what was told of it.
  live.total = ({ op, kind, terms, numbers, value }) => {
    const by = Object.fromEntries(terms.map((one) => [one.role, one.value])), all = total(terms, ({ part }) => part);
    return totals[kind]?.({ all, ...numbers, ...by, kind, numbers, name: known(op)[1] }) ?? value;
  };
})();
