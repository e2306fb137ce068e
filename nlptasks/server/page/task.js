// One task: its form, and beside it what comes of it.

import { run } from "./api.js";
import { element } from "./dom.js";
import { fields } from "./form.js";
import { Result } from "./result.js";
import { word } from "./words.js";

export function taskView(task) {
  const input = fields(task.input, "input");
  const options = fields(task.options, "option");
  const result = new Result(task.name);
  const start = element("button", { class: "main", word: "run" });
  const stop = element("button", { type: "button", word: "stop", hidden: true, onclick: () => running?.abort() });
  let running = null;
  const form = element("form", { class: "task" },
    element("h2", {}, task.name), element("p", { class: "summary" }, task.summary), ...input.elements,
    element("details", {}, element("summary", { word: "options" }), ...options.elements),
    element("p", { class: "buttons" }, start, stop, element("small", { word: "keys" })));
  form.addEventListener("submit", (event) => (event.preventDefault(), go()));
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    if (event.key === "Escape") running?.abort();
  });

  async function go() {
    if (running) return;
    let given;
    try {
      given = { input: input.value(), options: options.value() };
    } catch {
      return; // the field itself says what is wrong
    }
    running = new AbortController();
    stop.hidden = false;
    start.disabled = true;
    await answered(result, task, given, running.signal);
    stop.hidden = true;
    start.disabled = false;
    running = null;
  }

  return { element: element("div", { class: "sides" }, form, result.element), leave: () => running?.abort() };
}

// Run one input and show it; return its output, or null where there is none.
export async function answered(result, task, given, signal) {
  result.begin();
  try {
    for await (const told of run(task.name, given, signal)) {
      if (told.delta) result.add(told.delta.text);
      else if (told.error) result.fail(told.error.message);
      else result.finish(told.output, given.input);
    }
    return result.output;
  } catch (problem) {
    if (problem.name === "AbortError") result.say("stopped");
    else result.fail(problem.kind ? word(problem.kind) : problem.message);
    return null;
  }
}
