// In every page: the search is loaded when somebody is about to type, and what a result led to is marked.
(() => {
  const here = document.currentScript.src;
  const style = () => document.querySelector(".cutaway-search-style") ?? add("link", { rel: "stylesheet", className: "cutaway-search-style", href: new URL("STYLE", here) });
  const add = (name, given) => document.head.appendChild(Object.assign(document.createElement(name), given));
  const load = (name) => new Promise((onload, onerror) => add("script", { src: new URL(name, here), onload, onerror }));

  let loaded;
  async function begin(field) {
    loaded ??= (style(), load("language_data.js").then(() => load("FIND")).then(() => load("../INDEX")));
    await loaded;
    cutawaySearch(field, new URL("..", here).href);
  }
  function isSearch(field) {
    return field?.matches?.("input[name=q]") && /\/search(\.html|\/(index\.html)?)?$/.test(new URL(field.form?.action || location).pathname);
  }
  document.addEventListener("focusin", ({ target }) => isSearch(target) && begin(target));
  const results = document.getElementById("search-results");
  const fields = [...document.querySelectorAll("input[name=q]")].filter(isSearch);
  const field = fields.find((one) => one === document.activeElement) ?? (results && (fields.find((one) => one.closest("main, [role=main]") && !one.closest("dialog")) ?? fields.at(-1)));
  if (field) begin(field);

  // Words that were looked for, in the section that was opened
  function mark() {
    let asked;
    try {
      asked = JSON.parse(sessionStorage.getItem("cutaway-found") ?? "{}");
    } catch {} // a reader may forbid it
    if (asked?.href !== location.href || !asked.words.length || !globalThis.Highlight) return;
    sessionStorage.removeItem("cutaway-found");
    const place = (location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)))) || document.querySelector("main, [role=main]") || document.body;
    const texts = document.createTreeWalker(/^(H\d|SPAN|A)$/.test(place.tagName) ? place.parentElement : place, NodeFilter.SHOW_TEXT);
    const wanted = new RegExp(asked.words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|"), "giu");
    const ranges = [];
    while (texts.nextNode() && ranges.length < 300)
      for (const found of texts.currentNode.data.matchAll(wanted)) {
        const range = new Range();
        range.setStart(texts.currentNode, found.index);
        range.setEnd(texts.currentNode, found.index + found[0].length);
        ranges.push(range);
      }
    style();
    CSS.highlights.set("cutaway-found", new Highlight(...ranges));
  }
  addEventListener("hashchange", mark);
  mark();
})();
