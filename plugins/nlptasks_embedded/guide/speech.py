"""A user's words as the rules see them: one spelling for ä and ae, 總 and 总, sumarize and summarize."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from nlptasks.text import detect_language, script
from nlptasks_embedded.guide.lexicon import ENGLISH, GERMAN, MENDED

# Traditional characters, each before its simplified form: those that occur in what the rules know.
_PAIRS = (
    "總总結结譯译語语這这個个請请幫帮將将對对為为麼么麽么們们説说說说話话內内條条點点標标題题簡简體体問问誰谁"
    "裡里裏里幾几時时間间歲岁嗎吗謝谢見见興兴會会寫写詩诗計计數数據据庫库網网絡络線线單单雙双電电腦脑機机開开"
    "關关啟启動动運运執执檔档夾夹輸输選选項项參参設设備备訓训練练評评測测試试較较價价錢钱許许證证權权隱隐護护"
    "緩缓儲储傳传裝装載载當当還还沒没從从後后過过發发給给讓让讀读認认識识應应該该緊紧縮缩繪绘畫画聲声聽听樣样"
    "種种類类歷历記记錄录註注釋释報报導导聞闻郵邮覽览觀观專专業业務务團团員员號号碼码鍵键連连續续斷断漢汉國国"
    "際际鐵铁費费優优與与無无產产術术處处論论確确買买賣卖貓猫歡欢瞭了嚴严隻只並并兩两萬万億亿麵面廣广東东馬马"
    "魚鱼鳥鸟風风飛飞車车軟软轉转輪轮農农達达遠远適适錯错鎖锁長长門门閱阅陽阳隊队階阶難难雲云靈灵靜静響响頁页"
    "頭头顯显願愿驗验鬧闹齊齐齡龄龍龙書书於于兒儿別别創创區区衛卫變变圍围圖图壞坏復复歸归徑径態态擴扩擬拟擇择"
    "換换來来構构檢检溫温潰溃煉炼煩烦狀状現现環环離离約约納纳紹绍繼继編编羅罗薦荐補补講讲訴诉診诊詞词誤误調调"
    "敗败賴赖進进遞递鑰钥預预領领愛爱學学習习經经館馆臺台"
)
_SIMPLIFIED = str.maketrans(_PAIRS[::2], _PAIRS[1::2])
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_WORD = re.compile("[^\\W_\u3400-\u9fff]+|[\u3400-\u9fff]+")
_HAN = re.compile("[\u3400-\u9fff]")
_LEAST_MENDED = 5  # letters: a short word is near too many others


@dataclass(frozen=True)
class Word:
    """A word as the rules spell it, and where it stands."""

    text: str
    start: int
    end: int


def simplified(text: str) -> str:
    """Return the text in simplified characters, as long as it was."""
    return text.translate(_SIMPLIFIED)


def fold(text: str) -> str:
    """Return a text in lower case, without umlauts and traditional characters."""
    return simplified(text.lower()).translate(_UMLAUTS)


def words_of(text: str) -> list[Word]:
    """Return the words of a text."""
    return [Word(fold(match[0]), *match.span()) for match in _WORD.finditer(text)]


def joined(words: Sequence[Word]) -> str:
    """Return words with a space between, typing mistakes in words that the rules know mended."""
    return " ".join(mended(word.text) for word in words)


@lru_cache(maxsize=4096)
def mended(word: str) -> str:
    """Return the word that the rules know and this one is a mistake or two away from; else the word itself."""
    if len(word) < _LEAST_MENDED or not word.isascii() or word in MENDED or word in ENGLISH or word in GERMAN:
        return word
    from rapidfuzz.distance import DamerauLevenshtein
    from rapidfuzz.process import extractOne

    most = 1 if len(word) < 8 else 2
    found = extractOne(word, MENDED, scorer=DamerauLevenshtein.distance, score_cutoff=most)
    return found[0] if found and found[0][0] == word[0] else word


def language_of(text: str) -> str:
    """Return the language that a user speaks: "en", "de" or "zh"; "" where the words do not tell."""
    if script(text) == "Han":
        return "zh"
    said = [fold(match[0]) for match in _WORD.finditer(text[:2000])]
    german = sum(word in GERMAN for word in said) + len(re.findall("[äöüß]", text[:2000]))
    english = sum(word in ENGLISH for word in said)
    if german != english:
        return "de" if german > english else "en"
    detected = detect_language(text)
    return detected if detected in ("de", "zh") else "en" if said and not _HAN.search(text) else ""


def size(text: str) -> int:
    """Return how much a text says, in bytes: that counts a Chinese character as about half a word."""
    return len(text.encode("utf-8", "replace"))


def runs(text: str) -> Iterator[str]:
    """Yield the runs of Chinese characters."""
    yield from re.findall("[\u3400-\u9fff]+", text)
