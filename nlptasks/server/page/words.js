// What the page says, in the languages of its users. Names of tasks and fields are the tasks' own.

const WORDS = {
  en: {
    skip: "To the form", language: "Language", theme: "Light or dark", token: "Token of this server", enter: "Enter",
    run: "Run", stop: "Stop", send: "Send", options: "Options", result: "Result", details: "Details", copy: "Copy",
    copied: "Copied", save: "Download", clear: "New conversation", working: "Working …", stopped: "Stopped.",
    lost: "The connection was lost. Nothing is kept here: run it again.", busy: "The server is busy: try again soon.",
    drop: "Drop files here, or choose", add: "Add", remove: "Remove", name: "Name", text: "Text", no: "No answer",
    keys: "Ctrl+Enter runs, Esc stops.", unavailable: "not with this model", you: "You", support: "Found in",
  },
  de: {
    skip: "Zum Formular", language: "Sprache", theme: "Hell oder dunkel", token: "Token dieses Servers",
    enter: "Eintreten", run: "Ausführen", stop: "Anhalten", send: "Senden", options: "Einstellungen",
    result: "Ergebnis", details: "Einzelheiten", copy: "Kopieren", copied: "Kopiert", save: "Herunterladen",
    clear: "Neues Gespräch", working: "In Arbeit …", stopped: "Angehalten.",
    lost: "Die Verbindung ist abgerissen. Hier wird nichts aufbewahrt: bitte noch einmal ausführen.",
    busy: "Der Server ist ausgelastet: bitte bald noch einmal.", drop: "Dateien hierher ziehen oder auswählen",
    add: "Hinzufügen", remove: "Entfernen", name: "Name", text: "Text", no: "Keine Antwort",
    keys: "Strg+Eingabe führt aus, Esc hält an.", unavailable: "nicht mit diesem Modell", you: "Sie",
    support: "Gefunden in",
  },
  zh: {
    skip: "转到表单", language: "语言", theme: "浅色或深色", token: "服务器令牌", enter: "进入", run: "运行",
    stop: "停止", send: "发送", options: "选项", result: "结果", details: "详情", copy: "复制", copied: "已复制",
    save: "下载", clear: "新对话", working: "处理中……", stopped: "已停止。",
    lost: "连接已中断。这里不保存任何内容，请重新运行。", busy: "服务器繁忙，请稍后再试。",
    drop: "把文件拖到这里，或选择文件", add: "添加", remove: "移除", name: "名称", text: "文本", no: "没有答案",
    keys: "Ctrl+Enter 运行，Esc 停止。", unavailable: "此模型不支持", you: "您", support: "出处",
  },
};

const kept = localStorage.getItem("language");
const asked = (navigator.languages ?? []).map((tag) => tag.slice(0, 2)).find((code) => code in WORDS);
let language = kept in WORDS ? kept : asked ?? "en";

export const current = () => language;
export const word = (name) => WORDS[language][name];

export function speak(code) {
  language = code;
  localStorage.setItem("language", code);
  show(document);
}

// Write every word of a part of the page anew.
export function show(root) {
  document.documentElement.lang = language;
  for (const one of root.querySelectorAll("[data-word]")) one.textContent = word(one.dataset.word);
}
