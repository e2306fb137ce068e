// The page: a list of tasks, and the one that is chosen.

import { read } from "./api.js";
import { chatView, converses } from "./chat.js";
import { element } from "./dom.js";
import { taskView } from "./task.js";
import { current, show, speak, word } from "./words.js";

const main = document.getElementById("main");
const nav = document.getElementById("tasks");
const language = document.getElementById("language");
let view = null;

function theme(chosen) {
  if (chosen) document.documentElement.dataset.theme = chosen;
}

function open(tasks) {
  const name = decodeURIComponent(location.hash.slice(1));
  const task = tasks.find((one) => one.name === name && one.available) ?? tasks.find((one) => one.available);
  view?.leave();
  for (const link of nav.querySelectorAll("a")) {
    if (link.dataset.task === task?.name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (!task) return;
  view = converses(task) ? chatView(task) : taskView(task);
  main.replaceChildren(view.element);
  document.title = `${task.name} · nlptasks`;
}

function link(task) {
  if (task.available) return element("a", { href: `#${encodeURIComponent(task.name)}`, "data-task": task.name }, task.name);
  return element("span", { class: "off", title: task.reason }, task.name, " ", element("small", { word: "unavailable" }));
}

async function begin() {
  theme(localStorage.getItem("theme"));
  language.value = current();
  language.addEventListener("change", () => speak(language.value));
  document.getElementById("theme").addEventListener("click", () => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
    theme(now === "dark" ? "light" : "dark");
    localStorage.setItem("theme", document.documentElement.dataset.theme);
  });
  show(document);
  try {
    const tasks = await read("/v1/tasks");
    const models = await read("/v1/models");
    document.getElementById("model").textContent = models.data[0].id;
    const [able, unable] = [true, false].map((one) => tasks.filter((task) => task.available === one));
    nav.replaceChildren(...able.map(link), ...unable.map(link));
    addEventListener("hashchange", () => (open(tasks), main.focus()));
    open(tasks);
  } catch (problem) {
    main.replaceChildren(element("p", { class: "status bad", role: "alert" }, problem.kind ? word(problem.kind) : problem.message));
  }
}

begin();
