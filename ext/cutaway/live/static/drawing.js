// What figures and the panel are made of: elements, numbers as text, colours for a number's sign and size.
(() => {
  const live = (globalThis.cutawayLive ??= {});
  let groups = 0;

  // `make("p.place", {}, "text")` is a paragraph of the class cutaway-live-place.
  const make = (live.make = (kind, properties, ...children) => {
    const [tag, ...classes] = kind.split("."), element = Object.assign(document.createElement(tag), properties);
    for (const one of classes) element.classList.add(`cutaway-live-${one}`);
    element.append(...children);
    return element;
  });

  live.button = (text, onclick, more, ...children) => make("button", { type: "button", onclick, ...more }, text, ...children);

  // Four significant digits, everywhere; where there is no room for them, two decimals.
  live.digits = (x, isShort) => {
    const size = Math.abs(x);
    if (!Number.isFinite(x)) return x < 0 ? "−∞" : x > 0 ? "∞" : "nan";
    const isWhole = Number.isInteger(x) && size < 1e6, isFar = size < 1e-4 || size >= 1e6;
    const text = isWhole ? x : isShort ? x.toFixed(size < 10 ? 2 : 0) : isFar ? x.toExponential(3) : x.toPrecision(4);
    return `${text}`.replace("+", "").replaceAll("-", "−");
  };

  live.percent = (p) => {
    const text = `${(100 * p).toFixed(1)} %`;
    return p > 0 && text === "0.0 %" ? "<0.1 %" : p < 1 && text === "100.0 %" ? ">99.9 %" : text;
  };

  // A colour between two neighbours of a ramp of the palette, in both themes; `place` counts from its first.
  const between = (ramp, last, place) => {
    const low = Math.min(last - 1, Math.floor(place)), part = Math.round(100 * (place - low));
    return `color-mix(in srgb, var(--cutaway-${ramp}-${low + 1}) ${part}%, var(--cutaway-${ramp}-${low}))`;
  };

  live.shade = (x, most) => between("signed", 6, 3 + 3 * (Number.isFinite(x) && most ? x / most : 0));
  live.tone = (p) => between("weight", 4, 3 * p); // as dark as bars

  live.paint = (element, background, isStrong) => {
    Object.assign(element.style, { background, color: `var(--cutaway-${isStrong ? "ground" : "ink"})` });
    return element;
  };

  live.largest = (numbers) => numbers.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 0);

  // One of a few, as buttons: radios, so that arrow keys work.
  live.choice = (legend, names, chosen, act) => {
    const name = `cutaway-live-${groups++}`;
    const radio = (i) => make("input", { type: "radio", name, checked: i === chosen, onchange: () => act(i) });
    const option = (text, i) => make("label", {}, radio(i), make("span", {}, text));
    return make("fieldset.choice", {}, make("legend", {}, legend), ...names.map(option));
  };
})();
