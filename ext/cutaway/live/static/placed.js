// Where a walk stands, as the page's address: #walk=attention-forward-softmax@h.1/0,5,2&in=BACCAB is a step, its layer,
// a cell of what it made, and the input. Of a step that made several tensors, 1:0,5,2 is a cell of the second.
(() => {
  const live = globalThis.cutawayLive;
  const { KINDS } = live;
  const layerOf = ({ session }, [of]) => /\w+\.\d+/.exec(session.graph.nodes[of][3])?.[0] ?? "";
  const forms = (walk, stop) => [...new Set(walk.of(stop).flatMap(({ kind, node }) => (kind === KINDS.weight ? [] : [node])))];

  // A stop's name: its step and layer, or the number of what it makes.
  function nameOf(walk, stop) {
    const { stops } = walk, [of, step] = stops[stop], layer = layerOf(walk, stops[stop]), isOne = (same) => step && same.length === 1;
    if (isOne(stops.filter(([, one]) => one === step))) return step;
    return isOne(stops.filter((other) => other[1] === step && layerOf(walk, other) === layer)) ? `${step}@${layer}` : `${of}`;
  }

  // The stop of such a name; of a step without its layer, the first.
  function named({ stops, session: { graph } }, name) {
    const [step, within] = name.split("@"), is = ([of, one]) => (one === step && (!within || `.${graph.nodes[of][3]}.`.includes(`.${within}.`))) || `${of}` === name;
    return stops.findIndex(is);
  }

  function cellOf(walk) {
    const { cursor, stop, building } = walk, at = cursor ? forms(walk, stop).indexOf(cursor.block.node) : -1;
    return at < 0 || cursor.block.isHollow ? "" : `/${at ? `${at}:` : ""}${building.index(cursor.block, cursor.cell)}`;
  }

  // What the address says: the stop, -1 where it names none here; the cell as the node and its index.
  live.placed = (walk) => {
    const [, name = "", form = "0", cell] = /[#&]walk=([^/&]*)(?:\/(?:(\d+):)?([\d,]*))?/.exec(location.hash) ?? [];
    const stop = name ? named(walk, decodeURIComponent(name)) : -1;
    return { stop, cell: stop >= 0 && cell ? { form: +form, index: cell.split(",").map(Number) } : null };
  };

  // The block and the cell that the address named, where they are seen.
  live.cursorAt = (walk, { form, index }) => {
    const node = forms(walk, walk.stop)[form], { s } = node === undefined ? { s: [] } : walk.session.tensor(node);
    return s.length === index.length && index.every((i, axis) => i < s[axis]) ? (walk.building.place(node, index, walk.stop) ?? null) : null;
  };

  live.address = (walk) => {
    const url = new URL(location), { own, reads } = walk.session;
    url.hash = walk.stop < 0 ? "" : `walk=${encodeURIComponent(nameOf(walk, walk.stop)).replace("%40", "@")}${cellOf(walk)}${own && reads.letters ? `&in=${encodeURIComponent(own)}` : ""}`;
    try {
      history.replaceState(history.state, "", url);
    } catch {} // a file's address may be fixed
  };
})();
