"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const dark = matchMedia("(prefers-color-scheme: dark)");
const lastWord = (tokens) => Math.max(0, tokens.findLastIndex(({ special }) => !special));
const chosen = { part: 0, head: 0, query: lastWord(data.parts[0].queries), key: 0 };
const TIES = { self: "reads", encoder: "reads", decoder: "reads", cross: "draws on" };

/* Numbers */

function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, place) => view.getFloat32(4 * place, true));
}

function headOf(part, place) {
  const packed = part.attention[place];
  packed.arrays ||= Object.fromEntries(Object.entries(packed).filter(([, v]) => v).map(([n, v]) => [n, unpack(v)]));
  return packed.arrays;
}

const part = () => data.parts[chosen.part];
const head = () => headOf(part(), chosen.head);
const row = (array, place, count) => array.subarray(place * array.length / count, (place + 1) * array.length / count);
const weightsOf = (query) => row(head().weights, query, part().queries.length);
const percent = (share) => (share === 0 ? "0" : share < 0.01 ? "< 1" : Math.round(100 * share)) + " %";
const fixed = (number, places = 3) => number.toFixed(places).replace("-", "−");

/* Colours: a weight by its root, since most are small; a vector's number by its sign */

let ramp, plus, minus, zero;
function readColours() {
  const style = getComputedStyle(document.documentElement);
  const triple = (text) => text.trim().split(",").map(Number);
  const list = (name) => style.getPropertyValue(name);
  ramp = list("--ramp").trim().split(/\s+/).map(triple);
  [plus, minus, zero] = ["--plus", "--minus", "--zero"].map((name) => triple(list(name)));
}
const mix = (a, b, share) => a.map((one, channel) => Math.round(one + (b[channel] - one) * share));
function weightColour(weight) {
  const place = Math.sqrt(Math.min(Math.max(weight, 0), 1)) * (ramp.length - 1);
  const below = Math.min(Math.floor(place), ramp.length - 2);
  return mix(ramp[below], ramp[below + 1], place - below);
}
const numberColour = (number, most) => mix(zero, number < 0 ? minus : plus, most ? Math.min(Math.abs(number) / most, 1) : 0);
const css = (colour) => `rgb(${colour})`;
const inkOn = ([r, g, b]) => (0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#0a0e16" : "#f4f7fb");

/* Building blocks */

function make(tag, text, attributes = {}) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  return element;
}

function canvasOf(width, height) {
  const canvas = make("canvas");
  const dense = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * dense);
  canvas.height = Math.round(height * dense);
  Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
  const context = canvas.getContext("2d");
  context.scale(dense, dense);
  return [canvas, context];
}

/* A group of buttons is one stop of the Tab key; arrows move within it, `across` buttons make a row. */
function rove(group, across, choose) {
  const buttons = [...group.querySelectorAll("button")];
  group.onkeydown = (event) => {
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across };
    const here = buttons.indexOf(document.activeElement);
    const ends = { Home: 0, End: buttons.length - 1 };
    const next = event.key in ends ? ends[event.key] : here + steps[event.key];
    if (here < 0 || !(next >= 0 && next < buttons.length)) return;
    event.preventDefault();
    choose(next);
    group.querySelectorAll("button")[next].focus();
  };
  buttons.forEach((button, place) => { button.onclick = () => choose(place); });
}
function press(group, place) {
  [...group.querySelectorAll("button")].forEach((button, at) => {
    button.setAttribute("aria-pressed", at === place);
    button.tabIndex = at === place ? 0 : -1;
  });
}

/* The parts of the page */

function drawHeader() {
  const heads = part().heads.length;
  const vectors = head().queries;
  const size = vectors ? `, ${vectors.length / part().queries.length} dimensions each` : "";
  $("facts").textContent = `${data.architecture}, ${heads} head${heads > 1 ? "s" : ""} shown${size}`;
  const asked = data.facts.question ?? data.facts.target;
  $("asked").hidden = asked === undefined;
  $("asked").textContent = (data.facts.question === undefined ? "Written: " : "Question: ") + asked;
  if (data.parts.length > 1) {
    $("parts").hidden = false;
    $("parts").replaceChildren(...data.parts.map((one) => make("button", one.name, { type: "button" })));
    rove($("parts"), 1, choosePart);
    press($("parts"), chosen.part);
  }
}

function token(one, tag = "button") {
  const element = make(tag, undefined, { class: `token${one.special ? " special" : ""}` });
  if (tag === "button") {
    element.type = "button";
    element.setAttribute("aria-label", `${one.text}, position ${one.position}, id ${one.id}`);
  }
  element.append(make("b", one.text), make("small", `${one.position} · ${one.id}`));
  return element;
}

function drawTokens() {
  const { queries, keys, name } = part();
  const group = make("div", undefined, { class: "tokens", role: "group", "aria-label": "Tokens that read" });
  group.append(...queries.map((one) => token(one)));
  $("tokens").replaceChildren();
  if (name === "cross") {
    const source = make("div", undefined, { class: "tokens", id: "source" });
    source.append(...keys.map((one) => token(one, "span")));
    $("tokens").append(make("p", "written", { class: "side", lang: "en" }), group);
    $("tokens").append(make("p", "source", { class: "side", lang: "en" }), source);
    $("tokens-hint").textContent = "Choose a token written: the source is shaded by how much the chosen head draws on it.";
  } else {
    $("tokens").append(group);
    $("tokens-hint").textContent = "Choose one: the others are shaded by how much it reads them in the chosen head.";
  }
  rove(group, 1, (place) => chooseCell(place, chosen.key));
}

function shadeTokens() {
  const weights = weightsOf(chosen.query);
  const shaded = $("source") ?? $("tokens").querySelector(".tokens");
  [...shaded.children].forEach((element, place) => {
    const colour = weightColour(weights[place]);
    element.style.background = css(colour);
    element.style.color = inkOn(colour);
    element.title = `${part().keys[place].text}: ${percent(weights[place])}`;
  });
  press($("tokens").querySelector("[role=group]"), chosen.query);
}

function thumbnail(place) {
  const { queries, keys } = part();
  const weights = headOf(part(), place).weights;
  const cell = Math.max(1, Math.min(12, Math.floor(52 / Math.max(queries.length, keys.length))));
  const [canvas, context] = canvasOf(cell * keys.length, cell * queries.length);
  weights.forEach((weight, at) => {
    if (weight === 0) return;
    context.fillStyle = css(weightColour(weight));
    context.fillRect((at % keys.length) * cell, Math.floor(at / keys.length) * cell, cell, cell);
  });
  return canvas;
}

function drawHeads() {
  const { heads } = part();
  const layers = [...new Set(heads.map(([layer]) => layer))];
  const numbers = [...new Set(heads.map(([, number]) => number))];
  const cells = [make("span", ""), ...numbers.map((number) => make("span", `head ${number}`))];
  heads.forEach(([layer, number], place) => {
    if (place % numbers.length === 0) cells.push(make("span", `layer ${layer}`, { class: "layer" }));
    const button = make("button", undefined, { type: "button", "aria-label": `layer ${layer}, head ${number}` });
    button.title = `layer ${layer}, head ${number}`;
    button.append(thumbnail(place));
    cells.push(button);
  });
  $("heads").style.gridTemplateColumns = `repeat(${numbers.length + 1}, max-content)`;
  $("heads").replaceChildren(...cells);
  rove($("heads"), numbers.length, chooseHead);
  press($("heads"), chosen.head);
}

/* The large map: its layout is kept to find the square under the pointer */

let layout;
function drawMap() {
  const { queries, keys } = part();
  const font = "15px system-ui, 'Noto Sans', 'Noto Sans CJK SC', sans-serif";
  const [, measure] = canvasOf(1, 1);
  measure.font = font;
  const label = (one) => (one.text.length > 14 ? `${one.text.slice(0, 13)}…` : one.text);
  const width = (tokens) => Math.max(...tokens.map((one) => measure.measureText(label(one)).width));
  const room = $("map").parentElement.clientWidth - 8;
  const left = width(queries) + 12;
  const least = keys.length <= 64 ? 16 : 8;
  const cell = Math.max(least, Math.min(52, Math.floor((room - left) / keys.length)));
  const named = cell >= 15;
  const level = width(keys) + 6 <= cell;
  const top = named ? (level ? 24 : width(keys) + 12) : 4;
  const [canvas, context] = canvasOf(left + cell * keys.length + 2, top + cell * queries.length + 2);
  const map = $("map");
  map.width = canvas.width; map.height = canvas.height; map.style.cssText = canvas.style.cssText;
  layout = { left, top, cell };
  const style = getComputedStyle(document.body);
  const [ink, line, accent] = ["--ink", "--line", "--accent"].map((name) => style.getPropertyValue(name));
  context.font = font;
  context.textBaseline = "middle";
  const weights = head().weights;
  queries.forEach((one, y) => {
    context.textAlign = "right";
    context.fillStyle = y === chosen.query ? accent : ink;
    if (named) context.fillText(label(one), left - 7, top + (y + 0.5) * cell);
    keys.forEach((_, x) => drawCell(context, weights[y * keys.length + x], [left + x * cell, top + y * cell], cell, line));
  });
  if (named) keys.forEach((one, x) => drawColumn(context, label(one), x, level, x === chosen.key ? accent : ink));
  context.lineWidth = 2;
  context.strokeStyle = accent;
  context.strokeRect(left, top + chosen.query * cell, cell * keys.length - 1, cell - 1);
  context.strokeRect(left + chosen.key * cell + 2, top + chosen.query * cell + 2, cell - 5, cell - 5);
  map.getContext("2d").drawImage(canvas, 0, 0);
}

function drawCell(context, weight, [x, y], cell, line) {
  const colour = weightColour(weight);
  const gap = cell >= 12 ? 1 : 0;
  if (weight === 0) {
    context.strokeStyle = line;
    context.lineWidth = 0.5;
    if (gap) context.strokeRect(x + 0.5, y + 0.5, cell - 2, cell - 2);
    return;
  }
  context.fillStyle = css(colour);
  context.fillRect(x, y, cell - gap, cell - gap);
  if (cell < 30 || weight < 0.005) return;
  context.fillStyle = inkOn(colour);
  context.textAlign = "center";
  context.save();
  context.font = "12px system-ui, sans-serif";
  context.fillText(Math.round(100 * weight), x + cell / 2, y + cell / 2 + 1);
  context.restore();
}

function drawColumn(context, text, x, level, ink) {
  const { left, top, cell } = layout;
  context.save();
  context.fillStyle = ink;
  context.translate(left + (x + 0.5) * cell, level ? top - 11 : top - 6);
  if (!level) context.rotate(-Math.PI / 2);
  context.textAlign = level ? "center" : "left";
  context.fillText(text, 0, 0);
  context.restore();
}

function drawLegend() {
  const [canvas, context] = canvasOf(224, 10);
  for (let x = 0; x < 224; x++) {
    context.fillStyle = css(weightColour((x / 223) ** 2));
    context.fillRect(x, 0, 1, 10);
  }
  canvas.removeAttribute("style");
  const ticks = [0, 10, 25, 50, 100].map((tick) => {
    const mark = make("span", tick === 100 ? "100 %" : tick);
    mark.style.left = `${100 * Math.sqrt(tick / 100)}%`;
    return mark;
  });
  $("legend").replaceChildren(canvas, ...ticks);
}

function readOut() {
  const { queries, keys, heads, says, name } = part();
  const [layer, number] = heads[chosen.head];
  $("map-says").textContent = `Layer ${layer}, head ${number}: ${says}. Each row adds up to 100 %.`;
  const weight = weightsOf(chosen.query)[chosen.key];
  $("readout").textContent =
    `“${queries[chosen.query].text}” (${chosen.query}) ${TIES[name]} “${keys[chosen.key].text}” (${chosen.key}): ` +
    `${percent(weight)}, exactly ${weight.toFixed(4)}`;
  $("map").setAttribute("aria-label", `Heat map of layer ${layer}, head ${number}. ${$("readout").textContent}`);
}

/* The equation, number by number */

function strip(numbers, most) {
  const room = document.body.clientWidth < 600 ? 64 : 160;
  const cell = Math.max(2, Math.min(10, Math.floor(room / numbers.length)));
  const [canvas, context] = canvasOf(cell * numbers.length, 16);
  numbers.forEach((number, place) => {
    context.fillStyle = css(numberColour(number, most));
    context.fillRect(place * cell, 0, cell, 16);
  });
  canvas.title = Array.from(numbers, (number) => fixed(number, 2)).join("  ");
  canvas.setAttribute("aria-hidden", "true");
  return canvas;
}

function stepsOf(query) {
  const { queries, keys, scales } = part();
  const arrays = head();
  const vector = row(arrays.queries, query, queries.length);
  const weights = weightsOf(query);
  const bias = arrays.bias && row(arrays.bias, query, queries.length);
  const rows = keys.map((one, place) => {
    const key = row(arrays.keys, place, keys.length);
    const product = key.reduce((sum, number, at) => sum + number * vector[at], 0);
    const extra = bias ? bias[place] : 0;
    const scaled = product * scales[chosen.head];
    return { one, key, product, scaled, extra, score: scaled + extra, weight: weights[place],
      value: row(arrays.values, place, keys.length) };
  }).filter(({ weight, extra }) => (bias ? extra > -1e30 : weight > 0));
  const most = Math.max(...rows.map(({ score }) => score));
  const total = rows.reduce((sum, { score }) => sum + Math.exp(score - most), 0);
  const exact = rows.every(({ score, weight }) => Math.abs(Math.exp(score - most) / total - weight) < 1e-3);
  return { vector, rows, biased: bias !== undefined, exact, sum: row(arrays.sums, query, queries.length) };
}

function drawSteps() {
  const { queries, keys, heads, scales } = part();
  if (!head().queries) {
    $("steps-says").textContent = "This architecture shows its weights, but not its queries and keys.";
    return;
  }
  const { vector, rows, biased, exact, sum } = stepsOf(chosen.query);
  const [layer, number] = heads[chosen.head];
  const one = queries[chosen.query];
  $("steps-says").textContent =
    `“${one.text}”, position ${one.position}, in layer ${layer}, head ${number}. Its query is multiplied with the key of ` +
    "every token it may read, number by number, and added up. The scaled products become shares through the softmax, " +
    "and the values, each times its share, add up to what the head hands on.";
  const root = Math.abs(scales[chosen.head] * Math.sqrt(vector.length) - 1) < 1e-4;
  const most = (vectors) => Math.max(...vectors.map((numbers) => numbers.reduce((m, n) => Math.max(m, Math.abs(n)), 0)));
  const keyMost = most([vector, ...rows.map(({ key }) => key)]);
  const valueMost = most([sum, ...rows.map(({ value }) => value)]);
  const titles = ["", "token", "key", "q · k", root ? `÷ √${vector.length}` : `× ${scales[chosen.head]}`,
    ...(biased ? ["+ distance"] : []), "softmax", "value"];
  const table = $("steps");
  const headRow = make("tr");
  headRow.append(...titles.map((title) => make("th", title)));
  const cells = (className, ...content) => {
    const line = make("tr", undefined, { class: className });
    line.append(...content.map((item) => {
      const cell = make("td");
      if (item !== undefined) cell.append(item);
      return cell;
    }));
    return line;
  };
  const empty = biased ? [undefined] : [];
  const lines = [cells("own", "", "query", strip(vector, keyMost), undefined, undefined, ...empty, undefined, undefined)];
  for (const { one: token, key, product, scaled, score, weight, value } of rows) {
    const bar = make("span", undefined, { class: "weight" });
    const length = make("i");
    length.style.width = `${Math.max(1, 90 * weight)}px`;
    bar.append(length, weight.toFixed(4));
    lines.push(cells(null, String(token.position), token.text, strip(key, keyMost), fixed(product), fixed(scaled),
      ...(biased ? [fixed(score)] : []), bar, strip(value, valueMost)));
  }
  lines.push(cells("result", "", "weighted sum", undefined, undefined, undefined, ...empty, undefined, strip(sum, valueMost)));
  table.replaceChildren(headRow, ...lines);
  const hidden = keys.length - rows.length;
  $("steps-note").textContent = [
    hidden ? `${hidden} later token${hidden > 1 ? "s are" : " is"} hidden from this one: its scores are minus infinity, its share 0.` : "",
    biased ? "This model adds a number for the distance of the tokens to each score." : "",
    exact ? "" : "This model changes its scores once more before the softmax; the weights are its own.",
    "Blue is above zero, orange below; point at a strip to read it.",
  ].filter(Boolean).join(" ");
  drawVectors(vector, rows, sum);
}

function drawVectors(vector, rows, sum) {
  const line = (name, numbers) => {
    const element = make("tr");
    element.append(make("th", name), ...Array.from(numbers, (number) => make("td", fixed(number))));
    return element;
  };
  const titles = line("", []);
  titles.append(...Array.from(vector, (_, place) => make("th", place)));
  $("vectors").replaceChildren(titles, line("query", vector), ...rows.map(({ one, key }) => line(`key ${one.text}`, key)),
    ...rows.map(({ one, value }) => line(`value ${one.text}`, value)), line("weighted sum", sum));
}

function drawSpans() {
  if (!data.spans) return;
  const { starts, ends, answer, score, no_answer: none } = data.spans;
  $("answer").hidden = false;
  const says = $("answer-says");
  const marked = make("mark", answer || "no answer");
  says.replaceChildren(marked, ` — probability ${fixed(score)}, that there is no answer ${fixed(none)}. `,
    make("span", "", { class: "key" }), " begins, ", make("span", "", { class: "key end" }), " ends.");
  $("spans").replaceChildren(...data.parts[0].keys.map((one, place) => {
    const item = token(one, "li");
    item.title = `begins ${percent(starts[place])}, ends ${percent(ends[place])}`;
    const bars = make("span", undefined, { class: "bars", role: "img", "aria-label": item.title });
    bars.append(...[starts[place], ends[place]].map((share) => {
      const bar = make("i");
      bar.style.height = `${100 * share}%`;
      return bar;
    }));
    item.querySelector("small").remove();
    item.prepend(bars);
    return item;
  }));
}

function drawWords() {
  const { words } = part();
  $("words-section").hidden = !words;
  $("words").replaceChildren(...(words ?? []).map(({ target, source, weight }) => {
    const line = make("tr");
    line.append(make("td", target), make("td", source), make("td", percent(weight), { class: "number" }));
    return line;
  }));
}

/* What the reader does */

function drawChosen() { shadeTokens(); drawMap(); readOut(); drawSteps(); }
function drawAll() { readColours(); drawHeader(); drawSpans(); drawTokens(); drawHeads(); drawLegend(); drawWords(); drawChosen(); }

function choosePart(place) {
  Object.assign(chosen, { part: place, head: 0, query: lastWord(data.parts[place].queries), key: 0 });
  drawAll();
}
function chooseHead(place) { chosen.head = place; press($("heads"), place); drawChosen(); }
function chooseCell(query, key) { Object.assign(chosen, { query, key }); drawChosen(); }

function squareAt(event) {
  const place = $("map").getBoundingClientRect();
  const x = Math.floor((event.clientX - place.left - layout.left) / layout.cell);
  const y = Math.floor((event.clientY - place.top - layout.top) / layout.cell);
  const inside = x >= 0 && y >= 0 && x < part().keys.length && y < part().queries.length;
  return inside ? [y, x] : null;
}
$("map").onpointermove = (event) => {
  const square = squareAt(event);
  if (square && event.pointerType === "mouse" && (square[0] !== chosen.query || square[1] !== chosen.key)) chooseCell(...square);
};
$("map").onclick = (event) => { const square = squareAt(event); if (square) chooseCell(...square); };
$("map").onkeydown = (event) => {
  const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
  if (!(event.key in steps)) return;
  event.preventDefault();
  const clamp = (place, count) => Math.min(Math.max(place, 0), count - 1);
  const [down, right] = steps[event.key];
  chooseCell(clamp(chosen.query + down, part().queries.length), clamp(chosen.key + right, part().keys.length));
};
dark.onchange = drawAll;
let width = 0;
new ResizeObserver(([entry]) => {
  if (Math.abs(entry.contentRect.width - width) > 1) { width = entry.contentRect.width; drawMap(); }
}).observe(document.body);
drawAll();
