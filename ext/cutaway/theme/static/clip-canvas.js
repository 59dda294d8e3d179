// A clip's recording, drawn on a canvas at any time (docs/recording.md).
const CutawayRecording = (() => {
  const PEN = { M: "moveTo", l: "lineTo", c: "bezierCurveTo", z: "closePath" };
  const SAME = [1, 0, 0, 1];
  const DEEP = 9; // in a pen: sorted by its distance

  // What is one in both stays one: an outline that only moves is built once.
  const mix = (a, b, weight) => {
    if (a === b) return a;
    if (typeof a === "number") return a + (b - a) * weight;
    const mixed = Array.isArray(a) ? [] : {};
    for (const key in a) mixed[key] = mix(a[key], b[key], weight);
    return mixed;
  };

  // Relative to an outline's place, not to the point before, so that two can be mixed and measured.
  const parse = (path) => {
    const size = path[0] === "S" ? 3 : 2;
    let last = [0, 0, 0];
    return (path.match(/[Mlcz][^Mlcz]*/g) ?? []).map((part) => {
      const command = part[0], numbers = part.match(/-?[\d.]+/g) ?? [];
      const points = numbers.map((number, i) => +number + (command === "M" ? 0 : last[i % size]));
      if (points.length) last = points.slice(-size);
      return [PEN[command], ...points];
    });
  };

  const isVisible = (coat) => coat?.stops.some((stop) => stop[3] > 0);

  return class {
    constructor(text, canvas, palette) {
      Object.assign(this, JSON.parse(text), { palette, pen: canvas.getContext("2d"), shapes: new WeakMap() });
      this.outlines = this.paths.map(parse);
      this.turned = [0, 0]; // degrees by which the reader has changed phi and theta
      this.recolour();
    }

    // The palette, from a name to [red, green, blue], has changed.
    recolour() {
      this.rgb = [];
      for (const paint of this.paints) {
        this.rgb.push(Array.isArray(paint) ? mix(this.rgb[paint[0]], this.rgb[paint[1]], paint[2]) : this.palette(paint));
      }
      this.looks = this.states.map((state) => this.look(state));
    }

    look([path, x, y, style, matrix, line]) {
      const [fill, stroke, back, pen = 0] = this.styles[style];
      const coats = [back, fill && [0, ...fill], stroke].map((coat) => {
        const [width, ...paints] = coat ?? [];
        return coat && { width, stops: paints.flatMap((paint, i) => (i % 2 ? [] : [[...this.rgb[paint], paints[i + 1]]])) };
      });
      const isSolid = this.paths[path][0] === "S";
      return { outline: this.outlines[path], isSolid, x, y, matrix: matrix || SAME, line: line || [0, 0, 0, 0], coats, pen };
    }

    // What spans say of a time; it may be between frames.
    at(spans, time, things) {
      const [start, a, b, curve] = spans.findLast((span) => span[0] <= time) ?? [];
      if (b === undefined) return things[a];
      const weight = (frame) => this.curves[curve][frame - start] ?? this.curves[curve].at(-1);
      return mix(things[a], things[b], mix(weight(Math.floor(time)), weight(Math.ceil(time)), time % 1) / 10000);
    }

    draw(time) {
      const { pen, size: [w, h] } = this, { width, height } = pen.canvas;
      const [x, y, seen] = this.at(this.camera, time, this.views) ?? [w / 2, h / 2, w];
      this.zoom = (Math.min(width / w, height / h) * w) / seen;
      this.left = width / 2 - x * this.zoom;
      this.top = height / 2 - y * this.zoom;
      pen.resetTransform();
      pen.fillStyle = `rgb(${this.rgb[this.background]})`;
      pen.fillRect(0, 0, width, height);
      this.shown = this.seen(time, this.objects
        .map(([spans, tag, cell]) => ({ look: this.at(spans, time, this.looks), tag, cell }))
        .filter(({ look }) => look?.coats.some(isVisible)));
      for (const { look } of this.shown) this.paint(look);
    }

    // What stands in space as the eye sees it; first what is sorted by its distance, from far to near.
    seen(time, shown) {
      const eye = this.at(this.turns, time, this.eyes);
      if (!eye) return shown;
      const { flat } = new CutawayEye(eye, this.turned, this.size);
      const all = shown.map((one) => (Array.isArray(one.look.x) ? { ...one, look: flat(one.look) } : one));
      const [deep, front] = [true, false].map((isDeep) => all.filter(({ look }) => look.pen >= DEEP === isDeep));
      return [...deep.sort((a, b) => a.look.near - b.look.near), ...front];
    }

    paint(look) {
      const { pen } = this, shape = this.place(look);
      pen.lineJoin = ["miter", "round", "bevel"][Math.floor((look.pen % DEEP) / 3)];
      pen.lineCap = ["butt", "round", "square"][look.pen % 3];
      look.coats.forEach((coat, i) => {
        if (!coat) return;
        pen.fillStyle = pen.strokeStyle = this.ink(look, coat);
        pen.lineWidth = coat.width;
        if (i === 1) pen.fill(shape);
        else if (coat.width) pen.stroke(shape);
      });
    }

    ink({ line }, { stops }) {
      const [first, ...more] = stops.map(([red, green, blue, alpha]) => `rgb(${red} ${green} ${blue} / ${alpha})`);
      if (!more.length) return first;
      const gradient = this.pen.createLinearGradient(...line);
      [first, ...more].forEach((stop, i) => gradient.addColorStop(i / more.length, stop));
      return gradient;
    }

    // Move the pen to an object; returns its shape. The matrix bends it, not its line.
    place({ outline, x, y, matrix }) {
      const { pen, zoom, shapes } = this;
      pen.setTransform(zoom, 0, 0, zoom, x * zoom + this.left, y * zoom + this.top);
      const shape = shapes.get(outline) ?? new Path2D();
      if (!shapes.has(outline)) for (const [method, ...points] of outline) shape[method](...points);
      shapes.set(outline, shape);
      if (matrix === SAME) return shape;
      const bent = new Path2D();
      bent.addPath(shape, new DOMMatrix([...matrix, 0, 0]));
      return bent;
    }

    // The tagged object in front at a pixel, or half of `slack` pixels beside it.
    topmost(x, y, slack) {
      const { pen } = this;
      return this.shown.findLast(({ look, tag }) => {
        const shape = this.place(look);
        pen.lineWidth = slack / this.zoom;
        const isInside = isVisible(look.coats[1]) && pen.isPointInPath(shape, x, y);
        return tag >= 0 && (isInside || pen.isPointInStroke(shape, x, y));
      });
    }

    // What is shown with a tag: a list for each run of objects that are painted one after the other.
    groups(lit) {
      const groups = [];
      this.shown.forEach(({ tag }, i) => {
        if (tag !== lit) return;
        if (this.shown[i - 1]?.tag !== lit) groups.push([]);
        groups.at(-1).push(this.shown[i]);
      });
      return groups;
    }

    // Left, top, right, bottom in pixels.
    extent(some) {
      const xs = [], ys = [];
      for (const { look: { outline, x, y, matrix: [a, b, c, d] } } of some) {
        for (const [, ...points] of outline) {
          for (let i = 0; i < points.length; i += 2) {
            xs.push(this.left + this.zoom * (x + a * points[i] + c * points[i + 1]));
            ys.push(this.top + this.zoom * (y + b * points[i] + d * points[i + 1]));
          }
        }
      }
      return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    }

    // Of each tag, the frames from which on it is seen and stands still.
    get arrivals() {
      return (this.arrived ??= this.tags.map((_, tag) => {
        const first = [Infinity];
        for (const [spans, own] of this.objects) {
          const i = spans.findIndex(([, a]) => a !== undefined);
          if (own === tag && spans[i]?.[0] < first[0]) first.splice(0, 2, spans[i][0], (spans[i + 1] ?? spans[i])[0]);
        }
        return first;
      }));
    }

    // The tag that was last to come between two frames; -1 where none did.
    newest(start, now) {
      const came = this.arrivals.map(([first]) => (start <= first && first <= now ? first : -1));
      const last = Math.max(...came);
      return last < 0 ? -1 : came.indexOf(last);
    }

    has(tag, first, beyond) {
      return this.objects.some(([spans, own]) => own === tag && spans.some(([start, a], i) =>
        a !== undefined && start < beyond && !(spans[i + 1]?.[0] <= first)));
    }
  };
})();
