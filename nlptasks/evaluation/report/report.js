"use strict";
(async () => {
  const PAGE = 50, HEIGHT = 280, LEFT = 44, BOTTOM = 26;
  const $ = (id) => document.getElementById(id);
  const el = (name, props, ...kids) => {
    const node = Object.assign(document.createElement(name), props);
    node.append(...kids);
    return node;
  };
  const svg = (name, attributes, ...kids) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...kids);
    return node;
  };
  const options = (select, names) => select.append(...names.map((name) => el("option", { value: name }, name)));

  async function unpack(text) {
    const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).json();
  }

  let data;
  try {
    data = await unpack($("data").textContent);
  } catch (error) {
    $("trouble").textContent = `The samples cannot be read by this browser: ${error}`;
    $("trouble").hidden = false;
    return;
  }
  const { runs, texts } = data, several = runs.length > 1;
  const badge = (run) => el("span", { className: `badge run-${run % 8}` }, runs[run].letter);
  const rows = data.samples.map((sides, place) => ({ place, sides, any: sides.find(Boolean) }));
  const view = { figure: 0, length: 0, sort: "place", down: false, page: 0, open: new Set(), rows };

  // what a row says
  const score = (row, run) => row.sides[run]?.scores[view.figure] ?? null;
  const lengthOf = (row, run = 0) => row.sides[run]?.lengths[view.length] ?? null;
  const states = (row) => [...new Set(row.sides.flatMap((side) => side?.states ?? []))];
  function spread(row) {
    const scores = runs.map((_, run) => score(row, run)).filter((one) => one !== null);
    if (scores.length < 2) return null;
    return runs.length === 2 ? scores[1] - scores[0] : Math.max(...scores) - Math.min(...scores);
  }
  function haystack(row) {
    row.text ??= row.sides.filter(Boolean).flatMap((side) => [
      side.name, side.message, texts[side.prediction], ...side.references.map((at) => texts[at]),
      ...side.exchanges.flatMap(({ asked, said }) => [...asked, ...said]).map(([, at]) => texts[at]),
    ]).join("\n").toLowerCase();
    return row.text;
  }
  const fixed = (value) => (value === null ? "–" : value.toFixed(2));
  const classes = (column) => `${column.number ? "n" : ""} ${column.wide ? "roomy" : ""}`;
  const signed = (value) => (value > 0 && runs.length === 2 ? "+" : "") + fixed(value);

  // the table
  const columns = () => [
    { key: "place", head: ["Sample"], value: (row) => row.place },
    ...runs.map((_, run) => ({
      key: `run ${run}`, number: true, head: several ? [badge(run)] : [data.figures[view.figure] ?? "score"],
      value: (row) => score(row, run), show: fixed,
    })),
    ...(several
      ? [{ key: "spread", number: true, head: [runs.length === 2 ? "B − A" : "spread"], value: spread, show: signed }]
      : []),
    { key: "length", number: true, wide: true, head: [`${data.lengths[view.length]} length`], value: (row) => lengthOf(row),
      show: (value) => value ?? "–" },
  ];

  function refresh() {
    const words = $("query").value.toLowerCase().split(/\s+/), state = $("state").value;
    view.rows = rows.filter((row) => (state === "all" || states(row).includes(state))
      && words.every((word) => haystack(row).includes(word)));
    const { value } = columns().find((one) => one.key === view.sort), sign = view.down ? -1 : 1;
    const keyed = view.rows.map((row) => [value(row), row]);
    keyed.sort(([a, x], [b, y]) => (a === null) - (b === null) || sign * (a - b) || x.place - y.place);
    view.rows = keyed.map(([, row]) => row);
    draw();
  }

  function draw() {
    const shown = columns(), pages = Math.max(1, Math.ceil(view.rows.length / PAGE));
    view.page = Math.min(view.page, pages - 1);
    const focus = document.activeElement?.dataset?.sort;
    $("samples").tHead.rows[0].replaceChildren(...shown.map(header));
    const part = view.rows.slice(view.page * PAGE, (view.page + 1) * PAGE);
    $("samples").tBodies[0].replaceChildren(...part.flatMap((row) => lines(row, shown)));
    $("count").textContent = `${view.rows.length} of ${rows.length} samples`;
    $("page").textContent = `page ${view.page + 1} of ${pages}`;
    $("previous").disabled = view.page === 0;
    $("next").disabled = view.page === pages - 1;
    if (focus) document.querySelector(`[data-sort="${focus}"]`)?.focus();
  }

  function header(column) {
    const sorted = view.sort === column.key;
    const button = el("button", { type: "button", onclick: () => sortBy(column) }, ...column.head,
      el("span", { className: "arrow", ariaHidden: "true" }, sorted ? (view.down ? " ▼" : " ▲") : " ↕"));
    button.dataset.sort = column.key;
    const cell = el("th", { scope: "col", className: classes(column) }, button);
    cell.setAttribute("aria-sort", sorted ? (view.down ? "descending" : "ascending") : "none");
    return cell;
  }

  function sortBy({ key }) {
    Object.assign(view, { down: view.sort === key && !view.down, sort: key, page: 0 });
    refresh();
  }

  function lines(row, shown) {
    const open = view.open.has(row), { any } = row;
    const button = el("button", { type: "button", className: "open", onclick: () => toggle(row) }, any.name);
    button.setAttribute("aria-expanded", open);
    button.dataset.row = row.place;
    const cell = el("td", {}, button, ...states(row).map((state) => tag(row, state)),
      el("div", { className: "preview", dir: "auto" }, (texts[any.prediction] ?? any.message ?? "").slice(0, 200)));
    const line = el("tr", {}, cell, ...shown.slice(1).map((one) => el("td", { className: classes(one) }, one.show(one.value(row)))));
    return open ? [line, el("tr", { className: "detail" }, el("td", { colSpan: shown.length }, ...detail(row)))] : [line];
  }

  function tag(row, state) {
    const letters = several ? runs.filter((_, run) => row.sides[run]?.states.includes(state)).map(({ letter }) => letter) : [];
    return el("span", { className: `state ${state}` }, [state, ...letters].join(" "));
  }

  function toggle(row) {
    if (!view.open.delete(row)) view.open.add(row);
    draw();
    document.querySelector(`[data-row="${row.place}"]`)?.focus();
  }

  // an opened row
  function detail(row) {
    const asked = (side) => JSON.stringify(side.exchanges.map((one) => one.asked));
    const there = row.sides.filter(Boolean), shared = new Set(there.map(asked)).size === 1;
    const sides = row.sides.map((side, run) => el("div", { className: "side" },
      ...(several ? [el("h3", {}, badge(run), ` ${runs[run].name}`)] : []),
      ...(side ? answer(side) : [el("p", { className: "muted" }, "This run has no such sample.")]),
      ...(side ? folded(side, shared ? ["said"] : ["asked", "said"]) : [])));
    return [el("div", { className: several ? "sides" : "sides single" }, ...sides),
      ...(shared ? folded(there[0], ["asked"]) : [])];
  }

  function answer(side) {
    const scores = data.figures.map((name, at) => [name, side.scores[at]]).filter(([, value]) => value !== null);
    const { diff } = side, others = side.references.filter((_, at) => at !== diff?.nearest);
    return [
      ...(side.message ? [el("p", { className: "note", dir: "auto" }, side.message)] : []),
      el("div", { className: "texts" },
        ...(side.prediction === null ? [] : [block("Prediction", side.prediction, diff?.prediction, "ins")]),
        ...(diff ? [block(others.length ? "Nearest reference" : "Reference", side.references[diff.nearest], diff.reference, "del")] : []),
        ...others.map((at) => block("Reference", at))),
      el("dl", { className: "scores" }, ...scores.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, fixed(value))])),
    ];
  }

  function block(title, at, marks, tag) {
    const chars = marks && Array.from(texts[at]);
    let from = 0;
    let parts = marks?.map((size, place) => {
      const text = chars.slice(from, (from += size)).join("");
      return place % 2 ? el(tag, {}, text) : text;
    });
    if (!texts[at].trim()) parts = [el("span", { className: "muted" }, "(empty)")];
    return el("div", { className: "text" }, el("h4", {}, title), el("p", { dir: "auto" }, ...(parts ?? [texts[at]])));
  }

  function folded(side, parts) {
    const title = parts.includes("asked") ? "Prompt" : "Answer as it came", count = side.exchanges.length;
    return side.exchanges.map((exchange) => parts.flatMap((part) => exchange[part])).map((turns, at) => turns.length
      ? el("details", {}, el("summary", {}, title + (count > 1 ? ` ${at + 1} of ${count}` : "")),
        ...turns.map(([role, text]) => el("div", { className: "text" }, el("h4", {}, role), el("p", { dir: "auto" }, texts[text]))))
      : "");
  }

  // score against length
  function plot() {
    const name = data.lengths[view.length], figure = data.figures[view.figure];
    const points = runs.flatMap((_, run) => rows.map((row) => ({ row, run, x: lengthOf(row, run), y: score(row, run) })))
      .filter(({ x, y }) => x !== null && y !== null);
    const bins = data.bins.flatMap((byLength, run) => (byLength[name] ?? []).map((bin) => ({ ...bin, run, y: bin.figures[figure] })))
      .filter(({ y }) => y !== undefined);
    if (!points.length && !bins.length) {
      $("plot").replaceChildren(el("p", { className: "muted" }, "No sample has both."));
      return;
    }
    const width = Math.max(280, $("plot").clientWidth);
    const xs = [...points.map(({ x }) => x), ...bins.map(({ high }) => high)], ys = [...points, ...bins].map(({ y }) => y);
    const across = axis(0, xs.reduce((a, b) => Math.max(a, b), 1), LEFT, width - 10);
    const up = axis(ys.reduce((a, b) => Math.min(a, b), 0), ys.reduce((a, b) => Math.max(a, b), 0) || 1, HEIGHT - BOTTOM, 10);
    const told = (bin) => `${several ? runs[bin.run].letter + " " : ""}${bin.low} to ${bin.high}: ${fixed(bin.y)}, n ${bin.n}`;
    const label = [`${figure} by length of the ${name}`, ...bins.map(told)].join("; ");
    $("plot").replaceChildren(svg("svg", { width, height: HEIGHT, role: "img", "aria-label": label },
      ...up.ticks.flatMap((tick) => [svg("line", { class: "grid", x1: LEFT, x2: width - 10, y1: up.at(tick), y2: up.at(tick) }),
        svg("text", { x: LEFT - 6, y: up.at(tick) + 4, "text-anchor": "end" }, `${tick}`)]),
      ...across.ticks.map((tick) => svg("text", { x: across.at(tick), y: HEIGHT - 6, "text-anchor": "middle" }, `${tick}`)),
      ...points.map((point) => dot(point, across, up)),
      ...bins.map((bin) => svg("line", { class: `bin run-${bin.run % 8}`, y1: up.at(bin.y), y2: up.at(bin.y),
        x1: across.at(bin.low) - 2, x2: across.at(bin.high) + 2 },
        svg("title", {}, told(bin))))));
  }

  function dot({ row, run, x, y }, across, up) {
    const node = svg("circle", { class: `run-${run % 8}`, cx: across.at(x), cy: up.at(y), r: 3 },
      svg("title", {}, `${row.any.name}: ${fixed(y)}`));
    node.addEventListener("click", () => show(row));
    return node;
  }

  function show(row) {
    $("query").value = "";
    $("state").value = "all";
    view.open.add(row);
    refresh();
    view.page = Math.floor(view.rows.indexOf(row) / PAGE);
    draw();
    const button = document.querySelector(`[data-row="${row.place}"]`);
    button.focus();
    button.scrollIntoView({ block: "center" });
  }

  function axis(low, high, from, to) {
    const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((one) => one * power >= rough);
    const first = Math.ceil(low / step), count = Math.floor(high / step) - first + 1;
    const ticks = Array.from({ length: count }, (_, at) => +((first + at) * step).toPrecision(6));
    return { ticks, at: (value) => +(from + (to - from) * (value - low) / (high - low)).toFixed(1) };
  }

  const pickers = document.querySelectorAll("select.figure");
  for (const picker of pickers) {
    options(picker, data.figures);
    picker.onchange = () => {
      view.figure = picker.selectedIndex;
      for (const other of pickers) other.selectedIndex = view.figure;
      plot();
      refresh();
    };
  }
  options($("length"), data.lengths.filter((_, at) => rows.some((row) => row.sides.some((side) => side?.lengths[at] != null))));
  options($("state"), ["all", ...new Set(rows.flatMap(states))]);
  $("length").onchange = () => { view.length = data.lengths.indexOf($("length").value); plot(); refresh(); };
  $("query").oninput = $("state").onchange = () => { view.page = 0; refresh(); };
  for (const [id, step] of [["previous", -1], ["next", 1]]) $(id).onclick = () => { view.page += step; draw(); };
  view.length = Math.max(0, data.lengths.indexOf($("length").value));
  $("live").hidden = false;
  refresh();
  plot();
  window.onresize = plot;
})();
