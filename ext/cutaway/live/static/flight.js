// The way of a camera.
(() => {
  const live = globalThis.cutawayLive;
  const CURVE = 1.3;
  const ease = (t) => t * t * (3 - 2 * t);
  const mix = (a, b, t) => a.map((x, i) => x + (b[i] - x) * t);

  // The smooth way from one camera to another: far off for a moment when the way is long (van Wijk and Nuij 2003).
  function flight(from, to) {
    const u = Math.hypot(...from.target.map((x, i) => to.target[i] - x)), [w0, w1] = [from.far, to.far], r = CURVE;
    const between = (t, s) => ({ target: mix(from.target, to.target, s), far: 0, yaw: from.yaw + (to.yaw - from.yaw) * ease(t), pitch: from.pitch + (to.pitch - from.pitch) * ease(t) });
    if (u < 1e-3 * w0) return { length: Math.abs(Math.log(w1 / w0)) / r, at: (t) => ({ ...between(t, t), far: w0 * (w1 / w0) ** t }) };
    const b = (w, sign) => (w1 * w1 - w0 * w0 + sign * r ** 4 * u * u) / (2 * w * r * r * u), log = (x) => Math.log(Math.sqrt(x * x + 1) - x);
    const [r0, r1] = [log(b(w0, 1)), log(b(w1, -1))], length = (r1 - r0) / r;
    const at = (t) => {
      const s = r * t * length + r0, moved = (w0 / (r * r)) * (Math.cosh(r0) * Math.tanh(s) - Math.sinh(r0));
      return { ...between(t, moved / u), far: (w0 * Math.cosh(r0)) / Math.cosh(s) };
    };
    return { length, at };
  }

  Object.assign(live, { ease, mix, flight });
})();
