"""Nouns and symbols of a text that the embedded base was never shown. Grammar without a dictionary: the last word of a
group of words is its noun, where it is no word of style, verb or adjective."""

import re
from collections.abc import Iterable

from linocut.prompting.colours import TINTS, colour_of
from linocut.prompting.faces import FACE_WORDS, TEXT_NOUNS
from linocut.prompting.lettering import SYMBOL, lettering_of
from linocut.prompting.nouns import noun_of
from linocut.prompting.synonyms import COUNTS, PATTERNS, PLACES, SIZES

MOST_NAMED = 8
_WORD = re.compile(rf"\x00\d+|#[0-9A-Fa-f]+|[^\W_]+(?:['\u2019-][^\W_]+)*|[.,;:!?()/&+|]|{SYMBOL.pattern}")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BREAKS = _words(
    """
    . , ; : ! ? ( ) / & + | a an the this that these those its his her their our my your each every no not some any
    all both either of in on at by to from with without into onto over under above below behind before after between
    among beside near against around through across along inside outside upon off out up down for as like about
    during towards and or but nor so than then while when where which who whose what how if because it he she they
    we you i me him us them there here is are was were be been being am has have had having do does did will would
    can could should may might must let lets make makes made give gives show shows showing draw draws create creates
    generate render renders design say says said read reads want need please add put use using used sit sits sat
    stand stands stood run runs ran jump jumps leap leaps fly flies flew swim swims walk walks play plays eat eats
    drink drinks sleep sleeps hold holds held wear wears wore ride rides rode look looks lie lies lay hang hangs
    hung climb climbs reach reaches drive drives float floats fall falls rise rises shine shines grow grows glow
    glows smile smiles carry carries catch catches chase chases watch watches face faces fill fills cover covers
    surround surrounds feature features spell spells spelling written word words contain contains include includes
    come comes go goes very really just only also too highly extremely more most less few many several much another
    other others same such
    """
)
_STYLE = _words(
    """
    2d 3d 4k 8k acrylic aesthetic aesthetics angle angles anime area art artist arts artstation artwork aspect
    atmosphere back backdrop background backgrounds badge banner bauhaus bokeh border borders bottom brand bunch camera
    canvas capitals caps caption card cards cartoon center centre chalk charcoal close-up closeup collage collection
    color colors colour colours comic company composition concept contrast corner corners couple cover crayon cubism
    deco definition depth design designs detail details digit digits distance dpi drawing drawings edge edges effect
    effects element elements emblem engine engraving etching famous feel feeling field figure figures film flyer focus
    font fonts foreground form format forms frame frames front gouache grain graphic graphics ground group hd hdr
    headline hour icon icons illustration illustrations image images impressionism ink inspiration kind label landscape
    layout left lens lettering light lighting lights line lines linocut logo logos look lot lowercase manga margin
    masterpiece middle minimalism minimalist mood noise nouveau number numbers numeral object objects octane oil oils
    orientation outline outlines painting paintings pair palette paper part pastel pattern patterns pencil perspective
    photo photograph photographs photography photos picture pictures piece pixel pixels pop-art portrait poster posters
    print prints quality raster ratio realism render rendering resolution right risograph rule scene screenprint series
    set shadow shadows shape shapes shot side sides sign size sketch slogan sort space square sticker stroke strokes
    style styled styles subject surrealism surrealist swiss symbol symbols tagline text texture textures theme thing
    things thirds title tone tones top travel trend trending type typeface typography uhd ultra uppercase vector
    vectors version vibe vibes view wall watercolor watercolour vignette studio way woodcut
    """
)
_ADJECTIVES = _words(
    """
    abstract adorable aesthetic ancient antique beautiful big bold bright calm cheerful cinematic clean clear close
    cold colorful colourful cool cosy cozy crisp cute dark deep dense dramatic dreamy dry dull dynamic elegant empty
    energetic epic even faded fancy fine flat foggy fresh friendly full fun funny gentle geometric glossy golden good
    gorgeous grainy grand graphic great hand happy hard hazy heavy high hot huge hyper iconic large lazy light
    little lone lonely long loose loud lovely low magic majestic matte medium metallic mini minimal misty modern
    moody new nice noisy nostalgic old opaque open organic photographic plain playful pretty proud pure quiet rainy
    random raw retro rich romantic rough round sad sharp shiny short silent simple single slim small smooth snowy
    soft solid sparse stark stormy strange strong stylish subtle sunny super sweet tall tender thick thin tight tiny
    transparent ugly uniform unique urban vast vibrant vintage vivid warm weathered wet white-on wide wild windy
    wooden worn young
    """
)
_NOUNS_IN_ING = _words("king wing building string spring swing ceiling wedding evening morning lightning thing ring")
_NOUNS_IN_ED = _words("bed seed shed sled reed weed steed feed breed red")
_NOUNS_IN_LY = _words("butterfly dragonfly firefly fly family lily jelly belly")
_THINGS_LIKE_COLOURS = _words(
    """
    apricot cherry chocolate coffee coral emerald forest honey jade lavender lemon lilac linen magnolia olive orange
    orchid peach plum rose ruby salmon sand sapphire sky snow tomato wheat wine
    """
)
"""After an article these are things: the base knows the colours only."""
_ADJECTIVE_ENDINGS = ("ful", "ous", "ive", "less", "ish", "able", "ible", "ical", "istic", "esque", "like", "ly")


def strangers(text: str) -> list[str]:
    """The nouns and symbols of a plain text that the base does not know, in their order, each once, in small
    letters."""
    return strangers_in(lettering_of(text).rest)


def strangers_in(rest: str) -> list[str]:
    """As ``strangers``, for a text whose lettering was taken out."""
    found: dict[str, None] = {}
    group: list[str] = []
    article = False
    for token in (*_WORD.findall(rest), "."):
        word = token.lower().removesuffix("'s").removesuffix("\u2019s")
        if SYMBOL.match(word):
            found.update(dict.fromkeys((*_noun(group, article), word)))
            group, article = [], False
        elif not word.isascii():
            found[word] = None  # another language, or another alphabet
            group = []
        elif token[0] in "\x00#" or word in BREAKS or _is_verb(word):
            found.update(dict.fromkeys(_noun(group, article)))
            group, article = [], word in ("a", "an", "the")
        else:
            group.append(word)
    return list(found)


def _noun(group: list[str], article: bool) -> Iterable[str]:
    """The noun of a group, where the base does not know it."""
    while group and (group[-1] in _STYLE or group[-1].isdigit() or group[-1][0].isdigit()):
        group.pop()
    noun = group[-1] if group else ""
    if len(noun) > 1 and (not _is_known(noun) or (article and noun in _THINGS_LIKE_COLOURS)):
        yield noun


def _is_known(word: str) -> bool:
    if "-" in word:
        return all(_is_known(part) for part in word.split("-") if part) or word.endswith(_ADJECTIVE_ENDINGS)
    known = noun_of(word)[0] or colour_of(word) or any(word in table for table in _TABLES)
    return bool(known) or (word.endswith(_ADJECTIVE_ENDINGS) and word not in _NOUNS_IN_LY)


_TABLES = (
    _STYLE, _ADJECTIVES, BREAKS, TINTS, PATTERNS, COUNTS, PLACES, SIZES, FACE_WORDS, TEXT_NOUNS,
    _words("horizontal vertical diagonal radial outlined hollow tilted rotated slanted serif"),
)  # fmt: skip


def _is_verb(word: str) -> bool:
    if len(word) > 4 and word.endswith("ing"):
        return word not in _NOUNS_IN_ING and word not in _STYLE
    return len(word) > 3 and word.endswith("ed") and word not in _NOUNS_IN_ED
