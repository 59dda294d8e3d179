// Recorded values are buttons: the model that computes them is loaded when one is asked, or a figure of it is near.
(() => {
  const FREE = 5e5; // bytes; a larger model is loaded on a click alone
  const all = (selector) => document.querySelectorAll(selector);
  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
  const { code, style, models } = JSON.parse(all(".cutaway-live-files")[0]?.textContent ?? '{"models":{}}'), asked = {};

  const load = (address, tag = "script") => (asked[address] ??= new Promise((onload, onerror) =>
    document.head.append(make(tag, { rel: "stylesheet", href: address, src: address, async: false, onload, onerror }))));
  const part = (name) => code[name] && load(code[name]);
  window.cutawayLive = { part };
  async function start(name, at) {
    at.ariaBusy = true;
    try {
      part(""); // it runs before what is added after it
      for (const { dataset } of all("figure[data-model]")) for (const name of [/walk|scale/.test(dataset.show) && "space", dataset.show]) part(name);
      await Promise.all([load(models[name][0]), load(style, "link")]);
      await cutawayLive.start(name);
      if (at.dataset.live) await cutawayLive.ask(at);
    } catch (error) {
      at.dataset.failed = "The model could not be loaded.";
      throw error;
    } finally {
      at.ariaBusy = false;
    }
  }

  const nameOf = ({ dataset: { live, model } }) => live?.split("#")[0] ?? model;
  const weight = (at) => models[nameOf(at)]?.[1];
  const loads = (at) => (weight(at) > FREE ? ` (${(weight(at) / 1e6).toFixed(1)} MB)` : "");
  for (const value of all("[data-live]")) if (weight(value)) Object.assign(value, { role: "button", tabIndex: 0, title: `why this number?${loads(value)}` });
  const ask = (event) => {
    const { target, key = " " } = event, value = target.closest("[data-live][role]"), link = target.closest("a[href]");
    const [input] = location.search.match(/\?(in|text)=.*/) ?? [];
    if (value && (key === " " || key === "Enter")) start(nameOf(value), value, event.preventDefault());
    else if (input && link?.protocol === location.protocol && link.host === location.host && !link.search) link.search = input; // it goes along
  };
  for (const type of ["click", "keydown"]) document.addEventListener(type, ask);
  document.addEventListener("cutaway-ask", ({ detail: { cell, from } }) => {
    from.dataset.live = cell; // a clip's canvas stands for the cell that is asked about
    start(nameOf(from), from);
  });

  const begin = ({ target }) => start(nameOf(target), target);
  const waiting = [], near = new IntersectionObserver((list) => list.filter((one) => one.isIntersecting).forEach(begin), { rootMargin: "400px" });
  for (const target of all("figure[data-model]")) {
    const onclick = ({ target: button }) => begin({ target }, button.replaceWith(make("progress")));
    if (loads(target)) target.prepend(make("button", { onclick, textContent: `Load the model${loads(target)}` }));
    else if (/\?in=|#walk=/.test(location.search + location.hash)) begin({ target });
    else waiting.push(target);
  }
  // A page is read first: nothing is loaded before its reader moves.
  const awake = () => waiting.splice(0).forEach((target) => near.observe(target));
  for (const sign of ["pointermove", "pointerdown", "scroll", "keydown"]) addEventListener(sign, awake, { once: true, passive: true });
})();
