"""What questions about nlptasks are about, in three languages.

A concept is one thing under many names: a question that says one of them meets a passage that says
another, in another language even. ``*`` stands for any ending, ``_`` for a space.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from nlptasks_embedded.guide.speech import fold

CONCEPTS = {
    "install": "install* try_it setup set_up sets_everything_up getting_started get_started quickstart "
    "pip conda docker windows linux mac macos ubuntu venv einricht* einzurichten installier* "
    "installation loslegen uninstall* deinstallier* 安装 部署 试一试 上手",
    "requirements": "requirement* prerequisite* dependenc* python_version voraussetzung* abhaengigkeit* 依赖 要求",
    "licence": "licen[cs]e* free cost* kostet kosten open_source apache commercial* kostenlos* lizenz* "
    "quelloffen* kommerziell* 许可* 开源 免费 商用 授权 收费 要钱 多少钱 价格",
    "model": "model models modell* llm llms sprachmodell* 模型",
    "choose": "choose* choice pick select* switch* change* default* auswahl* auswaehl* waehl* wechsel* "
    "umschalt* vorgabe* voreinstell* voreingestellt* standardmaessig* aender* aendr* 选择 切换 换成 更换 换 默认 选",
    "embedded": "embedded built_in builtin eingebaut* mitgeliefert* 内置",
    "local": "local* offline hugging_?face hf transformers torch gguf lokal* 本地 离线 本机 拥抱脸",
    "hub": "hub 模型库",
    "server": "server servers openai ollama vllm llama_cpp lm_studio api_key base_url endpoint* azure gpt\\w* chatgpt "
    "服务器 接口 兼容",
    "key": "api_key* key keys token* schluessel* 密钥",
    "gpu": "gpu gpus cuda cpu device* dtype graphics_card grafikkarte* 显卡",
    "batch": "batch* many_rows rows row bulk many_files several_files many_texts "
    "zeile* stapel* viele_texte viele_dateien mehrere_dateien massenhaft 批量 批处理 大批 多个文件 很多文件 大量 多行",
    "format": "jsonl csv tsv parquet xlsx excel format* file_type* filetype* dateiformat* dateityp* 格式",
    "file": "*.txt file files document* pdf* folder* director* datei* dokument* ordner* verzeichnis* 文件 "
    "文档 文件夹 目录",
    "resume": "resum* goes_on stop_it kill_it where_it_stopped continu* interrupt* killed crash* stopped "
    "abgebrochen* abbruch* fortsetz* weitermach* absturz* abstuerz* unterbroch* unterbrech* 中断 继续 "
    "恢复 崩溃 断点",
    "output": "output* json stdout ausgabe* ausgeb* ergebnis* 输出 结果",
    "exit": "exit_code* exit_status return_code* error_code* exitcode* rueckgabe* fehlercode* "
    "退出码 返回码 退出 状态码",
    "error": "error* fail* traceback broken fehler* fehlschl* kaputt* 错误 失败 报错",
    "eval": "eval evaluat* benchmark* bewert* evaluier* auswert* 评测 评估 基准",
    "score": "scor* rouge bleu chrf ter squad metric* calculate_bleu calculate_rouge metrik* punktzahl* "
    "分数 得分 指标 打分",
    "compare": "compar* significan* difference* vergleich* unterschied* signifikan* 比较 对比 显著",
    "interval": "interval* bootstrap standard_error signature* intervall* standardfehler* 置信区间 标准误",
    "runs": "runs run_director* lauf laeufe laeufen 运行目录",
    "plugin": "plug_?ins? extension* extend* own_task* own_backend* own_metric* erweiter* eigene_aufgabe* 插件 扩展",
    "task": "task tasks aufgabe* 任务",
    "backend": "backend* 后端",
    "guard": "guard* redact* anonymi[sz]* filter* mask* waechter* schwaerz* 脱敏 过滤 守卫 匿名",
    "privacy": "privacy private* confidential* upload* sent send sends transmit* telemetry track* leak* "
    "secure* security my_data meine_daten 我的数据 我的文本 safe datenschutz* vertraulich* hochgelad* "
    "hochlad* gesendet* verschick* sicher sicherheit uebertrag* personal_data dsgvo gdpr 隐私 上传 安全 "
    "泄露 保密 发送 联网",
    "internet": "internet network* online download* netz* netzwerk* herunterlad* heruntergelad* runterlad* "
    "网络 下载 联网",
    "cache": "cach* zwischenspeich* reuse* wiederverwend* 缓存",
    "option": "option* flag flags parameter* argument* switches schalter* optionen 选项 参数",
    "command": "command* verb verbs befehl* subcommand* kommando* 命令 指令",
    "help": "manual documentation docs readme handbuch* dokumentation* anleitung* 文档 手册 说明书 教程",
    "python": "python api import programmat* from_code 编程 代码里 代码中",
    "pipeline": "pipeline* 管道 流水线",
    "language": "language* english german chinese sprache* sprichst sprechen deutsch englisch chinesisch "
    "speak spoken multilingual 语言 中文 英文 德文 德语 英语 外语",
    "summarize": "summar* zusammenfass* fasse 摘要 总结 概括",
    "translate": "translat* uebersetz* 翻译",
    "qa": "qa question* questions_answer* frage* beantwort* 问答 提问 回答",
    "chat": "chat* conver* dialog* talk gespraech* unterhalt* unterhalten 聊天 对话 会话",
    "train": "train training trained fine_?tun* finetun* pretrain* trainier* 训练 微调 预训练",
    "explain": "attention heat_?map* aufmerksamkeit* 注意力",
    "config": "permanent* dauerhaft* 永久 config* setting* toml nlptasks_model environment_variable* "
    "umgebungsvariable* konfigur* einstell* 配置 设置 环境变量",
    "doctor": "doctor diagnos* check_the_install* 诊断 检查安装",
    "version": "version* changelog release* 版本 更新日志",
    "completion": "shell_completion completion tab_complet* autocomplet* bash zsh fish vervollstaendig* 补全",
    "prompt": "prompt* system_prompt template* vorlage* 提示词 提示 模板",
    "schema": "schema* structured 结构化",
    "image": "image* picture* photo* vision visual* bild* foto* 图片 图像 照片",
    "glossary": "glossar* terminolog* fachbegriff* 术语 词汇表",
    "length": "length* shorter longer laenge* kuerzer* laenger* 长度 更短 更长",
    "style": "style* bullets bullet_points headline stichpunkt* 要点 标题 风格",
    "stdin": "stdin pipe piped piping standard_input standardeingabe 标准输入",
    "temperature": "temperature sampling greedy temperatur* 温度 采样",
    "seed": "seed* reproduc* deterministic reproduzier* 种子 复现",
    "beam": "beam* 束搜索",
    "test": "tests pytest run_the_tests 测试",
    "transcript": "transcript* save_the_chat save_the_conversation verlauf* protokoll* gespraech_speichern "
    "保存对话 记录",
    "fast": "fast* quick* speed* slow* schnell* langsam* geschwindigkeit* 速度 快 慢",
    "memory": "memory ram speicherbedarf* arbeitsspeicher* 内存",
    "gated": "trust_remote_code safetensors pickle",
    "dataset": "dataset* datensatz* datensaetze* 数据集",
    "log": "log_content logs logging protokollier* 日志",
    "extra": "extra extras zusatzpaket* 附加",
}


def concepts_in(folded: str) -> Iterator[tuple[str, int, int]]:
    """Yield each concept named in a folded text, with where its name stands."""
    for match in _pattern().finditer(folded):
        yield match.lastgroup or "", match.start(), match.end()


@cache
def _pattern() -> re.Pattern[str]:
    """Return one pattern in which each concept is a group."""
    groups = []
    for concept, names in CONCEPTS.items():
        words = [fold(name).replace("*", r"\w*").replace("_", "[ _-]") for name in names.split()]
        latin = "|".join(word for word in words if word.isascii())
        alternatives = [f"(?<![a-z0-9])(?:{latin})(?![a-z0-9])", *(word for word in words if not word.isascii())]
        groups.append(f"(?P<{concept}>{'|'.join(alternatives)})")
    return re.compile("|".join(groups))
