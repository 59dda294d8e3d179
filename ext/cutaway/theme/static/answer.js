// What a reader types as an answer is compared with the recorded one, which stands in the page. Nothing is sent, and which
// exercises were solved is remembered by this browser alone.
{
  const SOLVED = "cutaway-solved";
  const solved = () => { try { return JSON.parse(localStorage[SOLVED] ?? "[]"); } catch { return []; } };
  const remember = (id) => { try { localStorage[SOLVED] = JSON.stringify([...new Set([...solved(), id])]); } catch {} };
  const one = (text) => {
    let t = text.trim().replace(/[−–]/g, "-").replace(/[\s_]/g, "");
    t = /^-?0,\d+%?$/.test(t) ? t.replace(",", ".") : t.replace(/,(?=\d{3}(\D|$))/g, "");
    const [, a, b, percent] = t.match(/^([^/%]+)(?:\/([^/%]+))?(%?)$/) ?? [];
    return a ? (Number(a) / (b ? Number(b) : 1)) / (percent ? 100 : 1) : NaN;
  };
  const read = {
    number: one,
    numbers: (text) => text.replace(/[−–]/g, "-").split(/[^\d.eE+-]+/).filter((part) => /\d/.test(part)).map(Number),
    text: (text) => text.trim().replace(/^(["'`])(.*)\1$/, "$2").replace(/\s+/g, " ").toLowerCase(),
    truth: (text) => ({ y: true, t: true, n: false, f: false })[text.trim()[0]?.toLowerCase()],
  };
  const equal = (a, b, within) =>
    Array.isArray(b) ? a.length === b.length && b.every((item, i) => equal(a[i], item, within))
    : typeof b === "number" ? Math.abs(a - b) <= within + 1e-12 * Math.abs(b)
    : a === b;
  const sorted = (list) => [...list].sort((a, b) => a - b);
  const usual = ({ kind, value, within }, given) => {
    if (kind === "numbers") {
      if (given.length !== value.length) return `Not yet. You gave ${given.length} number${given.length === 1 ? "" : "s"}; the answer has another count.`;
      return equal(sorted(given), sorted(value), within) ? "Not yet. These are the right numbers, in another order." : "Not yet.";
    }
    if (kind !== "number" || !value) return "Not yet.";
    const near = (other) => Math.abs(given - other) <= Math.max(within, 1e-9 * Math.abs(other));
    if (near(-value)) return "Not yet. The size is right; look at the sign.";
    for (const power of [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      if (near(value * 10 ** power) || near(value / 10 ** power)) return "Not yet. The digits are right; the decimal point is not.";
    }
    if (Math.abs(given * value - 1) < 0.005) return "Not yet. This is the reciprocal: turn the ratio over.";
    const off = Math.abs(given / value - 1);
    return off < 0.1 ? "Close, but not yet. Keep more digits on the way." : "Not yet.";
  };
  for (const form of document.querySelectorAll("form[data-answer]")) {
    const asked = JSON.parse(form.dataset.answer), field = form.querySelector("input");
    const status = form.querySelector("[role=status]"), [said, ...hints] = status.children;
    const say = (text, state = "", hint = -1) => {
      form.dataset.state = state;
      said.textContent = text;
      hints.forEach((other, i) => { other.hidden = i !== hint; });
    };
    form.hidden = false;
    if (solved().includes(field.id)) say("You solved this before.", "right");
    form.onsubmit = (event) => {
      event.preventDefault();
      const given = read[asked.kind](field.value);
      const empty = !field.value.trim() || given === undefined || Number.isNaN(given) || (given.length === 0) || (asked.kind === "numbers" && given.some(Number.isNaN));
      field.setAttribute("aria-invalid", "false");
      if (empty) return say(`${form.querySelector("label").textContent.replace("Your answer", "Type an answer")}.`);
      if (equal(given, asked.kind === "text" ? read.text(asked.value) : asked.value, asked.within)) {
        remember(field.id);
        const exact = asked.kind === "number" && given !== asked.value ? ` The computed value is ${Number(asked.value.toPrecision(4))}.` : "";
        return say(`Right.${exact}`, "right");
      }
      field.setAttribute("aria-invalid", "true");
      const hint = asked.wrong.findIndex((other) => other !== null && equal(given, asked.kind === "text" ? read.text(other) : other, asked.within));
      say(hint < 0 ? usual(asked, given) : "Not yet.", "wrong", hint);
    };
  }
}
