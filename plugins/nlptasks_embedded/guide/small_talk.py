"""Small talk: messages of nothing but a greeting, thanks, a farewell, or a question about the guide itself."""

from __future__ import annotations

import re

from nlptasks_embedded.guide import lexicon as lex
from nlptasks_embedded.guide.concepts import concepts_in
from nlptasks_embedded.guide.speech import joined, simplified, words_of

MOST = 200  # characters of small talk

_GREETING = frozenset(
    "hi hello hey hallo servus moin hallihallo good morning evening afternoon day there guten gruess "
    "morgen tag abend gott dich how are you doing today wie gehts geht es dir ihnen s grueezi greetings "
    "howdy nice to meet everyone all whats up na yo zusammen do".split()
)
_GREETS = frozenset(
    "hi hello hey hallo servus moin hallihallo morning evening afternoon morgen tag abend grueezi greetings howdy yo "
    "gruess".split()
)
_THANKS = frozenset(
    "thanks thank thx ty danke dankeschoen merci cheers you very much so a lot great super vielen dank schoen sehr "
    "dir ihnen perfect perfekt nice cool awesome ok okay good gut that was helpful fuer die hilfe for your help toll "
    "prima many it works und and dann then also na ja that s all".split()
)
_THANKED = frozenset("thanks thank thx danke dank dankeschoen merci cheers".split())
_FAREWELL = frozenset(
    "bye goodbye tschuess ciao see you later auf wiedersehen bis bald dann spaeter good night gute nacht "
    "farewell take care mach s gut cu thanks danke and und ok okay have a nice day schoenen tag noch im "
    "going now then also dann na ja".split()
)
_LEAVING = frozenset("bis bye goodbye tschuess ciao wiedersehen farewell later night nacht cu bald spaeter".split())
_GREETING_ZH = (
    "(?:你|您|大家|嗨|哈|早上|下午|晚上|中午)?"
    "(?:你好|您好|好|早安|早上好|下午好|晚上好|晚安|嗨|哈喽|哈罗|早|喂)(?:啊|呀|吗|吖|嘛)?"
)
_THANKS_ZH = (
    "(?:好的?|太好了|非常|多|真的|很|太)?(?:谢谢|感谢|多谢|谢啦|谢了)(?:你|您|你们|啦|了|的帮助|你的帮助|您的帮助)*"
)
_FAREWELL_ZH = (
    "(?:好的?|谢谢|那|我走了|下次|回头)*(?:再见|拜拜|拜|回见|下次见|晚安|明天见|回头见|后会有期)(?:啦|了|吧)?"
)

_ABLE = frozenset(
    "help able helfen skills abilities features functions capabilities human bot robot ai ki mensch "
    "roboter chatgpt gpt llm model name real person maschine machine computer program programm "
    "faehigkeiten funktionen".split()
)
_YOU = frozenset("you u your yourself du dich dir dein deine sie ihr".split())
_DOING = (
    frozenset("do can are who what is name help able kannst machst bist wer was koennen helfen heisst".split()) | _ABLE
)
_ABILITIES = (
    r"what is this|whats this|what s this|help(?: me)?|commands|i need help|introduce yourself|hilfe|hilf mir|"
    r"how (?:does (?:this|it|that)|do i use (?:this|it|you)) ?(?:work|chat|tool|program)?|stell dich vor|"
    r"was ist das(?: hier)?|wie funktioniert das(?: hier)?|was kann (?:ich hier machen|das)"
)
_ABILITIES_ZH = (
    "你(?:到底)?(?:能|会|可以)(?:帮我)?(?:做|干)?(?:些|点)?(?:什么|啥|哪些)(?:事情|事|吗)?|你(?:到底)?(?:是|叫)(?:谁|什么|啥|人)(?:名字|吗)?|"
    "你是(?:一个)?(?:机器人|人|真人|人工智能|AI|ai|ChatGPT|chatgpt|大?语言?模型)(?:吗)?|"
    "你有(?:什么|哪些)(?:功能|能力|本领|用)|帮助|帮帮我|救命|你(?:能|可以)帮我吗|你好?怎么用|这是什么|介绍一下你自己|自我介绍|怎么用你?|"
    "你的(?:功能|能力)是?(?:什么|有哪些)?|功能"
)

_KINDS = {
    "farewell": (_FAREWELL, _LEAVING, _FAREWELL_ZH),
    "thanks": (_THANKS, _THANKED, _THANKS_ZH),
    "greeting": (_GREETING, _GREETS, _GREETING_ZH),
}
"""For each kind the words it is made of, those of them that tell it, and what it is in Chinese."""


def small_talk(message: str) -> str:
    """Return what kind of small talk a message is: "greeting", "thanks", "farewell" or "abilities"; else ""."""
    if len(message) > MOST:
        return ""
    said, chinese = joined(words_of(message)).split(), simplified(message)
    for kind, (words, telling, pattern) in _KINDS.items():
        if _made_of(said, words, telling) or re.fullmatch(rf"\W*(?:{pattern}\W*)+", chinese):
            return kind
    return "abilities" if _asks_about_guide(said, chinese) else ""


def without_greeting(message: str) -> str:
    """Return what follows "Good morning!" or "你好，"."""
    match = re.match(r"[^\n.,!，。！:：]{1,24}[.,!，。！]+\s*(?=\S)", message)
    return message[match.end() :] if match and small_talk(match[0]) == "greeting" else message


def _made_of(said: list[str], words: frozenset[str], telling: frozenset[str]) -> bool:
    others = set(said) - words
    if not telling & set(said) or len(others) > 1:
        return False
    named = said[0] in telling and not others & lex.ASKING and not any(concepts_in("".join(others)))
    return not others or named  # "thanks, Anna"


def _asks_about_guide(said: list[str], chinese: str) -> bool:
    words = set(said)
    of_guide = words <= lex.FUNCTION | _ABLE and words & _YOU and words & _DOING
    in_chinese = re.fullmatch(rf"(?:{_GREETING_ZH}|\W)*(?:请问)?(?:{_ABILITIES_ZH})\W*", chinese)
    return bool(of_guide or in_chinese or re.fullmatch(_ABILITIES, " ".join(said)))
