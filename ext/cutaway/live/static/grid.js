// A tensor as cells, with a choice of the module and of what its leading axes hold: heads.
(() => {
  const live = (globalThis.cutawayLive ??= {});
  const { make, choice } = live;
  const ALL = 8; // heads that are shown beside each other

  live.views.grid = class {
    cursors = {};

    constructor(figure) {
      const { session, stage, data, layers } = figure, node = +data.node;
      const lead = session.tensor(node).s.slice(0, -2), chosen = layers.findIndex((layer) => layer.node === node);
      Object.assign(this, { figure, session, node, lead: lead.map(() => 0), cells: make("div.grids") });
      const modules = choice("module", layers.map(({ name }) => name), chosen, (i) => this.update((this.node = layers[i].node)));
      const heads = lead.flatMap((count, axis) => {
        const names = [...Array(count).keys(), ...(count > ALL ? [] : ["all"])];
        return count < 2 ? [] : [choice(live.axis(session, node, axis), names, 0, (i) => this.update((this.lead[axis] = i < count ? i : -1)))];
      });
      stage.replaceChildren(make("div.choices", {}, ...(layers.length > 1 ? [modules] : []), ...heads), this.cells);
    }

    update() {
      const { session, node, lead, cursors, cells, figure } = this, all = lead.indexOf(-1), hasFocus = cells.contains(document.activeElement);
      const heads = all < 0 ? [lead] : [...Array(session.tensor(node).s[all]).keys()].map((head) => lead.with(all, head));
      const width = heads.length > 1 ? Math.max(300, figure.width / 3 - 16) : figure.width;
      const pick = (index, isByKey) => live.explain(session, node, index, document.activeElement, isByKey);
      cells.replaceChildren(...heads.map((lead) => {
        const grid = live.cells(session, node, { lead, width, pick, cursor: (cursors[lead] ??= [0, 0]) });
        if (all >= 0) grid.prepend(make("small", {}, `${live.axis(session, node, all)} ${lead[all]}`));
        return grid;
      }));
      if (hasFocus) cells.querySelector("[tabindex='0']").focus();
    }
  };
})();
