"""Languages, sentences, words and chunks, in the scripts of the world."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlptasks.errors import UnknownNameError
from nlptasks.text import (
    detect_language,
    language_code,
    language_name,
    script,
    sentence_spans,
    sentences,
    split_to_fit,
    words,
)

# Letters, marks, stops, quotes, spaces and breaks that rules look at, and anything else, lone surrogates too.
TRICKY = st.text(st.sampled_from("aB1.!?…\"'“”„»()[]-#* \n\r\t\u2028。！？」「、的กเ่ रा।م؟e\u0301\u200d\x00😀\ud800"))
ANY_TEXT = st.one_of(st.text(st.characters(exclude_categories=())), TRICKY)

UNTIMED = settings(deadline=None)  # the first example loads what later ones use


def squeezed(text: str) -> str:
    return "".join(text.split())


def split(marked: str) -> tuple[str, list[str]]:
    """Take a text whose sentence ends are marked with a vertical bar apart."""
    return marked.replace("|", ""), [part.strip() for part in marked.split("|")]


SENTENCES = [
    # English: abbreviations, initials, decimals, quotes, brackets, ellipses, addresses
    "Dr. Smith went to the U.S.| He paid $3.50 for it.| It was late.",
    "The U.S. Army came at 5 p.m. Mr. Lee had left, e.g. by car, etc.| Then it rained.",
    '"Really?" she asked.| He said "Stop!"| Then he left.| “Go.”| She went.',
    "(It was late.)| Well... maybe.| Wait...| What?!| See Fig. 3 and No. 5 (cf. Sec. 2.1).",
    "J. R. R. Tolkien wrote it.| Visit www.example.com.| Version 2.0.1 is out!",
    "Smith et al. (2010) and Apple Inc. CEO Tim agree.| The method works.",
    "I bought a decorating kit.|When I used it, it broke.| My site is node.js.org or a.B now.",
    "hey! | how are you? | i'm fine.",
    # German
    "Das ist z. B. ein Test.| Am 3. Oktober kam Dr. Müller.| Im 19. Jahrhundert lebte Ludwig XIV. in Paris.",
    "„Wirklich?“, fragte sie.| Er sagte: „Ja.“| Dann ging er.| Er ist 19.| Dann kam sie.",
    "Am 3.10.2020 kostete es 3,5 Mio. Euro.| Nach § 3 Abs. 2 Nr. 4 BGB gilt das, d. h. immer.",
    "Der Schuss (engl. Shot) fiel.| Die 1. Bundesliga und der 2. Weltkrieg sind lang her.",
    # other European languages
    "M. Dupont est là.| « Vraiment ? » dit-il.| Oui !| C'est vrai.",
    "El Sr. García llegó.| ¿Qué pasa?| ¡Nada!",
    "А. С. Пушкин — поэт.| «Правда?» — спросил он.| Это г. Москва.| Да!",
    # Chinese, Japanese, Korean
    "今天天气很好。|他说：“你好！”|然后走了。|真的吗？！|是的……也许。|（完。）|下一句",
    '价格是3.5元！|他说："好。"|然后走了。|结果很好.|他走了',
    "今日は天気がいい。|「本当ですか？」と彼は言った。|「はい。」|そして帰った。",
    "안녕하세요.| 저는 3.5학년 학생입니다.| 정말요?| 네!",
    # Devanagari, Arabic, Urdu, Armenian, Burmese
    "यह एक वाक्य है।| यह दूसरा है॥| क्या यह तीसरा है?| हाँ।",
    "هذا كتاب.| هل هذا كتاب؟| نعم!| هذا قلم؛ وهذا باب.",
    "یہ کتاب ہے۔| کیا یہ قلم ہے؟| ہاں۔",
    "မင်္ဂလာပါ။| နေကောင်းလား။",
    # Thai: a space ends a sentence once enough has been said
    "ประเทศไทยเป็นประเทศที่ตั้งอยู่ในเอเชียตะวันออกเฉียงใต้| กรุงเทพมหานครเป็นเมืองหลวงของประเทศและมีคนมาก",
    "ฉันไปตลาด เขาอยู่บ้าน",
    # lines: headings, items, paragraphs, speakers
    "# A heading|\nText one.| Text two.|\n- an item|\n- another item|\n\nA paragraph|\n\nThe end",
    "1. First item|\n2. Second item|\n\nKapitel 3|\r\n\r\nText.",
    "Einleitung|\nDer Text beginnt hier und geht noch eine Weile weiter.| Ende.",
    "#Person1#: Sure|\n#Person2#: Thank you",
    "第一章|\n从前有一座山。|山里有座庙。",
]


@pytest.mark.parametrize("marked", SENTENCES)
def test_sentences(marked: str) -> None:
    text, expected = split(marked)
    assert sentences(text) == expected


def test_ordinals_depend_on_the_language() -> None:
    text = "Emma is 19. Paris is far."
    assert len(sentences(text, "en")) == 2
    assert len(sentences("Der 19. Juni.", "de")) == 1


def test_a_wrapped_paragraph_is_read_as_if_it_was_not() -> None:
    prose = (
        "The Council of the European Union and Dr. Brown of the United States met in New York. They spoke "
        "about Central Asia, South America and the Middle East, and agreed on nothing. Nobody minded."
    )
    for width in (60, 72, 80):
        wrapped = textwrap.fill(prose, width)
        assert [sentence.replace("\n", " ") for sentence in sentences(wrapped)] == sentences(prose)


def test_an_unbalanced_quote_does_not_swallow_the_rest() -> None:
    assert len(sentences('Das „Haus" ist groß. Dann ging er. Es war spät. Ein „Baum" fiel. Und Schluss.')) == 5


@UNTIMED
@given(ANY_TEXT)
def test_spans_cover_all_but_white_space(text: str) -> None:
    end = 0
    for a, b in sentence_spans(text):
        assert a < b
        assert text[a:b] == text[a:b].strip()
        assert text[end:a].strip() == ""
        end = b
    assert text[end:].strip() == ""


LANGUAGES = {
    "en": "I like dogs and cats.",
    "de": "Wie geht es dir heute?",
    "fr": "Bonjour tout le monde",
    "es": "¿Dónde está la biblioteca?",
    "zh": "今天天气很好，我们去公园吧。Let's go.",
    "ja": "東京へ行きます",
    "ko": "안녕하세요 여러분",
    "th": "สวัสดีครับ",
    "hi": "यह एक किताब है",
    "mr": "हे एक पुस्तक आहे",
    "ar": "هذا كتاب جديد",
    "fa": "این یک کتاب است",
    "ru": "Привет, как дела?",
    "uk": "Привіт, як справи?",
    "el": "Καλημέρα",
    "he": "שלום",
    "und": "12 + 3 = 15 😀",
}


@pytest.mark.parametrize(("code", "text"), LANGUAGES.items())
def test_detect_language(code: str, text: str) -> None:
    assert detect_language(text) == code


@pytest.mark.parametrize(("code", "text"), [("en", "Hello"), ("en", "the"), ("de", "Danke"), ("es", "Gracias")])
def test_a_single_word_is_taken_for_a_common_language(code: str, text: str) -> None:
    assert detect_language(text) == code


def test_script() -> None:
    assert script("Straße") == "Latin"
    assert script("语言处理 NLP") == "Han"
    assert script("?!") == ""


def test_a_long_text_is_sampled_beyond_its_beginning() -> None:
    assert detect_language("= 0\n" * 1000 + "Das ist ein deutscher Satz. " * 1000) == "de"


@UNTIMED
@given(ANY_TEXT)
def test_any_text_has_a_language_with_a_code(text: str) -> None:
    code = detect_language(text)
    assert code == "und" or language_code(code) == code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't STOP, Müller’s Straße!", ["don", "t", "stop", "müller", "s", "straße"]),
        ("COVID-19: 3.5 % of 1,000 at 10:30.", ["covid", "19", "3.5", "of", "1,000", "at", "10:30"]),
        ("snake_case ＡＢＣ Ｘ１", ["snake", "case", "abc", "x1"]),
        ("天气很好 Python3。", ["天", "气", "很", "好", "python3"]),
        ("カタカナと ｶﾞ", ["カ", "タ", "カ", "ナ", "と", "ガ"]),
        ("서울은 크다.", ["서울은", "크다"]),
        ("हिन्दी में किताब।", ["हिन्दी", "में", "किताब"]),
        ("مُحَمَّد، كـتاب؟", ["مُحَمَّد", "كتاب"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("Что это? Ёж!", ["что", "это", "ёж"]),
        ("\u00adSoft\u00adhyphen می\u200cخواهم", ["softhyphen", "میخواهم"]),
        ("... — 😀", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_words_meet_across_ways_of_writing() -> None:
    assert words("café") == words("CAFE\u0301")
    assert words("Maße") != words("Masse")
    assert words("IŞIK İzmir", "tr") == ["ışık", "izmir"]


@UNTIMED
@given(ANY_TEXT)
def test_words_are_stable(text: str) -> None:
    found = words(text)
    assert all(found)
    assert words(" ".join(found)) == found


CODES = {
    "de": ["de", "DE", "de_DE", "de-DE", "deu", "German", "german", " Deutsch ", "德语", "de_DE.UTF-8", "allemand"],
    "zh": ["zh", "zh-CN", "zh-Hans", "zho_Hans", "cmn", "Chinese", "Chinesisch", "中文", "汉语", "Mandarin"],
    "zh-Hant": ["zh-TW", "zh_Hant", "Traditional Chinese", "繁體中文"],
    "pt-BR": ["pt-BR", "pt_br", "Brazilian Portuguese"],
    "pt": ["pt", "Portuguese", "português"],
    "en": ["en-US", "English", "英语", "eng_Latn"],
    "en-GB": ["en-GB", "British English"],
    "ar": ["arb_Arab", "Arabic", "العربية"],
    "he": ["iw", "Hebrew"],
    "hi": ["हिन्दी", "hin_Deva"],
    "th": ["Thai", "ไทย"],
    "sr-Latn": ["sr-Latn"],
    "tlh": ["Klingon"],
}


@pytest.mark.parametrize(("code", "names"), CODES.items())
def test_language_code(code: str, names: list[str]) -> None:
    assert {name: language_code(name) for name in names} == dict.fromkeys(names, code)


def test_an_unknown_language_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown language 'Gernan'. Did you mean 'German'\?"):
        language_code("Gernan")


@pytest.mark.parametrize(
    "name", ["", "x", "xx", "und", "mul", "c++", "x-foo", "root", "auto", "\ud800", "\0\0", "\0\x8d\x16ˋ", "de\0"]
)
def test_what_is_no_language_is_refused(name: str) -> None:
    with pytest.raises(UnknownNameError):
        language_code(name)


def test_language_name() -> None:
    assert language_name("de") == "German"
    assert language_name("zh-Hant") == "Chinese (Traditional)"
    with pytest.raises(UnknownNameError):
        language_name("xx")


def count_words(text: str) -> int:
    return len(text.split())


def count_bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


@UNTIMED
@given(ANY_TEXT, st.integers(4, 30), st.sampled_from([len, count_bytes, count_words]))
def test_chunks_fit_and_lose_nothing(text: str, size: int, count: Callable[[str], int]) -> None:
    chunks = split_to_fit(text, size, count)
    assert squeezed("".join(chunks)) == squeezed(text)
    assert all(chunk and count(chunk) <= size for chunk in chunks)


def test_chunks_are_whole_sentences_and_paragraphs() -> None:
    assert split_to_fit("One two. Three four. Five six.", 4, count_words) == ["One two. Three four.", "Five six."]
    paragraphs = "One two three. Four.\n\nFive six. Seven eight.\n\nNine."
    assert split_to_fit(paragraphs, 6, count_words) == ["One two three. Four.", "Five six. Seven eight.\n\nNine."]


def test_a_paragraph_that_fits_nowhere_does_not_leave_its_heading_alone() -> None:
    text = "A heading\n\n" + "One two three four. " * 10
    assert split_to_fit(text, 10, count_words)[0] == "A heading\n\nOne two three four. One two three four."


def test_a_long_sentence_is_cut_between_words_and_a_long_word_between_characters() -> None:
    assert split_to_fit("one two three four five", 2, count_words) == ["one two", "three four", "five"]
    assert split_to_fit("abcdefg", 3, len) == ["abc", "def", "g"]
    assert split_to_fit("नमस्ते" * 2, 4, len) == ["नम", "स्ते"] * 2  # never between a letter and its sign


@pytest.mark.parametrize("text", ["a" * 10**6, "汉" * 10**6, "word " * 200_000, "Ja. Nein!\n\n" * 90_000])
def test_a_million_characters_take_few_counts(text: str) -> None:
    counted = calls = 0

    def count(piece: str) -> int:
        nonlocal counted, calls
        counted, calls = counted + len(piece), calls + 1
        return len(piece)

    chunks = split_to_fit(text, 1000, count)
    assert squeezed("".join(chunks)) == squeezed(text)
    assert len(chunks) <= 1.1 * len(text) / 1000
    assert calls <= 6 * len(chunks)
    assert counted <= 8 * len(text)


def test_a_size_too_small_for_a_character_is_an_error() -> None:
    with pytest.raises(ValueError, match="too small"):
        split_to_fit("汉", 2, count_bytes)


def test_nothing_gives_nothing() -> None:
    for empty in ("", " \n\t "):
        assert sentences(empty) == words(empty) == split_to_fit(empty, 10, len) == []
