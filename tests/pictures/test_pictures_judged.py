"""Pictures are judged in the decoding process: by the installed network, by one of the operator's, or by nobody."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.engine.tiny_onnx import enlarging, reddish
from tests.pictures.made import encode, scene

from linocut import sight
from linocut.errors import InvalidRequest, NotReady, Unsafe
from linocut.pictures.decoder import DecodeLimits, Decoder
from linocut.pictures.intake import Intake
from linocut.pictures.refusal import Refused
from linocut.sight import OPEN_NSFW, OpenNsfw, PictureJudge, check_rule, judges_with
from linocut.storage.store import Store
from linocut.verdicts import UNSAFE_PICTURE, SafetyRule

ON = SafetyRule(mode="on")
RED, GREEN = Image.new("RGB", (64, 64), (250, 20, 20)), Image.new("RGB", (64, 64), (20, 250, 20))


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A classifier of the operator's that takes red for unsafe."""
    path = tmp_path / "reddish.onnx"
    path.write_bytes(reddish())
    return str(path)


def test_the_network_is_the_pinned_one_and_finds_drawings_harmless() -> None:
    """Only false alarms can be measured here: there is no explicit picture to try it on."""
    network = OpenNsfw()
    scores = [network.score(picture) for picture in (scene(), RED, GREEN, Image.new("L", (30, 90), 128))]
    print(f"open_nsfw on drawings: {[round(score, 3) for score in scores]}")
    assert max(scores) < 0.5
    assert all(score > 0 for score in scores)
    one, other = network.features(scene()), network.features(scene(shade=90))
    assert one.shape == (1024,)
    assert abs(float(np.linalg.norm(one)) - 1) < 1e-5
    assert float(one @ other) > float(one @ network.features(RED))


def test_another_file_in_its_place_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "open-nsfw.onnx"
    other.write_bytes(reddish())
    monkeypatch.setattr(sight, "network_file", lambda: other)
    with pytest.raises(NotReady, match="pinned"):
        PictureJudge(ON)


def test_what_reaches_the_threshold_is_not_safe(model: str) -> None:
    judge = PictureJudge(SafetyRule(mode="on", model=model))
    assert judge.judge(GREEN).is_safe is True
    verdict = judge.judge(RED)
    assert (verdict.is_safe, verdict.component, verdict.reason) == (False, "reddish.onnx", UNSAFE_PICTURE)
    half_red = Image.new("RGB", (64, 64), (128, 100, 128))
    score = judge._network.score(half_red)
    assert 0.1 < score < 0.99
    for threshold, is_safe in ((score + 0.01, True), (score - 0.01, False)):
        assert PictureJudge(SafetyRule(mode="on", model=model, threshold=threshold)).judge(half_red).is_safe is is_safe


def test_a_file_that_is_no_classifier_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    for data, words in ((enlarging(2), "no classifier"), (b"nothing", "cannot be read")):
        path.write_bytes(data)
        with pytest.raises(NotReady, match=words):
            PictureJudge(SafetyRule(mode="on", model=str(path)))
    torchs_own = tmp_path / "net.pth"
    torchs_own.write_bytes(b"PK\x03\x04")
    with pytest.raises(NotReady, match="run code"):
        PictureJudge(SafetyRule(mode="on", model=str(torchs_own)))


def test_the_decoding_process_judges_and_says_who(model: str, tmp_path: Path) -> None:
    with Decoder(DecodeLimits(safety=SafetyRule(mode="required", model=model))) as decoder:
        assert decoder.decode(encode(GREEN)).judged_by == "reddish.onnx"
        assert decoder.decode_input(encode(GREEN), keep_alpha=True).judged_by == "reddish.onnx"
        for ask in (decoder.decode, lambda data: decoder.decode_input(data, keep_alpha=False)):
            with pytest.raises(Refused, match=r"failed safety check .* \(judged by reddish.onnx\)") as refused:
                ask(encode(RED))
            assert (refused.value.reason, refused.value.component) == ("FAILED_SAFETY_CHECK", "reddish.onnx")
        assert decoder.measure(decoder.decode(encode(GREEN)).file).way  # measured only, so judged by nobody
        intake = Intake(Store.open(tmp_path / "store"), decoder)
        assert intake.picture("image", encode(GREEN)).width == 64
        with pytest.raises(Unsafe, match="Image provided failed safety check") as unsafe:
            intake.picture("image", encode(RED))
        assert unsafe.value.details == {"component": "reddish.onnx", "reason": UNSAFE_PICTURE}


def test_the_installed_network_works_within_the_process_limits() -> None:
    with Decoder(DecodeLimits(safety=ON)) as decoder:
        assert decoder.decode(encode(scene(2000, 1500))).judged_by == OPEN_NSFW


def test_off_judges_nothing_and_required_without_a_network_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with Decoder(DecodeLimits()) as decoder:
        assert decoder.decode(encode(RED)).judged_by == ""
    missing = SafetyRule(mode="required", model="/nowhere/net.onnx")
    with Decoder(DecodeLimits(safety=missing)) as decoder, pytest.raises(Refused, match="must be judged") as refused:
        decoder.decode(encode(GREEN))
    assert refused.value.reason == "INTERNAL_ERROR"
    with pytest.raises(InvalidRequest, match="LINOCUT_SAFETY_MODEL"):
        check_rule(missing)
    monkeypatch.setattr(sight, "network_file", lambda: None)
    assert (judges_with(ON), judges_with(SafetyRule())) == ("", "")
    check_rule(ON)
    with pytest.raises(InvalidRequest, match="LINOCUT_SAFETY_PICTURES is required"):
        check_rule(SafetyRule(mode="required"))
