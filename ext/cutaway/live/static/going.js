// Buttons by which a text goes on: one token, one after the other, or once more from the input.
(() => {
  const live = (globalThis.cutawayLive ??= {});
  const { button } = live;
  const BEAT = 800; // ms between two tokens that are played

  // `next` gives the token after the last one; `after` is called when the model has read it.
  live.going = (session, next, after = () => {}) => {
    let isPlaying = false;
    // A step begins when the one before is done, whichever figure asked for it: its token comes of what the model said then.
    const on = async () => {
      if (session.isBusy) return;
      session.isBusy = true;
      try {
        if (!session.written || session.isFull) await session.compute({ written: [] });
        const token = next();
        await session.compute({ written: [...session.written, token] });
        if (session.written?.at(-1) === token) after(); // else the reader has typed something else
      } finally {
        session.isBusy = false;
      }
    };
    const playing = (isOn) => {
      isPlaying = isOn;
      play.textContent = isOn ? "Pause" : "Play";
    };
    const run = async () => {
      if (isPlaying) return playing(false);
      playing(true);
      while (isPlaying) {
        await on();
        if (session.isFull) return playing(false);
        await new Promise((done) => setTimeout(done, BEAT));
      }
    };
    const step = button("Step", on), play = button("Play", run);
    const again = button("Start again", () => session.compute({ written: [] }, playing(false)));
    return { buttons: [step, play, again], update: () => (step.disabled = session.isFull) };
  };
})();
