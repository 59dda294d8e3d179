// Tensors, {s: sizes, d: numbers}, and the operations that only move numbers, by the names that PyTorch exports them with.
// Sizes are plain numbers; true and false are 1 and 0. Sums are made in double precision.
(() => {
  const live = (globalThis.cutawayLive ??= {});

  const total = (row, f = (v) => v) => row.reduce((sum, v) => sum + f(v), 0);
  const size = (s) => s.reduce((a, b) => a * b, 1);
  const tensor = (s, d = new Float32Array(size(s))) => ({ s, d });
  const like = (x, s) => tensor(s, new x.d.constructor(size(s)));
  const strides = (s) => s.map((_, axis) => size(s.slice(axis + 1)));
  const nth = (axis, { length }) => (axis < 0 ? axis + length : axis);
  const spliced = (s, axis, count, ...put) => [...s.slice(0, axis), ...put, ...s.slice(axis + count)];
  const missing = (what) => {
    throw Error(`no operation ${what}`);
  };

  function axesOf(x, axes) {
    const named = [axes ?? []].flat();
    return named.length ? named.map((axis) => nth(axis, x.s)) : [...x.s.keys()];
  }

  function range(from, to, step = 1) {
    const length = Math.max(0, Math.ceil((to - from) / step));
    return tensor([length], Float32Array.from({ length }, (_, k) => from + k * step));
  }

  // Renamings: numbers stay what they are and get other places.

  // A stride for each axis; a stride of 0 repeats.
  function strided(x, s, steps) {
    const out = like(x, s), count = s.map(() => 0);
    for (let i = 0, at = 0; i < out.d.length; i++) {
      out.d[i] = x.d[at];
      for (let axis = s.length - 1; axis >= 0; axis--) {
        at += steps[axis];
        if (++count[axis] < s[axis]) break;
        at -= steps[axis] * s[axis];
        count[axis] = 0;
      }
    }
    return out;
  }

  // Of an axis, what stands at some places; it makes room for the axes of these.
  function pick(x, dim, { s, d }) {
    const axis = nth(dim, x.s), n = x.s[axis], inner = size(x.s.slice(axis + 1)), out = like(x, spliced(x.s, axis, 1, ...s));
    for (let at = 0, first = 0; at < out.d.length; first += n) {
      for (const id of d) {
        const from = (first + (id < 0 ? id + n : id)) * inner;
        for (let k = 0; k < inner; k++) out.d[at++] = x.d[from + k];
      }
    }
    return out;
  }

  function permute(x, order) {
    const moved = (of) => order.map((axis) => of.at(axis));
    return order.every((axis, k) => axis === k) ? x : strided(x, moved(x.s), moved(strides(x.s)));
  }

  function transpose(x, a = 0, b = 1) {
    const order = [...x.s.keys()];
    [order[nth(a, order)], order[nth(b, order)]] = [b, a];
    return permute(x, order);
  }

  function view(x, s) {
    const rest = x.d.length / -size(s);
    return tensor(s.map((n) => (n < 0 ? rest : n)), x.d);
  }

  const unsqueeze = (x, axis) => view(x, spliced(x.s, nth(axis, [0, ...x.s]), 0, 1));

  function squeeze(x, axes) {
    const inside = axesOf(x, axes);
    return view(x, x.s.filter((n, axis) => n !== 1 || !inside.includes(axis)));
  }

  function expand(x, sizes) {
    const more = sizes.length - x.s.length, s = sizes.map((n, axis) => (n < 0 ? x.s[axis - more] : n)), steps = strides(x.s);
    if (size(s) === x.d.length) return view(x, s);
    return strided(x, s, s.map((_, axis) => (axis < more || x.s[axis - more] === 1 ? 0 : steps[axis - more])));
  }

  function slice(x, dim = 0, from, to, step) {
    const n = x.s.at(dim), bound = (i) => Math.max(0, Math.min(n, i < 0 ? i + n : i));
    return pick(x, dim, range(bound(from ?? 0), bound(to ?? n), step));
  }

  const select = (x, axis, i) => pick(x, axis, tensor([], [i]));

  function split(x, lengths, axis = 0) {
    let at = 0;
    const all = lengths.length ? lengths : Array(Math.ceil(x.s.at(axis) / lengths)).fill(lengths);
    return all.map((n) => slice(x, axis, at, (at += n)));
  }

  function cat(all, dim = 0) {
    const axis = nth(dim, all[0].s), out = like(all[0], spliced(all[0].s, axis, 1, total(all, (x) => x.s[axis])));
    for (let at = 0, k = 0; at < out.d.length; k++) {
      for (const x of all) {
        const n = size(x.s.slice(axis));
        out.d.set(x.d.subarray(k * n, k * n + n), at);
        at += n;
      }
    }
    return out;
  }

  // Each number of an axis several times.
  function repeat(x, times, axis) {
    const { s, d } = range(0, x.s.at(axis) * times);
    return pick(x, axis, tensor(s, d.map((k) => Math.floor(k / times))));
  }

  const renamings = {
    view, reshape: view, permute, transpose, t: transpose, unsqueeze, squeeze, expand,
    slice, select, split, split_with_sizes: split, cat, repeat_interleave: repeat,
    getitem: (all, i) => all[i],
    flatten: (x, a = 0, b = -1) => view(x, [...x.s.slice(0, a), -1, ...x.s.slice(nth(b, x.s) + 1)]),
    unflatten: (x, axis, s) => view(x, spliced(x.s, nth(axis, x.s), 1, ...s)),
    chunk: (x, n, axis = 0) => split(x, Math.ceil(x.s.at(axis) / n), axis),
    unbind: (x, axis = 0) => Array.from({ length: x.s.at(axis) }, (_, i) => select(x, axis, i)),
    stack: (all, axis = 0) => cat(all.map((x) => unsqueeze(x, axis)), axis),
  };
  for (const name of ["alias", "clone", "contiguous", "dropout", "to", "_to_copy"]) renamings[name] = (x) => x;

  // Picks: which axis is chosen from, and by what.
  const picks = {
    embedding: (x, ids) => [0, ids],
    index_select: (x, axis, ids) => [nth(axis, x.s), ids],
    index(x, ids) {
      const axis = ids.findIndex(Boolean);
      return ids.slice(axis + 1).some(Boolean) ? missing("index of two axes") : [axis, ids[axis]];
    },
  };

  live.tensors = { size, tensor, like, strides, spliced, missing, axesOf, range, total, pick, permute, transpose, view, squeeze, expand, slice, renamings, picks };
})();
