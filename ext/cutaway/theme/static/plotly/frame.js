// The page of an interactive plot: it draws what the page around it sends, in the colours that it sends.
(() => {
  const SYMBOLS = ["circle", "square", "diamond", "triangle-up"];
  const CONFIG = {
    displaylogo: false,
    displayModeBar: true,
    responsive: true,
    modeBarButtons: [["zoom2d", "pan2d"], ["zoomIn2d", "zoomOut2d", "resetScale2d"], ["toImage"]],
  };
  const stage = document.getElementById("plot");
  const form = document.getElementById("choices");
  const literal = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;"); // for Plotly, a text is HTML
  let plot, colours;

  // How a series looks. Levels reach from the least x to the largest, with their name at the end.
  const KINDS = {
    line: ({ faint, dashed }, color) => ({
      mode: "lines",
      line: { color, width: faint ? 1 : 2, dash: dashed ? "dash" : "solid" },
      opacity: faint ? 0.45 : 1,
    }),
    points: ({ y, low, high, marker }, color) => ({
      mode: "markers",
      marker: { color, size: 8, symbol: SYMBOLS[marker % SYMBOLS.length] },
      error_y: low && {
        type: "data",
        symmetric: false,
        array: high.map((value, i) => value - y[i]),
        arrayminus: low.map((value, i) => y[i] - value),
        thickness: 1.5,
        width: 0,
        color,
      },
    }),
    band: ({ x, low, high }, color) => ({
      x: [...x, ...x.toReversed()],
      y: [...high, ...low.toReversed()],
      mode: "lines",
      line: { width: 0 },
      fill: "toself",
      fillcolor: color,
      opacity: 0.2,
      hoverinfo: "skip",
    }),
    level: ({ name, y }) => ({
      x: [Math.min(...span()), Math.max(...span())],
      y: [y[0], y[0]],
      mode: "lines+text",
      line: { color: colours.muted, width: 1, dash: "dot" },
      text: ["", literal(name)],
      textposition: "top left",
      textfont: { color: colours.muted },
      hoverinfo: "skip",
    }),
  };
  const span = () => plot.series.flatMap(({ x }) => x ?? []).filter((value) => value !== null);

  function trace(series) {
    const { kind, name, x, y, colour } = series;
    const visible = form.elements[`series ${name}`]?.checked ?? true;
    const more = KINDS[kind](series, colours[colour]);
    return { type: "scatter", name: literal(name), x, y, visible, xhoverformat: ".6~g", yhoverformat: ".4~g", ...more };
  }

  function axis(name) {
    const type = form.elements[`log ${name}`]?.checked ? "log" : "linear";
    const before = stage._fullLayout?.[`${name}axis`];
    const isWhole = !before || before.autorange || before.type !== type; // zoomed into, an axis needs more ticks
    const ticks = name === "x" && type === "log" && isWhole && plot.ticks;
    return {
      ...(ticks && { tickmode: "array", tickvals: ticks.at, ticktext: ticks.text }),
      type,
      title: { text: literal(plot[name]), standoff: 8 },
      uirevision: type, // what was zoomed into is meant for one scale
      automargin: true,
      exponentformat: "power",
      nticks: type === "log" ? 6 : 0,
      gridcolor: colours.line,
      linecolor: colours.line,
      tickcolor: colours.line,
      zeroline: false,
    };
  }

  function draw() {
    document.body.style.background = colours.ground;
    document.body.style.color = colours.muted;
    document.body.style.accentColor = colours.muted;
    document.body.style.setProperty("--focus", colours.accent);
    for (const series of plot.series) {
      const box = form.elements[`series ${series.name}`];
      if (box) box.style.accentColor = colours[series.colour];
    }
    const font = { family: getComputedStyle(stage).fontFamily, color: colours.muted, size: 13 };
    const layout = {
      font,
      xaxis: {
        ...axis("x"),
        unifiedhovertitle: { text: `${literal(plot.x)}: %{x}` },
        spikecolor: colours.muted,
        spikethickness: 1,
      },
      yaxis: axis("y"),
      hovermode: "x unified",
      hoverlabel: { bgcolor: colours.panel, bordercolor: colours.line, namelength: -1, font: { ...font, color: colours.ink } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: colours.muted, activecolor: colours.ink },
      margin: { l: 48, r: 12, t: 36, b: 40 },
      paper_bgcolor: colours.ground, // for who keeps it as a picture
      plot_bgcolor: "rgba(0,0,0,0)",
      showlegend: false,
      uirevision: "kept",
    };
    Plotly.react(stage, plot.series.map(trace), layout, CONFIG);
  }

  // What a legend would be, for the keyboard, too: a box for each series, and for each axis that can be logarithmic.
  function choice(name, text, checked) {
    const label = document.createElement("label");
    const box = Object.assign(document.createElement("input"), { type: "checkbox", name, checked });
    label.append(box, text);
    form.append(label);
  }
  function offer() {
    const named = plot.series.filter(({ kind }) => kind !== "level");
    if (named.length > 1) for (const { name } of named) choice(`series ${name}`, name, true);
    for (const name of ["x", "y"]) {
      const rows = plot.series.flatMap((one) => (name === "x" ? one.x : [one.y, one.low, one.high].flat()) ?? []);
      const isPositive = rows.every((value) => value === null || value === undefined || value > 0);
      if (isPositive) choice(`log ${name}`, `${name} logarithmic`, plot.log.includes(name));
    }
    form.onchange = draw;
    form.onsubmit = (event) => event.preventDefault();
  }

  addEventListener("message", ({ source, origin, data }) => {
    if (source !== parent || (location.protocol !== "file:" && origin !== location.origin)) return;
    if (!window.Plotly) {
      stage.textContent = "Plotly could not be loaded. The picture shows the same.";
      return;
    }
    const isNew = !plot;
    ({ plot, colours } = data);
    stage.ariaLabel = data.alt;
    if (isNew) offer();
    draw();
    if (isNew && plot.ticks) stage.on("plotly_relayout", draw);
  });
})();
