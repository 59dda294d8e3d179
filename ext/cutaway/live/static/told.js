// What a walk says: names in the picture, and beside it the stop in words.
(() => {
  const live = globalThis.cutawayLive;
  const { make, KINDS } = live;
  const LABELS = 40, LETTER = 7.8, LINE = 18; // at most; a letter's width and a label's height, in pixels
  const nameOf = (session, node) => live.called(session, node, session.tensor(node).s.map(() => 0)).name;

  // What gets a name, where, and how: the columns of the whole, or what is at a stop.
  function named(walk) {
    const { stop, columns, session } = walk;
    if (stop < 0) return columns.flatMap(([name, , , right]) => (name ? [[name.split(".").slice(-2).join("."), [right, 0, 0], "column"]] : []));
    const seen = new Set(), isNew = ({ node, at, slice }) => !slice && seen.size < seen.add(`${node} ${at[0]}`).size;
    return [...walk.of(stop), ...walk.of(stop, true)].filter(isNew).map((block) => {
      const { at: [x, y, z], size: [across], kind } = block, isOwn = block.stop === stop && kind !== KINDS.weight;
      return [nameOf(session, block.node), [x + across / 2, y - 1.5, z], isOwn ? "now" : "with"];
    });
  }

  // None stands over another, and none outside. What is read aloud stands beside the picture.
  live.labelled = (walk) => {
    const { canvas } = walk.space, taken = [], made = [];
    for (const [text, point, kind] of [...named(walk), ...(walk.isBeamed ? live.edges(walk) : [])]) {
      const [x, height] = walk.space.seen(point), y = Math.max(LINE, height), half = (text.length * LETTER) / 2 + 6;
      const [left, top, right] = [x - half, y - LINE, x + half];
      if (made.length === LABELS || left < 0 || right > canvas.clientWidth || height < 0 || y > canvas.clientHeight) continue;
      if (taken.some(([l, t, r, b]) => left < r && l < right && top < b && t < y)) continue;
      taken.push([left, top, right, y]);
      const label = make(`span.${kind}`, {}, text);
      label.style.transform = `translate(${x}px, ${y}px) translate(-50%, -100%)`;
      made.push(label);
    }
    return made;
  };

  // The line, the shapes, the note of the listing.
  function stopped({ session, stop, stops, texts }) {
    const { graph } = session, [of, step, taken] = stops[stop], [op, , , module, place] = graph.nodes[of], [file, line, text] = graph.places[place] ?? [];
    const { content_root: root = "" } = document.documentElement.dataset, where = `${file}:${line}`, shape = (node) => session.tensor(node).s.join(" × ") || "1";
    const source = graph.steps[step] ? make("a", { href: root + graph.steps[step] }, where) : where;
    const from = taken.map((one) => shape(stops[one][0])).join(", ");
    return [
      make("p.place", {}, `${stop + 1} of ${stops.length} · ${module || op}`),
      make("h3", {}, nameOf(session, of)),
      ...(file ? [make("p.code", {}, make("code", {}, text), make("small", {}, source))] : []),
      make("p.shapes", {}, from ? `${from} → ${shape(of)}` : shape(of)),
      ...(texts[step] ? [make("p", {}, texts[step])] : []),
    ];
  }

  function pointed({ session, building }, { block, cell }) {
    if (block.isHollow) return make("p.cell", {}, make("b", {}, nameOf(session, block.node)), ` ${session.tensor(block.node).s.join(" × ")}; its numbers are too many for a page.`);
    const index = building.index(block, cell), value = live.digits(live.at(session.tensor(block.node), index));
    const name = live.written(live.called(session, block.node, index)), words = live.words(session, block.node, index).join(", ");
    return make("p.cell", {}, make("b", {}, `${name} = ${value}`), ` ${words}. Enter or a click says why.`);
  }

  live.told = (walk) => {
    const { stop, stops, blocks, cursor } = walk;
    const whole = `${stops.length} stops, ${blocks.length} blocks. Play, or go from stop to stop; drag to turn, point at a cell for its number.`;
    return [...(stop < 0 ? [make("p", {}, whole)] : stopped(walk)), ...(cursor ? [pointed(walk, cursor)] : [])];
  };
})();
