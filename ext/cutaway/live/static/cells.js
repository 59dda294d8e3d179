// A tensor's last two axes as cells, coloured by sign and size: a table where it is small, else a canvas.
(() => {
  const live = (globalThis.cutawayLive ??= {});
  const { make, digits } = live;
  const READABLE = 16, FEW = 256, WIDEST = 2048; // rows or columns of a table; columns of a canvas that can be hit, that are shown
  const READ = 28, LONG = 46; // pixels of a cell that holds two decimals, four digits
  const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -WIDEST], End: [0, WIDEST] };
  const within = (low, x, high) => Math.max(low, Math.min(high, x));
  const numbers = (count) => [...Array(count).keys()];

  // What is shown of a node: rows and columns behind the leading places of an index.
  function plane(session, node, lead) {
    const tensor = session.tensor(node), { s, d } = tensor, [rows, columns] = [1, 1, ...s].slice(-2).map((count) => Math.min(count, WIDEST));
    const { name } = live.called(session, node, s.map(() => 0));
    const index = (row, column) => [...lead, row, column].slice(lead.length + 2 - s.length);
    const at = (...cell) => live.at(tensor, index(...cell));
    const say = (...cell) => `${[name, ...live.words(session, node, index(...cell))].join(", ")}: ${digits(at(...cell))}`;
    const head = (axis, i) => (session.isOfTokens(node, axis) ? session.tokens[i] : "");
    return { rows, columns, index, at, say, head, most: live.largest(d) };
  }

  // `cursor` is the caller's, so that it stays where it is with another input; `pick` gets an index, and whether by keyboard.
  live.cells = (session, node, { lead, width, pick, cursor = [0, 0] }) => {
    const shown = plane(session, node, lead), { rows, columns } = shown;
    const side = Math.floor((width - 48) / columns) - 2;
    const move = (to) => [rows, columns].forEach((count, axis) => (cursor[axis] = within(0, to[axis], count - 1)));
    move(cursor);
    const isTable = Math.max(rows, columns) <= READABLE, told = make("output.told", { ariaHidden: isTable }); // a table's cell says it itself
    const { cells, go, place } = isTable ? table(shown, cursor, within(24, side, 52)) : canvas(shown, cursor, within(columns > FEW ? 5 : 12, side, 22));
    const act = (to) => {
      const before = [...cursor];
      go(before, move(to));
      told.value = shown.say(...cursor);
    };
    const choose = (isByKey) => pick(shown.index(...cursor), isByKey);
    cells.onpointermove = (event) => place(event) && (told.value = shown.say(...place(event)));
    cells.onclick = (event) => place(event) && choose(false, act(place(event)));
    cells.onkeydown = (event) => {
      const { key } = event, by = STEPS[key];
      if (by) act(cursor.map((i, axis) => i + by[axis]));
      else if (key === "Enter" || key === " ") choose(true);
      else return;
      event.preventDefault();
    };
    return make("div.grid", {}, make("div.scroll", {}, cells), told);
  };

  function table(shown, cursor, side) {
    const columns = numbers(shown.columns), isLong = columns.some((i) => shown.head(-1, i).length > 2);
    const cells = make(isLong ? "table.cells.long" : "table.cells", { role: "grid" });
    cells.style.setProperty("--side", `${side}px`);
    const head = (axis, scope) => (i) => make("th", { scope }, shown.head(axis, i), make("sub", {}, i));
    const cell = (row) => (column) => {
      const x = shown.at(row, column), text = side < READ ? "" : digits(x, side < LONG);
      const one = make(x ? "td" : "td.zero", { role: "gridcell", tabIndex: -1, ariaLabel: shown.say(row, column) }, text);
      return live.paint(one, live.shade(x, shown.most), Number.isFinite(x) && Math.abs(x) > shown.most / 2);
    };
    cells.append(make("tr", {}, make("td"), ...columns.map(head(-1, "col"))));
    for (const row of numbers(shown.rows)) cells.append(make("tr", {}, head(-2, "row")(row), ...columns.map(cell(row))));
    const of = ([row, column]) => cells.rows[row + 1].cells[column + 1];
    of(cursor).tabIndex = 0;
    const go = (before) => {
      of(before).tabIndex = -1;
      of(cursor).tabIndex = 0;
      of(cursor).focus();
    };
    const place = ({ target }) => target.matches("[role=gridcell]") && [target.parentElement.rowIndex - 1, target.cellIndex - 1];
    return { cells, go, place };
  }

  function canvas(shown, cursor, side) {
    const { rows, columns, at, most } = shown, ratio = Math.min(devicePixelRatio, 2), gap = side > 8 ? 1 : 0, colours = {};
    const cells = make("canvas", { tabIndex: 0, role: "img", width: columns * side * ratio, height: rows * side * ratio });
    cells.style.width = `${columns * side}px`;
    const pen = cells.getContext("2d"), style = getComputedStyle(cells);
    const colour = (css) => (colours[css] ??= css.replace(/var\((.*?)\)/g, (_, name) => style.getPropertyValue(name))); // a canvas knows no variables
    const go = () => {
      cells.ariaLabel = shown.say(...cursor);
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.clearRect(0, 0, columns * side, rows * side);
      for (let i = 0; i < rows * columns; i++) {
        const column = i % columns, row = (i - column) / columns;
        pen.fillStyle = colour(live.shade(at(row, column), most));
        pen.fillRect(column * side, row * side, side - gap, side - gap);
      }
      pen.strokeStyle = colour("var(--cutaway-accent)");
      pen.lineWidth = 2;
      pen.strokeRect(cursor[1] * side, cursor[0] * side, side - gap, side - gap);
    };
    requestAnimationFrame(go); // its colours are known once it is in the page
    const place = ({ offsetX, offsetY }) => [within(0, Math.floor(offsetY / side), rows - 1), within(0, Math.floor(offsetX / side), columns - 1)];
    return { cells, go, place };
  }
})();
