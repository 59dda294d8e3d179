// The operations that make numbers, by the names that PyTorch exports them with. Sums are made in double precision.
(() => {
  const live = globalThis.cutawayLive;
  const { size, tensor, like, strides, spliced, missing, axesOf, range, total, pick, permute, transpose, view, squeeze, expand, slice, renamings, picks } = live.tensors;

  // Functions of single numbers; what stands at one place, or is a plain number, goes with all places.

  // A series of positive terms, so nothing cancels; beyond 6 double precision knows no difference to 1.
  function erf(x) {
    if (Math.abs(x) > 6) return Math.sign(x);
    let term = 2 * x, sum = term;
    for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) sum += term *= (2 * x * x) / k;
    return (sum * Math.exp(-x * x)) / Math.sqrt(Math.PI);
  }

  function gelu(x, { approximate }) {
    const bent = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
    return (x / 2) * (1 + (approximate === "tanh" ? Math.tanh(bent) : erf(x / Math.SQRT2)));
  }

  const and = (a, b) => a & b, or = (a, b) => a | b, not = (a) => +!a;
  const floordiv = (a, b) => Math.floor(a / b), sigmoid = (a) => 1 / (1 + Math.exp(-a));
  const pointwise = {
    add: (a, b, _, { alpha = 1 }) => a + b * alpha,
    sub: (a, b, _, { alpha = 1 }) => a - b * alpha,
    rsub: (a, b) => b - a,
    mul: (a, b) => a * b,
    div: (a, b, _, { rounding_mode }) => (rounding_mode ? Math[rounding_mode](a / b) : a / b),
    pow: (a, b) => a ** b,
    clamp: (a, low, high) => (a < low ? low : a > high ? high : a),
    eq: (a, b) => +(a === b), ne: (a, b) => +(a !== b),
    lt: (a, b) => +(a < b), le: (a, b) => +(a <= b), gt: (a, b) => +(a > b), ge: (a, b) => +(a >= b),
    __and__: and, bitwise_and: and, logical_and: and, bitwise_or: or, logical_or: or,
    bitwise_not: not, logical_not: not, floordiv, floor_divide: floordiv,
    tril: (a, beyond) => (beyond > 0 ? 0 : a), triu: (a, beyond) => (beyond < 0 ? 0 : a),
    neg: (a) => -a, square: (a) => a * a, reciprocal: (a) => 1 / a, rsqrt: (a) => 1 / Math.sqrt(a),
    relu: (a) => Math.max(a, 0), silu: (a) => a * sigmoid(a), gelu: (a, _, __, keywords) => gelu(a, keywords), sigmoid, erf,
  };
  for (const name of ["abs", "sqrt", "exp", "log", "sin", "cos", "tanh"]) pointwise[name] = Math[name];

  function broadcast(sizes) {
    const length = Math.max(...sizes.map((s) => s.length));
    return Array.from({ length }, (_, axis) => Math.max(...sizes.map((s) => s.at(axis - length) ?? 1)));
  }

  function combine(f, operands, keywords = {}) {
    const all = operands.map((one) => (one?.d ? one : tensor([], Float32Array.of(one ?? NaN))));
    const s = broadcast(all.map((one) => one.s)), out = tensor(s), [a, b = a, c = a] = all.map((one) => expand(one, s).d);
    for (let at = 0; at < out.d.length; at++) out.d[at] = f(a[at], b[at], c[at], keywords);
    return operands.some((one) => one?.d) ? out : out.d[0];
  }

  // Of a triangle, how far right of its edge each number stands.
  function operands(name, args) {
    if (!/^tri[lu]$/.test(name)) return args;
    const [x, edge = 0] = args, [m, n] = x.s.slice(-2);
    return [x, combine((column, row) => column - row - edge, [range(0, n), view(range(0, m), [m, 1])])];
  }

  // Rows: what is made of all numbers along some axes.

  function moments(row, centred) {
    const mean = centred ? total(row) / row.length : 0;
    return [mean, total(row, (v) => (v - mean) ** 2) / row.length];
  }

  function exponentials(row, rounded = (v) => v) {
    const max = row.reduce((a, b) => Math.max(a, b));
    return [max, row.reduce((sum, v) => rounded(sum + Math.exp(v - max)), 0)];
  }

  // A loss close to 0 is what single precision leaves of a sum close to 1, so the sum is rounded as PyTorch does.
  function surprise(row, target) {
    const [max, sum] = exponentials(row, Math.fround);
    return max - row[target] + Math.log(sum);
  }

  // The axes are moved to the end, where each row stands in one piece.
  function rows(x, axes, made) {
    const inside = axesOf(x, axes), order = [...x.s.keys()].filter((axis) => !inside.includes(axis)).concat(inside);
    const turned = permute(x, order), out = like(x, turned.s), n = size(inside.map((axis) => x.s[axis]));
    for (let at = 0; at < x.d.length; at += n) out.d.set(made(turned.d.subarray(at, at + n), at / n), at);
    return permute(out, order.map((_, axis) => order.indexOf(axis)));
  }

  // One number for each row.
  function collapse(x, axes, f, keep) {
    const inside = axesOf(x, axes), all = rows(x, axes, (row, at) => Array(row.length).fill(f(row, at)));
    const one = inside.reduce((y, axis) => slice(y, axis, 0, 1), all);
    return keep ? one : squeeze(one, inside);
  }

  // What softmax, or its logarithm, makes of a number.
  const share = (name, max, sum) => (v) => (name.includes("log") ? v - max - Math.log(sum) : Math.exp(v - max) / sum);
  const softmax = ([x, axis], _, name) => rows(x, axis, (row) => row.map(share(name, ...exponentials(row))));

  // The arguments of a norm by what they are. RMS norm has no shift and takes no mean away.
  function normed(name, given) {
    const centred = name === "layer_norm", [x, s, gain, shift, eps] = centred ? given : spliced(given, 3, 0, null);
    return { axes: s.map((_, k) => x.s.length - s.length + k), gain, shift, eps: eps ?? (centred ? 1e-5 : 2 ** -23), centred };
  }

  function norm(given, _, name) {
    const { axes, gain, shift, eps, centred } = normed(name, given);
    return rows(given[0], axes, (row) => {
      const [mean, variance] = moments(row, centred), scale = Math.sqrt(variance + eps);
      return row.map((v, k) => ((v - mean) / scale) * (gain ? gain.d[k] : 1) + (shift ? shift.d[k] : 0));
    });
  }

  function crossEntropy([x, { d }, weight, reduction = 1, ignored = -100, smoothing]) {
    if (weight || reduction !== 1 || smoothing) missing("such a cross_entropy_loss");
    const losses = collapse(x, -1, (row, at) => (d[at] === ignored ? 0 : surprise(row, d[at])));
    return tensor([], Float32Array.of(total(losses.d) / d.filter((id) => id !== ignored).length));
  }

  // Sums of products.

  // Two rows with two at a time, so that each number is read once for two products; the last one may be repeated.
  function block(out, a, b, row, m, from, to, n, k) {
    const next = Math.min(row + 1, m - 1), p = row * k, q = next * k;
    for (let j = from; j < to; j += 2) {
      const other = Math.min(j + 1, n - 1), r = j * k, s = other * k;
      let w = 0, x = 0, y = 0, z = 0;
      for (let l = 0; l < k; l++) {
        const c = a[p + l], d = a[q + l], e = b[r + l], f = b[s + l];
        w += c * e;
        x += c * f;
        y += d * e;
        z += d * f;
      }
      out[row * n + j] = w;
      out[row * n + other] = x;
      out[next * n + j] = y;
      out[next * n + other] = z;
    }
  }

  const WORK = 2 ** 17; // products between two chances for the browser

  // Rows of the first factor with rows of the second, in each of the matrices.
  function* multiply(a, b, bias) {
    const outer = broadcast([a.s.slice(0, -2), b.s.slice(0, -2)]), [m, k] = a.s.slice(-2), n = b.s.at(-2);
    const out = tensor([...outer, m, n]), [x, y] = [expand(a, [...outer, m, k]), expand(b, [...outer, n, k])];
    const wide = Math.ceil(WORK / k);
    for (let z = 0; z < size(outer); z++) {
      const [to, p, q] = [out, x, y].map(({ s, d }) => d.subarray(z * size(s.slice(-2))));
      for (let from = 0; from < n; from += wide) {
        for (let row = 0; row < m; row += 2, yield) block(to, p, q, row, m, from, Math.min(n, from + wide), n, k);
      }
    }
    return bias?.d ? combine(pointwise.add, [out, bias]) : out;
  }

  const matmul = ([a, b, bias]) => multiply(a, transpose(b, -2, -1), bias);

  function finish(steps) {
    let step;
    do step = steps.next();
    while (!step.done);
    return step.value;
  }

  // How much each position takes from each: the softmax of the scaled products of queries and keys.
  function attending([q, k, , mask, , causal], { scale = q.s.at(-1) ** -0.5, enable_gqa }) {
    let x = combine(pointwise.mul, [finish(multiply(q, enable_gqa ? missing("enable_gqa") : k)), scale]);
    if (mask) x = combine(mask.d.includes(1) ? (a, chosen) => (chosen ? a : -Infinity) : pointwise.add, [x, mask]);
    if (causal) x = combine((a, beyond) => (beyond > 0 ? -Infinity : a), operands("tril", [x]));
    return softmax([x, -1], {}, "");
  }

  // All operations, by the kind of answer to why a number is what it is.

  const filled = (given) => ([like, v = given]) => {
    const s = like.s ?? like;
    return tensor(s, new Float32Array(size(s)).fill(v));
  };

  const kinds = {
    same: renamings, pick: picks, function: pointwise,
    mask: { masked_fill: (own, mask, fill) => (mask ? fill : own), where: (mask, own, fill) => (mask ? own : fill) },
    constant: {
      sym_size: ([x, axis]) => x.s.at(axis),
      full: filled(), full_like: filled(), ones: filled(1), ones_like: filled(1), zeros: filled(0), zeros_like: filled(0),
      arange: (args) => range(...(args.length > 1 ? args : [0, ...args])),
    },
    product: {
      linear: (args) => multiply(...args), matmul, bmm: matmul, mm: matmul, addmm: ([bias, a, b]) => matmul([a, b, bias]),
      scaled_dot_product_attention: (args, keywords) => matmul([attending(args, keywords), args[2]]),
    },
    softmax: { softmax, log_softmax: softmax },
    norm: { layer_norm: norm, rms_norm: norm },
    mean: {
      sum: ([x, axes, keep]) => collapse(x, axes, (row) => total(row), keep),
      mean: ([x, axes, keep]) => collapse(x, axes, (row) => total(row) / row.length, keep),
      linalg_vector_norm: ([x, , axes, keep]) => collapse(x, axes, (row) => Math.sqrt(total(row, (v) => v * v)), keep),
      cross_entropy_loss: crossEntropy,
    },
  };

  // The kind of an operation, and its name without the overload.
  function known(op) {
    const [name] = op.split(".");
    return [Object.keys(kinds).find((kind) => name in kinds[kind]), name];
  }

  function moved(op, args) {
    const [kind, name] = known(op), made = kinds[kind][name](...args);
    return kind === "pick" ? pick(args[0], ...made) : made;
  }

  function* compute(op, args, keywords) {
    const [kind, name] = known(op), f = kinds[kind]?.[name] ?? missing(op);
    if (kind === "same" || kind === "pick") return moved(op, args);
    if (kind === "function" || kind === "mask") return combine(f, operands(name, args), keywords);
    const made = f(args, keywords, name);
    return made?.next ? yield* made : made;
  }

  live.numbers = {
    size, tensor, strides, spliced, kinds, known, moved, compute, finish, operands, axesOf, total, moments, exponentials,
    share, surprise, normed, attending, broadcast, slice,
  };
})();
