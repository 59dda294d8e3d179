// The panel that says where a number comes from: each operand leads one step further back, and a trail returns.
(() => {
  const live = (globalThis.cutawayLive ??= {});
  const { make, button, digits } = live;
  const shown = make("div"), said = make("p.said", { role: "status" });
  const panel = make("aside.why", { role: "dialog", ariaLabel: "Why this number", tabIndex: -1, hidden: true }, shown, said);
  let opener, home, trail = []; // the steps from what was asked to what is shown: session, node, index or none

  const there = ({ session, node, index }) => live.called(session, node, index ?? session.tensor(node).s.map(() => 0));
  const named = (step) => (step.index ? live.written(there(step)) : there(step).name);
  const valued = ({ session, node, index }) => (index ? digits(live.at(session.tensor(node), index)) : "");
  const fits = ({ session, node, index }) => !index || session.has(node, index);

  function close() {
    panel.hidden = true;
    (opener?.isConnected ? opener : home?.querySelector("[tabindex='0'], input"))?.focus();
  }

  function go(to, isTaken = true) {
    trail = to;
    panel.hidden = false;
    draw();
    panel.scrollTop = 0;
    if (isTaken) panel.focus({ preventScroll: true });
  }

  const operand = (session) => ({ node, index, value }) => {
    const step = { session, node, index }, name = named(step);
    const more = { className: "cutaway-live-operand", ariaLabel: `${name}, ${digits(value)}: why?` };
    return button(digits(value), () => go([...trail, step]), more, make("small", {}, name));
  };

  // The line that made it, its file, and the step that explains it.
  function code(session, node) {
    const { nodes, places, steps } = session.graph, [, , , , place, , , step] = nodes[node], [file, line, text] = places[place] ?? [];
    const { content_root: root = "" } = document.documentElement.dataset, where = `${file}:${line}`;
    const source = steps[step] ? make("a", { href: root + steps[step] }, where) : where;
    return file ? [make("p.code", {}, make("code", {}, text), make("small", {}, source))] : [];
  }

  function cell(step) {
    const { session, node, index } = step, why = live.reason(session, node, index), [say, body] = live.explained(session, why, operand(session));
    const words = live.words(session, node, index), { name, module } = there(step), value = digits(why.value), colour = make("i");
    colour.style.background = live.shade(why.value, live.largest(session.tensor(node).d));
    said.textContent = `${[name, ...words].join(", ")} is ${value}: ${say}.`;
    return [
      make("p.place", {}, [...words, module].join(" · ")),
      make("p.value", {}, colour, value),
      ...code(session, why.node),
      ...body,
    ];
  }

  // A whole tensor: one of its cells can be chosen.
  function whole({ session, node }) {
    const { s } = session.tensor(node), lead = s.slice(0, -2).map(() => 0), stage = make("div");
    const pick = (index) => go([...trail, { session, node, index }]);
    const draw = () => stage.replaceChildren(live.cells(session, node, { lead, width: panel.clientWidth - 40, pick }));
    const choice = (axis) => live.choice(live.axis(session, node, axis), [...Array(s[axis]).keys()], 0, (i) => draw((lead[axis] = i)));
    const choices = lead.flatMap((_, axis) => (s[axis] > 1 ? [choice(axis)] : []));
    draw();
    return [make("p.place", {}, `${s.join(" × ") || 1} numbers: choose one.`), ...code(session, node), ...choices, stage];
  }

  function draw() {
    const step = trail.at(-1), { mark } = step.session;
    const brief = (one) => (fits(one) ? `${there(one).name} ${valued(one)}` : "…");
    const back = trail.slice(0, -1).map((one, i) => make("li", {}, button(brief(one), () => go(trail.slice(0, i + 1)))));
    shown.replaceChildren(
      button("×", close, { className: "cutaway-live-close", ariaLabel: "Close" }),
      make("nav", { ariaLabel: "The way here", hidden: !back.length }, make("ol", {}, ...back)),
      make("h2", {}, fits(step) ? named(step) : ""),
      ...(mark ? [make("p.yours", {}, mark)] : []),
      ...(fits(step) ? (step.index ? cell : whole)(step) : ["There is no such number for this input."]),
    );
  }

  const redraw = () => panel.hidden || draw();

  // Why this number? `isTaken`: the focus goes to the panel.
  live.explain = (session, node, index, from, isTaken) => {
    if (!panel.isConnected) document.body.append(panel);
    if (!session.listeners.includes(redraw)) session.listeners.push(redraw);
    [opener, home] = [from, from.closest(".cutaway-live")];
    go([{ session, node, index }], isTaken);
    from.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("keydown", ({ key }) => key === "Escape" && !panel.hidden && close());
})();
