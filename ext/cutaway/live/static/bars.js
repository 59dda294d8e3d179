// The next token: its distribution after a position, what of it temperature, top-k and top-p leave, and drawing from it.
(() => {
  const live = (globalThis.cutawayLive ??= {});
  const { make, button, choice } = live;
  const SHOWN = 10; // tokens
  const MOST = 50; // of top-k; beyond, it is all

  function slider(name, max, step, value, say, act) {
    const said = make("output"), input = make("input", { type: "range", min: 0, max, step, value });
    const tell = () => (said.value = input.ariaValueText = say(+input.value));
    input.oninput = () => act(tell());
    tell();
    return { input, label: make("label", {}, name, input, said) };
  }

  live.views.bars = class {
    position = -1; // the last one

    constructor({ session, stage, data }) {
      const node = +data.node, most = Math.min(session.tensor(node).s.at(-1), MOST), redraw = () => this.draw();
      const sliders = [
        slider("temperature", 3, 0.05, 1, (t) => (t ? t.toFixed(2) : "0: the likeliest"), redraw),
        slider("top-k", most, 1, 0, (k) => k || "all", redraw),
        slider("top-p", 1, 0.05, 1, (p) => (p < 1 ? p.toFixed(2) : "all"), redraw),
      ];
      Object.assign(this, { session, node, sliders, tokens: make("div"), bars: make("ol.bars"), said: make("p.drawn", { role: "status" }) });
      this.going = live.going(session, () => this.next(), () => this.tell());
      const buttons = make("div.buttons", {}, button("Draw", () => this.draw(Math.random())), ...this.going.buttons);
      stage.replaceChildren(this.tokens, make("div.sliders", {}, ...sliders.map(({ label }) => label)), this.bars, buttons, this.said);
    }

    get settings() {
      const [temperature, topK, p] = this.sliders.map(({ input }) => +input.value);
      return { temperature, topK, topP: p < 1 ? p : null };
    }

    update() {
      const { session } = this, last = session.ids.length - 1, at = this.at();
      this.tokens.replaceChildren(choice("after", session.tokens, at, (i) => this.draw(null, (this.position = i < last ? i : -1))));
      this.going.update();
      this.draw();
    }

    at() {
      const last = this.session.ids.length - 1;
      return this.position < 0 ? last : Math.min(this.position, last);
    }

    // The number `u`, if one was drawn, falls on a token.
    draw(u = null) {
      const { session, node } = this, at = this.at(), logits = session.row(at, session.values, node);
      const { p, kept } = live.distribution(logits, this.settings);
      const ids = [...logits.keys()], taken = u === null ? -1 : live.draw(p, u);
      if (ids.length > SHOWN) ids.sort((a, b) => logits[b] - logits[a]);
      this.bars.replaceChildren(...ids.slice(0, SHOWN).map((id) => this.bar(id, at, logits[id], p[id], id === taken)));
      this.said.textContent = u === null ? `${kept} of ${logits.length} tokens can be drawn.` : this.fallen(u, taken);
    }

    fallen(u, token) {
      return `u = ${u.toFixed(4)} falls on “${this.session.write([token])[0]}”.`;
    }

    bar(id, at, logit, p, isTaken) {
      const { session, node } = this, { s } = session.tensor(node), [token] = session.write([id]), bar = make("i");
      bar.style.setProperty("--size", `${100 * p}%`);
      const index = s.length > 2 ? [0, Math.min(at, s[1] - 1), id] : [at, id], title = "its logit: why this number?";
      const why = button(live.digits(logit), () => live.explain(session, node, index, why), { title });
      return make(isTaken ? "li.own" : p ? "li" : "li.out", {}, make("b", {}, token), bar, make("span", {}, p ? live.percent(p) : "left out"), why);
    }

    // The token after the last one, drawn.
    next() {
      const { session } = this, logits = session.row(session.ids.length - 1, session.values, this.node), { p } = live.distribution(logits, this.settings);
      const u = Math.random(), token = live.draw(p, u);
      this.position = -1;
      this.fell = this.fallen(u, token);
      return token;
    }

    tell() {
      this.said.textContent = this.fell;
    }
  };
})();
