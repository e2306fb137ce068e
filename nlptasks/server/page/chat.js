// A conversation: a task that takes a message with the turns before it.

import { answered } from "./task.js";
import { element } from "./dom.js";
import { fields } from "./form.js";
import { Result } from "./result.js";

export const converses = (task) => ["message", "messages"].every((name) => task.input.properties?.[name]);

export function chatView(task) {
  let messages = [];
  let running = null;
  const input = fields(task.input, "input", ["messages", "turns"]);
  const options = fields(task.options, "option");
  const said = element("ol", { class: "said", "aria-live": "polite" });
  const send = element("button", { class: "main", word: "send" });
  const stop = element("button", { type: "button", word: "stop", hidden: true, onclick: () => running?.abort() });
  const clear = element("button", { type: "button", word: "clear", onclick: forget });
  const form = element("form", { class: "task" }, ...input.elements,
    element("details", {}, element("summary", { word: "options" }), ...options.elements),
    element("p", { class: "buttons" }, send, stop, clear, element("small", { word: "keys" })));
  const box = form.querySelector("textarea");
  box.required = true;
  box.rows = 3;
  form.addEventListener("submit", (event) => (event.preventDefault(), go()));
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    if (event.key === "Escape") running?.abort();
  });

  function forget() {
    running?.abort();
    messages = [];
    said.replaceChildren();
    box.focus();
  }

  async function go() {
    if (running) return;
    const given = input.value();
    const before = messages;
    const result = new Result(task.name);
    said.append(
      element("li", { class: "user" }, element("b", { word: "you" }), element("div", { class: "text" }, given.message)),
      element("li", { class: "assistant" }, result.element));
    running = new AbortController();
    stop.hidden = false;
    box.value = "";
    result.element.scrollIntoView({ block: "nearest" });
    const asked = { input: { ...given, messages: before }, options: options.value() };
    const output = await answered(result, task, asked, running.signal);
    if (output && messages === before) {
      const reply = { role: "assistant", content: result.text };
      messages = [...before, { role: "user", content: given.message }, reply];
    } else if (!output) box.value ||= given.message;
    stop.hidden = true;
    running = null;
    result.element.scrollIntoView({ block: "nearest" });
  }

  const shown = element("div", { class: "chat" }, element("h2", {}, task.name),
    element("p", { class: "summary" }, task.summary), said, form);
  return { element: shown, leave: () => running?.abort() };
}
