"""The fixed sentences of the guide, in the languages that it speaks."""

from __future__ import annotations

from collections.abc import Mapping

MODELS = (
    "`nlptasks chat --model hf/FOLDER`",
    "`nlptasks chat --model hf/Qwen/Qwen3-0.6B`",
    "`nlptasks chat --model openai/gpt-4o-mini --base-url http://localhost:8000/v1`",
)
"""How to chat with a model on this machine, from the hub, on a server."""

_LOCAL, _HUB, _SERVER = MODELS

PHRASES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "greeting": "Hello! I am the guide of nlptasks: give me a text, or ask what I can do.",
        "thanks": "You are welcome.",
        "farewell": "Goodbye!",
        "abilities": (
            "I am the guide of nlptasks, not a language model. I can summarize a text (“summarize this: …”), answer "
            "questions about a text that you paste, translate (“translate … into German”), and answer questions "
            "about nlptasks from its documentation (“how do I choose a model?”)."
        ),
        "text": "I have the text. Ask me about it, or say “summarize it” or “translate it into German”.",
        "no_text": "Which text? Paste it behind the instruction, or first the text and then the instruction.",
        "no_language": "Into which language? Say, for example, “translate it into German”.",
        "not_in_text": "The text does not say.",
        "undocumented": "The documentation says nothing about that; `nlptasks --help` shows all commands.",
        "quoted": "",
        "model": (
            f"For that a chat model is needed: {_LOCAL} (on this machine), {_HUB} (from the hub), or {_SERVER} "
            "(a server)."
        ),
    },
    "de": {
        "greeting": "Hallo! Ich bin der Wegweiser von nlptasks: Gib mir einen Text, oder frag, was ich kann.",
        "thanks": "Gern geschehen.",
        "farewell": "Auf Wiedersehen!",
        "abilities": (
            "Ich bin der Wegweiser von nlptasks, kein Sprachmodell. Ich kann einen Text zusammenfassen („Fasse "
            "zusammen: …“), Fragen zu einem eingefügten Text beantworten, übersetzen („Übersetze … ins Englische“) und "
            "Fragen zu nlptasks aus seiner Dokumentation beantworten („Wie wähle ich ein Modell?“)."
        ),
        "text": "Ich habe den Text. Frag mich dazu, oder sag „Fasse ihn zusammen“ oder „Übersetze ihn ins Englische“.",
        "no_text": "Welchen Text? Füge ihn hinter der Anweisung ein, oder erst den Text und dann die Anweisung.",
        "no_language": "In welche Sprache? Sag zum Beispiel „Übersetze das ins Englische“.",
        "not_in_text": "Das steht nicht im Text.",
        "undocumented": "Dazu sagt die Dokumentation nichts; `nlptasks --help` zeigt alle Befehle.",
        "quoted": "Die Dokumentation sagt dazu auf Englisch:",
        "model": (
            f"Dafür braucht es ein Chatmodell: {_LOCAL} (auf diesem Rechner), {_HUB} (aus dem Hub) oder {_SERVER} "
            "(ein Server)."
        ),
    },
    "zh": {
        "greeting": "你好！我是 nlptasks 的向导：给我一段文字，或者问我能做什么。",
        "thanks": "不客气。",
        "farewell": "再见！",
        "abilities": (
            "我是 nlptasks 的向导，不是语言模型。我可以总结文字（“总结：……”），回答关于你粘贴的文字的问题，"
            "翻译（“把……翻译成英文”），并根据文档回答关于 nlptasks 的问题（“如何选择模型？”）。"
        ),
        "text": "文字收到了。可以就它提问，也可以说“总结一下”或“翻译成英文”。",
        "no_text": "哪段文字？请把它贴在指令后面，或者先贴文字、再说指令。",
        "no_language": "翻译成哪种语言？例如“翻译成英文”。",
        "not_in_text": "文中没有提到。",
        "undocumented": "文档中没有相关内容；`nlptasks --help` 显示所有命令。",
        "quoted": "英文文档中是这样写的：",
        "model": f"这需要聊天模型：{_LOCAL}（本机模型）、{_HUB}（来自模型库）或 {_SERVER}（服务器）。",
    },
}
