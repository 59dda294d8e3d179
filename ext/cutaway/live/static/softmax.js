// A row of scores and what softmax makes of it: each score can be moved, and the model goes on with what comes of it.
(() => {
  const live = (globalThis.cutawayLive ??= {});
  const { make, button, choice, digits } = live;
  const REACH = 6; // how far beyond the row's numbers a score can be moved

  live.views.softmax = class {
    moved = {}; // by place in the row, the scores that are not the model's
    row = -1; // where the answer begins

    constructor(figure) {
      const { session, stage, data, layers } = figure, node = +data.node;
      Object.assign(this, { figure, session, node, rows: make("div"), list: make("ol.bars.scores"), said: make("p.drawn"), result: make("div.scroll", { ariaLive: "polite" }) });
      const lead = session.tensor(node).s.slice(0, -2), chosen = layers.findIndex((layer) => layer.node === node);
      this.lead = lead.map(() => 0);
      const modules = choice("module", layers.map(({ name }) => name), chosen, (i) => this.other({ node: layers[i].node }));
      const which = lead.flatMap((count, axis) => {
        const pick = (i) => this.other({ lead: this.lead.with(axis, i) });
        return count > 1 ? [choice(live.axis(session, node, axis), [...Array(count).keys()], 0, pick)] : [];
      });
      this.back = button("Scores as they were", () => this.other({}));
      stage.replaceChildren(make("div.choices", {}, ...(layers.length > 1 ? [modules] : []), ...which), this.rows, this.list, this.said, this.back, this.result);
    }

    other(chosen) {
      Object.assign(this, chosen, { moved: {} });
      return this.update();
    }

    get scores() {
      return live.nodeOf(this.session.graph.nodes[this.node][1][0]);
    }

    // Where the row begins among the tensor's numbers, and its length.
    get place() {
      const { s } = this.session.tensor(this.node), columns = s.at(-1), before = [...this.lead, this.at].slice(1 - s.length);
      return [before.reduce((at, i, axis) => at * s[axis] + i, 0) * columns, columns];
    }

    update() {
      const { session, node } = this, rows = session.tensor(node).s.at(-2) ?? 1;
      this.at = Math.min(this.row < 0 ? session.answering[0] : this.row, rows - 1);
      if (this.input !== session.inputs) [this.input, this.moved] = [session.inputs, {}];
      const names = session.isOfTokens(node, -2) ? session.tokens : [...Array(rows).keys()];
      this.rows.replaceChildren(...(rows > 1 ? [choice("row", names, this.at, (row) => this.other({ row }))] : []));
      const [from, columns] = this.place, scores = session.tensor(this.scores).d.subarray(from, from + columns), seen = scores.filter(Number.isFinite);
      const [low, high] = [Math.min(...seen) - REACH, Math.max(...seen) + REACH];
      this.bars = Array.from(scores, (score, i) => this.bar(score, i, low, high));
      this.list.replaceChildren(...this.bars.map(({ line }) => line));
      return this.draw();
    }

    bar(score, i, low, high) {
      const { session, node } = this, token = make("b", {}, session.isOfTokens(node, -1) ? session.tokens[i] : i, make("sub", {}, i));
      const input = make("input", { type: "range", min: low, max: high, step: "any", value: score, disabled: !Number.isFinite(score), ariaLabel: `score of ${token.textContent}` });
      const said = make("output"), bar = make("i"), index = [...this.lead, this.at, i].slice(-session.tensor(node).s.length);
      const why = button("", () => live.explain(session, node, index, why), { title: "its weight: why this number?" });
      input.oninput = () => this.draw((this.moved[i] = +input.value)).catch(({ cancelled }) => cancelled);
      return { score, input, said, bar, why, line: make("li", {}, token, input, said, bar, why) };
    }

    async draw() {
      const { bars, moved, session } = this, scores = bars.map(({ score }, i) => moved[i] ?? score);
      const largest = Math.max(...scores), powers = scores.map((score) => Math.exp(score - largest)), sum = powers.reduce((a, b) => a + b);
      bars.forEach(({ said, bar, why, input, line }, i) => {
        said.value = input.ariaValueText = digits(scores[i]);
        bar.style.setProperty("--size", `${(100 * powers[i]) / sum}%`);
        why.textContent = digits(powers[i] / sum);
        line.toggleAttribute("data-own", i in moved);
      });
      this.said.textContent = `Largest score ${digits(largest)}; the powers of e add up to ${digits(sum)}; the weights to 1.`;
      this.back.disabled = !Object.keys(moved).length;
      if (this.back.disabled) this.result.replaceChildren();
      else await this.follow(scores);
    }

    // What the model says if this row of scores is another; while it computes, only the latest is remembered.
    async follow(scores) {
      this.wanted = scores;
      if (this.isBusy) return;
      this.isBusy = true;
      try {
        while (this.wanted) this.show(await this.session.ask(this.change(this.wanted, (this.wanted = null))));
      } finally {
        this.isBusy = false;
      }
    }

    change(scores) {
      const [from] = this.place;
      return { [this.scores]: ({ s, d }) => ({ s, d: d.map((x, at) => scores[at - from] ?? x) }) };
    }

    show(after) {
      if (this.back.disabled) return this.result.replaceChildren();
      const { table, stays, all } = live.compared(this.session, after, ["with its scores", "with yours"]);
      this.result.replaceChildren(table, make("p", {}, `${stays} of ${all} answers stay.`));
    }
  };
})();
