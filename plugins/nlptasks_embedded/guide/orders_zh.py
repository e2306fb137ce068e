"""Orders in Chinese: 请用两句话总结下面的文字, 把早上好翻译成英文."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from nlptasks_embedded.guide import lexicon as lex
from nlptasks_embedded.guide.orders import Order, language_named
from nlptasks_embedded.guide.speech import simplified

_NAME = "[\u4e00-\u9fff]{1,6}?[语文话]"
_COUNT = f"[{''.join(name for name in lex.NUMBERS if not name.isascii())}]|\\d+"
_WHICH = "以下|下面|下列|上面|上述|前面|刚才|这|那|此|该|整|我的"
_NOUN = "文字|文章|文本|内容|段落|句子|语句|短文|新闻|邮件|信件|报道|报告|材料|故事|对话|原文|全文|话|词|信|文"
_ITEMS = {
    "language": f"(?:成|为|作|到|至|用|以|译)(?P<language>{_NAME})(?:版)?",
    "shape": rf"(?:用|以|在|成|为)?(?:最多|大约|约|不超过)?"
    rf"(?P<count>{_COUNT})个?(?P<unit>句话?|字)(?:以内|之内|左右|话)?",
    "style": "(?:用|以|列出|列成|成)?(?:(?P<bullets>要点|列表|分点)|(?P<headline>标题))(?:的?形式)?",
    "reply": "(?:(?:这个|上面的|刚才的|该|这份|你的)?(?P<reply>摘要|总结|概括|回答|答案|译文))(?=$|翻|译|成|为|用)",
    "reference": rf"(?:{_WHICH})(?:一?(?:段|篇|个|句|封|些|则|份|条))?的?(?P<noun>{_NOUN})?的?(?:内容|大意)?|上文|前文|"
    r"(?:全文|原文|文章|文本|文字|内容|它)(?=$|[\s，。：:？?！!把翻译总概成])",
    "taking": "(?P<taking>把|将|对)",
    "polite": "(?P<polite>请问|请|麻烦|帮我|帮忙|帮|给我|为我|替我)|你好|您好|你|您|能不能|可不可以|能否|可否|能|可以|"
    r"我想要?|我要|想要|需要|现在|然后|再|一下|先|快速|简单|简要|简短|进行|做|写|来|一份|一个|一篇|一段|[\s，,。！!]",
    "soft": r"一下|下(?!面|列)|出来|给我|好吗|好么|可以吗|行吗|吗|吧|呢|谢谢|多谢|"
    r"的?(?:摘要|总结|概括|翻译|大意)|[\s，,。.！!？?：:；;]",
}
_SAID = re.compile(
    rf"(?:{_ITEMS['polite']})*(?P<rest>.{{1,60}}?)(?:用|的)(?P<language>{_NAME})"
    "(?:怎么[说讲写]|是什么|是啥|叫什么|该?如何说)[呢啊?？。]*"
)
_SAID_SHORT = re.compile(
    rf"(?:{_ITEMS['polite']})*(?P<rest>.{{1,60}}?)(?P<language>[\u4e00-\u9fff][语文话])(?:怎么[说讲写]|该?如何说)[呢啊?？。]*"
)
_FROM_TO = re.compile("[中英德法日俄韩西](?:文|语)?[译到](?P<language>[中英德法日俄韩])(?:文|语)?")
_SAID_IN = re.compile(
    rf"(?:{_ITEMS['polite']})*(?:用|在)?(?P<language>{_NAME})(?:里|中)?的?(?P<rest>.{{1,60}}?)(?:怎么[说讲写]|该?如何说)[呢啊?？。]*"
)
_ABOUT = re.compile(rf"(?:{_ITEMS['reference']})?.{{0,6}}?(?:{lex.ABOUT_ZH})[呢啊?？。]*")
REFERENCE = re.compile(_ITEMS["reference"])
VERB = re.compile(f"(?P<summarize>{lex.SUMMARIZE_ZH})|{lex.TRANSLATE_ZH}")
_BEFORE = ("shape", "style", "reply", "reference", "taking", "polite")
_AFTER = ("language", "shape", "style", "reply", "reference", "soft")
_END = ("language", "shape", "style", "soft")

_MARKS = " \t\n，,：:；;"
WINDOW = 60  # characters at either end of a segment in which the verb is looked for


@dataclass
class _Reading:
    """What is left of a segment, ``start`` to ``end``, and what the instruction words taken off it say."""

    text: str
    start: int
    end: int
    told: dict[str, str] = field(default_factory=dict)

    def take(self, *kinds: str, behind: bool = False) -> None:
        """Take instruction words off the beginning or, ``behind``, off the end, as long as there are any."""
        while match := self._next(kinds, behind):
            self.told.update({name: said for name, said in match.groupdict().items() if said and name not in self.told})
            if behind:
                self.end = match.start()
            else:
                self.start = match.end()

    def _next(self, kinds: tuple[str, ...], behind: bool) -> re.Match[str] | None:
        for kind in kinds if self.left else ():
            if behind:
                match = re.compile(f"(?:{_ITEMS[kind]})$").search(self.text, max(self.start, self.end - 20), self.end)
            else:
                match = re.compile(_ITEMS[kind]).match(self.text, self.start, self.end)
            if match and match[0] and (kind != "language" or language_named(match["language"])):
                return match
        return None

    @property
    def left(self) -> bool:
        """Whether anything is left."""
        return bool(self.text[self.start : self.end].strip())


def order_in_chinese(segment: str) -> Order | None:
    """Return the order that a segment is, begins with or ends with; None if there is none."""
    text = simplified(segment)
    for pattern in (_SAID, _SAID_IN, _SAID_SHORT):
        if (said := pattern.fullmatch(text)) and (language := language_named(said["language"])):
            return Order("translation", language, rest=segment[slice(*said.span("rest"))])
    if pair := _FROM_TO.fullmatch(text):
        return Order("translation", language_named(pair["language"] + "文"))
    if _ABOUT.fullmatch(text) and re.search(_ITEMS["reference"], text):
        return Order("summarization")
    verbs = list(VERB.finditer(text, 0, WINDOW)) or list(VERB.finditer(text, max(0, len(text) - WINDOW)))
    if re.match(f"(?:{_ITEMS['polite']})*[把将对]", text):  # then what is to be done stands before the verb
        verbs.reverse()
    return next((order for verb in verbs if (order := _around(verb, segment, text))), None)


def _around(verb: re.Match[str], segment: str, text: str) -> Order | None:
    """Return the order that a verb gives with what stands before and behind it."""
    if re.search(lex.HOW_ZH, text[max(0, verb.start() - WINDOW) : verb.start()]):
        return None
    before, after = _Reading(text, 0, verb.start()), _Reading(text, verb.end(), len(text))
    before.take(*_BEFORE)
    before.take("language", "shape", "polite", behind=True)
    after.take(*_AFTER)
    after.take(*_END, behind=True)
    told = {**after.told, **before.told}
    summarize = verb["summarize"] is not None
    if before.left and (after.left or not {"taking", "polite", "language"} & set(told)):
        return None
    rest = before if before.left else after
    shape = (
        {"max_words" if told["unit"] == "字" else "max_sentences": _number(told["count"])} if "count" in told else {}
    )
    shape |= {"style": "bullets"} if "bullets" in told else {"style": "headline"} if "headline" in told else {}
    return Order(
        task="summarization" if summarize else "translation",
        language=language_named(told.get("language", "")),
        shape=shape,
        rest=segment[rest.start : rest.end].strip(_MARKS),
        about="reply" if "reply" in told else "text" if "noun" in told else "",
        leads=not before.left,
    )


def _number(count: str) -> str:
    return str(lex.NUMBERS.get(count, count))
