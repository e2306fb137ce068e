// What came of a run: its text as it comes, then all there is to know.

import { element } from "./dom.js";
import { word } from "./words.js";

export class Result {
  constructor(task) {
    this.task = task;
    this.output = null;
    this.text = "";
    this.body = element("div", { class: "text", tabindex: "0" });
    this.more = element("div");
    this.status = element("p", { class: "status", role: "status" });
    this.buttons = element("p", { class: "buttons", hidden: true },
      element("button", { type: "button", word: "copy", onclick: (event) => this.copy(event.target) }),
      element("button", { type: "button", word: "save", onclick: () => this.save() }));
    this.element = element("section", { class: "result", "aria-live": "polite" },
      element("h2", { word: "result" }), this.status, this.body, this.more, this.buttons);
  }

  begin() {
    this.text = "";
    this.output = null;
    this.body.textContent = "";
    this.more.replaceChildren();
    this.buttons.hidden = true;
    this.say("working");
  }

  say(name) {
    this.status.textContent = name && word(name);
    this.status.classList.remove("bad");
  }

  fail(message) {
    this.status.textContent = message;
    this.status.classList.add("bad");
  }

  add(piece) {
    this.text += piece;
    this.body.textContent = this.text;
  }

  // Show a whole output; `input` is what it was made from.
  finish(output, input) {
    this.output = output;
    const [[first, value], ...rest] = Object.entries(output);
    this.text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
    this.body.textContent = this.text || word("no");
    this.body.dataset.field = first;
    this.more.replaceChildren(passage(output, input) ?? "", facts(rest));
    this.buttons.hidden = false;
    this.say("");
  }

  async copy(button) {
    await navigator.clipboard.writeText(this.text);
    button.textContent = word("copied");
    setTimeout(() => (button.textContent = word("copy")), 1500);
  }

  save() {
    const file = new Blob([JSON.stringify(this.output, null, 2)], { type: "application/json" });
    const link = element("a", { href: URL.createObjectURL(file), download: `${this.task}.json` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
}

function facts(rest) {
  const known = rest.filter(([, value]) => value !== null && value !== "" && !(Array.isArray(value) && !value.length));
  if (!known.length) return "";
  const rows = known.flatMap(([name, value]) => [
    element("dt", {}, name.replaceAll("_", " ")),
    element("dd", {}, typeof value === "string" ? value : JSON.stringify(value)),
  ]);
  return element("details", {}, element("summary", { word: "details" }), element("dl", {}, ...rows));
}

// An output that says from where to where its support stands in which document gets that document, marked.
function passage(output, input) {
  const { start, end, document: name } = output;
  if (!Number.isInteger(start) || !Number.isInteger(end)) return null;
  const documents = Object.values(input).flat().filter((one) => typeof one?.text === "string");
  const found = documents.find((one) => (one.name ?? "") === (name ?? "")) ?? documents[0];
  if (!found) return null;
  const letters = Array.from(found.text); // offsets count characters, not halves of them
  const part = (from, to) => letters.slice(from, to).join("");
  return element("figure", { class: "passage" },
    element("figcaption", {}, element("span", { word: "support" }), found.name ? ` ${found.name}` : ""),
    element("blockquote", {}, part(0, start), element("mark", {}, part(start, end)), part(end)));
}
