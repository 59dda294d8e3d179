// What a mouse and fingers do with a walk: one turns, with Shift or two fingers it is moved, two fingers bring it nearer.
(() => {
  const live = globalThis.cutawayLive;
  const CLICK = 4; // pixels: what moved further was no click

  const middle = (points) => [0, 1].map((i) => points.reduce((sum, point) => sum + point[i], 0) / points.length);
  const apart = ([[a, b], [c, d]]) => Math.hypot(a - c, b - d);

  live.handled = (walk, canvas) => {
    const held = new Map(); // where each finger is
    let moved = 0;

    // Points of the space follow the hand: `x` and `y` in pixels.
    const pan = (x, y) => {
      const { target, far } = walk.camera, { right, up } = walk.space.view, cells = (0.73 * far) / canvas.clientHeight;
      walk.look({ target: target.map((one, i) => one - (right[i] * x - up[i] * y) * cells) });
    };
    const turn = (x, y) => {
      const { yaw, pitch } = walk.camera;
      walk.look({ yaw: yaw - x / 200, pitch: Math.max(-1.2, Math.min(1.2, pitch + y / 200)) });
    };
    const drag = ({ pointerId, clientX, clientY, shiftKey }) => {
      const before = [...held.values()], [x, y] = middle(before);
      held.set(pointerId, [clientX, clientY]);
      const now = [...held.values()], [to, down] = middle(now);
      moved += Math.abs(to - x) + Math.abs(down - y) + (now.length - 1) * CLICK;
      if (now.length > 1 || shiftKey) pan(to - x, down - y);
      else turn(to - x, down - y);
      if (now.length === 2 && apart(now)) walk.look({ far: walk.camera.far * (apart(before) / apart(now)) });
    };

    canvas.addEventListener("pointerdown", ({ pointerType, pointerId, clientX, clientY }) => {
      if (!held.size) moved = 0;
      if (pointerType !== "mouse" && document.activeElement !== canvas) return; // the page scrolls until the figure is entered
      held.set(pointerId, [clientX, clientY]);
      canvas.setPointerCapture(pointerId);
    });
    canvas.addEventListener("pointermove", (event) => (held.has(event.pointerId) ? drag(event) : walk.point(event)));
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) canvas.addEventListener(type, ({ pointerId }) => held.delete(pointerId));
    canvas.addEventListener("pointerleave", () => held.size || walk.point(null));
    canvas.addEventListener("click", (event) => {
      if (moved >= CLICK) return;
      walk.point(event); // a finger has pointed nowhere before
      if (walk.cursor) walk.ask();
    });
    canvas.addEventListener("wheel", (event) => {
      if (document.activeElement !== canvas) return;
      event.preventDefault();
      walk.look({ far: walk.camera.far * Math.exp(event.deltaY / 600) });
    }, { passive: false });
    for (const type of ["focus", "blur"]) canvas.addEventListener(type, () => (canvas.style.touchAction = type === "focus" ? "none" : "pan-y"));
  };
})();
