// Blocks of cells in space, by WebGL2: one instanced draw for all, whose cells the fragment shader paints from a texture
// of numbers; more for beams and for what is lit. y grows downwards, a cell is 1 wide and 1 high, a grid THICK deep.
(() => {
  const live = globalThis.cutawayLive;
  const HALF = 0.35, THICK = 3, MARGIN = 1.06, CLOSEST = 0.01, WIDE = 2048;
  const AXES = [0, 1, 2];

  const VERTEX = `#version 300 es
precision highp float;
uniform mat4 u_view;
layout(location=0) in vec3 a_corner; layout(location=1) in vec3 a_normal;
layout(location=2) in vec3 a_at; layout(location=3) in vec3 a_size; layout(location=4) in vec3 a_data;
layout(location=5) in vec4 a_look; layout(location=6) in vec4 a_mean;
out vec3 v_cell; flat out vec3 v_normal, v_size, v_data; flat out vec4 v_look, v_mean;
void main() {
  v_cell = a_corner * a_size; v_normal = a_normal; v_size = a_size; v_data = a_data; v_look = a_look; v_mean = a_mean;
  vec3 at = a_at + v_cell; if (a_look.x > 5.5) at.x += a_data.x * a_corner.y;
  gl_Position = u_view * vec4(at, 1.);
}`;
  // a_data: offset, steps across and down. a_look: kind, strongest number, stop, where its cells begin in the filling;
  // a_mean: the colour from far away, and of how many cells the filling is. Kinds: value, weight, share, input, wire, lit,
  // beam, whose a_data is how far right its lower end is, and whose strongest number is how dense it is.
  const FRAGMENT = `#version 300 es
precision highp float; precision highp int; precision highp sampler2D;
in vec3 v_cell; flat in vec3 v_normal, v_size, v_data; flat in vec4 v_look, v_mean;
uniform sampler2D u_values; uniform vec3 u_signed[7], u_shares[5], u_ground, u_panel, u_accent; uniform vec2 u_now;
out vec4 o;
vec3 signs(float p) { p = clamp(p, 0., 1.) * 6.; int i = int(min(p, 5.)); return mix(u_signed[i], u_signed[i + 1], p - float(i)); }
vec3 shares(float p) { p = clamp(p, 0., 1.) * 4.; int i = int(min(p, 3.)); return mix(u_shares[i], u_shares[i + 1], p - float(i)); }
float number(vec2 c) {
  int i = int(v_data.x) + int(c.x) * int(v_data.y) + int(c.y) * int(v_data.z);
  return texelFetch(u_values, ivec2(i % ${WIDE}, i / ${WIDE}), 0).r;
}
void main() {
  vec3 light = vec3(.68, .80, 1.); float shade = dot(abs(v_normal), light);
  if (v_look.x > 5.5) {
    if (v_look.z > u_now.x || (v_look.z == u_now.x && v_look.w >= u_now.y * v_mean.w)) discard;
    o = vec4(v_mean.rgb, v_look.y); return;
  }
  if (v_look.x > 4.5) { o = vec4(u_accent, .55); return; }
  if (v_look.x > 3.5) { o = vec4(v_mean.rgb * shade, 1.); return; }
  vec2 c = clamp(floor(v_cell.xy - v_normal.xy * .01), vec2(0.), v_size.xy - 1.);
  vec2 seen = fwidth(v_cell.xy); float big = 1. / max(max(seen.x * (1. - abs(v_normal.x)), seen.y * (1. - abs(v_normal.y))), 1e-6);
  float at = v_look.w + c.y * v_size.x + c.x;
  bool isWeight = v_look.x > .5 && v_look.x < 1.5;
  bool isEmpty = !isWeight && (v_look.z > u_now.x || (v_look.z == u_now.x && at >= u_now.y * v_mean.w));
  vec3 colour = isEmpty ? mix(u_panel, u_ground, .3) : v_mean.rgb;
  if (!isEmpty && v_look.y > 0. && big > .7) {
    float v = number(c); vec3 own = u_ground;
    if (!isnan(v) && !isinf(v)) own = v_look.x > 1.5 && v_look.x < 2.5 ? shares(v) : signs((v / v_look.y + 1.) / 2.);
    if (isWeight) own = mix(own, u_panel, .4);
    colour = mix(colour, own, smoothstep(.7, 3., big));
  }
  vec2 f = abs(fract(v_cell.xy) - .5) * (1. - abs(v_normal.xy)); float edge = max(f.x, f.y);
  colour = mix(colour, u_ground, smoothstep(.5 - 1.2 / big, .5, edge) * smoothstep(6., 14., big) * .6);
  o = vec4(colour * shade, 1.);
}`;

  function program(gl) {
    const made = gl.createProgram();
    for (const [type, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(made, shader);
    }
    gl.linkProgram(made);
    if (!gl.getProgramParameter(made, gl.LINK_STATUS) && !gl.isContextLost()) throw Error(gl.getProgramInfoLog(made));
    return made;
  }

  // Twelve triangles: a corner and the direction of its face.
  function cube() {
    const found = [];
    for (const axis of AXES) for (const side of [0, 1]) {
      const corners = [[0, 0], [1, 0], [1, 1], [0, 1]].map((pair) => {
        const point = [0, 0, 0];
        [point[axis], point[(axis + 1) % 3], point[(axis + 2) % 3]] = [side, ...pair];
        return point;
      });
      const normal = AXES.map((one) => (one === axis ? 2 * side - 1 : 0));
      for (const k of [0, 1, 2, 0, 2, 3]) found.push(...corners[k], ...normal);
    }
    return new Float32Array(found);
  }

  const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const cross = (a, b) => AXES.map((i) => a[(i + 1) % 3] * b[(i + 2) % 3] - a[(i + 2) % 3] * b[(i + 1) % 3]);

  // The eye looks at `target` from `far` away: to the right, upwards and towards the eye, each of length 1.
  function eye({ target, yaw, pitch, far }) {
    const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
    const back = [sy * cp, -sp, cy * cp], right = [cy, 0, -sy], up = cross(right, back);
    return { right, up, back, at: target.map((x, i) => x + back[i] * far), far };
  }

  // Where a point is seen, 0 in the middle, in heights of the picture; and how far away it is.
  function seen(view, point) {
    const away = point.map((x, i) => x - view.at[i]), depth = Math.max(-dot(away, view.back), view.far * CLOSEST);
    const scale = 0.5 / Math.tan(HALF) / depth;
    return [dot(away, view.right) * scale, dot(away, view.up) * scale, depth];
  }

  // The camera that sees a box whole and in the middle; as camera.py has it.
  function framing(low, high, aspect, { yaw, pitch }) {
    const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((k) => AXES.map((i) => ((k >> i) & 1 ? high : low)[i]));
    const tan = Math.tan(HALF) / MARGIN, view = eye({ target: low, yaw, pitch, far: 1 });
    let target = low.map((x, i) => (x + high[i]) / 2);
    const points = corners.map((point) => point.map((x, i) => x - target[i])), near = points.map((point) => dot(point, view.back));
    let far = Math.max(...near) / (1 - CLOSEST);
    for (const [side, slope] of [[view.right, tan * aspect], [view.up, tan]]) {
      const places = points.map((point) => dot(point, side) / slope);
      const [one, other] = [1, -1].map((sign) => Math.max(...places.map((place, i) => near[i] + sign * place)));
      far = Math.max(far, (one + other) / 2);
      target = target.map((t, i) => t + (side[i] * slope * (one - other)) / 2);
    }
    return { target, yaw, pitch, far };
  }

  class Space {
    constructor(canvas) {
      Object.assign(this, { canvas, gl: canvas.getContext("webgl2", { alpha: false }), blocks: [], beams: [], lit: [] });
      if (!this.gl) throw Error("no WebGL2");
      this.begin();
    }

    // All that the context holds, also after it was lost.
    begin() {
      const { gl } = this;
      this.program = program(gl);
      gl.useProgram(this.program);
      this.buffers = [this.buffer(cube()), gl.createBuffer(), gl.createBuffer(), gl.createBuffer()];
      gl.enable(gl.DEPTH_TEST);
      gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
      this.texture = gl.createTexture();
      gl.bindTexture(gl.TEXTURE_2D, this.texture);
      for (const kind of ["MIN", "MAG"]) gl.texParameteri(gl.TEXTURE_2D, gl[`TEXTURE_${kind}_FILTER`], gl.NEAREST);
      if (this.paints) this.dress(this.paints);
      if (this.numbers) this.put(this.blocks, this.numbers);
      this.shine(this.beams);
    }

    buffer(data, held = this.gl.createBuffer()) {
      const { gl } = this;
      gl.bindBuffer(gl.ARRAY_BUFFER, held);
      gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
      return held;
    }

    place(name) {
      return this.gl.getUniformLocation(this.program, name);
    }

    // The theme's colours, as numbers from 0 to 1.
    dress(paints) {
      const { gl } = this;
      this.paints = paints;
      for (const name of ["signed", "shares"]) gl.uniform3fv(this.place(`u_${name}`), paints[name].flat());
      for (const name of ["ground", "panel", "accent"]) gl.uniform3fv(this.place(`u_${name}`), paints[name]);
    }

    // Blocks: {at, size, data, look, mean}, and the numbers that `data` points to.
    put(blocks, numbers) {
      const { gl } = this, rows = Math.max(1, Math.ceil(numbers.length / WIDE)), held = new Float32Array(rows * WIDE);
      Object.assign(this, { blocks, numbers });
      held.set(numbers);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32F, WIDE, rows, 0, gl.RED, gl.FLOAT, held);
      this.buffer(this.packed(blocks), this.buffers[1]);
    }

    shine(beams) {
      this.beams = beams;
      this.buffer(this.packed(beams), this.buffers[3]);
    }

    packed(blocks) {
      return new Float32Array(blocks.flatMap(({ at, size, data, look, mean }) => [...at, ...size, ...data, ...look, ...mean]));
    }

    instances(held) {
      const { gl } = this, attributes = [[3, 0], [3, 0], [3, 1], [3, 1], [3, 1], [4, 1], [4, 1]];
      const at = [0, 12, 0, 12, 24, 36, 52], strides = [24, 68];
      attributes.forEach(([count, isOwn], i) => {
        gl.bindBuffer(gl.ARRAY_BUFFER, isOwn ? held : this.buffers[0]);
        gl.enableVertexAttribArray(i);
        gl.vertexAttribPointer(i, count, gl.FLOAT, false, strides[isOwn], at[i]);
        gl.vertexAttribDivisor(i, isOwn);
      });
    }

    // From where what is asked next is seen: without a picture.
    look(camera) {
      this.view = eye(camera);
    }

    // `now`: the stop that is filled, and which part of it; all later ones are empty.
    draw(camera, now = [1e9, 1]) {
      const { gl, canvas, paints } = this;
      if (gl.isContextLost()) return;
      this.look(camera);
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clearColor(...paints.ground, 1);
      gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
      gl.uniformMatrix4fv(this.place("u_view"), false, this.matrix());
      gl.uniform2fv(this.place("u_now"), now);
      this.instances(this.buffers[1]);
      gl.drawArraysInstanced(gl.TRIANGLES, 0, 36, this.blocks.length);
      this.buffer(this.packed(this.lit), this.buffers[2]);
      gl.enable(gl.BLEND);
      gl.depthMask(false); // one is seen through the other
      for (const [i, some] of [[3, this.beams], [2, this.lit]]) {
        this.instances(this.buffers[i]);
        if (some.length) gl.drawArraysInstanced(gl.TRIANGLES, 0, 36, some.length);
      }
      gl.depthMask(true);
      gl.disable(gl.BLEND);
    }

    get aspect() {
      return this.canvas.width / this.canvas.height;
    }

    matrix() {
      const { view: { right, up, back, at, far }, aspect } = this, f = 1 / Math.tan(HALF), near = far * CLOSEST, end = far / CLOSEST;
      const z = (end + near) / (near - end), w = (2 * end * near) / (near - end), m = new Float32Array(16);
      for (const i of AXES) m.set([(f * right[i]) / aspect, f * up[i], z * back[i], -back[i]], 4 * i);
      m.set([(-f * dot(right, at)) / aspect, -f * dot(up, at), w - z * dot(back, at), dot(back, at)], 12);
      return m;
    }

    // Where a point is seen, in pixels of the page.
    seen(point) {
      const { clientWidth: width, clientHeight: height } = this.canvas, [x, y, depth] = seen(this.view, point);
      return [width / 2 + x * height, height / 2 - y * height, depth];
    }

    // The block and the cell that a ray through a pixel of the page meets first.
    pick(px, py) {
      const { clientWidth: width, clientHeight: height } = this.canvas, { right, up, back, at } = this.view, tan = Math.tan(HALF);
      const a = ((px / width) * 2 - 1) * (width / height) * tan, b = (1 - (py / height) * 2) * tan;
      const ray = AXES.map((i) => right[i] * a + up[i] * b - back[i]);
      let best = Infinity, found;
      for (const block of this.blocks) {
        let [low, high] = [0, best];
        for (const i of AXES) {
          const [one, other] = [0, block.size[i]].map((x) => (block.at[i] + x - at[i]) / ray[i]);
          low = Math.max(low, Math.min(one, other));
          high = Math.min(high, Math.max(one, other));
        }
        if (low <= high && low > 0 && low < best) [best, found] = [low, block];
      }
      if (!found || found.look[0] > 3.5) return;
      const cell = [0, 1].map((i) => Math.min(found.size[i] - 1, Math.max(0, Math.floor(at[i] + ray[i] * best - found.at[i]))));
      return { block: found, cell };
    }
  }

  Object.assign(live, { Space, framing, THICK });
})();
