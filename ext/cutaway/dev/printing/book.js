// In the browser that prints: all pages become one document. An id that two pages use gets the page's name.
(texts) => {
  const parser = new DOMParser();
  const taken = new Set();
  const root = texts[0].url.slice(0, texts[0].url.lastIndexOf("/") + 1);
  const pages = texts.map(({ url, html }) => {
    const name = url.slice(root.length).replace(".html", "").replaceAll("/", "-");
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

  // The parts of the contents, each with its pages: captions and lists of the first page's sidebar or text.
  const parts = () => {
    const { whole, url } = pages[0];
    const seen = new Set();
    return [...whole.querySelectorAll("p.caption")].map((caption) => {
      const links = caption.nextElementSibling?.matches("ul") ? caption.nextElementSibling.querySelectorAll(":scope > li > a[href]") : [];
      const listed = [...links].map((link) => byUrl.get(new URL(link.getAttribute("href"), url).href.split("#")[0]))
        .filter((page) => page && !seen.has(page));
      listed.forEach((page) => seen.add(page));
      return { title: caption.textContent.trim(), pages: listed };
    }).filter((part) => part.pages.length);
  };

  const made = (name, text = "", properties = {}) =>
    Object.assign(document.createElement(name), { textContent: text, ...properties });
  const roman = (number) => {
    const signs = [["X", 10], ["IX", 9], ["V", 5], ["IV", 4], ["I", 1]];
    let text = "";
    for (const [sign, value] of signs) for (; number >= value; number -= value) text += sign;
    return text;
  };
  // Headings say their number, and in a book of parts lie one level deeper: so does the outline of the PDF.
  const number = (section, heading, said) => {
    section.dataset.number = said;
    heading.prepend(made("span", `${said} `, { className: "book-number" }));
  };
  const deepened = (article) => {
    for (const heading of article.querySelectorAll("h1, h2, h3, h4, h5")) {
      heading.setAttribute("role", "heading");
      heading.setAttribute("aria-level", Number(heading.tagName[1]) + 1);
    }
  };
  const numbered = (chapter, place) => {
    const title = chapter.querySelector("h1");
    if (!title) return;
    number(chapter, title, `${place}`);
    [...chapter.querySelectorAll("h2")].forEach((heading, first) => {
      const section = heading.closest("section");
      if (section === chapter) return;
      number(section, heading, `${place}.${first + 1}`);
      [...section.querySelectorAll("h3")].forEach((inner, second) => {
        if (inner.closest("section") !== section) number(inner.closest("section"), inner, `${place}.${first + 1}.${second + 1}`);
      });
    });
  };

  // What a link in the text leads to, by its number, where that is elsewhere.
  const SILENT = "nav, pre, svg, figure, .headerlink, .book-here, .toctree-wrapper";
  const told = (link) => {
    const there = document.getElementById(decodeURIComponent(link.hash.slice(1)))?.closest("[data-number]");
    const here = link.closest("[data-number]");
    if (there && there !== here && !here?.contains(there) && !link.closest(SILENT) && !link.matches(".cutaway-term")) {
      link.dataset.to = there.dataset.number;
    }
  };

  const entry = (section, heading) => {
    const item = made("li");
    const link = made("a", heading.textContent.trim(), { href: `#${section.id}` });
    item.append(link, made("span", "", { className: "book-leaf" }));
    return item;
  };
  const chapters = (list, deep) => {
    const made_ = made("ol");
    for (const page of list) {
      const chapter = document.getElementById(page.top);
      const title = chapter.querySelector("h1");
      if (!title) continue;
      const item = entry(chapter, title);
      if (deep) {
        const inner = made("ol");
        inner.append(...[...chapter.querySelectorAll("h2")].filter((heading) => heading.closest("section") !== chapter)
          .map((heading) => entry(heading.closest("section"), heading)));
        item.append(inner);
      }
      made_.append(item);
    }
    return made_;
  };

  const book = made("article", "", { className: "bd-article book" });
  const title = document.title.split(" — ").pop();
  document.body.replaceChildren(book);
  book.append(...pages.map(moved));
  const found = parts();
  const listed = found.length ? found.flatMap((part) => part.pages) : pages.slice(1);
  listed.forEach((page, index) => numbered(document.getElementById(page.top), index + 1));
  const leaf = (part, index) => {
    const divider = made("section", "", { className: "book-part", id: `part-${index + 1}` });
    divider.append(made("h1", `Part ${roman(index + 1)}. ${part.title}`), chapters(part.pages, false));
    return divider;
  };
  if (found.length) listed.forEach((page) => deepened(document.getElementById(page.top)));
  const nav = made("nav", "", { className: "book-contents" });
  nav.append(made("h1", title));
  const rest = pages.filter((page) => !listed.includes(page));
  if (found.length) {
    const before = rest.filter((page) => pages.indexOf(page) < pages.indexOf(listed[0]));
    nav.append(chapters(before, false));
    found.forEach((part, index) => {
      const head = made("p", "", { className: "book-contents-part" });
      head.append(made("a", `Part ${roman(index + 1)}. ${part.title}`, { href: `#part-${index + 1}` }), made("span", "", { className: "book-leaf" }));
      nav.append(head, chapters(part.pages, true));
    });
    nav.append(chapters(rest.filter((page) => !before.includes(page)), false));
    found.forEach((part, index) => document.getElementById(part.pages[0].top).before(leaf(part, index)));
  } else {
    nav.append(chapters(pages, true));
  }
  book.prepend(nav);
  document.querySelectorAll('.book-page a[href^="#"]').forEach(told);
  return found.length;
}
