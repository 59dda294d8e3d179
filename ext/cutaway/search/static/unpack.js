// The texts of an index, which `packing.py` wrote as codes of one to three characters: {pieces, long} -> a function.
const cutawayUnpack = ({ pieces, long }) => {
  const FIRST = 35, LEFT_OUT = 92, BASE = 91, SHORT = 40; // as in `packing.py`
  const words = pieces.split("\n");
  const two = BASE - SHORT - long;
  return (text) => {
    let at = 0;
    const next = () => {
      const code = text.charCodeAt(at++);
      return code - FIRST - (code > LEFT_OUT);
    };
    let found = "";
    while (at < text.length) {
      const first = next();
      if (first < SHORT) found += words[first];
      else if (first < BASE - long) found += words[SHORT + (first - SHORT) * BASE + next()];
      else found += words[SHORT + (two + (first - BASE + long) * BASE + next()) * BASE + next()];
    }
    return found;
  };
};
