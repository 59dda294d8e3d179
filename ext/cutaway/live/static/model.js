// A model: the graph and the weights that a script defines, run on what a reader types.
(() => {
  const live = globalThis.cutawayLive, { size, tensor, compute, finish } = live.numbers;

  const SLICE = 8; // ms of work, then the browser has its turn
  const CLOSE = 2e-5; // of a tensor's largest number
  const TAKEN = 10; // numbers of each recorded tensor: its norm, its largest, samples

  function decode(base64) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
    const text = atob(base64), bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  }

  // Some of the bytes: four signs are three of them.
  function part(base64, at, length) {
    const from = Math.floor(at / 3), to = Math.ceil((at + length) / 3);
    return decode(base64.slice(4 * from, 4 * to)).slice(at - 3 * from, at - 3 * from + length).buffer;
  }

  // The bits of half precision, put where single precision has them, are the number but for its exponent's offset.
  function half(bits) {
    const moved = new Uint32Array(bits).map((one) => ((one & 0x8000) << 16) | ((one & 0x7fff) << 13));
    return new Float32Array(moved.buffer).map((v) => v * (Math.abs(v) < 2 ** -96 ? 2 ** 112 : Infinity));
  }

  const KINDS = { f32: Float32Array, f16: Uint16Array, i8: Int8Array, bool: Uint8Array };
  function weight(base64, s, kind, at) {
    if (!KINDS[kind]) return tensor(s, new Float32Array(0)); // a shape alone
    const Kind = KINDS[kind], held = new Kind(part(base64, at, size(s) * Kind.BYTES_PER_ELEMENT));
    return tensor(s, kind === "f16" ? half(held) : new Float32Array(held));
  }

  // The node that an argument stands for, or -1.
  const nodeOf = (raw) => +(/^%(\d+)$/.exec(raw)?.[1] ?? -1);
  const NUMBERS = { inf: Infinity, "-inf": -Infinity, nan: NaN };

  function resolve(raw, values) {
    if (Array.isArray(raw)) return raw.map((one) => resolve(one, values));
    const node = nodeOf(raw);
    return node < 0 ? NUMBERS[raw] ?? raw : values[node];
  }

  // A timeout would wait 4 ms each time.
  const pause = () => new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => done(port1.close());
    port2.postMessage(0);
  });

  // The steps in small pieces, between which the browser has its turn; what is stale is given up.
  live.sliced = async (steps, isStale) => {
    let since = performance.now();
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
      if (performance.now() - since < SLICE) continue;
      await pause();
      if (isStale()) throw { cancelled: true };
      since = performance.now();
    }
  };

  // How far numbers are from the recorded ones, as a share of the scale that stands after the norm.
  function difference(d, [norm, scale, ...samples]) {
    let squares = 0; // of the finite numbers
    for (const v of d) if (v - v === 0) squares += v * v;
    const mine = Math.sqrt(squares), few = samples.length - 1;
    const apart = samples.map((theirs, k) => {
      const v = d[Math.floor((k * (d.length - 1)) / few)] ?? 0;
      return v === theirs || (v !== v && theirs !== theirs) ? 0 : Math.abs(v - theirs) / scale;
    });
    return Math.max(Math.abs(mine - norm) / Math.max(norm, scale), ...apart);
  }

  class Model {
    constructor(graph, base64) {
      const held = Object.fromEntries(graph.weights.map(([node, , ...where]) => [node, where]));
      Object.assign(this, { graph, base64, held, weights: {}, inputs: graph.inputs });
    }

    // Each weight is read when the first run comes to it, so that no task takes long.
    weight(node) {
      return this.held[node] && (this.weights[node] ??= weight(this.base64, ...this.held[node]));
    }

    // One node after the other; what they gave is in `values`.
    *steps(values, inputs = this.inputs, change = {}) {
      for (const [node, [op, args, keywords]] of this.graph.nodes.entries()) {
        let value = this.weight(node);
        if (op === "input") value ??= tensor(args[1] ?? [1, inputs[args[0]].length], new Float32Array(inputs[args[0]]));
        value ??= yield* compute(op, resolve(args, values), keywords);
        values.push(change[node]?.(value) ?? value);
        yield;
      }
      return values;
    }

    runNow(inputs, change) {
      return finish(this.steps([], inputs, change));
    }

    run(inputs, change) {
      const values = (this.latest = []);
      return live.sliced(this.steps(values, inputs, change), () => values !== this.latest);
    }

    // Several recorded tensors may be one node's: those that differ are taken from all.
    check(values) {
      const { recorded, checks, checked } = this.graph, samples = new Float32Array(part(this.base64, checked, 4 * TAKEN * checks.length));
      let matched = recorded, worst = 0, where = -1;
      checks.forEach((node, k) => {
        const apart = difference(values[node].d, samples.subarray(k * TAKEN, k * TAKEN + TAKEN));
        if (!(apart <= CLOSE)) matched--;
        if (apart > worst) [worst, where] = [apart, node];
      });
      return { recorded, matched, worst, where };
    }
  }

  live.models = {};
  live.define = (name, json, base64) => (live.models[name] = new Model(JSON.parse(json), base64));
  Object.assign(live, { resolve, nodeOf });
})();
