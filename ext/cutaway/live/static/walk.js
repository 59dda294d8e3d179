// A walk through a pass: its tensors as blocks in space, stop after stop in the order in which they were made.
(() => {
  const live = globalThis.cutawayLive;
  const { make, button, framing, ease, flight, KINDS } = live;
  const VIEW = { yaw: 0.36, pitch: 0.16 };
  const FLIGHT = [500, 1200], FILL = 1600, REST = 1400; // ms
  const FAN = 4; // times as far from head to head
  const REACH = 140; // cells from a result to what it was made of, if the picture is to show both
  const isStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  live.views.walk = class {
    stop = -1; // the whole, before the first
    cursor = null; // {block, cell}
    turn = 0;

    constructor(figure) {
      const { session, stage, element } = figure, data = JSON.parse(element.querySelector(".cutaway-walk-data").textContent);
      Object.assign(this, { figure, session, stage, element, ...data, building: new live.Building(session, data, element) });
      this.stills = [...stage.querySelectorAll("img")]; // one of each theme
      element.cutawayWalk = this; // for whoever moves it from outside
      this.frame();
      try {
        this.space = new live.Space(this.canvas);
      } catch {
        this.canvas.replaceWith(...this.stills); // and the words beside it
        this.canvas = null;
        this.fan.remove();
        this.rays.remove();
      }
      this.listen();
      this.begin();
      Promise.resolve(live.part("why")).then(() => this.cursor && this.focus(this.cursor)); // which cells a number was made of
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
      this.fan = button("fan out heads", () => this.spread(), { ariaPressed: false, hidden: this.blocks.every((row) => row[9] === 1) });
      this.rays = button("beams", () => this.beam(), { ariaPressed: false, title: "attention as beams between tokens", hidden: !this.looks.length });
      stage.replaceChildren(make("div.walk", {}, this.view, make("div.side", {}, make("div.buttons", {}, back, this.play, next, whole, this.fan, this.rays), this.slider, this.told)));
    }

    begin() {
      const { stop, cell } = live.placed(this);
      Object.assign(this, { camera: null, cursor: null, stop, asked: cell });
      if (stop >= 0) this.element.scrollIntoView({ block: "nearest" });
      this.tell();
    }

    get solid() {
      return this.building.solid;
    }

    listen() {
      const { canvas } = this;
      addEventListener("hashchange", () => {
        if (live.placed(this).stop < 0) return;
        this.begin();
        this.update();
      });
      if (!canvas) return;
      canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
      canvas.addEventListener("webglcontextrestored", () => {
        this.space.begin();
        this.draw();
      });
      canvas.addEventListener("keydown", (event) => this.key(event));
      live.handled(this, canvas);
    }

    // New numbers, or a new theme or size: everything is put anew.
    update() {
      if (!this.canvas) return;
      const { space, canvas, view } = this, ratio = Math.min(2, devicePixelRatio || 1);
      const width = view.clientWidth, height = Math.round(width * (width < 500 ? 0.75 : 0.5625));
      Object.assign(canvas, { width: width * ratio, height: height * ratio });
      canvas.style.height = `${height}px`;
      const filled = this.building.fill();
      space.dress(this.building.paint);
      if (this.isBeamed) live.emptied(this);
      space.put(...filled);
      this.shine();
      this.camera ??= this.shot(this.stop);
      if (this.asked) this.cursor = live.cursorAt(this, this.asked);
      this.asked = null;
      if (this.cursor) this.light(this.cursor.block, this.cursor.cell);
      this.draw();
      this.tell();
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

    // Heads further apart, so that each is seen; and back.
    spread() {
      const { building, fan } = this;
      building.fan = building.fan === 1 ? FAN : 1;
      fan.ariaPressed = building.fan !== 1;
      this.camera = null;
      this.update();
    }

    // Attention as beams instead of cells; and back.
    async beam() {
      if (!this.looks.length) return;
      await live.part("beams");
      this.rays.ariaPressed = this.isBeamed = !this.isBeamed;
      this.update();
    }

    shine() {
      this.space.shine(this.isBeamed ? live.beams(this) : []);
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
      live.address(this);
      if (!canvas || !this.solid) return;
      this.space.lit = [];
      if (this.isBeamed) this.shine();
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
      this.space.lit = [this.building.boxed(block, cell)];
      const index = this.building.index(block, cell);
      if (!live.why || !index || block.isHollow) return;
      for (const { node, index: from } of live.reason(this.session, block.node, index).terms ?? []) {
        const found = this.building.place(node, from, block.stop);
        if (found) this.space.lit.push(this.building.boxed(found.block, found.cell, 0.06));
      }
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
      if (this.isBeamed) this.shine();
      this.draw();
      this.tell();
    }

    ask() {
      const { block, cell } = this.cursor;
      if (block.isHollow) return;
      live.address(this);
      live.explain(this.session, block.node, this.building.index(block, cell), this.canvas, true);
    }

    key(event) {
      const { key } = event, acts = {
        n: () => this.step(1), p: () => this.step(-1), " ": () => this.play.click(), Home: () => this.go(-1),
        "+": () => this.look({ far: this.camera.far / 1.25 }), "-": () => this.look({ far: this.camera.far * 1.25 }),
        h: () => this.spread(), b: () => this.beam(), "[": () => this.layer(-1), "]": () => this.layer(1), Enter: () => this.cursor && this.ask(),
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
      live.address(this);
    }

    // The same place of the layer before or after.
    layer(by) {
      const column = (stop) => this.columns.findIndex(([, left, , right]) => this.of(stop).some(({ at }) => at[0] >= left && at[0] < right));
      const now = column(Math.max(0, this.stop)), wanted = this.stops.findIndex((_, i) => column(i) === now + by);
      if (wanted >= 0) this.go(wanted);
    }

    // Without WebGL, the numbers of a stop as cells; of several heads the first.
    async numbers() {
      const { stop, session, view } = this, [node] = this.stops[stop] ?? [], { s, d } = stop < 0 ? { s: [], d: [] } : session.tensor(node);
      await live.part("grid");
      if (stop !== this.stop) return;
      this.table?.remove();
      if (!d.length) return;
      const pick = (index) => live.explain(session, node, index, view, true);
      view.append((this.table = live.cells(session, node, { lead: s.slice(0, -2).map(() => 0), width: view.clientWidth, pick })));
    }

    // What is said in the picture, and beside it.
    name() {
      this.labels.replaceChildren(...live.labelled(this));
    }

    tell() {
      this.slider.value = this.stop;
      this.told.replaceChildren(...live.told(this));
      if (!this.canvas) this.numbers();
    }
  };
})();
