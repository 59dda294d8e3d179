// The blocks of a walk with the numbers of an input: where each is, in which colour, and which cell is which number.
(() => {
  const live = globalThis.cutawayLive;
  const { make, mix, THICK } = live;
  const KINDS = { value: 0, weight: 1, share: 2, input: 3, wire: 4, lit: 5 };
  const STRONG = 2.5, QUIET = 0.4, FAR = 0.5; // as colours.py has them
  const BEHIND = 8, AROUND = 6; // as scene.py has them

  // The palette's colours where the figure stands, as numbers.
  function paints(element) {
    const style = getComputedStyle(element), canvas = (paints.canvas ??= make("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true }));
    const of = (name) => {
      canvas.fillStyle = style.getPropertyValue(`--cutaway-${name}`).trim();
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)].map((x) => x / 255);
    };
    const ramp = (name, count) => Array.from({ length: count }, (_, i) => of(`${name}-${i}`));
    const [ground, panel, line, accent] = ["ground", "panel", "line", "accent"].map(of);
    const hues = { [KINDS.value]: of("blue"), [KINDS.weight]: mix(of("muted"), panel, QUIET), [KINDS.share]: of("yellow"), [KINDS.input]: of("ink") };
    return { ground, panel, line, accent, hues, signed: ramp("signed", 7), shares: ramp("weight", 5) };
  }

  function along(stops, place) {
    const at = Math.min(1, Math.max(0, place)) * (stops.length - 1), low = Math.min(stops.length - 2, Math.floor(at));
    return mix(stops[low], stops[low + 1], at - low);
  }

  // Where the numbers of a block stand in its tensor: the first, and the steps across and down. A value's follow from its
  // axes, so that another input may be longer.
  function steps({ kind, place }, { s }) {
    if (kind === KINDS.weight) return place;
    const [ax, ay, where] = place, each = s.map((_, i) => s.slice(i + 1).reduce((a, b) => a * b, 1));
    return [where.reduce((sum, [axis, i]) => sum + i * each[axis], 0), each[ax] ?? 0, each[ay] ?? 0];
  }

  // x and y with x * across + y * down = rest, or nothing.
  function solved(rest, across, down, [width, height]) {
    const isAcross = across > down, [big, small] = isAcross ? [across, down] : [down, across];
    const first = big ? Math.floor(rest / big) : 0, second = small ? (rest - first * big) / small : 0;
    const [x, y] = isAcross ? [first, second] : [second, first];
    return x >= 0 && y >= 0 && x < width && y < height && x * across + y * down === rest ? [x, y] : null;
  }

  class Building {
    fan = 1; // times as far from head to head

    constructor(session, { blocks, wires, columns }, element) {
      const named = ([node, kind, stop, x, y, z, across, down, slice, slices, place], number) => ({ node, kind, stop, at: [x, y, z], cells: [across, down], slice, slices, place, number });
      Object.assign(this, { session, element, wires, columns, planned: blocks.map(named) });
    }

    // The blocks with what the shader needs in the colours of the theme, and all their numbers one after the other.
    fill() {
      this.paint = paints(this.element);
      const places = new Map(), parts = [];
      let length = 0;
      for (const { node } of this.planned) {
        if (places.has(node)) continue;
        const { d } = this.session.tensor(node), finite = d.filter(Number.isFinite), squares = finite.reduce((sum, x) => sum + x * x, 0);
        places.set(node, { start: length, most: STRONG * Math.sqrt(squares / (finite.length || 1)) || 1 });
        parts.push(d);
        length += d.length;
      }
      const numbers = new Float32Array(length);
      let at = 0;
      for (const one of parts) at = (numbers.set(one, at), at + one.length);
      this.solid = this.planned.flatMap((block) => this.block(block, places.get(block.node)));
      return [[...this.solid, ...this.walls(), ...this.wires.flatMap((points) => this.wire(points))], numbers];
    }

    flat(at, size, colour) {
      return { at, size, data: [0, 0, 0], look: [KINDS.wire, 1, -1, 0], mean: [...colour, 1] };
    }

    // Behind each layer.
    walls() {
      const back = this.fan * Math.min(...this.planned.map(({ at }) => at[2])) - BEHIND;
      return this.columns.flatMap(([name, left, top, right, bottom]) =>
        name ? [this.flat([left - AROUND, top - AROUND, back - 1], [right - left + 2 * AROUND, bottom - top + 2 * AROUND, 1], this.paint.panel)] : []);
    }

    block(block, { start, most }) {
      const { kind, stop, slice, slices, place, cells: planned } = block, tensor = this.session.tensor(block.node), { s, d } = tensor;
      const isWeight = kind === KINDS.weight, [ax, ay, where] = place;
      if (!isWeight && where.some(([axis, i]) => i >= s[axis])) return [];
      const [first, across, down] = steps(block, tensor), [width, height] = isWeight ? planned : [s[ax] ?? 1, s[ay] ?? 1];
      const { paint } = this, shown = [0, 0, 0], cells = width * height, isHollow = !d.length;
      if (isHollow) return [{ ...block, isHollow, at: this.fanned(block), size: [width, height, THICK], data: [0, 0, 0], look: [kind, 0, stop, slice * cells], mean: [...mix(paint.panel, paint.hues[kind], FAR), cells * slices] }];
      for (let i = 0; i < cells; i++) {
        const v = d[first + (i % width) * across + Math.floor(i / width) * down];
        const own = !Number.isFinite(v) ? paint.ground : kind === KINDS.share ? along(paint.shares, v) : along(paint.signed, (v / most + 1) / 2);
        (isWeight ? mix(own, paint.panel, QUIET) : own).forEach((part, k) => (shown[k] += part / cells));
      }
      const look = [kind, most, stop, slice * cells], mean = [...mix(shown, paint.hues[kind], FAR), cells * slices];
      return [{ ...block, at: this.fanned(block), size: [width, height, THICK], data: [start + first, across, down], look, mean }];
    }

    fanned({ at: [x, y, z] }) {
      return [x, y, z * this.fan];
    }

    wire(points) {
      const found = [];
      for (let i = 0; i + 5 < points.length; i += 3) {
        const [a, b] = [points.slice(i, i + 3), points.slice(i + 3, i + 6)], at = a.map((x, k) => Math.min(x, b[k]) - 0.5);
        found.push(this.flat(at, a.map((x, k) => Math.abs(x - b[k]) + 1), this.paint.line));
      }
      return found;
    }

    // What lights a cell up.
    boxed({ at, size }, [x, y], more = 0.12) {
      const place = [at[0] + x - more, at[1] + y - more, at[2] - more];
      return { at: place, size: [1 + 2 * more, 1 + 2 * more, size[2] + 2 * more], data: [0, 0, 0], look: [KINDS.lit, 1, -1, 0], mean: [0, 0, 0, 1] };
    }

    // The index of a cell in its tensor.
    index(block, [x, y]) {
      const tensor = this.session.tensor(block.node), [first, across, down] = steps(block, tensor);
      let flat = first + x * across + y * down;
      return tensor.s.toReversed().map((n) => {
        const i = flat % n;
        flat = (flat - i) / n;
        return i;
      }).reverse();
    }

    // Where a number is seen: the block and the cell, of its node or of one that its node renames.
    place(node, index, stop) {
      const { session } = this;
      for (;;) {
        const tensor = session.tensor(node), flat = index.reduce((sum, i, axis) => sum * tensor.s[axis] + i, 0);
        for (const block of this.solid) {
          if (block.node !== node || (block.kind === KINDS.weight && block.stop !== stop)) continue;
          const [first, across, down] = steps(block, tensor), cell = solved(flat - first, across, down, block.size);
          if (cell) return { block, cell };
        }
        const why = live.why(session.model, session.values, node, index);
        if (why.kind !== "same") return null;
        [{ node, index }] = why.terms;
      }
    }
  }

  Object.assign(live, { Building, KINDS, paints });
})();
