// Generation step by step, without a cache and with one: which positions of which block are computed, and what it takes.
(() => {
  const live = (globalThis.cutawayLive ??= {});
  const { make } = live, { known, finish } = live.numbers;
  const OTHERS = "the rest";
  const STATES = { new: "computed", again: "computed again", kept: "kept" };
  const blockOf = (path) => /^(?:.*?\.)?(\w+\.\d+)(?:\.|$)/.exec(path)?.[1] ?? OTHERS;
  const whole = (n) => Math.round(n).toLocaleString("en");

  live.views.cache = class {
    constructor({ session, stage }) {
      Object.assign(this, { session, grids: make("div.grids"), said: make("p.drawn", { role: "status" }) });
      this.going = live.going(session, () => live.likeliest(session.row(session.ids.length - 1)));
      const legend = Object.entries(STATES).map(([state, name]) => make("span", {}, make(`i.${state}`), name));
      stage.replaceChildren(make("div.buttons", {}, ...this.going.buttons), make("p.legend", {}, ...legend), this.grids, this.said);
    }

    async update() {
      const { session, ids = [] } = this, isNext = session.ids.length === ids.length + 1 && `${session.ids.slice(0, -1)}` === `${ids}`;
      this.going.update();
      if (`${session.ids}` === `${ids}`) return;
      const now = session.ids;
      this.kept = isNext ? await this.cached() : { values: session.values };
      this.ids = now;
      this.draw();
    }

    // The same token from what was kept of the step before.
    async cached() {
      const { session, kept } = this, { turn } = session, spent = {}, start = performance.now();
      try {
        const values = await live.sliced(live.cachedSteps(session.model, kept.values, session.inputs, spent), () => turn !== session.turn);
        return { values, spent, ms: performance.now() - start };
      } catch (error) {
        if (error.cancelled) throw error;
        return { values: session.values, failed: `With a cache this can't be computed here: ${error.message}` };
      }
    }

    // By block, what the step takes: all positions anew, and the last one alone.
    get taken() {
      const { session: { graph, values }, kept: { spent = {} } } = this, found = new Map();
      for (const [node, [op, raw, , path]] of graph.nodes.entries()) {
        const [kind, name] = known(op), name_ = blockOf(path);
        if (!["product", "function", "softmax", "norm"].includes(kind) || !values[node]?.d) continue;
        const row = found.get(name_) ?? { all: 0, last: 0 };
        row.all += live.work(kind, name, live.resolve(raw, values), values[node]);
        row.last += spent[node] ?? 0;
        found.set(name_, row);
      }
      const { [OTHERS]: others, ...blocks } = Object.fromEntries(found);
      return new Map(Object.entries(others ? { ...blocks, [OTHERS]: others } : blocks));
    }

    draw() {
      const { session, taken, kept } = this, sum = (of) => [...taken.values()].reduce((all, row) => all + row[of], 0);
      const isFirst = !kept.spent, grid = (name, earlier, told) => make("div.grid", {}, make("small", {}, name), make("div.scroll", {}, this.grid(earlier)), make("p", {}, told));
      const [all, last] = [sum("all"), sum("last")];
      this.grids.replaceChildren(
        grid("without a cache", "again", `${whole(all)} multiplications and other operations`),
        grid("with a cache", isFirst ? "again" : "kept", `${whole(isFirst ? all : last)} multiplications and other operations`),
      );
      for (const one of this.grids.querySelectorAll(".cutaway-live-scroll")) one.scrollLeft = one.scrollWidth; // to the newest
      this.said.textContent = kept.failed ?? (isFirst ? "The text so far is computed once, either way. Step writes the likeliest next token." : this.compared(all / last));
    }

    compared(times) {
      const { session, kept } = this, at = session.ids.length - 1, [one, two] = [session.values, kept.values].map((values) => session.row(at, values));
      const apart = one.reduce((most, x, i) => Math.max(most, Math.abs(x - two[i])), 0), most = live.largest(one);
      const same = apart > 2e-5 * most ? `the logits differ by ${live.digits(apart)}` : apart ? `the same logits, but for ${live.digits(apart)}` : "the same logits, to the last bit";
      return `With the cache ${times.toFixed(1)} times less work, ${same}. It took ${kept.ms.toFixed(1)} ms, ${session.spent.replace("computed here in", "and without")}.`;
    }

    grid(earlier) {
      const { session: { tokens }, taken } = this, last = tokens.length - 1;
      const head = tokens.map((token, i) => make("th", { scope: "col" }, token, make("sub", {}, i)));
      const cell = (i) => make(`td.${i < last ? earlier : "new"}`, { title: STATES[i < last ? earlier : "new"] });
      const rows = [...taken.keys()].map((name) => make("tr", {}, make("th", { scope: "row" }, name), ...tokens.map((_, i) => cell(i))));
      return make("table.cells.steps", {}, make("tr", {}, make("td"), ...head), ...rows);
    }
  };
})();
