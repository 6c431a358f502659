"""Text files of unknown encoding: read rightly or refused, never read as something else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linocut.datasets.caption_files import read_caption
from linocut.datasets.text_bytes import Unreadable, read_text
from linocut.pictures.refusal import Refused

FOREIGN = {
    "cp1251": ["красный кот", "кот", "Кот", "и", "Плакат с красным чаем и словом ЧАЙ", "a red cup, красный кот"],
    "koi8-r": ["красный кот", "Кот", "Плакат с красным чаем", "a cup чай", "я"],
    "cp866": ["красный кот", "Плакат с красным чаем", "и чай with", "on фоне style"],
    "iso8859-5": ["красный кот"],
    "mac-cyrillic": ["красный кот"],
    "gbk": [
        "红色的猫", "一只红色的杯子，白色背景", "a red cup 红色", "联通", "海报", "一只猫", "海", "猫和狗",
        "on 一只 一只 猫 cup",
    ],
    "big5": ["紅色的貓", "茶杯", "貓", "poster 茶"],
    "cp932": ["赤い猫", "カップ", "お茶のポスター、赤い文字", "表", "能力", "猫", "ｶｯﾌﾟ"],
    "euc-jp": ["赤い猫", "カップ", "茶"],
    "iso2022_jp": ["赤い猫", "カップ"],
    "euc-kr": ["빨간 고양이", "컵", "style ! 빨간 빨간 cup", "하얀 배경의 빨간 컵", "poster 차"],
    "cp1250": [
        "żółty kot", "červený hrnek", "kočka", "biały kubek", "čaj", "příliš žluťoučký kůň", "bílý šálek", "świat",
        "książka", "mąka", "być", "kobietę i ręce, a on stoi", "obraz przedstawia kobietę", "gyűrű", "kuća",
        "narancssárga bögre egy asztalon, őszi fény", "fekete macska, zöld szemű", "rdeča skodelica na mizi", "ręka",
        "a view of Poznań", "the word ogień",
    ],
    "iso8859-2": ["żółty kot", "kůň", "świat", "zielony wąż", "źrebię"],
    "cp852": ["żółty kot"],
    "cp1253": ["κόκκινη γάτα", "κούπα", "poster με τσάι"],
    "cp1254": ["kırmızı kedi", "yeşil bardak", "çay bardağı", "şişe"],
    "cp1255": ["חתול אדום", "תה"],
    "cp1256": ["قطة حمراء", "شاي"],
    "cp1257": [
        "a cat with ūsai", "raudona katė", "sarkana krūze",
        "žaļš kaķis", "šuns", "geltonas puodelis ant stalo, žalias",
    ],
    "cp874": ["แมวสีแดง", "ถ้วย"],
    "cp850": ["café", "Küche mit grüner Tür", "une tasse à café rouge", "été"],
    "hz": ["红色的猫", "poster 茶"],
    "utf-7": ["красный кот", "Küche", "une tasse à café", "κούπα"],
    "mac-roman": ["café", "Küche", "une tasse à café rouge", "été"],
}  # fmt: skip
WESTERN = [
    "a café – €5", "café", "Küche", "Tür", "über", "Größe", "eine grüne Tür", "Plakat: „Grüner Tee“ – weiße Schrift",
    "ein Mädchen mit Kätzchen auf einer Straße", "STRASSE UND GRÜNE TÜR", "Äpfel", "Straßencafé", "Öl auf Leinwand",
    "une tasse à café rouge sur une table en bois", "été", "âgé", "Île", "œuf", "un cœur rouge", "forêt", "Noël",
    "l’été à Paris – une élève", "où est le chat ?", "À bientôt «bonjour»", "un gâteau d'anniversaire", "théière",
    "Affiche d’un thé à la menthe, fond crème", "crème brûlée", "naïve art…", "déjà vu", "une fenêtre ouverte",
    "niño", "¿Qué es esto?", "¡Hola!", "corazón rojo", "pingüino", "maçã vermelha", "coração", "uma xícara de chá",
    "perché no", "è rosso", "tazza di tè sul tavolo", "lunedì", "rødgrød med fløde", "en röd katt på ett bord",
    "blå himmel", "punainen kissa pöydällä", "hääyöaie", "één kop", "Ærø", "20 °C", "100 m²", "½ cup", "“quoted” text",
    "it’s tea • TEA™ © Müller", "10 × 15 cm", "a piñata at the fiesta", "Brontë sisters", "Málaga", "5 €", "£5 tea",
]  # fmt: skip


@pytest.mark.parametrize("text", ["cat+dog", "salt + butter", "a+Air", "1+1=2", "~{a tilde}~", "C++ and A+ABC", "~{~}"])
def test_plain_text_is_not_taken_for_an_alphabet_in_seven_bits(text: str) -> None:
    assert read_text(text.encode()).text == text


@pytest.mark.parametrize("encoding", FOREIGN)
def test_a_text_in_another_code_page_is_refused_and_never_read_as_something_else(encoding: str) -> None:
    for text in FOREIGN[encoding]:
        with pytest.raises(Refused) as refused:
            read_caption(".txt", text.encode(encoding), 10_000)
        assert refused.value.reason == "INVALID_CAPTION", text
        assert "save it as UTF-8" in refused.value.message


def test_western_text_is_read() -> None:
    for text in WESTERN:
        assert read_text(text.encode("cp1252")).text == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_text_without_its_mark(encoding: str) -> None:
    for text in (
        "tea",
        "a red cup, «café»\r\nred",
        "красный кот",
        "κόκκινη γάτα",
        "赤い猫のカップ",
        "żółty kot",
        "חתול",
    ):
        assert read_text(text.encode(encoding)).text == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_wide_text_that_may_be_another_is_refused(encoding: str) -> None:
    for text in ("日本語", "红色的猫"):
        with pytest.raises(Unreadable):
            read_text(text.encode(encoding))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_with_its_mark_or_in_its_usual_form(encoding: str) -> None:
    for text in ("tea", "красный кот", "红色的猫", "日本語", "żółty kot", "👩\u200d🎨 paints", "Δt = 5 µs", "ß", "ÄÖÜ"):
        assert read_text(text.encode(encoding)).text == text


@pytest.mark.parametrize(
    ("data", "text", "bad_bytes"),
    [
        ("Küche mit Fenster, schön".encode() + b"\xff", "Küche mit Fenster, schön\ufffd", 1),
        ("красный кот".encode()[:-1], "красный ко\ufffd", 1),
        ("一只红色的杯子".encode()[:-2], "一只红色的杯\ufffd", 1),
        ("un été à la plage, un café".encode() + b" et un th\xe9", "un été à la plage, un café et un th\ufffd", 1),
        (b"\xef\xbb\xbf" + "schöne grüne Tür".encode() + b"\xfc", "schöne grüne Tür\ufffd", 1),
        ("a \ufffd that was there, é".encode() + b"\xff", "a \ufffd that was there, é\ufffd", 1),
    ],
)
def test_a_few_bad_bytes_in_utf8_are_told_and_the_rest_is_read(data: bytes, text: str, bad_bytes: int) -> None:
    found = read_text(data)
    assert (found.text, found.bad_bytes) == (text, bad_bytes)
    assert "no UTF-8 and read as \ufffd" in read_caption(".txt", data, 10_000).note


@pytest.mark.parametrize("data", ["Küche", "café", "красный кот", "红色的猫"])
def test_utf8_is_never_read_as_western_once_it_is_damaged(data: str) -> None:
    whole = data.encode()
    for place in range(len(whole) + 1):
        broken = whole[:place] + b"\xff" + whole[place:]
        try:
            text = read_text(broken).text
        except Unreadable:
            continue
        assert not set(text) & set("ÃÐÑçâ¼©"), text


@given(st.text(min_size=1))
def test_any_text_in_utf8_is_read_or_refused(text: str) -> None:
    try:
        found = read_text(text.encode())
    except (Unreadable, UnicodeEncodeError):
        return
    if not found.bad_bytes and "\0" not in text:
        assert found.text == text.removeprefix("\ufeff") or not text.isprintable()
