// Clips in space: what an eye sees, and the reader's hand, which turns it (docs/recording.md).
class CutawayEye {
  constructor([phi, theta, gamma, zoom, distance, ...centre], turned, [width, height]) {
    const turns = [[-theta - turned[1] - 90, 0, 1], [-phi - turned[0], 1, 2], [gamma, 0, 1]].map(([angle, i, j]) => {
      const [cos, sin] = [Math.cos, Math.sin].map((of) => of((angle * Math.PI) / 180));
      return (point) => {
        const [u, v] = [point[i], point[j]], moved = [...point];
        moved[i] = cos * u - sin * v;
        moved[j] = sin * u + cos * v;
        return moved;
      };
    });
    // To the right, up, and towards the reader.
    this.turn = (point) => turns.reduce((moved, turn) => turn(moved), point);
    // To a place on the stage.
    this.project = (point) => {
      const [right, up, near] = this.turn(point.map((part, i) => part - centre[i])), room = distance - near;
      const factor = room < 0 ? 1e6 : (distance / (room || 1e-9)) * zoom;
      return [width / 2 + right * factor, height / 2 - up * factor];
    };
  }

  // An object of space as it is seen on the stage, and how near.
  flat = (look) => {
    const at = look.x, [left, top] = this.project(at), near = this.turn(at)[2], [x, y] = [left + look.y[0], top + look.y[1]];
    const points = (numbers) => {
      const seen = [];
      for (let i = 0; i < numbers.length; i += 3) {
        const [px, py] = this.project([at[0] + numbers[i], at[1] + numbers[i + 1], at[2] + numbers[i + 2]]);
        seen.push(px - left, py - top);
      }
      return seen;
    };
    if (!look.isSolid) return { ...look, x, y, near };
    const outline = look.outline.map(([method, ...numbers]) => [method, ...points(numbers)]);
    return { ...look, x, y, near, outline, line: look.line.length > 4 ? points(look.line) : look.line };
  };
}

// Drags turn a clip that is in space, by half a degree a pixel; a click that ends one is none.
class CutawayHand {
  constructor(clip) {
    const { stage } = clip, stop = () => (this.from = null);
    stage.addEventListener("pointerdown", ({ clientX, clientY, button }) => button || (this.from = [clientX, clientY]));
    stage.addEventListener("pointermove", ({ clientX, clientY, buttons, pointerId }) => {
      if (!this.from || !buttons || !clip.film?.turns.length) return;
      const [dx, dy] = [clientX - this.from[0], clientY - this.from[1]];
      if (!this.isTurning && Math.hypot(dx, dy) < 4) return;
      if (!this.isTurning) stage.setPointerCapture(pointerId);
      this.isTurning = true;
      this.from = [clientX, clientY];
      clip.turn(-dy / 2, -dx / 2);
    });
    stage.addEventListener("pointerup", stop);
    stage.addEventListener("pointercancel", stop);
    stage.addEventListener("click", (event) => {
      if (this.isTurning) event.stopImmediatePropagation();
      this.isTurning = false;
    }, true);
  }
}
