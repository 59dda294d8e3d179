// A model's input on this page, one for all its figures and values: the recorded one, or the reader's own.
(() => {
  const live = (globalThis.cutawayLive ??= {});
  const STALE = { cancelled: true }; // as a model says of a run that a later one ended
  const visible = (token) => token.replaceAll(" ", "·").replaceAll("\n", "\\n");
  const logitsOf = (values) => values.findLastIndex((value) => value?.s?.length === 3);

  live.Session = class {
    error = "";
    own = ""; // what the reader typed; "" for the recorded input
    written = null; // tokens drawn after the input; null: the model goes on as it does
    turn = 0;
    isBusy = false; // with the next token
    listeners = [];

    constructor(name) {
      const model = live.models[name], { graph } = model, { reads, inputs: [ids = []] } = graph;
      Object.assign(this, { name, model, graph, reads, recorded: ids.slice(0, reads.typed || ids.length) });
      this.key = reads.letters ? "in" : "text"; // in the page's address
      this.prompt = this.recorded;
      this.ready = this.begin();
    }

    // What was recorded is computed first, and compared.
    async begin() {
      if (this.reads.bpe) await live.part("text");
      await this.compute();
      const { ids, values, inputs } = this, { recorded, matched, worst } = this.model.check(values);
      this.first = { ids, values, inputs };
      this.checked = this.graph.said ?? `${matched} of ${recorded} recorded tensors recomputed here, worst difference ${worst.toExponential(1).replace("-", "−")}`;
      const [asked] = [location.search, location.hash.slice(1)].flatMap((said) => new URLSearchParams(said).get(this.key) ?? []);
      await (asked ? this.take(asked) : this.tell());
    }

    write(ids) {
      return live.write(this.reads, ids).map(visible);
    }

    // As it would be typed; a text's first token only begins it.
    typed(ids) {
      return live.write(this.reads, this.reads.bpe ? ids.slice(1) : ids).join("");
    }

    // What is not recorded says so.
    get mark() {
      return this.own ? `your input: ${this.own}` : this.written ? `written on: ${this.write(this.written).join("") || "…"}` : "";
    }

    tensor(node) {
      const value = this.values[node];
      return typeof value === "number" ? { s: [], d: [value] } : Array.isArray(value) ? value[0] : value;
    }

    // Whether an axis has a place for each token of the input.
    isOfTokens(node, axis) {
      return !!this.graph.nodes[node][6]?.at(axis)?.endsWith("T") && this.tensor(node).s.at(axis) === this.tokens.length;
    }

    // What the model says of the token after a position.
    row(position, values = this.values, node = logitsOf(values)) {
      const { s, d } = values[node], columns = s.at(-1), at = Math.min(position, d.length / columns - 1) * columns;
      return d.subarray(at, at + columns);
    }

    // The positions that give the answer.
    get answering() {
      const from = this.reads.letters ? this.recorded.length - 1 : this.ids.length - 1;
      return this.ids.map((_, i) => i).slice(from);
    }

    get answer() {
      if (!live.canRead(this.reads)) return "";
      const last = this.answering.at(-1);
      return this.write([...this.ids.slice(this.answering[0] + 1), live.likeliest(this.row(last))]).join("");
    }

    take(text) {
      const { ids, error = "" } = live.read(this.reads, text);
      this.error = error;
      if (error) return this.tell();
      const own = this.reads.letters ? this.typed(ids) : text;
      return this.compute({ prompt: ids, written: null, own: `${ids}` === `${this.recorded}` ? "" : own });
    }

    back() {
      return this.compute({ prompt: this.recorded, written: null, own: "", error: "" });
    }

    get isFull() {
      return !!this.written && this.prompt.length + this.written.length > (this.graph.most || Infinity);
    }

    async compute(asked) {
      Object.assign(this, asked);
      const turn = ++this.turn, start = performance.now(), computed = this.computed(turn);
      this.queue = computed.catch(() => {});
      try {
        Object.assign(this, await computed);
      } catch (error) {
        if (error.cancelled) return;
        this.error = `This could not be computed: ${error.message}`;
      }
      this.spent = `computed here in ${Math.round(performance.now() - start)} ms`;
      this.tell();
    }

    // Letters go on greedily. What comes later changes nothing of what a causal model said before, so that all are guessed
    // at once, and again until the guesses stay: two or three runs, where one for each letter would be six.
    async computed(turn) {
      const { graph, model, written, prompt, reads, mark, first } = this, goesOn = mark && !written && reads.letters;
      if (!mark && first) return first;
      let rest = goesOn ? [...this.ids, 0].slice(prompt.length, graph.T + 1) : (written ?? []);
      for (let round = 0; ; round++) {
        if (turn !== this.turn) throw STALE;
        const ids = mark ? [...prompt, ...rest].slice(0, goesOn ? graph.T : graph.most || Infinity) : graph.inputs[0] ?? [];
        const inputs = mark ? this.fed(ids, rest.at(-1)) : graph.inputs, values = await model.run(inputs);
        if (!goesOn || round > graph.T) return { ids, values, inputs };
        const said = ids.map((_, at) => live.likeliest(this.row(at, values))).slice(prompt.length - 1);
        if (`${said}` === `${rest}`) return { ids, values, inputs };
        rest = said;
      }
    }

    // A model that is told its targets gets what comes next, where it answers.
    fed(ids, last) {
      const from = this.recorded.length - 1;
      return this.graph.inputs.map((_, i) => (i ? ids.map((_, at) => (at < from ? -1 : (ids[at + 1] ?? last ?? -1))) : ids));
    }

    // The same input with something changed, one after the other; given up when the input is another.
    ask(change) {
      const { turn } = this, run = () => (turn === this.turn ? this.model.run(this.inputs, change) : Promise.reject(STALE));
      return (this.queue = this.queue.then(run, run));
    }

    tell() {
      this.tokens = this.write(this.ids);
      const url = new URL(location);
      if (this.own) url.searchParams.set(this.key, this.own);
      else url.searchParams.delete(this.key);
      try {
        if (this.checked) history.replaceState(history.state, "", url);
      } catch {} // a file's address may be fixed
      for (const value of document.querySelectorAll(`[data-live^="${this.name}#"]`)) this.beside(value);
      for (const one of this.listeners) one();
      document.body.toggleAttribute("data-cutaway-input", !!document.querySelector("[data-own]"));
    }

    // A value on the page keeps what was recorded; the number for the own input stands beside it.
    beside(value) {
      const { node, index } = live.parse(value.dataset.live);
      if (this.mark) value.dataset.own = index ? (this.has(node, index) ? live.digits(live.at(this.tensor(node), index)) : "") : this.sizes(node);
      else delete value.dataset.own;
    }

    // Of a whole tensor its sizes, where they are others than the recorded ones.
    sizes(node) {
      const [own, recorded] = [this.values, this.first.values].map((values) => values[node]?.s?.join(", ") ?? "");
      return own === recorded ? "" : `(${own})`;
    }

    has(node, index) {
      const { s } = this.tensor(node);
      return index.length === s.length && index.every((i, axis) => i < s[axis]);
    }
  };

  live.parse = (address) => {
    const [, name, node, index] = /^(.+)#(\d+)(?:\[([\d,]*)\])?$/.exec(address);
    return { name, node: +node, index: index?.split(",").filter(Boolean).map(Number) };
  };
})();
