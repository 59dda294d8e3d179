// Vectors as points of a plane: two numbers that a linear map reads from each, in a circle of radius 1.
(() => {
  const live = (globalThis.cutawayLive ??= {});
  const { make, choice, button, digits } = live;

  live.views.plane = class {
    constructor({ session, stage, data, layers }) {
      const [labels, matrix] = [data.labels, data.matrix].map((text) => JSON.parse(text)), node = +data.node;
      Object.assign(this, { session, labels, matrix, node, points: make("ol.plane"), said: make("p.drawn", { role: "status" }) });
      const chosen = layers.findIndex((layer) => layer.node === node);
      const modules = choice("after", layers.map(({ name }) => name), chosen, (i) => this.update((this.node = layers[i].node)));
      stage.replaceChildren(make("div.choices", {}, ...(layers.length > 1 ? [modules] : [])), this.points, this.said);
    }

    // A row of the matrix for each number of the vector, and one that is added.
    read(vector) {
      const { matrix } = this, sum = (k) => vector.reduce((all, x, i) => all + x * matrix[2 * i + k], matrix[2 * vector.length + k]);
      return [sum(0), sum(1)];
    }

    // Points that stay are moved, so that one sees where they go.
    update() {
      const { session, node, labels, points } = this, { tokens } = session, { s, d } = session.tensor(node), size = s.at(-1);
      while (points.children.length > tokens.length) points.lastChild.remove();
      while (points.children.length < tokens.length) points.append(make("li"));
      [...points.children].forEach((point, at) => {
        const place = this.read(d.subarray(at * size, at * size + size)), [x, y] = place.map((v) => 50 + 50 * Math.max(-1, Math.min(1, v)));
        Object.assign(point, { textContent: tokens[at], title: `${tokens[at]} at ${at}: ${labels.map((label, k) => `${label} ${digits(place[k], true)}`).join(", ")}` });
        Object.assign(point.style, { left: `${x}%`, top: `${100 - y}%` });
      });
      const all = button("the vectors", () => live.explain(session, node, null, all), { title: "their numbers, and where they come from" });
      this.said.replaceChildren(`Across: ${labels[0]}; up: ${labels[1]}. The circle has radius 1. From `, all, ".");
    }
  };
})();
