"""Whether bytes that are no Unicode are a text in cp1252, the code page of Western Europe's Windows.

Nearly any bytes can be read in it: Cyrillic, Polish or Chinese ones come out as other letters and signs. So a reading
counts only where the letters are those of one Western language, stand where words have them, and either common words
of that language are there too or Mozilla's detector takes it for cp1252 as well.
"""

import re

from chardetng_py.detector import EncodingDetector

_LANGUAGES = {
    "àâæçéèêëîïôùûüÿäöñ": "le les une des du et est sur avec dans pour sans aux au ce cette qui sous fond rouge bleu "
    "vert blanc noir l d qu",
    "äöüßéàèê": "der die das den dem ein eine einen einem einer und mit auf aus für von zum zur im ist vor über unter "
    "rot blau grün weiß schwarz wort text",
    "áéíñóúüç": "los las una con del por que es sobre rojo azul verde hola",
    "áâãàçéêíóôõúü": "um uma com dos das em por para sobre vermelha vermelho azul verde ao",
    "àèéìíîòóùú": "il gli uno una del della con sul sulla per che rosso blu verde tazza",
    "éëïöüèáóíúêàäç": "het een van met op en de is naar voor rood blauw groen",
    "åäöéü": "och en ett på med av den det är för röd blå punainen sininen",
    "æøåéòôóüäö": "og en et på med av den det er for rød blå til",
    "äöõüšž": "ja see",
    "áéíóúýöæðþ": "og er í á með þetta",
    "éèêëçñïîâôûüöäåøáíóà": "the and of with for from",
}
"""The letters of a language that are not ASCII, and words by which its captions are known."""
_FAMILIAR = (
    "à été pièce poème vêtement vêtements coïncidence haïku fête tête bête même être forêt rêve crêpe crème pêche "
    "fenêtre hôtel côte rôle île maïs naïve naïf noël brûlée goût août sûr mûr flûte bûche gâteau château pâte pâtes "
    "âge âme âne mâle bâtiment théâtre câble maître croûte crêpes fêtes forêts gâteaux châteaux maçã maçãs irmã lã pão "
    "mãe lunedì martedì venerdì così lì sì ø å ö piñata jalapeño façade cliché "
)
"""Words that a detector takes for another alphabet's when they stand alone, each with a space after it."""

_L = r"[^\W\d_²³¹¼½¾ªº]"  # a letter
_NEVER = re.compile(r"[\x00-\x08\x0e-\x1f\x7f¤¦¬\xad¯´¶¸¨ƒˆ˜†‡‰ÿ]|[¡-¿]{3}")
# Signs that touch a word on the wrong side.
_SIGNS = tuple(re.compile(pattern, re.IGNORECASE) for pattern in (
    rf"{_L}[¿¡£¥§©®¼½¾±µªº¢€„‚‹«•^]|[¢£¥§±¼½¾¹ª€›»”•®©™]{_L}|°(?![CFK]\b){_L}",
    rf"{_L}[“‘…÷×¹³²–—]{_L}|{_L}¹",
    rf"{_L}{_L}[³²]|(?<![a-z])[^mcdk][³²]|[³²]{_L}",  # m² is a unit
))  # fmt: skip
_CAPITAL_INSIDE = re.compile(r"[a-zà-öø-ÿšžœ][À-ÖØ-ÞŠŽŒŸ]|[A-Z][À-ÖØ-ÞŠŽŒŸ][a-z]")
_LETTERS = tuple(re.compile(pattern) for pattern in (
    r"\bè(?!\b|s\b)|è[aeiouy]|è[^\W\daeiou_qg]{1,3}[aiouyáí]",  # French: before a consonant and an e; else at an end
    r"\b[ìòûêîâãëïõ]\b|â(?!\w)|(?<!o)(?<!gu)(?<!bront)ë\b|[ìòù]\B",
    r"iê|ê(?!ch|[tmvnlpqsx]|\b)|(?<!voc)(?<!beb)(?<!\b[bclv])ê\b|û[zkdjbvgaiou]|(?<!\bd)(?<!cr)û\b",
    r"ã(?![oeis]|\b|nd)|\bð|\Bþ|œ(?![uiesctd])",
    r"ñ(?![aeiouáéíóú])|\bû|íi",
))  # fmt: skip
_WORD = re.compile(rf"{_L}+")


def western(data: bytes) -> str | None:
    """``data`` as text in cp1252; None where it may as well be another code page's."""
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return None
    plain = text.lower().replace("œ", "oe")
    if _is_implausible(text):
        return None
    words = _WORD.findall(plain)
    letters = {c for c in plain if c > "\x7f" and c.isalpha() and c not in "ªºµ"}
    fitting = [known for alphabet, known in _LANGUAGES.items() if letters <= set(alphabet)]
    if not fitting or (letters & set("þð") and not letters & set("áéíóúýöæ")):
        return None
    is_known = any(set(known.split()) & set(words) for known in fitting)
    odd = [word for word in words if not word.isascii()]
    if is_known or all(f" {word} " in f" {_FAMILIAR}" for word in odd) or _detector_agrees(plain):
        return text
    return None


def _is_implausible(text: str) -> bool:
    """Whether a sign or a letter stands where no Western text has it."""
    if not re.search("[A-Za-z0-9]", text) and f" {text.strip().lower()} " not in f" {_FAMILIAR}":
        return True
    if ("¿" in text and "?" not in text) or ("¡" in text and "!" not in text):
        return True
    if _NEVER.search(text) or _CAPITAL_INSIDE.search(text) or any(sign.search(text) for sign in _SIGNS):
        return True
    folded = text.lower()
    words = _WORD.findall(folded)
    return any(letters.search(folded) for letters in _LETTERS) or any(
        len(word) > 1 and not any(c.isascii() for c in word) for word in words
    )


def detected(data: bytes) -> str:
    """The code page that Mozilla's detector guesses for a text, by its name in browsers."""
    detector = EncodingDetector()
    detector.feed(data, last=True)
    return str(detector.guess(tld=None, allow_utf8=False))


def _detector_agrees(text: str) -> bool:
    """Whether the detector's reading of a text is the Western one."""
    data = text.encode("cp1252")
    try:
        return data.decode(detected(data)) == text
    except (UnicodeDecodeError, LookupError):
        return False
