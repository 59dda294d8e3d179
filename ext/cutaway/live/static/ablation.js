// What the model can do without: heads and parts of blocks set to zero, and the answer before and after.
(() => {
  const live = (globalThis.cutawayLive ??= {});
  const { make, button } = live;

  const without = (isOut) => ({ s, d }) => ({ s, d: d.map((x, at) => (isOut(at, s) ? 0 : x)) });
  const inner = (s, axis) => s.slice(axis + 1).reduce((a, b) => a * b, 1);

  live.views.ablation = class {
    off = new Set();

    constructor({ session, stage, data, layers }) {
      const rows = {}, row = (name) => (rows[name] ??= make("div", { role: "group", ariaLabel: name }, make("span", {}, name)));
      this.session = session;
      for (const { name, node } of layers) {
        const axis = Math.max(1, session.graph.nodes[node][6]?.indexOf("H")), { s } = session.tensor(node);
        for (let head = 0; head < s[axis]; head++) {
          const isOut = (at, s) => Math.floor(at / inner(s, axis)) % s[axis] === head;
          row(name.replace(/\.\w+$/, "")).append(this.toggle(`head ${head}`, [node], without(isOut)));
        }
      }
      for (const part of data.parts?.split(" ") ?? []) {
        const [path, nodes] = part.split(":"), [, block = "other", name] = path.match(/^(?:(.*)\.)?(.*)$/);
        row(block).append(this.toggle(name, nodes.split(","), without(() => true)));
      }
      this.result = make("div.scroll", { ariaLive: "polite" });
      this.list = make("div.parts", {}, ...Object.values(rows), button("all on", () => this.reset()));
      stage.replaceChildren(this.list, this.result);
    }

    toggle(name, nodes, act) {
      const change = { nodes, act };
      return button(name, ({ target }) => {
        const isOn = this.off.delete(change);
        if (!isOn) this.off.add(change);
        target.ariaPressed = isOn;
        this.draw();
      }, { ariaPressed: true });
    }

    reset() {
      this.off.clear();
      for (const one of this.list.querySelectorAll("[aria-pressed]")) one.ariaPressed = true;
      this.draw();
    }

    get change() {
      const change = {};
      for (const { nodes, act } of this.off) {
        for (const node of nodes) {
          const before = change[node] ?? ((x) => x);
          change[node] = (x) => act(before(x));
        }
      }
      return change;
    }

    draw() {
      this.update().catch(({ cancelled }) => cancelled);
    }

    async update() {
      const { session, off } = this, after = off.size ? await session.ask(this.change) : session.values;
      const { table, stays, all } = live.compared(session, after, ["with all", "without"]);
      this.result.replaceChildren(table, make("p", {}, off.size ? `${stays} of ${all} answers stay.` : "Switch something off."));
    }
  };
})();
