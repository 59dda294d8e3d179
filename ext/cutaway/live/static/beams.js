// Attention as beams: from each token that is looked at to the one that looks, as wide and as dense as its weight.
(() => {
  const live = globalThis.cutawayLive;
  const LEAST = 0.02, THIN = 0.1, WIDE = 0.6, FAINT = 0.1, DENSE = 0.75, BEFORE = 0.4; // as beams.py has them
  const BEAM = 6;
  const sheets = ({ solid, looks }) => solid.filter(({ node, isHollow }) => looks.includes(node) && !isHollow);

  // Which beams are seen where a cell is chosen: those of its row, of all heads where it is none of the weights.
  function chosen({ cursor, stops }, { node, stop, slice }, key, query) {
    if (!cursor) return true;
    const { block, cell } = cursor;
    if (block.node === node) return block.slice === slice && cell[1] === query;
    const isResult = stops[block.stop]?.[2].includes(stop), isOther = block.slices > 1 && block.slice !== slice;
    return !isResult || (cell[0] === query && !isOther);
  }

  // Weights that are drawn as beams have empty cells.
  live.emptied = (walk) => {
    const { panel } = walk.building.paint;
    for (const { look, mean } of sheets(walk)) {
      look[1] = 0;
      panel.forEach((part, k) => (mean[k] = part));
    }
  };

  live.beams = (walk) => {
    const found = [];
    for (const block of sheets(walk)) {
      const { at, size: [width, height, thick], data: [first, across, down], look, mean } = block;
      for (let i = 0; i < width * height; i++) {
        const key = i % width, query = Math.floor(i / width), weight = walk.space.numbers[first + key * across + query * down];
        if (!(weight >= LEAST) || !chosen(walk, block, key, query)) continue;
        const wide = THIN + WIDE * weight, face = 1 - Math.sqrt(1 - FAINT - DENSE * weight); // a ray meets two faces
        found.push({
          at: [at[0] + key + (1 - wide) / 2, at[1], at[2] + thick + BEFORE], size: [wide, height, wide],
          data: [query - key, 0, 0], look: [BEAM, face, look[2], look[3] + i], mean: [...walk.building.paint.hues[2], mean[3]],
        });
      }
    }
    return found;
  };

  // Tokens at both edges of the weights of a stop: above, who is looked at; below, who looks.
  live.edges = (walk) => {
    const { stop, session: { tokens } } = walk, block = sheets(walk).find((one) => one.stop === stop && !one.slice);
    if (!block || block.size[0] !== tokens.length) return [];
    const { at: [x, y, z], size: [, height, thick] } = block, edge = (y) => tokens.map((token, i) => [token, [x + i + 0.5, y, z + thick], "with"]);
    return [...edge(y), ...edge(y + height + 1.5)];
  };
})();
