// A linear map that a cell of the page fitted, applied to a vector of the reader's own input.
(() => {
  const live = (globalThis.cutawayLive ??= {});
  const { make, button, digits } = live;

  live.views.probe = class {
    constructor({ session, stage, data }) {
      const [labels, matrix] = [data.labels, data.matrix].map((text) => JSON.parse(text));
      Object.assign(this, { session, labels, matrix, node: +data.node, list: make("ol.bars"), said: make("p.drawn", { role: "status" }) });
      stage.replaceChildren(this.list, this.said);
    }

    // A row of the matrix for each number of the vector, and one that is added.
    read(vector) {
      const { labels: { length }, matrix } = this;
      return this.labels.map((_, k) => vector.reduce((sum, x, i) => sum + x * matrix[i * length + k], matrix[vector.length * length + k]));
    }

    update() {
      const { session, node, labels } = this, [at] = session.answering, { s, d } = session.tensor(node), size = s.at(-1);
      const found = this.read(d.subarray(at * size, at * size + size)), most = Math.max(...found.map(Math.abs), 1);
      this.list.replaceChildren(...found.map((x, k) => {
        const bar = make("i");
        bar.style.setProperty("--size", `${(100 * Math.max(0, x)) / most}%`);
        return make("li", {}, make("b", {}, labels[k]), bar, make("span", {}, digits(x, true)));
      }));
      const where = `position ${at} (${session.tokens[at]})`, whole = found.map((x, k) => `${Math.round(x)} × ${labels[k]}`).join(", ");
      const all = button("the vector", () => live.explain(session, node, null, all), { title: "its numbers, and where they come from" });
      this.said.replaceChildren(`Read at ${where}: ${whole}. From `, all, ".");
    }
  };
})();
