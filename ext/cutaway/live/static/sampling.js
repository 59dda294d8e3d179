// From logits to the next token, as nanochat's sampling.py does it, with its float32 where a comparison depends on it.
(() => {
  const live = (globalThis.cutawayLive ??= {});
  const GREEDY_BELOW = 1e-6;
  const { fround } = Math;

  live.likeliest = (logits) => logits.reduce((best, logit, id) => (logit > logits[best] ? id : best), 0);

  function check(temperature, topK, p) {
    if (!(temperature >= 0 && temperature < Infinity)) throw RangeError(`temperature=${temperature}: 0 or a number above is needed`);
    if (!(topK >= 0 && p >= 0 && p <= 1)) throw RangeError(`topK=${topK}, topP=${p}: 0 for all or more; a probability from 0 to 1`);
  }

  // Top-k first, then the temperature, then the nucleus; `kept` tokens can be drawn.
  live.distribution = (logits, { temperature = 1, topK = 0, topP = null } = {}) => {
    check(temperature, topK, topP ?? 1);
    const p = new Float64Array(logits.length);
    if (temperature < GREEDY_BELOW) {
      p[live.likeliest(logits)] = 1;
      return { p, kept: 1 };
    }
    const best = [...logits.keys()].sort((a, b) => logits[b] - logits[a]).slice(0, topK || undefined);
    const powers = best.map((id) => Math.exp(fround(logits[id] / fround(temperature)) - fround(logits[best[0]] / fround(temperature))));
    const all = powers.reduce((sum, power) => sum + power, 0);
    let kept = 0, before = 0, sum = 0;
    for (const id of best) {
      const own = fround(powers[kept] / all);
      if (kept && (!own || (topP != null && fround(fround(before + own) - own) >= fround(topP)))) break;
      kept++;
      before += own;
      sum += p[id] = own;
    }
    return { p: p.map((own) => own / sum), kept };
  };

  // The token at a number from 0 to 1, when the tokens lie beside each other as wide as they are likely.
  live.draw = (p, u) => {
    let sum = 0, last = 0;
    for (let id = 0; id < p.length; id++) {
      if (!p[id]) continue;
      sum += p[id];
      last = id;
      if (u < sum) break;
    }
    return last;
  };
})();
