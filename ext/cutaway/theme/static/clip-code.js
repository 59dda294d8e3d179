// The code of a clip: the line that runs is in sight, and a line leads to its frame.
class CutawayCode {
  constructor(clip) {
    const { code } = clip;
    this.list = code.querySelector("ol");
    try { // folded or not, for all clips and the next visit; a browser may keep nothing
      code.open = localStorage.cutawayCode !== "folded";
      code.ontoggle = () => (localStorage.cutawayCode = code.open ? "" : "folded");
    } catch {}
    this.list.onclick = ({ target }) => {
      const step = target.closest("span[data-step]")?.dataset.step;
      if (!step) return;
      clip.play(false);
      clip.draw((clip.isWanted = true));
      if (clip.film) clip.seek(clip.film.arrivals[clip.film.tags.findIndex(([name]) => name === step)][1]);
    };
  }

  light(step, from) {
    const { list } = this, row = step && list.querySelector(`[data-step="${CSS.escape(step)}"]`)?.closest("li");
    if (row && !list.contains(from)) list.scrollTop = row.offsetTop - 4; // who points at a line has it in sight
  }
}
