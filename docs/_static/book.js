// What the book needs of a theme's script: light or dark, the contents on a telephone, search, keys, copying.
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const on = (type, act) => document.addEventListener(type, act);

  // Light or dark: as the system is, or as the reader says
  const MODES = { auto: "as the system", light: "light", dark: "dark" };
  const system = matchMedia("(prefers-color-scheme: dark)");
  function wear(mode) {
    root.dataset.mode = mode in MODES ? mode : "auto";
    root.dataset.theme = mode in MODES && mode !== "auto" ? mode : system.matches ? "dark" : "light";
    for (const button of all(".book-mode")) button.title = button.ariaLabel = `Colours: ${MODES[root.dataset.mode]}`;
  }
  system.onchange = () => wear(root.dataset.mode);
  wear(root.dataset.mode);

  function nextMode() {
    const modes = Object.keys(MODES);
    wear(modes[(modes.indexOf(root.dataset.mode) + 1) % modes.length]);
    try {
      localStorage.setItem("mode", root.dataset.mode);
      if (root.dataset.mode === "auto") localStorage.removeItem("theme");
      else localStorage.setItem("theme", root.dataset.theme);
    } catch {} // a reader may forbid it
  }

  function open(id) {
    const dialog = document.getElementById(id);
    if (!dialog || dialog.open) return dialog?.close();
    dialog.showModal();
    dialog.querySelector("input")?.select();
  }

  // The contents: beside the page where there is room, else in a dialog
  function contents() {
    const beside = document.getElementById("pst-primary-sidebar");
    const dialog = document.getElementById("pst-primary-sidebar-modal");
    if (matchMedia("(min-width: 992px)").matches) return beside.classList.toggle("pst-sidebar-hidden");
    dialog.className = beside.className;
    dialog.append(...beside.childNodes);
    dialog.showModal();
    dialog.onclose = () => {
      beside.append(...dialog.childNodes);
      dialog.className = "";
    };
  }

  on("click", ({ target, clientX, clientY }) => {
    const button = target.closest("button");
    if (button?.dataset.open) open(button.dataset.open);
    else if (button?.matches(".book-mode")) nextMode();
    else if (button?.matches(".primary-toggle")) contents();
    else if (button?.matches(".book-copy")) copy(button);
    if (!target.matches("dialog")) return;
    const { left, right, top, bottom } = target.getBoundingClientRect(); // beside it: done
    if (clientX < left || clientX > right || clientY < top || clientY > bottom) target.close();
  });
  on("keydown", (event) => {
    const { key, target } = event;
    if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "k") {
      event.preventDefault();
      return open("pst-search-dialog");
    }
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, select, textarea, [contenteditable]")) return;
    if (key === "?") open("book-keys");
    const rel = { "]": "next", "[": "prev" }[key];
    const page = rel && document.querySelector(`link[rel=${rel}]`);
    if (page) location.href = page.href;
  });

  // What is folded, the code of cells, too: as the page begins, or open on every page, as the reader says
  const PARTS = ".book-fold, .cutaway-listing > details";
  const folds = all(".book-fold, .book-cell > details, .cutaway-listing > details:not([open])");
  if (folds[0]) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "book-unfold" });
    const unfold = (isOpen) => {
      for (const fold of folds) fold.open = isOpen;
      button.ariaPressed = isOpen;
      button.textContent = isOpen ? "Fold again" : "Unfold all";
      try {
        localStorage.setItem("cells", isOpen ? "open" : "");
      } catch {}
    };
    let isOpen = false;
    try {
      isOpen = localStorage.getItem("cells") === "open";
    } catch {}
    unfold(isOpen);
    button.onclick = () => unfold(button.ariaPressed !== "true");
    const about = document.querySelector(".book-about");
    if (about) about.append(" \u00b7 ", button);
    else folds[0].after(button);
  }

  // An address opens what it leads to, and all around it
  function reveal() {
    let at = document.getElementById(location.hash.slice(1));
    const found = at;
    const closed = at ? all(`:scope > :is(${PARTS})`, at) : [];
    for (; at; at = at.parentElement) if (at.matches(PARTS)) closed.push(at);
    if (closed.every((fold) => fold.open)) return;
    for (const fold of closed) fold.open = true;
    found.scrollIntoView();
  }
  window.addEventListener("hashchange", reveal);
  on("click", ({ target }) => target.closest("a")?.hash === location.hash && reveal());
  reveal();

  // Code to copy, without numbers, shapes and prompts
  const LEFT_OUT = ".linenos, .gp, .cutaway-lineno, .cutaway-callout, .cutaway-shape";
  for (const pre of all(".bd-article .highlight > pre")) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "book-copy", textContent: "Copy" });
    pre.after(button);
  }
  async function copy(button) {
    const code = button.previousElementSibling.cloneNode(true);
    for (const one of all(LEFT_OUT, code)) one.remove();
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  }

  // What scrolls is reached by keyboard
  const frames = all("pre, div.math, .pst-scrollable-table-container, .cell_output > .output");
  const reach = (list) => {
    for (const { target } of list) {
      if (target.closest("figure")) continue;
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  };
  const watch = new ResizeObserver(reach);
  for (const frame of frames) watch.observe(frame);
})();
