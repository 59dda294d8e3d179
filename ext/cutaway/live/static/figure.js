// Figures: a field for the reader's own input, the model's answer, and what is shown of a model.
(() => {
  const live = (globalThis.cutawayLive ??= {});
  const { make, button } = live;
  const PAUSE = 150; // ms without a key, then the model runs
  const sessions = {}, figures = [];
  live.views = {}; // what is shown, by a name that the page says; each comes with its part of the code

  class Figure {
    constructor(element, session) {
      const { dataset: data } = element, { layers: nodes = "", layerNames = "" } = data, names = layerNames.split(" ");
      const layers = nodes.split(" ").flatMap((node, i) => (node ? [{ node: +node, name: names[i] }] : []));
      const stage = element.querySelector(".cutaway-live-stage");
      Object.assign(this, { element, session, data, stage, layers });
      this.width = stage.clientWidth - 32; // asked once: each time, the whole page is laid out
      this.frame();
      const View = live.views[data.show];
      if (View) this.view = new View(this);
      else stage.replaceChildren();
      session.listeners.push(() => this.update());
      this.watch();
      this.update();
    }

    watch() {
      const sized = new ResizeObserver(([{ contentRect: { width } }]) => {
        if (width === this.width) return;
        this.width = width;
        this.redraw();
      });
      const seen = new IntersectionObserver(([{ isIntersecting }]) => {
        this.isNear = isIntersecting;
        if (this.isOld) this.redraw();
      }, { rootMargin: "100%" });
      sized.observe(this.stage);
      seen.observe(this.element);
    }

    frame() {
      const { element, session, stage } = this, { reads } = session;
      stage.removeAttribute("tabindex");
      for (const one of element.querySelectorAll(":scope > :is(button, progress)")) one.remove(); // what asked for the model
      this.field = make(reads.letters ? "input" : "input.text", { type: "text", spellcheck: false, autocomplete: "off", autocapitalize: "off" });
      this.field.oninput = () => {
        clearTimeout(this.waiting);
        this.waiting = setTimeout(() => session.take(this.field.value), PAUSE);
      };
      this.answer = make("output.answer");
      this.yours = make("span.yours");
      this.back = button("", () => session.back());
      this.status = make("p.status");
      if (live.canRead(reads)) stage.before(make("div.bar", {}, make("label", {}, live.hint(reads), this.field), this.answer, this.yours, this.back));
      stage.after(this.status);
    }

    update() {
      const { session, element, field, status } = this, { own, error, mark } = session, recorded = session.typed(session.recorded);
      if (document.activeElement !== field) field.value = own || recorded;
      field.ariaInvalid = !!error;
      this.answer.value = `→ ${session.answer}`;
      element.toggleAttribute("data-own", !!mark);
      this.yours.hidden = this.back.hidden = !mark;
      this.yours.textContent = mark;
      this.back.textContent = `back to ${recorded.length > 12 ? "the recorded text" : recorded}`;
      status.ariaLive = element.contains(document.activeElement) ? "polite" : "off";
      status.textContent = error || (mark ? session.spent : session.checked);
      status.toggleAttribute("data-error", !!error);
      this.redraw();
    }

    // What is far from sight is drawn when it is near.
    async redraw() {
      this.isOld = !this.isNear;
      if (this.isOld) return;
      try {
        await this.view?.update();
      } catch (error) {
        if (!error.cancelled) throw error;
      }
    }
  }

  // The model's script is there: draw its figures.
  live.start = async (name) => {
    const isNew = !sessions[name], session = (sessions[name] ??= new live.Session(name));
    await session.ready;
    if (isNew) for (const element of document.querySelectorAll(`.cutaway-live[data-model="${name}"]`)) figures.push(new Figure(element, session));
    return session;
  };

  live.ask = async (value) => {
    const { name, node, index } = live.parse(value.dataset.live);
    await live.explain(await live.start(name), node, index, value, true);
  };

  // The panel comes when it is first asked; it then has this name.
  live.explain = async (...asked) => {
    await Promise.all([live.part("grid"), live.part("why")]);
    live.explain(...asked);
  };

  // A theme marks one of the two.
  const repaint = () => figures.forEach((figure) => figure.redraw());
  const attributeFilter = ["class", "data-theme", "data-color-scheme", "data-md-color-scheme"];
  for (const marked of [document.documentElement, document.body]) new MutationObserver(repaint).observe(marked, { attributeFilter });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
})();
