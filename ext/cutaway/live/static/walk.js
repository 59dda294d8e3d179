// A walk through a pass: its tensors as blocks in space, stop after stop in the order in which they were made.
(() => {
  const live = globalThis.cutawayLive;
  const { make, button, framing, THICK } = live;
  const KINDS = { value: 0, weight: 1, share: 2, input: 3, wire: 4, lit: 5 };
  const STRONG = 2.5, QUIET = 0.4, FAR = 0.5; // as colours.py has them
  const VIEW = { yaw: 0.36, pitch: 0.16 };
  const FLIGHT = [500, 1200], FILL = 1600, REST = 1400; // ms
  const LABELS = 24, CURVE = 1.3, REACH = 140;
  const isStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
  const ease = (t) => t * t * (3 - 2 * t);
  const mix = (a, b, t) => a.map((x, i) => x + (b[i] - x) * t);

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

  // The smooth way from one camera to another: far off for a moment when the way is long (van Wijk and Nuij 2003).
  function flight(from, to) {
    const u = Math.hypot(...from.target.map((x, i) => to.target[i] - x)), [w0, w1] = [from.far, to.far], r = CURVE;
    const between = (t, s) => ({ target: mix(from.target, to.target, s), far: 0, yaw: from.yaw + (to.yaw - from.yaw) * ease(t), pitch: from.pitch + (to.pitch - from.pitch) * ease(t) });
    if (u < 1e-3 * w0) return { length: Math.abs(Math.log(w1 / w0)) / r, at: (t) => ({ ...between(t, t), far: w0 * (w1 / w0) ** t }) };
    const b = (w, sign) => (w1 * w1 - w0 * w0 + sign * r ** 4 * u * u) / (2 * w * r * r * u), log = (x) => Math.log(Math.sqrt(x * x + 1) - x);
    const [r0, r1] = [log(b(w0, 1)), log(b(w1, -1))], length = (r1 - r0) / r;
    const at = (t) => {
      const s = r * t * length + r0, moved = (w0 / (r * r)) * (Math.cosh(r0) * Math.tanh(s) - Math.sinh(r0));
      return { ...between(t, moved / u), far: (w0 * Math.cosh(r0)) / Math.cosh(s) };
    };
    return { length, at };
  }

  live.views.walk = class {
    stop = -1; // the whole, before the first
    cursor = null; // {block, cell}
    turn = 0;

    constructor(figure) {
      const { session, stage, element } = figure, data = JSON.parse(element.querySelector(".cutaway-walk-data").textContent);
      Object.assign(this, { figure, session, stage, element, ...data });
      this.stills = [...stage.querySelectorAll("img")]; // one of each theme
      element.cutawayWalk = this; // for whoever moves it from outside
      this.frame();
      try {
        this.space = new live.Space(this.canvas);
      } catch {
        this.canvas.replaceWith(...this.stills); // and the words beside it
        this.canvas = null;
      }
      this.listen();
      this.begin();
      live.part("why"); // which cells a number was made of
    }

    frame() {
      const { stage } = this;
      this.canvas = make("canvas", { tabIndex: 0, ariaLabel: `${this.element.querySelector(".cutaway-live-stage").ariaLabel} N and P go from stop to stop.` });
      this.labels = make("div.labels", { ariaHidden: true });
      this.view = make("div.space", {}, this.canvas, this.labels);
      this.told = make("div.note", { role: "status" });
      this.play = button("▶ play", () => (this.isPlaying ? this.pause() : this.start()));
      this.slider = make("input", { type: "range", min: -1, max: this.stops.length - 1, step: 1, ariaLabel: "stop of the walk" });
      this.slider.oninput = () => this.go(+this.slider.value, true);
      const whole = button("whole", () => this.go(-1)), back = button("◀", () => this.step(-1), { ariaLabel: "previous stop" });
      const next = button("▶▶", () => this.step(1), { ariaLabel: "next stop" });
      stage.replaceChildren(make("div.walk", {}, this.view, make("div.side", {}, make("div.buttons", {}, back, this.play, next, whole), this.slider, this.told)));
    }

    begin() {
      const found = /#walk=([^/]+)/.exec(location.hash)?.[1], at = found ? this.named(decodeURIComponent(found)) : -1;
      this.camera = null;
      this.stop = at;
      this.tell();
    }

    // A stop's name in the page's address: its step and layer, or its number.
    nameOf(stop) {
      const [of, step] = this.stops[stop], same = this.stops.flatMap(([, one], i) => (step && one === step ? [i] : []));
      return same.length === 1 ? step : step ? `${step}@${this.session.graph.nodes[of][3] || same.indexOf(stop)}` : `${of}`;
    }

    named(name) {
      const exact = this.stops.findIndex((_, i) => this.nameOf(i) === name);
      return exact >= 0 ? exact : this.stops.findIndex(([, step]) => step === name);
    }

    listen() {
      const { canvas } = this;
      if (!canvas) return;
      canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
      canvas.addEventListener("webglcontextrestored", () => {
        this.space.begin();
        this.draw();
      });
      canvas.addEventListener("keydown", (event) => this.key(event));
      canvas.addEventListener("pointermove", (event) => (event.buttons && this.isHeld ? this.drag(event) : this.point(event)));
      canvas.addEventListener("pointerleave", () => this.point(null));
      canvas.addEventListener("pointerdown", ({ pointerType, pointerId }) => {
        this.isHeld = pointerType === "mouse" || document.activeElement === canvas;
        this.moved = 0;
        if (this.isHeld) canvas.setPointerCapture(pointerId);
      });
      canvas.addEventListener("click", () => this.moved < 4 && this.cursor && this.ask());
      canvas.addEventListener("wheel", (event) => {
        if (document.activeElement !== canvas) return; // the page scrolls until the figure is entered
        event.preventDefault();
        this.look({ far: this.camera.far * Math.exp(event.deltaY / 600) });
      }, { passive: false });
      for (const type of ["focus", "blur"]) canvas.addEventListener(type, () => (canvas.style.touchAction = type === "focus" ? "none" : "pan-y"));
    }

    // New numbers, or a new theme or size: everything is put anew.
    update() {
      if (!this.canvas) return;
      const { space, canvas, view } = this, ratio = Math.min(2, devicePixelRatio || 1);
      const width = view.clientWidth, height = Math.round(width * (width < 500 ? 0.75 : 0.5625));
      Object.assign(canvas, { width: width * ratio, height: height * ratio });
      canvas.style.height = `${height}px`;
      this.paint = paints(this.element);
      space.dress(this.paint);
      space.put(...this.filled());
      this.camera ??= this.shot(this.stop);
      this.draw();
      this.tell();
    }

    // The blocks with what the shader needs, and all their numbers one after the other.
    filled() {
      const { session, paint, blocks, wires } = this, places = new Map(), numbers = [];
      let length = 0;
      for (const [node] of blocks) {
        if (places.has(node)) continue;
        const { d, s } = session.tensor(node), { sum, count } = d.reduce((all, x) => (Number.isFinite(x) ? { sum: all.sum + x * x, count: all.count + 1 } : all), { sum: 0, count: 0 });
        places.set(node, { at: length, d, s, most: STRONG * Math.sqrt(sum / (count || 1)) || 1 });
        numbers.push(d);
        length += d.length;
      }
      const all = new Float32Array(length);
      let at = 0;
      for (const one of numbers) at = (all.set(one, at), at + one.length);
      this.solid = blocks.flatMap((row, i) => this.block(row, i, places, all));
      const line = wires.flatMap((points) => this.wire(points));
      return [[...this.solid, ...line], all];
    }

    block(row, number, places, all) {
      const [node, kind, stop, x, y, z, across, down, slice, slices, place] = row, { at, d, s, most } = places.get(node);
      let [offset, one, other] = place, size = [across, down];
      if (kind !== KINDS.weight) {
        const [ax, ay, where] = place, steps = s.map((_, i) => s.slice(i + 1).reduce((a, b) => a * b, 1));
        if (where.some(([axis, i]) => i >= s[axis])) return [];
        offset = where.reduce((sum, [axis, i]) => sum + i * steps[axis], 0);
        [one, other] = [steps[ax] ?? 0, steps[ay] ?? 0];
        size = [s[ax] ?? 1, s[ay] ?? 1];
      }
      const { paint } = this, hue = paint.hues[kind], shown = [0, 0, 0], cells = size[0] * size[1];
      for (let i = 0; i < cells; i++) {
        const v = d[offset + (i % size[0]) * one + Math.floor(i / size[0]) * other];
        const colour = !Number.isFinite(v) ? paint.ground : kind === KINDS.share ? along(paint.shares, v) : along(paint.signed, (v / most + 1) / 2);
        for (let k = 0; k < 3; k++) shown[k] += (kind === KINDS.weight ? colour[k] * (1 - QUIET) + paint.panel[k] * QUIET : colour[k]) / cells;
      }
      const look = [kind, most, stop, slice * cells], mean = [...mix(shown, hue, FAR), cells * slices];
      return [{ at: [x, y, z], size: [...size, THICK], data: [at + offset, one, other], look, mean, node, kind, stop, number, place, slice }];
    }

    wire(points) {
      const found = [];
      for (let i = 0; i + 5 < points.length; i += 3) {
        const [a, b] = [points.slice(i, i + 3), points.slice(i + 3, i + 6)], at = a.map((x, k) => Math.min(x, b[k]) - 0.5);
        found.push({ at, size: a.map((x, k) => Math.abs(x - b[k]) + 1), data: [0, 0, 0], look: [KINDS.wire, 1, -1, 0], mean: [...this.paint.line, 1] });
      }
      return found;
    }

    // The blocks of a stop: what it makes and its weights; with what it takes.
    of(stop, isWith) {
      const wanted = new Set(isWith ? [stop, ...this.stops[stop][2]] : [stop]);
      return this.solid.filter((block) => wanted.has(block.stop) && (block.stop === stop || block.kind !== KINDS.weight));
    }

    shot(stop) {
      const chosen = stop < 0 ? this.solid : this.near(stop), axes = [0, 1, 2];
      const low = axes.map((i) => Math.min(...chosen.map(({ at }) => at[i]))), high = axes.map((i) => Math.max(...chosen.map(({ at, size }) => at[i] + size[i])));
      return framing(low, high, this.space.aspect, VIEW);
    }

    // The result with its weights, and what it takes unless that stands far away.
    near(stop) {
      const own = this.of(stop), middle = ({ at, size }) => [0, 1].map((i) => at[i] + size[i] / 2), [x, y] = middle(own[0]);
      const reach = Math.max(REACH, ...own.map(({ size }) => 1.5 * Math.max(size[0], size[1])));
      return [...own, ...this.of(stop, true).filter((one) => Math.hypot(middle(one)[0] - x, middle(one)[1] - y) < reach)];
    }

    step(by) {
      this.go(Math.min(this.stops.length - 1, Math.max(-1, this.stop + by)));
    }

    start() {
      this.isPlaying = true;
      this.play.textContent = "⏸ pause";
      this.go(this.stop + 1 < this.stops.length ? this.stop + 1 : 0);
    }

    pause() {
      this.isPlaying = false;
      this.play.textContent = "▶ play";
    }

    async go(stop, isAtOnce) {
      const turn = ++this.turn, { canvas } = this;
      Object.assign(this, { stop, cursor: null });
      this.tell();
      this.address();
      if (!canvas || !this.solid) return;
      this.space.lit = [];
      const to = this.shot(stop), { length, at } = flight(this.camera, to), isQuick = isAtOnce || isStill();
      const time = isQuick ? 0 : Math.min(FLIGHT[1], Math.max(FLIGHT[0], 500 * length));
      if (!(await this.move(time, (t) => (this.camera = t < 1 ? at(ease(t)) : to), turn, [stop < 0 ? 1e9 : stop, 0]))) return;
      if (stop >= 0 && !(await this.move(isQuick ? 0 : FILL, (t) => this.fill(stop, t), turn))) return;
      this.space.lit = [];
      this.draw();
      if (!this.isPlaying) return;
      await new Promise((done) => setTimeout(done, isStill() ? FILL + REST : REST));
      if (turn !== this.turn || !this.isPlaying) return;
      if (stop + 1 < this.stops.length) this.go(stop + 1);
      else this.pause();
    }

    // Something from 0 to 1, drawn at each frame; whether nothing came between.
    move(time, act, turn, now) {
      const start = performance.now();
      return new Promise((done) => {
        const frame = (at) => {
          if (turn !== this.turn) return done(false);
          const t = time ? Math.min(1, Math.max(0, (at - start) / time)) : 1;
          act(t);
          this.draw(now);
          if (t < 1) requestAnimationFrame(frame);
          else done(true);
        };
        requestAnimationFrame(frame);
      });
    }

    // Cells in reading order, the current one with what it was made of.
    fill(stop, t) {
      const own = this.of(stop).filter(({ kind }) => kind !== KINDS.weight), cells = own.reduce((sum, { size }) => sum + size[0] * size[1], 0);
      this.part = t;
      let at = Math.min(cells - 1, Math.floor(t * cells));
      for (const block of own) {
        const count = block.size[0] * block.size[1];
        if (at < count) return t < 1 && this.light(block, [at % block.size[0], Math.floor(at / block.size[0])]);
        at -= count;
      }
    }

    // A cell and its operands in the accent's colour.
    light(block, cell) {
      this.space.lit = [this.boxed(block, cell)];
      const index = this.index(block, cell);
      if (!live.why || !index) return;
      for (const { node, index: from } of live.reason(this.session, block.node, index).terms ?? []) this.space.lit.push(...this.found(node, from, block.stop));
    }

    boxed({ at, size }, [x, y], more = 0.12) {
      const place = [at[0] + x - more, at[1] + y - more, at[2] - more];
      return { at: place, size: [1 + 2 * more, 1 + 2 * more, size[2] + 2 * more], data: [0, 0, 0], look: [KINDS.lit, 1, -1, 0], mean: [0, 0, 0, 1] };
    }

    // The index of a cell in its tensor.
    index({ node, kind, place }, [x, y]) {
      const { s } = this.session.tensor(node);
      if (kind === KINDS.weight) {
        let flat = place[0] + x * place[1] + y * place[2];
        return s.toReversed().map((n) => ([flat, n] = [Math.floor(flat / n), flat % n])[1]).reverse();
      }
      const [ax, ay, where] = place, index = s.map(() => 0);
      for (const [axis, i] of where) index[axis] = i;
      if (ax >= 0) index[ax] = x;
      if (ay >= 0) index[ay] = y;
      return index;
    }

    // Where a number is seen: in a block of its node, or of one that renames it.
    found(node, index, stop) {
      const { session } = this, flat = (s, at) => at.reduce((sum, i, axis) => sum * s[axis] + i, 0);
      for (const block of this.solid) {
        if (block.node !== node || (block.kind === KINDS.weight && block.stop !== stop)) continue;
        const { s } = session.tensor(node), [start, one, other] = block.kind === KINDS.weight ? block.place : this.offset(block, s);
        const rest = flat(s, index) - start;
        for (const cell of this.solve(rest, one, other, block.size)) return [this.boxed(block, cell, 0.06)];
      }
      return [];
    }

    offset({ place: [ax, ay, where] }, s) {
      const steps = s.map((_, i) => s.slice(i + 1).reduce((a, b) => a * b, 1));
      return [where.reduce((sum, [axis, i]) => sum + i * steps[axis], 0), steps[ax] ?? 0, steps[ay] ?? 0];
    }

    // x and y with x * one + y * other = rest.
    solve(rest, one, other, [across, down]) {
      const [big, small, isSwapped] = one > other ? [one, other, false] : [other, one, true];
      const first = big ? Math.floor(rest / big) : 0, second = small ? (rest - first * big) / small : 0;
      const [x, y] = isSwapped ? [second, first] : [first, second];
      return rest >= 0 && x >= 0 && y >= 0 && x < across && y < down && x * one + y * other === rest ? [[x, y]] : [];
    }

    draw(now) {
      if (!this.space || !this.camera) return;
      const at = now ?? (this.stop < 0 ? [1e9, 1] : [this.stop, this.part ?? 1]);
      this.space.draw(this.camera, at);
      this.name();
    }

    look(change) {
      this.turn++;
      this.pause();
      this.part = 1;
      this.camera = { ...this.camera, ...change };
      this.draw();
    }

    drag({ movementX, movementY, shiftKey }) {
      const { yaw, pitch, target, far } = this.camera, { right, up } = this.space.view, cells = (0.73 * far) / this.canvas.clientHeight;
      this.moved += Math.abs(movementX) + Math.abs(movementY);
      if (shiftKey) this.look({ target: target.map((x, i) => x - (right[i] * movementX - up[i] * movementY) * cells) });
      else this.look({ yaw: yaw - movementX / 200, pitch: Math.max(-1.2, Math.min(1.2, pitch + movementY / 200)) });
    }

    // What is under the pointer: its number, its operands lit.
    point(event) {
      if (!this.solid || !this.space.view) return;
      const box = this.canvas.getBoundingClientRect(), found = event && this.space.pick(event.clientX - box.left, event.clientY - box.top);
      if (found?.block.number === this.cursor?.block.number && `${found?.cell}` === `${this.cursor?.cell}`) return;
      this.focus(found ?? null);
    }

    focus(cursor) {
      this.cursor = cursor;
      this.space.lit = [];
      if (cursor) this.light(cursor.block, cursor.cell);
      this.draw();
      this.tell();
    }

    ask() {
      const { block, cell } = this.cursor;
      live.explain(this.session, block.node, this.index(block, cell), this.canvas, true);
    }

    key(event) {
      const { key } = event, acts = {
        n: () => this.step(1), p: () => this.step(-1), " ": () => this.play.click(), Home: () => this.go(-1),
        "+": () => this.look({ far: this.camera.far / 1.25 }), "-": () => this.look({ far: this.camera.far * 1.25 }),
        "[": () => this.layer(-1), "]": () => this.layer(1), Enter: () => this.cursor && this.ask(),
        ArrowLeft: () => this.walk(-1, 0), ArrowRight: () => this.walk(1, 0), ArrowUp: () => this.walk(0, -1), ArrowDown: () => this.walk(0, 1),
        Escape: () => (this.cursor ? this.focus(null) : this.canvas.blur()),
      };
      if (!acts[key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation(); // of the page's own keys
      acts[key]();
    }

    // The cell beside the one in focus, at first the upper left one of the stop.
    walk(right, down) {
      const block = this.cursor?.block ?? this.of(Math.max(0, this.stop)).find(({ kind }) => kind !== KINDS.weight);
      const [x, y] = this.cursor?.cell ?? [-right, -down], [across, height] = block.size;
      this.focus({ block, cell: [Math.min(across - 1, Math.max(0, x + right)), Math.min(height - 1, Math.max(0, y + down))] });
    }

    // The same place of the layer before or after.
    layer(by) {
      const column = (stop) => this.columns.findIndex(([, left, , right]) => this.of(stop).some(({ at }) => at[0] >= left && at[0] < right));
      const now = column(Math.max(0, this.stop)), wanted = this.stops.findIndex((_, i) => column(i) === now + by);
      if (wanted >= 0) this.go(wanted);
    }

    address() {
      const url = new URL(location);
      url.hash = this.stop < 0 ? "" : `walk=${this.nameOf(this.stop)}`;
      try {
        history.replaceState(history.state, "", url);
      } catch {} // a file's address may be fixed
    }

    labelOf(block) {
      return live.called(this.session, block.node, this.session.tensor(block.node).s.map(() => 0)).name;
    }

    // Names in the picture: of what is at the stop, or of the columns; none over another.
    name() {
      const { space, stop, columns } = this, wanted = [], seen = new Set();
      if (stop < 0) {
        for (const [name, left, , right] of columns) if (name) wanted.push([name.split(".").slice(-2).join("."), [right, 0, 0], "column"]);
      } else {
        const chosen = [...this.of(stop), ...this.of(stop, true)];
        for (const block of chosen) {
          const key = `${block.node} ${block.at[0]}`;
          if (seen.has(key) || block.slice) continue;
          seen.add(key);
          wanted.push([this.labelOf(block), [block.at[0] + block.size[0] / 2, block.at[1] - 1.5, block.at[2]], block.stop === stop && block.kind !== KINDS.weight ? "now" : "with"]);
        }
      }
      const taken = [], made = [];
      for (const [text, point, kind] of wanted) {
        if (made.length >= LABELS) break;
        const [x, y] = space.seen(point), half = text.length * 3.9 + 6, box = [x - half, y - 18, x + half, y];
        if (x < 0 || y < 14 || x > space.canvas.clientWidth || y > space.canvas.clientHeight) continue;
        if (taken.some(([l, t, r, b]) => box[0] < r && l < box[2] && box[1] < b && t < box[3])) continue;
        taken.push(box);
        const label = make(`span.${kind}`, {}, text); // as text that can be read aloud it stands beside the picture
        label.style.transform = `translate(${x}px, ${y}px) translate(-50%, -100%)`;
        made.push(label);
      }
      this.labels.replaceChildren(...made);
    }

    // The stop in words: the line, the shapes, the note of the listing, and the number in focus.
    tell() {
      const { session, stop, stops, cursor, texts } = this, { graph } = session;
      this.slider.value = stop;
      const said = [];
      if (stop < 0) said.push(make("p", {}, `${stops.length} stops, ${this.blocks.length} blocks. Play, or go from stop to stop; drag to turn, point at a cell for its number.`));
      else {
        const [of, step, taken] = stops[stop], [op, , , module, place] = graph.nodes[of], [file, line, text] = graph.places[place] ?? [];
        const { content_root: root = "" } = document.documentElement.dataset, where = `${file}:${line}`;
        const shape = (one) => session.tensor(one).s.join(" × ") || "1";
        const name = live.called(session, of, session.tensor(of).s.map(() => 0)).name;
        said.push(make("p.place", {}, `${stop + 1} of ${stops.length} · ${module || op}`));
        said.push(make("h3", {}, name));
        if (file) said.push(make("p.code", {}, make("code", {}, text), make("small", {}, graph.steps[step] ? make("a", { href: root + graph.steps[step] }, where) : where)));
        const from = taken.map((one) => shape(stops[one][0]));
        said.push(make("p.shapes", {}, from.length ? `${from.join(", ")} → ${shape(of)}` : shape(of)));
        if (texts[step]) said.push(make("p", {}, texts[step]));
      }
      if (cursor) {
        const { block, cell } = cursor, index = this.index(block, cell), one = live.called(session, block.node, index);
        said.push(make("p.cell", {}, make("b", {}, `${live.written(one)} = ${live.digits(live.at(session.tensor(block.node), index))}`), ` ${live.words(session, block.node, index).join(", ")}. Enter or a click says why.`));
      }
      this.told.replaceChildren(...said);
    }
  };
})();
