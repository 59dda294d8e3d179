// A plot to play with: its figure has a page of its own, in a frame, which nobody fetches before it is asked for.
(() => {
  const PAGE = new URL("plotly/frame.html", document.currentScript.src);
  const NAMES = ["ground", "panel", "ink", "muted", "line", "accent", ..."BTCHDV"].map((name) => (name.length > 1 ? name : `dim-${name}`));
  const tell = []; // what each open frame is told, again when the colours change

  function colours() {
    const style = getComputedStyle(document.body);
    return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--cutaway-${name}`)]));
  }

  for (const data of document.querySelectorAll(".cutaway-plot > script")) {
    const figure = data.parentElement;
    const { alt } = figure.querySelector("img");
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Play with it" });
    let frame;

    function open() {
      frame = Object.assign(document.createElement("iframe"), { src: PAGE, title: `Plot to play with: ${alt}` });
      frame.onload = () => {
        tell.push(() => frame.contentWindow.postMessage({ plot: JSON.parse(data.textContent), alt, colours: colours() }, "*"));
        show(true);
        tell.at(-1)();
      };
      button.textContent = "Loading…";
      button.after(frame);
    }
    function show(isOpen) {
      figure.classList.toggle("cutaway-plot-open", isOpen);
      button.textContent = isOpen ? "Show the picture" : "Play with it";
    }
    button.onclick = () => (frame ? show(!figure.matches(".cutaway-plot-open")) : open());
    data.after(button);
  }

  const again = () => tell.forEach((one) => one());
  // A theme marks one of the two.
  for (const marked of [document.documentElement, document.body]) new MutationObserver(again).observe(marked, { attributes: true });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
})();
