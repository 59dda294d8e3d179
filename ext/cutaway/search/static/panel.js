// The list below a search field, which changes while a reader types.
const cutawaySearch = (() => {
  const KINDS = { section: "Sections", step: "Steps", listing: "Listings", clip: "Clips", command: "Commands", claim: "Claims", term: "Terms" };
  const NAMES = { step: "Step", listing: "Listing", clip: "Clip", command: "Command", claim: "Claim", term: "Term" };
  const FEW = 12, MANY = 40; // results in a dialog, on the search page
  const panels = new WeakMap();
  let ready, isReady = false;

  const make = (name, className, ...children) => {
    const element = Object.assign(document.createElement(name), { className });
    element.append(...children);
    return element;
  };
  const pieces = (list) => list.map(([words, isMarked]) => (isMarked ? make("mark", "", words) : words));

  return (field, root) => {
    ready ??= cutawayFind.open(cutawaySearchIndex).then(() => (isReady = true));
    if (panels.has(field)) return panels.get(field)();
    const results = field.closest("dialog") ? null : document.getElementById("search-results");
    const count = make("p", "cutaway-search-count");
    count.setAttribute("role", "status");
    const chips = make("div", "cutaway-search-kinds");
    chips.setAttribute("role", "group");
    chips.ariaLabel = "Kinds of results";
    const list = make("ol", "cutaway-search-list");
    const panel = make("div", "cutaway-search", count, chips, list);
    if (results) results.replaceChildren(panel);
    else field.form.after(panel);
    const isFloating = !results && !field.closest("dialog");
    if (isFloating) panel.popover = "manual"; // above everything, whatever holds the field
    let kind = "";

    function item({ entry }, terms) {
      const { excerpt, marked } = cutawayExcerpt, { address } = cutawayFind;
      const shown = excerpt(entry, terms);
      const link = make("a", "", make("span", "cutaway-search-title", ...pieces(marked(entry.title, terms))));
      if (entry.above.length) link.append(make("span", "cutaway-search-path", entry.above.join(" › ")));
      if (NAMES[entry.kind]) link.prepend(make("span", "cutaway-search-kind", NAMES[entry.kind]), " ");
      if (shown.length) link.append(make("span", "cutaway-search-text", ...pieces(shown)));
      link.href = new URL(address(entry), root);
      link.onclick = () => {
        const words = [...link.querySelectorAll("mark")].map((one) => one.textContent.toLowerCase());
        try {
          sessionStorage.setItem("cutaway-found", JSON.stringify({ href: link.href, words: [...new Set(words)] }));
        } catch {}
        field.closest("dialog")?.close();
        if (isFloating) panel.hidePopover();
      };
      return make("li", "", link);
    }

    function chip(name, words) {
      const button = make("button", "", words);
      button.type = "button";
      button.ariaPressed = kind === name;
      button.onclick = () => {
        kind = kind === name ? "" : name;
        show();
        chips.querySelector("[aria-pressed=true]")?.focus();
      };
      return button;
    }

    function place() {
      const { left, bottom } = field.form.getBoundingClientRect();
      const width = Math.min(560, innerWidth - 16);
      Object.assign(panel.style, { left: `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`, top: `${bottom + 4}px`, width: `${width}px`, maxHeight: `${innerHeight - bottom - 16}px` });
    }

    function show() {
      const text = field.value.trim();
      if (isFloating) {
        panel.togglePopover(Boolean(text));
        if (text) place();
      }
      if (!isReady) return (count.textContent = text && "Reading the index …"); // `begin` comes back to it
      const { hits, terms, counts } = cutawayFind.find(field.value, kind);
      counts.section = (counts.section ?? 0) + (counts.chapter ?? 0);
      const shown = hits.slice(0, results ? MANY : FEW);
      const best = hits.length > shown.length ? `the best ${shown.length}` : shown.length;
      count.textContent = !text ? "" : shown.length ? `${best} ${best === 1 ? "result" : "results"}` : "Nothing found. Fewer words, or other ones, may help.";
      const names = Object.keys(KINDS).filter((name) => counts[name] || name === kind);
      chips.replaceChildren(...(text && names.length > 1 ? names.map((name) => chip(name, KINDS[name])) : []));
      list.replaceChildren(...shown.map((hit) => item(hit, terms)));
    }

    field.addEventListener("input", () => {
      kind = "";
      show();
      if (results) history.replaceState(null, "", `?q=${encodeURIComponent(field.value)}`);
    });
    // Down and up go through the results, and from the first back to the field
    const links = () => [...list.querySelectorAll("a")];
    function move(event) {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape" && isFloating) panel.hidePopover();
      if (!step || !links().length) return;
      event.preventDefault();
      const at = links().indexOf(document.activeElement) + step;
      (at < 0 ? field : links()[Math.min(at, links().length - 1)]).focus();
    }
    field.addEventListener("keydown", move);
    list.addEventListener("keydown", move);
    if (isFloating) document.addEventListener("click", ({ target }) => panel.contains(target) || target === field || panel.hidePopover());

    const begin = async () => {
      show();
      await ready;
      show();
    };
    panels.set(field, begin);
    if (results) field.value ||= new URLSearchParams(location.search).get("q") ?? "";
    return begin();
  };
})();
