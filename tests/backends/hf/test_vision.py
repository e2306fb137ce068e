from __future__ import annotations

import io
from typing import Any

import pytest
import torch

from nlptasks.backends.base import Capability
from nlptasks.records import Completion, Failure, GenerationConfig, Message, Request
from tests.backends.hf.conftest import Open, ask, completion


def picture(color: tuple[int, int, int], size: tuple[int, int] = (60, 90), form: str = "PNG") -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, form)
    return file.getvalue()


RED, BLUE = picture((200, 10, 10)), picture((10, 10, 200), (90, 40), "JPEG")


def show(text: str, *images: bytes, **config: Any) -> Request:
    return Request((Message("user", text, images),), "chat", config=GenerationConfig(**{"max_new_tokens": 8, **config}))


@pytest.mark.parametrize("family", ["llava", "qwen2-vl"])
def test_images_are_seen(hf: Open, family: str) -> None:
    backend = hf(family)
    assert Capability.VISION in backend.capabilities
    requests = [show("What is this?", RED), show("What is this?", BLUE), show("Compare them.", RED, BLUE), show("Hi")]
    answers = backend.complete(requests)
    for request, answer in zip(requests, answers, strict=True):
        *deltas, last = backend.stream(request)
        assert answer.text == last.text == "".join(delta.text for delta in deltas)
        assert answer.usage.prompt_tokens == backend.limits().count(request)
    red, blue, both, none = (answer.usage.prompt_tokens for answer in answers)
    assert both > red > none
    assert both > blue > none


@pytest.mark.parametrize("family", ["llava", "qwen2-vl"])
def test_the_pixels_reach_the_model(hf: Open, family: str) -> None:
    """What the model would say next differs with the colour alone."""
    backend = hf(family)
    scores = []
    for color in ((250, 0, 0), (0, 0, 250)):
        prompt = backend.prompt(0, show("What is this?", picture(color)))
        with torch.inference_mode():
            scores.append(backend.model(**backend.collate([prompt])).logits[0, -1])
    assert not torch.allclose(*scores)


def test_the_answer_is_that_of_transformers(hf: Open) -> None:
    from transformers import AutoModelForImageTextToText, AutoProcessor

    backend, request = hf("llava"), show("What is this?", RED)
    from PIL import Image

    image = Image.open(io.BytesIO(RED)).convert("RGB")
    chat = [{"role": "user", "content": [{"type": "image", "image": image}, {"type": "text", "text": "What is this?"}]}]
    processor = AutoProcessor.from_pretrained(backend.source.name)
    model = AutoModelForImageTextToText.from_pretrained(backend.source.name)
    inputs = processor.apply_chat_template(
        [chat], tokenize=True, return_dict=True, return_tensors="pt", add_generation_prompt=True
    )
    output = model.generate(**inputs, max_new_tokens=8, do_sample=False)
    assert completion(backend, request).text == backend.decode(output[0, inputs["input_ids"].shape[1] :].tolist())


def test_a_placeholder_in_the_text_is_text(hf: Open) -> None:
    assert completion(hf("llava"), show("What is <image>?", RED)).usage.completion_tokens > 0


def test_seed_beams_and_system_text(hf: Open) -> None:
    backend = hf("llava")
    sampled = show("Hi", RED, temperature=1.0, seed=3)
    assert completion(backend, sampled).text == backend.complete([show("Hi", BLUE), sampled])[1].text
    assert isinstance(completion(backend, show("Hi", RED, num_beams=2)), Completion)
    assert isinstance(completion(backend, ask("Be brief.", "Hi", max_new_tokens=2)), Completion)


@pytest.mark.parametrize("data", [b"", b"no image", RED[:60]])
def test_what_is_no_image_fails_alone(hf: Open, data: bytes) -> None:
    fine, bad = hf("llava").complete([show("Hi", RED), show("Hi", data)])
    assert isinstance(fine, Completion)
    assert isinstance(bad, Failure)
    assert bad.type == "bad_request"
    assert "image" in bad.message
    assert "0x" not in bad.message
