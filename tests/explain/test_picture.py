from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from nlptasks.errors import InputError
from nlptasks.explain import fonts
from nlptasks.explain.choice import Choice
from nlptasks.explain.explanation import Explanation
from nlptasks.explain.fonts import Fonts
from nlptasks.explain.picture import picture
from nlptasks.explain.ramp import DARK, LIGHT, colour
from tests.explain.drawn import causal, weighted

ALL = Choice(named=True)


def drawn(explanation: Explanation, choice: Choice = ALL) -> Image.Image:
    found = Image.open(io.BytesIO(picture(explanation, explanation.parts[0], choice).png))
    assert found.format == "PNG"
    return found.convert("RGB")


def test_every_weight_has_its_colour() -> None:
    image = drawn(weighted([[1, 0], [0.3, 0.7]], ["a", "b"]))
    counts = {shade: count for count, shade in image.getcolors(1 << 20) or ()}
    cells = [counts[colour(weight, LIGHT)] for weight in (1, 0.3, 0.7)]
    assert min(cells) > 1000
    assert max(cells) < 2 * min(cells)


@pytest.mark.parametrize("stops", [DARK, LIGHT])
def test_a_higher_weight_is_further_from_the_ground(stops: list[tuple[int, int, int]]) -> None:
    sums = [sum(colour(weight / 50, stops)) for weight in range(51)]
    assert sums == sorted(sums, reverse=stops is LIGHT)
    assert len(set(sums)) == 51


def test_many_heads_stand_layer_by_layer() -> None:
    one, six = drawn(causal()), drawn(causal(layers=2, heads=3))
    assert six.width > one.width
    assert six.height > one.height


def test_all_heads_of_a_larger_model_still_fit_a_screen() -> None:
    image = drawn(causal(["weather"] * 20, layers=12, heads=12))
    assert image.width < 6000
    assert image.height < 6000


@pytest.mark.parametrize("count", [1, 60, 256])
def test_any_length_fits_a_picture_that_can_be_opened(count: int) -> None:
    image = drawn(causal(["weather"] * count))
    assert 300 < image.width < 4000
    assert image.height < 4000


def test_long_tokens_are_turned_and_cut() -> None:
    image = drawn(causal(["Donaudampfschifffahrtsgesellschaftskapitän", "ä"]))
    assert image.width < 1500


def test_tokens_that_no_font_has_are_named_and_stand_as_positions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "KNOWN", ())  # a machine with nothing but what Pillow brings
    explanation = causal(["今天", "fine", "好"])
    found = picture(explanation, explanation.parts[0], ALL)
    assert found.missing == ("今天", "好")
    assert Image.open(io.BytesIO(found.png)).size[0] > 300


def test_a_font_without_a_glyph_is_told_from_one_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "KNOWN", ())
    only = Fonts(20)
    assert only.font("Wetter") is not None
    assert only.font("a b") is not None
    assert only.font("天") is None


def test_a_file_that_is_no_font(tmp_path: Path) -> None:
    (tmp_path / "a.ttf").write_text("no font")
    with pytest.raises(InputError, match=r"a\.ttf is no font"):
        Fonts(20, tmp_path / "a.ttf")
