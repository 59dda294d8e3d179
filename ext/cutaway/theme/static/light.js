// One thing, lit everywhere: all that stands for a step lights up together, here and in the clips.
(() => {
  const GRACE = 100; // ms: no flicker between a quotation and its number
  const TWICE = 300; // ms: time for a second click, which selects a word
  let over = "", sent = "", held = ""; // by pointer; by a clip; by focus, click or address
  let lit = [], told = "", clip, leaving, going;
  document.documentElement.dataset.cutawayLight = ""; // the pairs of plain CSS step back

  const all = (selector) => [...document.querySelectorAll(selector)];
  const of = (step) => `[data-step~="${CSS.escape(step)}"]`;

  for (const link of all("[data-box]")) {
    link.dataset.box.split(" ").forEach((size, i) => link.style.setProperty(`--${"xywh"[i]}`, size));
  }

  function stepAt(at) { // the innermost counts
    while ((at = at?.closest?.("[data-step], a[href]"))) {
      const step = at.dataset.step?.split(" ")[0] ?? at.hash?.slice(1);
      if (step && all(`${of(step)}, [data-links*='"${CSS.escape(step)}"']`)[0]) return step;
      at = at.parentElement;
    }
    return "";
  }

  function light(from) {
    const step = over || sent || held;
    for (const one of lit) one.classList.remove("cutaway-lit");
    lit = step ? all(`${of(step)}, a[href$="#${CSS.escape(step)}"]`) : [];
    for (const one of lit) one.classList.add("cutaway-lit");
    if (step === told) return;
    told = step; // it comes back to us
    document.dispatchEvent(new CustomEvent("cutaway-light", { detail: { step, from } }));
  }
  function change(from, step) {
    clearTimeout(leaving);
    if (step) light(from);
    else leaving = setTimeout(light, GRACE, from);
  }
  function hold(target) {
    held = stepAt(target);
    if (held) over = sent = "";
    change(target, held);
  }

  const on = (type, act) => document.addEventListener(type, act);
  on("pointerover", ({ target, pointerType }) => pointerType === "touch" || change(target, (over = stepAt(target))));
  on("pointerout", ({ target, relatedTarget }) => relatedTarget || change(target, (over = "")));
  on("focusin", ({ target }) => hold(target));
  on("keydown", ({ target, key, ctrlKey, metaKey, altKey }) => {
    if (ctrlKey || metaKey || altKey || target.matches("input, select, textarea")) return;
    const rel = { n: "next", p: "prev" }[key.toLowerCase()];
    if (rel) document.getElementById(told)?.querySelector(`[rel=${rel}]`)?.click();
    if (key !== "Escape") return;
    over = sent = held = "";
    light(target);
  });
  on("cutaway-light", ({ detail: { step, from } }) => {
    if (step === told) return;
    told = sent = step;
    clip = from;
    if (step) over = "";
    change(from, step);
  });
  on("click", ({ target }) => {
    if (!clip?.contains(target)) sent = "";
    hold(target);
    clearTimeout(going);
    const quote = target.closest("a, .cutaway-quote");
    if (quote?.matches("span")) going = setTimeout(follow, TWICE, quote);
  });
  function follow(quote) { // to its note, unless a part of it was selected
    const number = `.cutaway-callout[data-note="${quote.dataset.note}"]`;
    if (getSelection().isCollapsed) quote.closest("figure").querySelector(number)?.click();
  }
  function arrive() {
    const target = all(":target")[0];
    if (stepAt(target)) hold(target);
  }
  addEventListener("hashchange", arrive);
  addEventListener("load", arrive);
})();
