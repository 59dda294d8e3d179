// In the browser that prints: all pages become one document. An id that two pages use gets the page's name.
(texts) => {
  const parser = new DOMParser();
  const taken = new Set();
  const pages = texts.map(({ url, html }) => {
    const name = url.split("/").pop().replace(".html", "");
    const whole = parser.parseFromString(html, "text/html");
    return { url, name, whole, article: whole.querySelector("article"), ids: new Map() };
  });
  const byUrl = new Map(pages.map((page) => [page.url, page]));

  const SCREEN_ONLY = "script, button, .headerlink, .cutaway-link, .cutaway-clip-bar, canvas, .cutaway-clip-said," +
    ".cutaway-clip-captions, .cutaway-clip-tip, .cutaway-clip-dark, .prev-next-footer, .toctree-wrapper, audio, video";
  for (const page of pages) {
    page.article.querySelectorAll(SCREEN_ONLY).forEach((element) => element.remove());
    for (const element of page.article.querySelectorAll("[id]")) {
      const id = taken.has(element.id) ? `${page.name}--${element.id}` : element.id;
      taken.add(id);
      page.ids.set(element.id, id);
    }
    page.top = `page-${page.name}`;
  }

  // A link to a page of the book leads to its place here; to another file of the site, nowhere on paper.
  const address = (link, base) => {
    const to = new URL(link.getAttribute("href"), base);
    const page = byUrl.get(to.href.split("#")[0]);
    if (page) {
      const id = decodeURIComponent(to.hash.slice(1));
      link.setAttribute("href", `#${page.ids.get(id) ?? page.top}`);
    } else if (to.protocol === "file:") {
      link.removeAttribute("href");
    } else if (to.protocol.startsWith("http") && !link.textContent.includes(to.host)) {
      link.dataset.address = to.href;
    }
  };

  const REFERENCES = ["for", "aria-labelledby", "aria-describedby", "aria-controls"];
  const moved = (page, number) => {
    const { article } = page;
    article.querySelectorAll("a[href]").forEach((link) => address(link, page.url));
    article.querySelectorAll("[src]").forEach((element) => {
      element.src = new URL(element.getAttribute("src"), page.url).href;
      element.loading = "eager";
    });
    article.querySelectorAll("details").forEach((element) => (element.open = true));
    for (const name of REFERENCES) {
      article.querySelectorAll(`[${name}]`).forEach((element) => {
        const ids = element.getAttribute(name).split(" ").map((id) => page.ids.get(id) ?? id);
        element.setAttribute(name, ids.join(" "));
      });
    }
    article.querySelectorAll("[id]").forEach((element) => (element.id = page.ids.get(element.id)));
    // Rules that stand for style attributes are numbered in each page.
    article.querySelectorAll("[data-style]").forEach((element) => (element.dataset.style = `${number}-${element.dataset.style}`));
    const rules = [...page.whole.querySelectorAll("head style")].map((style) => style.textContent);
    const style = document.createElement("style");
    style.textContent = rules.filter((text) => text.includes("[data-style="))
      .join("").replace(/\[data-style="/g, `[data-style="${number}-`);
    const part = document.createElement("section");
    part.className = "book-page";
    part.id = page.top;
    part.append(style, ...article.childNodes);
    return part;
  };

  const contents = () => {
    const list = document.createElement("ol");
    for (const part of document.querySelectorAll(".book-page")) {
      const item = entry(part.querySelector("h1"), part.id);
      const inner = document.createElement("ol");
      inner.append(...[...part.querySelectorAll("h2")].map((heading) => entry(heading, heading.closest("section").id)));
      item.append(inner);
      list.append(item);
    }
    return list;
  };
  const entry = (heading, id) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = `#${id}`;
    link.textContent = heading.textContent.trim();
    item.append(link);
    return item;
  };

  const book = document.createElement("article");
  book.className = "bd-article book";
  document.body.replaceChildren(book);
  book.append(...pages.map(moved));
  const nav = document.createElement("nav");
  nav.className = "book-contents";
  const heading = document.createElement("h1");
  heading.textContent = document.title.split(" — ").pop();
  nav.append(heading, contents());
  book.prepend(nav);
}
