// The snippets of a link button are in the page; each gets a button that copies it, when they are first seen. A site that
// was built without its address has it now: where the page was opened.
document.addEventListener("toggle", ({ target: box }) => {
  if (box.className !== "cutaway-link" || box.querySelector("button")) return;
  const root = new URL(document.documentElement.dataset.content_root ?? "./", location.href.replace(/[?#].*/, "")).href;
  const [first] = box.querySelectorAll("dt");
  first.textContent = first.textContent.replace(/;.*YOUR-SITE.*/, "");
  for (const name of box.querySelectorAll("dt")) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Copy" });
    const code = name.nextSibling.firstChild;
    code.textContent = code.textContent.replaceAll("https://YOUR-SITE/", root);
    button.onclick = () => {
      getSelection().selectAllChildren(code); // where copying is not allowed, Ctrl+C does it
      const done = navigator.clipboard?.writeText(code.textContent);
      done?.then(() => (button.textContent = "Copied"), () => {});
    };
    button.ariaLabel = `Copy: ${name.textContent}`;
    name.append(button);
  }
}, true);
