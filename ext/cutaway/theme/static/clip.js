// The player: a clip's controls, and its recording (clip-canvas.js) on the stage in the page's colours.
(() => {
  // Also what buttons do, whose values they are.
  const KEYS = {
    k: (clip) => clip.play(!clip.isPlaying),
    " ": (clip) => clip.play(!clip.isPlaying),
    ArrowLeft: (clip) => clip.skip(-1),
    ArrowRight: (clip) => clip.skip(1),
    ",": (clip) => clip.seek(clip.frame - 1),
    ".": (clip) => clip.seek(clip.frame + 1),
    Home: (clip) => clip.seek(0),
    End: (clip) => clip.seek(clip.frames),
    "<": ({ speed }) => speed.selectedIndex > 0 && speed.selectedIndex--,
    ">": ({ speed }) => speed.selectedIndex < 3 && speed.selectedIndex++,
    c: ({ cc, captions }) => (cc.ariaPressed = !(captions.hidden = !captions.hidden)),
    a: (clip) => clip.turn(0, -5),
    d: (clip) => clip.turn(0, 5),
    w: (clip) => clip.turn(-5, 0),
    s: (clip) => clip.turn(5, 0),
    r: (clip) => clip.turn(),
    f: ({ figure }) => (document.fullscreenElement ? document.exitFullscreen() : figure.requestFullscreen()),
    t: (clip, by) => clip.walk("tag", by),
    v: (clip, by) => clip.walk("cell", by),
    Enter: (clip) => clip.go(),
    Escape: (clip) => clip.point(),
  };
  const PARTS = ["stage", "canvas", "tip", "bar", "toggle", "range", "clock", "speed", "cc", "full", "said", "captions", "code"];
  const stills = matchMedia("(prefers-reduced-motion: reduce)");
  const within = (low, value, high) => Math.max(low, Math.min(value, high));

  class Clip {
    isFresh = true; // the poster is shown, not frame 0
    time = 0; // in frames

    constructor(figure) {
      const { recording, frames, fps, links, asks = "{}" } = figure.dataset;
      Object.assign(this, { figure, recording, frames: +frames, fps: +fps, links: JSON.parse(links), asks: JSON.parse(asks) });
      for (const part of PARTS) this[part] = figure.querySelector(`.cutaway-clip-${part}`);
      const marks = figure.querySelectorAll("rect");
      this.sections = [...figure.querySelectorAll("[data-start]")].map((item, i) => ({
        id: item.id,
        name: item.firstChild.textContent,
        start: +item.dataset.start,
        end: +item.dataset.end,
        mark: marks[i],
      }));
      this.full.hidden = !document.fullscreenEnabled;
      this.listen();
      this.hand = new CutawayHand(this);
      if (this.code) this.lines = new CutawayCode(this);
    }

    listen() {
      const { figure, stage } = this;
      this.bar.onclick = ({ target }) => KEYS[target.closest("button")?.value]?.(this);
      this.range.oninput = () => this.seek(+this.range.value);
      figure.onkeydown = (event) => this.press(event);
      figure.addEventListener("focusout", ({ relatedTarget }) => figure.contains(relatedTarget) || this.point());
      stage.onpointermove = (event) => event.pointerType === "touch" || this.point(this.hit(event));
      stage.onpointerleave = (event) => event.pointerType === "touch" || this.point();
      stage.onclick = (event) => this.click(event);
      const watch = (rootMargin, act) =>
        new IntersectionObserver(([{ isIntersecting }]) => act(isIntersecting), { rootMargin }).observe(stage);
      watch("100%", (isNear) => isNear && this.load());
      watch("0%", (isOnScreen) => {
        this.isOnScreen = isOnScreen;
        if (!isOnScreen) this.play(false);
        this.ask();
      });
      new ResizeObserver(() => this.ask()).observe(stage);
    }

    load() {
      if (this.script) return;
      const script = (this.script = document.createElement("script"));
      script.src = this.recording;
      script.onload = script.onerror = () => {
        this.tell();
        this.ask();
        if (script.recording) return;
        this.bar.classList.add("cutaway-clip-failed");
        this.clock.textContent = "The recording could not be loaded.";
      };
      document.head.append(script);
    }

    get shown() {
      // With less motion, a section's last picture stands for it.
      return this.isPlaying && stills.matches ? this.section(this.time).end - 1 : this.time;
    }

    get frame() {
      return Math.floor(this.shown);
    }

    section(time) {
      return this.sections.findLast(({ start }) => start <= time);
    }

    seek(frame) {
      this.time = within(0, frame, this.frames - 1);
      this.isFresh = false;
      this.want();
    }

    play(isPlaying) {
      if (isPlaying) this.seek(this.time < this.frames - 1 ? this.time : 0);
      else this.time = this.frame;
      this.isPlaying = this.toggle.ariaPressed = isPlaying;
      if (!isPlaying && this.playing) this.send((this.playing = ""));
    }

    skip(by) {
      const starts = this.sections.map(({ start }) => start);
      const here = this.time - (this.isPlaying ? this.fps / 2 : 0); // so that one can step back twice
      this.seek((by > 0 ? starts.find((start) => start > this.time) : starts.findLast((start) => start < here)) ?? by * this.frames);
    }

    want() {
      this.isWanted = true;
      this.ask();
    }

    ask() {
      this.asked ||= requestAnimationFrame((now) => {
        this.asked = 0;
        if (this.isPlaying && this.film) {
          this.time += (Math.min(now - this.last, 100) * this.fps * this.speed.value) / 1000;
          if (this.time >= this.frames - 1) this.play(false, (this.time = this.frames - 1));
        }
        this.last = now;
        this.draw();
        if (this.isPlaying) this.ask();
      });
    }

    draw() {
      const { canvas, stage, script } = this;
      if (!this.isOnScreen || !this.isWanted || !script?.recording) return;
      const film = (this.film ??= new CutawayRecording(script.recording, canvas, (paint) => this.colour(paint)));
      this.figure.classList.toggle("cutaway-clip-space", film.turns.length > 0);
      this.ratio = devicePixelRatio;
      const [width, height] = [stage.clientWidth, stage.clientHeight].map((side) => Math.round(side * this.ratio));
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      canvas.hidden = false;
      film.draw(this.isFresh ? film.poster : this.shown);
      this.tell();
      this.showLit();
    }

    // Turn what stands in space, by degrees; without them, back to how it was recorded.
    turn(down, round) {
      const { film } = this;
      if (!film?.turns.length) return;
      film.turned = down === undefined ? [0, 0] : [within(-90, film.turned[0] + down, 90), film.turned[1] + round];
      this.want();
    }

    colour(paint) {
      this.canvas.style.color = paint[0] === "#" ? paint : `var(--cutaway-${paint})`;
      const css = getComputedStyle(this.canvas).color; // rgb(1, 2, 3), or color(srgb 0.1 0.2 0.3)
      return css.match(/[\d.]+/g).slice(0, 3).map((part) => part * (css[0] === "r" ? 1 : 255));
    }

    tell() {
      const { frame, fps } = this, section = this.section(frame);
      const now = (frame / fps).toFixed(1), all = (this.frames / fps).toFixed(1);
      this.range.value = frame;
      this.range.ariaValueText = `${now} s of ${all} s, ${section.name}`;
      this.clock.textContent = `${now} / ${all} s`;
      const [, , caption] = this.film?.captions.findLast(([start, end]) => start <= frame && frame < end) ?? [];
      for (const line of this.captions.children) line.classList.toggle("cutaway-clip-now", line.textContent === caption);
      if (this.told && this.told !== section) this.said.textContent = `${section.name}. ${caption ?? ""}`;
      this.told = section;
      if (!this.isPlaying || !this.film) return;
      const newest = this.film.newest(section.start, this.time), playing = `${section.id} ${newest}`;
      if (this.playing !== playing) this.send(this.film.tags[newest]?.[0] ?? ""); // the page shows what is explained now
      this.playing = playing;
    }

    send(step) {
      document.dispatchEvent(new CustomEvent("cutaway-light", { detail: { step, from: this.figure } }));
    }

    // What is pointed at, here or anywhere on the page
    light({ step, from }) {
      this.lit = step;
      if (step in this.links) this.isWanted = true;
      this.lines?.light(step, from);
      this.ask();
    }

    showLit() {
      const { film, film: { pen }, ratio } = this, lit = film.tags.findIndex(([name]) => name === this.lit);
      for (const { mark, start, end } of this.sections) mark.classList.toggle("cutaway-clip-lit", film.has(lit, start, end));
      const own = film.shown.filter(({ tag, cell }) => tag === lit && tag === this.tag && (this.cell ?? cell) === cell);
      this.tip.hidden = !own.length;
      pen.resetTransform();
      pen.strokeStyle = `rgb(${this.colour("accent")})`;
      pen.lineWidth = 2 * ratio;
      for (const group of own.length ? [own] : this.playing ? [] : film.groups(lit)) {
        const [left, top, right, bottom] = film.extent(group), room = 4 * ratio;
        pen.strokeRect(left - room, top - room, right - left + 2 * room, bottom - top + 2 * room);
        if (own.length) this.explain(left / ratio, bottom / ratio + 8);
      }
    }

    explain(left, top) {
      const { tip, stage } = this, [name, cells] = this.film.tags[this.tag], [index, value] = cells[this.cell] ?? [];
      const words = this.links[name]?.[1] ?? name;
      tip.textContent = index ? `${words}\n${name}[${index}] = ${value}${this.cellAsked ? " (once more: why?)" : ""}` : words;
      tip.style.left = `${within(0, left, stage.clientWidth - tip.offsetWidth)}px`;
      tip.style.top = `${within(0, top, stage.clientHeight - tip.offsetHeight)}px`;
    }

    point({ tag, cell } = {}) {
      if (tag === this.tag && cell === this.cell) return;
      Object.assign(this, { tag, cell });
      this.send(this.film.tags[tag]?.[0] ?? "");
    }

    hit({ offsetX, offsetY }) {
      if (!this.film) this.draw((this.isWanted = true));
      return this.film?.topmost(offsetX * this.ratio, offsetY * this.ratio, 12 * this.ratio);
    }

    click(event) {
      const found = this.hit(event);
      this.canvas.focus();
      if (found && found.tag === this.tag) this.go();
      else if (found || this.tag >= 0) this.point(found); // a tap shows, the next one goes
      else this.play(!this.isPlaying);
    }

    // To the step of what is pointed at; of a number that the page can compute, why it is what it is.
    go() {
      const link = this.links[this.film?.tags[this.tag]?.[0]], cell = this.cellAsked;
      if (cell) document.dispatchEvent(new CustomEvent("cutaway-ask", { detail: { cell, from: this.canvas } }));
      else if (link) location.href = link[0];
    }

    get cellAsked() {
      const [name, cells] = this.film?.tags[this.tag] ?? [], [index] = cells?.[this.cell] ?? [], where = this.asks[name];
      return where && index && `${where}[${index.replaceAll(" ", "")}]`;
    }

    // On to another tag, or to another cell of this one.
    walk(kind, by) {
      this.play(false);
      this.draw((this.isWanted = true));
      const near = this.film?.shown.filter(({ tag }) => kind === "tag" || tag === this.tag) ?? [];
      const stops = [...new Set(near.map((one) => one[kind]))].filter((number) => number >= 0);
      this.canvas.focus();
      this.point({ tag: this.tag, [kind]: stops.at((stops.indexOf(this[kind]) + by) % stops.length) });
      this.draw();
      this.said.textContent = this.tip.textContent;
    }

    press(event) {
      const { key, target } = event, act = KEYS[key.length > 1 ? key : key.toLowerCase()];
      if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
      if ((key === " " || key === "Enter") && target.matches("button, select, a, summary")) return;
      event.preventDefault();
      act(this, event.shiftKey ? -1 : 1);
    }
  }

  window.cutawayClip = (text) => {
    document.currentScript.recording = text; // parsed when drawn
  };
  const clips = [...document.querySelectorAll(".cutaway-clip[data-recording]")].map((figure) => new Clip(figure));
  document.addEventListener("cutaway-light", ({ detail }) => clips.forEach((clip) => clip.light(detail)));

  const repaint = () => clips.forEach((clip) => clip.ask(clip.film?.recolour()));
  // A theme marks one of the two.
  for (const marked of [document.documentElement, document.body]) new MutationObserver(repaint).observe(marked, { attributes: true });
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)", "(prefers-contrast: more)"]) {
    matchMedia(query).onchange = repaint;
  }

  // Links to sections show their last picture, where all of it is there.
  const follow = (hash) =>
    clips.some((clip) => {
      const section = clip.sections.find(({ id }) => `#${id}` === decodeURIComponent(hash));
      if (!section) return false;
      clip.figure.querySelector("details").open = false; // the browser opens it for the link's sake
      clip.play(false);
      clip.seek(section.end - 1);
      clip.stage.scrollIntoView({ block: "center" });
      return true;
    });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || link.pathname !== location.pathname || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (follow(link.hash)) event.preventDefault(history.pushState(null, "", link.hash));
  });
  for (const event of ["hashchange", "load"]) window.addEventListener(event, () => follow(location.hash));
})();
