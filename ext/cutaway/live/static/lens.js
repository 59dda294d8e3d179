// What the model would answer after each block: what the block gave goes to the final norm at once.
(() => {
  const live = (globalThis.cutawayLive ??= {});
  const { make } = live;

  live.views.lens = class {
    constructor({ session, stage, data, layers }) {
      Object.assign(this, { session, stage, layers, node: +data.node });
    }

    async update() {
      const { session, node, layers, stage } = this, rows = [];
      for (const layer of layers) {
        const given = session.tensor(layer.node), values = layer.node === node ? session.values : await session.ask({ [node]: () => given });
        const cells = session.ids.map((_, at) => live.sure(session, live.distribution(session.row(at, values)).p));
        rows.push(make("tr", {}, make("th", { scope: "row" }, layer.name), ...cells));
      }
      const head = session.tokens.map((token, i) => make("th", { scope: "col" }, token, make("sub", {}, i)));
      const table = make("table.cells.lens", {}, make("tr", {}, make("td"), ...head), ...rows);
      stage.replaceChildren(make("div.scroll", { tabIndex: 0, role: "region", ariaLabel: "Answers after each block" }, table));
    }
  };
})();
