// While the book is edited: what the last build complained of, at the foot of each page.
(() => {
  const status = new URL("../build-status.json", document.currentScript.src);
  const style = "position: fixed; inset: auto 0 0; z-index: 10000; max-height: 45vh; overflow: auto; margin: 0;" +
    "padding: 0.75rem 1rem; background: #7a1212; color: #fff; font: 14px/1.5 monospace; white-space: pre-wrap;" +
    "border-top: 3px solid #ff8080";
  let shown = "";

  const line = (problem) => {
    const paragraph = document.createElement("p");
    paragraph.style.margin = "0.25rem 0";
    const place = document.createElement("strong");
    place.textContent = [problem.file, problem.line].filter(Boolean).join(":");
    paragraph.append(place, place.textContent ? " " : "", problem.message);
    return paragraph;
  };

  const show = (problems) => {
    document.getElementById("cutaway-banner")?.remove();
    if (!problems.length) return;
    const banner = document.createElement("aside");
    banner.id = "cutaway-banner";
    banner.style.cssText = style;
    banner.setAttribute("role", "alert");
    banner.tabIndex = 0;
    banner.append(...problems.map(line));
    document.body.append(banner);
  };

  const look = async () => {
    const text = await fetch(status, { cache: "no-store" }).then((answer) => (answer.ok ? answer.text() : shown), () => shown);
    if (text !== shown) show(JSON.parse((shown = text)).problems);
  };

  look();
  setInterval(look, 1000);
})();
