// Models to scale, side by side: fly to one, choose what the colours show, point at a part for its numbers.
(() => {
  const live = globalThis.cutawayLive;
  const { make, button, framing, flight, ease, mix, KINDS } = live;
  const VIEW = { yaw: 0.42, pitch: 0.3 }, LEAST = 0.3; // as towers.py has them
  const FLIGHT = [600, 1600]; // ms
  const NAMES = { parameters: "where the parameters are", operations: "where the time goes", cache: "what the cache holds" };
  const UNITS = { parameters: "", operations: "", cache: "B" };
  const PREFIXES = [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
  const brief = (x, unit = "") => {
    const [size, prefix] = PREFIXES.find(([least]) => x >= least) ?? [1, ""];
    return `${x >= 1e3 ? (x / size).toPrecision(3) : x} ${prefix}${unit}`.trim();
  };
  const whole = (x) => Math.round(x).toLocaleString("en");

  live.views.scale = class {
    chosen = -1; // all of them
    quantity = 0;
    turn = 0;

    constructor(figure) {
      const { element, stage } = figure;
      Object.assign(this, { figure, element, stage, ...JSON.parse(element.querySelector(".cutaway-walk-data").textContent) });
      const stills = [...stage.querySelectorAll("img")];
      element.cutawayWalk = this;
      this.canvas = make("canvas", { tabIndex: 0, ariaLabel: `${stage.ariaLabel} N and P go from model to model.` });
      this.labels = make("div.labels", { ariaHidden: true });
      this.view = make("div.space", {}, this.canvas, this.labels);
      this.told = make("div.note", { role: "status" });
      const models = live.choice("model", ["all", ...this.models.map(({ name }) => name)], 0, (i) => this.go(i - 1));
      const colours = live.choice("colour", this.quantities.map((one) => NAMES[one]), 0, (i) => this.update((this.quantity = i)));
      this.radios = [...models.querySelectorAll("input")];
      stage.replaceChildren(models, colours, make("div.walk", {}, this.view, make("div.side", {}, this.told)));
      try {
        this.space = new live.Space(this.canvas);
      } catch {
        this.canvas.replaceWith(...stills);
        this.canvas = null;
        return this.tell();
      }
      this.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
      this.canvas.addEventListener("webglcontextrestored", () => {
        this.space.begin();
        this.draw();
      });
      this.canvas.addEventListener("keydown", (event) => this.key(event));
      live.handled(this, this.canvas);
    }

    share({ parts, totals, layers }, at, quantity = this.quantity) {
      return totals[quantity] ? (parts[at][4 + quantity] * (parts[at][7] ? layers : 1)) / totals[quantity] : 0;
    }

    // The more of all a part has, the stronger its colour.
    coloured(share) {
      const { ground, line, hues } = this.paint, none = mix(ground, line, 0.7);
      return mix(none, hues[KINDS.value], share && LEAST + (1 - LEAST) * Math.sqrt(share));
    }

    update() {
      if (!this.canvas) return this.tell();
      const { space, canvas, view, models } = this, ratio = Math.min(2, devicePixelRatio || 1);
      const width = view.clientWidth, height = Math.round(width * (width < 500 ? 0.75 : 0.4375));
      Object.assign(canvas, { width: width * ratio, height: height * ratio });
      canvas.style.height = `${height}px`;
      this.paint = live.paints(this.element);
      this.boxes = models.flatMap((model, number) => model.boxes.flatMap(([part, x, y, , across, down, layers]) => {
        const mean = [...this.coloured(this.share(model, part)), 1];
        return Array.from({ length: layers }, (_, layer) => ({
          number, part, layer, at: [x, y, -layer * model.pitch - model.thick], size: [across, down, model.thick],
          data: [0, 0, 0], look: [KINDS.value, 0, -1, 0], mean,
        }));
      }));
      space.dress(this.paint);
      space.put(this.boxes, []);
      this.camera ??= this.shot();
      this.draw();
      this.tell();
    }

    shot() {
      const chosen = this.boxes.filter(({ number }) => this.chosen < 0 || number === this.chosen), axes = [0, 1, 2];
      const low = axes.map((i) => Math.min(...chosen.map(({ at }) => at[i]))), high = axes.map((i) => Math.max(...chosen.map(({ at, size }) => at[i] + size[i])));
      return framing(low, high, this.space.aspect, VIEW);
    }

    async go(chosen) {
      const turn = ++this.turn;
      Object.assign(this, { chosen, cursor: null });
      this.radios[chosen + 1].checked = true;
      this.tell();
      if (!this.canvas) return;
      const to = this.shot(), { length, at } = flight(this.camera, to), isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
      const time = isStill ? 0 : Math.min(FLIGHT[1], Math.max(FLIGHT[0], 400 * length)), start = performance.now();
      const frame = (now) => {
        if (turn !== this.turn) return;
        const t = time ? Math.min(1, Math.max(0, (now - start) / time)) : 1;
        this.camera = t < 1 ? at(ease(t)) : to;
        this.draw();
        if (t < 1) requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    }

    look(change) {
      this.turn++;
      this.camera = { ...this.camera, ...change };
      this.draw();
    }

    draw() {
      if (!this.space || !this.camera) return;
      const { cursor, space } = this;
      space.lit = cursor ? [{ ...cursor, look: [KINDS.lit, 1, -1, 0] }] : [];
      space.draw(this.camera);
      this.name();
    }

    // Names above the models, or above the parts of the chosen one; none over another.
    name() {
      const { chosen, models, space, canvas } = this, taken = [], model = models[chosen];
      const above = ({ name, left, right, boxes }) => [name, [(left + right) / 2, Math.min(...boxes.map(([, , y]) => y)), 0]];
      const named = model ? model.boxes.map(([part, x, y, , across]) => [model.parts[part][0], [x + across / 2, y, 0]]) : models.toReversed().map(above);
      this.labels.replaceChildren(...named.flatMap(([text, point]) => {
        const [x, y] = space.seen(point), half = text.length * 4 + 8, [left, top, right, bottom] = [x - half, y - 24, x + half, y - 4];
        if (left < 0 || top < 0 || right > canvas.clientWidth || bottom > canvas.clientHeight) return [];
        if (taken.some(([l, t, r, b]) => left < r && l < right && top < b && t < bottom)) return [];
        taken.push([left, top, right, bottom]);
        const label = make("span.column", {}, text);
        label.style.transform = `translate(${x}px, ${y - 4}px) translate(-50%, -100%)`;
        return [label];
      }));
    }

    point(event) {
      if (!this.space?.view) return;
      const box = this.canvas.getBoundingClientRect(), found = event && this.space.pick(event.clientX - box.left, event.clientY - box.top);
      if (found?.block === this.cursor) return;
      this.cursor = found?.block ?? null;
      this.draw();
      this.tell();
    }

    ask() {
      this.go(this.cursor.number);
    }

    key(event) {
      const { key } = event, count = this.models.length, acts = {
        n: () => this.go(Math.min(count - 1, this.chosen + 1)), p: () => this.go(Math.max(-1, this.chosen - 1)), Home: () => this.go(-1),
        "+": () => this.look({ far: this.camera.far / 1.25 }), "-": () => this.look({ far: this.camera.far * 1.25 }), Escape: () => this.canvas.blur(),
      };
      if (!acts[key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      acts[key]();
    }

    // Beside the picture: the part that is pointed at, or the model, or all of them.
    tell() {
      const { cursor, chosen, models } = this;
      this.told.replaceChildren(...(cursor ? this.part(models[cursor.number], cursor) : chosen < 0 ? this.all() : this.model(models[chosen])));
    }

    part({ name, tokens, layers, parts }, { part, layer }) {
      const [called, rows, columns, copies, parameters, operations, cache, isInLayer] = parts[part];
      const lines = [
        [parameters, `${whole(parameters)} parameters, ${brief(2 * parameters, "B")} in bfloat16`],
        [operations, `${brief(operations)} operations for ${whole(tokens)} tokens`],
        [cache, `${brief(cache, "B")} in the cache for ${whole(tokens)} tokens`],
      ];
      return [
        make("p.place", {}, `${name}${isInLayer ? `, layer ${layer + 1} of ${layers}` : ""}`),
        make("h3", {}, called),
        make("p.shapes", {}, `${copies > 1 ? `${copies} heads: ` : ""}${whole(rows)} × ${whole(columns)}`),
        ...lines.flatMap(([n, text]) => (n ? [make("p", {}, text)] : [])),
      ];
    }

    model(model) {
      const { name, layers, parts, totals } = model, unit = UNITS[this.quantities[this.quantity]];
      const shares = parts.map(([called], at) => [called, this.share(model, at)]).filter(([, part]) => part >= 0.0005).sort((a, b) => b[1] - a[1]);
      const rows = shares.map(([called, part]) => make("tr", {}, make("th", { scope: "row" }, called), make("td", {}, live.percent(part))));
      return [
        make("h3", {}, name),
        make("p", {}, `${layers} layers, ${brief(totals[this.quantity], unit)} ${this.quantities[this.quantity]}`),
        make("table.shares", {}, ...rows),
      ];
    }

    all() {
      const unit = UNITS[this.quantities[this.quantity]];
      const rows = this.models.map(({ name, totals }) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, brief(totals[this.quantity], unit))));
      return [make("p", {}, `Here: ${this.quantities[this.quantity]}. Point at a part, or fly to a model.`), make("table.shares", {}, ...rows)];
    }
  };
})();
