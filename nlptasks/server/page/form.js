// A form from a task's declared models: one field for each property of their JSON schemas.

import { element } from "./dom.js";
import { word } from "./words.js";

const LONG = new Set(["text", "source", "message", "prompt", "glossary", "schema", "continuation"]);
const HIDDEN = new Set(["extra"]);

// Return the schema that a reference or a choice with null comes to.
function resolved(schema, root) {
  if (schema.$ref) return { ...resolved(root.$defs[schema.$ref.split("/").pop()], root), ...schema, $ref: undefined };
  const choice = (schema.anyOf ?? []).filter((one) => one.type !== "null");
  return choice.length === 1 ? { ...schema, ...resolved(choice[0], root), anyOf: undefined } : schema;
}

const has = (schema, ...names) => names.every((name) => schema?.properties?.[name]);

// Return what kind of control a property gets.
export function kind(name, schema, root) {
  const item = schema.items && resolved(schema.items, root);
  if (schema.enum) return "choice";
  if (schema.type === "boolean") return "box";
  if (schema.type === "integer" || schema.type === "number") return "number";
  if (item?.format === "uri") return "pictures";
  if (has(item, "text", "name")) return "documents";
  if (item?.type === "string") return "lines";
  if (schema.type === "string") return LONG.has(name) ? "long" : "short";
  return "json";
}

// Return {element, value()} for every field of a model; value() leaves out what was left empty.
export function fields(root, prefix, skipped = []) {
  const made = Object.entries(root.properties ?? {})
    .filter(([name]) => !HIDDEN.has(name) && !skipped.includes(name))
    .map(([name, raw]) => {
      const schema = resolved(raw, root);
      const required = (root.required ?? []).includes(name);
      const control = CONTROLS[kind(name, schema, root)](`${prefix}-${name}`, schema, required);
      return [name, control, labelled(name, schema, control, `${prefix}-${name}`, required)];
    });
  return {
    elements: made.map(([, , shown]) => shown),
    value: () => Object.fromEntries(made.map(([name, one]) => [name, one.value()]).filter(([, one]) => one !== undefined)),
  };
}

function labelled(name, schema, control, id, required) {
  const title = name.replaceAll("_", " ") + (required ? " *" : "");
  const hint = schema.description && element("small", { id: `${id}-hint` }, schema.description);
  if (hint) control.main.setAttribute("aria-describedby", `${id}-hint`);
  return element("div", { class: "field" }, element("label", { for: id }, title), control.element, hint);
}

const plain = (main, value) => ({ element: main, main, value });

const CONTROLS = {
  short: (id, schema, required) => {
    const box = element("input", { id, value: schema.default ?? "", placeholder: schema.examples?.[0], required });
    return plain(box, () => box.value.trim() || undefined);
  },
  long: (id, schema, required) => {
    const box = element("textarea", { id, rows: 5, required });
    box.value = schema.default ?? "";
    return { element: filed(box), main: box, value: () => box.value || undefined };
  },
  number: (id, schema) => {
    const step = schema.type === "integer" ? 1 : "any";
    const box = element("input", { id, type: "number", step, min: schema.minimum, max: schema.maximum, value: schema.default });
    return plain(box, () => (box.value === "" ? undefined : Number(box.value)));
  },
  box: (id, schema) => {
    const box = element("input", { id, type: "checkbox", checked: schema.default === true });
    return plain(box, () => box.checked);
  },
  choice: (id, schema, required) => {
    const names = required || schema.default != null ? schema.enum : ["", ...schema.enum];
    const box = element("select", { id }, ...names.map((one) => element("option", { selected: one === schema.default }, one)));
    return plain(box, () => box.value || undefined);
  },
  lines: (id) => {
    const box = element("textarea", { id, rows: 2 });
    const lines = () => box.value.split("\n").filter((line) => line.trim());
    return plain(box, () => (lines().length ? lines() : undefined));
  },
  json: (id) => {
    const box = element("textarea", { id, rows: 2, spellcheck: "false" });
    box.addEventListener("input", () => box.setCustomValidity(""));
    return plain(box, () => {
      if (!box.value.trim()) return undefined;
      try {
        return JSON.parse(box.value);
      } catch (problem) {
        box.setCustomValidity(problem.message);
        box.reportValidity();
        throw problem;
      }
    });
  },
  documents: (id, schema, required) => {
    const box = element("textarea", { id, rows: 8, required });
    const more = element("ul", { class: "files" });
    const files = [];
    const show = () => {
      box.required = required && !files.length;
      more.replaceChildren(...files.map((file, at) => listed(file.name, () => (files.splice(at, 1), show()))));
    };
    const take = async (dropped) => {
      for (const file of dropped) files.push({ name: file.name, text: await file.text() });
      show();
    };
    const value = () => {
      const all = [...(box.value.trim() ? [{ text: box.value }] : []), ...files];
      return all.length ? all : undefined;
    };
    return { element: element("div", {}, box, zone(take, "text/*,.md,.rst,.txt"), more), main: box, value };
  },
  pictures: (id, schema, required) => {
    const uris = [];
    const shown = element("ul", { class: "files" });
    const show = () =>
      shown.replaceChildren(...uris.map((one, at) => listed(one.name, () => (uris.splice(at, 1), show()))));
    const take = async (dropped) => {
      for (const file of dropped) uris.push({ name: file.name, uri: await asUri(file) });
      show();
    };
    const area = zone(take, "image/*", id);
    const value = () => (uris.length || required ? uris.map((one) => one.uri) : undefined);
    return { element: element("div", {}, area, shown), main: area.querySelector("input"), value };
  },
};

function listed(name, remove) {
  return element("li", {}, name, element("button", { type: "button", class: "small", word: "remove", onclick: remove }));
}

// Put under a box of text a place for a file that fills it.
function filed(box) {
  const take = async ([file]) => {
    box.value = await file.text();
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  return element("div", {}, box, zone(take, "text/*,.md,.rst,.txt"));
}

function zone(take, accept, id) {
  const input = element("input", { id, type: "file", accept, multiple: true });
  input.addEventListener("change", () => (take([...input.files]), (input.value = "")));
  const area = element("label", { class: "zone" }, element("span", { word: "drop" }), input);
  const mark = (on) => (event) => (event.preventDefault(), area.classList.toggle("over", on));
  area.addEventListener("dragover", mark(true));
  area.addEventListener("dragleave", mark(false));
  area.addEventListener("drop", (event) => (mark(false)(event), take([...event.dataTransfer.files])));
  return area;
}

const asUri = (file) =>
  new Promise((done, failed) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => done(reader.result));
    reader.addEventListener("error", () => failed(reader.error));
    reader.readAsDataURL(file);
  });
