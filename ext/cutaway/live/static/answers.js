// What the model answers: its likeliest token, and the answers before and after a change.
(() => {
  const live = (globalThis.cutawayLive ??= {});
  const { make } = live;

  // The likeliest token and its probability, darker where it is sure.
  live.sure = (session, p, kind = "td") => {
    const best = live.likeliest(p), [token] = session.write([best]);
    return live.paint(make(kind, {}, make("b", {}, token), make("small", {}, live.percent(p[best]))), live.tone(p[best]), p[best] > 0.45);
  };

  // `stays` of `all` answers are the same with other values.
  live.compared = (session, after, names) => {
    let stays = 0;
    const answers = session.answering.map((at) => {
      const [before, now] = [session.values, after].map((values) => live.distribution(session.row(at, values)).p), right = live.likeliest(before);
      const isSame = live.likeliest(now) === right, cell = live.sure(session, now, isSame ? "td" : "td.wrong");
      if (isSame) stays++;
      else cell.append(make("small", {}, `${session.write([right])[0]}: ${live.percent(now[right])}`));
      return [live.sure(session, before), cell];
    });
    const lines = names.map((name, i) => make("tr", {}, make("th", { scope: "row" }, name), ...answers.map((pair) => pair[i])));
    return { table: make("table.cells.lens", {}, ...lines), stays, all: answers.length };
  };
})();
