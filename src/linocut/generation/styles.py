"""The styles that a request may name, as one table: each in words for any base, and in what the embedded base draws.

Pure. A style's colours begin with the ground's (two of them where its pattern takes two); the figures' follow. Style
codes are read digit by digit from the tables at the end. A name's or a code's look never changes between versions but
for its wording.
"""

from colorsys import hls_to_rgb

from linocut.dress import Dress, Palette, worn_together

PLAIN = frozenset({"", "plain", "paper"})
"""Grounds that take one colour; the others take two."""
_SHARES = (0.45, 0.25, 0.15, 0.1, 0.05)
_FACES = {"serif": "bold serif", "light": "light sans-serif", "rounded": "rounded", "bold": "bold sans-serif"}


def shares(colours: str) -> Palette:
    """Colours in one text, the first the heaviest."""
    return tuple(zip(colours.split(), _SHARES, strict=False))


def _style(medium: str, manner: str, aesthetics: str, lighting: str, colours: str, drawn: str) -> Dress:
    """``drawn``: the embedded base's ground, then, after commas, its typeface and ``outlined`` and ``border``."""
    ground, *flags = drawn.split(", ")
    face = next((_FACES[flag] for flag in flags if flag in _FACES), "")
    return Dress(
        aesthetics=aesthetics, lighting=lighting, medium=medium, manner=manner, is_photo=medium == "photograph",
        palette=shares(colours), ground=ground, border="border" in flags, outlined="outlined" in flags, face=face,
    )  # fmt: skip


_ILL, _PAINT, _DESIGN, _PHOTO, _3D = "illustration", "painting", "graphic_design", "photograph", "3d_render"

# fmt: off
PRESETS: dict[str, Dress] = {
    "80S_ILLUSTRATION": _style(
        _ILL, "airbrushed illustration of the 1980s, chrome and palm silhouettes",
        "retro, glossy, saturated", "glowing neon dusk", "#3B1466 #FF3E8A #FFC23C #2CC6DC", "gradient, bold"),
    "90S_NOSTALGIA": _style(
        _PHOTO, "snapshot of the 1990s on consumer film, date stamp look",
        "nostalgic, casual", "direct flash", "#12867F #B9E3DA #D428A6 #FAD02C", "checks, rounded"),
    "ABSTRACT_ORGANIC": _style(
        _ILL, "abstract organic shapes, flowing blobs and cut curves",
        "calm, rounded, layered", "soft, even", "#E9D8B4 #D0694A #5E7D5A #7C4A22", "radial gradient, rounded"),
    "ANALOG_NOSTALGIA": _style(
        _PHOTO, "analog film photograph, grain and light leaks",
        "warm, faded, wistful", "late afternoon sun", "#C9A46A #7C4A22 #F3E3BF #8A3B2A", "paper, serif"),
    "ART_BRUT": _style(
        _PAINT, "art brut, raw outsider painting with scratched lines",
        "raw, naive, urgent", "flat", "#161616 #DC2A2A #FAD02C #FFFFFF", "paper, outlined, bold"),
    "ART_DECO": _style(
        _ILL, "art deco poster, sunbursts and stepped geometry",
        "elegant, symmetrical, gilded", "polished gleam", "#14235A #D4A32A #FBF3DA #12867F", "rays, border, serif"),
    "ART_POSTER": _style(
        _DESIGN, "modern art poster, large flat shapes and generous margins",
        "bold, composed", "even", "#F58220 #FBF3DA #2358CE #161616", "plain, border, bold"),
    "AURA": _style(
        _ILL, "aura gradient, blurred luminous colour fields",
        "dreamy, spiritual", "inner glow", "#F79ABE #C0A8E8 #FFFFFF #FA7A62", "radial gradient, light"),
    "AVANT_GARDE": _style(
        _DESIGN, "constructivist avant-garde composition of diagonals and blocks",
        "radical, dynamic", "flat, stark", "#FBF3DA #DC2A2A #161616 #8C8C8C", "diagonal stripes, bold"),
    "BAUHAUS": _style(
        _DESIGN, "Bauhaus geometry of circles, bars and primary colours",
        "functional, balanced", "flat, even", "#FBF3DA #DC2A2A #2358CE #FAD02C #161616", "plain, bold"),
    "BLUEPRINT": _style(
        _ILL, "architect's blueprint, fine white line drawing on blue",
        "technical, precise", "flat", "#1D4E9E #FFFFFF #8CC8F0", "plain, outlined, border, light"),
    "BLURRY_MOTION": _style(
        _PHOTO, "photograph with motion blur, panning streaks",
        "fast, fleeting", "mixed evening light", "#64707E #C8CACC #FA7A62 #161616", "horizontal gradient, light"),
    "BRIGHT_ART": _style(
        _ILL, "bright contemporary art with pure flat colours",
        "cheerful, vivid", "bright, even", "#FAD02C #D428A6 #2358CE #2E9E44", "plain, rounded"),
    "C4D_CARTOON": _style(
        _3D, "3D cartoon render, smooth clay-like forms",
        "playful, soft, rounded", "studio softbox", "#8CC8F0 #C0A8E8 #FA7A62 #FAD02C", "gradient, rounded"),
    "CHILDRENS_BOOK": _style(
        _ILL, "children's book illustration in gouache and pencil",
        "gentle, charming", "soft daylight", "#A6E6C6 #FBF3DA #F58220 #DC2A2A", "dots, rounded"),
    "COLLAGE": _style(
        _DESIGN, "cut-paper collage of torn and layered pieces",
        "layered, tactile", "even", "#E9D8B4 #12867F #FA7A62 #14235A", "paper, border, bold"),
    "COLORING_BOOK_I": _style(
        _ILL, "colouring book page, clean black outlines, no fills",
        "simple, clear", "none, flat white", "#FFFFFF #161616", "plain, outlined, rounded"),
    "COLORING_BOOK_II": _style(
        _ILL, "intricate colouring book page, fine patterns in outlines",
        "detailed, ornamental", "none, flat white", "#FFFFFF #3A3F47 #8C8C8C", "plain, outlined, border, serif"),
    "CUBISM": _style(
        _PAINT, "cubist painting, faceted planes seen from several sides",
        "fractured, analytical", "angular light", "#B5865A #7C4A22 #64707E #E9D8B4", "checks, serif"),
    "DARK_AURA": _style(
        _ILL, "dark aura, luminous haze on black",
        "mysterious, brooding", "glow in the dark", "#7A35B4 #161616 #2CC6DC #F79ABE", "radial gradient, light"),
    "DOODLE": _style(
        _ILL, "hand-drawn doodle in felt pen",
        "loose, funny, spontaneous", "flat", "#FFFDF0 #2358CE #DC2A2A", "paper, outlined, rounded"),
    "DOUBLE_EXPOSURE": _style(
        _PHOTO, "double exposure photograph, two pictures in one",
        "poetic, layered", "silhouette against light", "#C8CACC #64707E #14235A #FFFFFF", "gradient, light"),
    "DRAMATIC_CINEMA": _style(
        _PHOTO, "film still, anamorphic, teal and orange grade",
        "dramatic, epic", "low key, hard side light", "#0B2B33 #12867F #F58220 #FBF3DA", "horizontal gradient, serif"),
    "EDITORIAL": _style(
        _PHOTO, "editorial photograph, clean composition",
        "refined, confident", "large soft window light", "#FFFFFF #3A3F47 #DC2A2A", "plain, serif"),
    "EMOTIONAL_MINIMAL": _style(
        _ILL, "minimal drawing with much empty space",
        "quiet, tender", "soft, diffuse", "#C0A8E8 #FFFFFF #4B1A8C", "plain, light"),
    "ETHEREAL_PARTY": _style(
        _PHOTO, "dreamy flash photograph of a party, glitter and haze",
        "ethereal, festive", "coloured light through haze", "#F79ABE #7A35B4 #FFFFFF #2CC6DC", "dots, light"),
    "EXPIRED_FILM": _style(
        _PHOTO, "photograph on expired film, colour shifts and fog",
        "faded, unstable", "hazy", "#A6B07A #D08A6A #7A1630 #FBF3DA", "gradient, serif"),
    "FLAT_ART": _style(
        _ILL, "flat art, simple shapes without shading",
        "clean, friendly", "even", "#12867F #FBF3DA #FA7A62 #FAD02C", "plain, bold"),
    "FLAT_VECTOR": _style(
        _DESIGN, "flat vector graphic, crisp edges and few colours",
        "crisp, modern", "even", "#2358CE #FFFFFF #FAD02C #161616", "plain, rounded"),
    "FOREST_REVERIE": _style(
        _PAINT, "dreamlike forest painting, moss, ferns and mist",
        "lush, enchanted", "light through leaves", "#1F4D2E #A4B494 #FBF3DA #D4A32A", "gradient, serif"),
    "GEO_MINIMALIST": _style(
        _DESIGN, "minimalist geometry of few exact shapes",
        "reduced, exact", "even", "#E9D8B4 #3A3F47 #FA7A62", "plain, outlined, light"),
    "GLASS_PRISM": _style(
        _3D, "refracting glass prisms, caustics and spectral edges",
        "crystalline, clear", "caustic, high key", "#DDF3FA #8CC8F0 #D428A6 #2CC6DC", "diagonal stripes, light"),
    "GOLDEN_HOUR": _style(
        _PHOTO, "photograph in the golden hour, long shadows and flare",
        "warm, serene", "low golden sun", "#F5A742 #FFE3A3 #7C4A22 #FFFFFF", "radial gradient, serif"),
    "GRAFFITI_I": _style(
        _PAINT, "graffiti in spray paint, wildstyle letters with outlines",
        "loud, urban", "street light", "#8C8C8C #9BD32A #D428A6 #161616", "paper, outlined, bold"),
    "GRAFFITI_II": _style(
        _PAINT, "stencil graffiti with drips and overspray",
        "gritty, sharp", "overcast", "#3A3F47 #DC2A2A #FFFFFF #F58220", "paper, bold"),
    "HALFTONE_PRINT": _style(
        _DESIGN, "halftone print, coarse dots and misregistered inks",
        "printed, graphic", "flat", "#FBF3DA #2CC6DC #D428A6 #161616", "dots, bold"),
    "HIGH_CONTRAST": _style(
        _DESIGN, "high contrast graphic in black and white with one accent",
        "stark, powerful", "hard", "#161616 #FFFFFF #DC2A2A", "plain, bold"),
    "HIPPIE_ERA": _style(
        _ILL, "psychedelic poster of the hippie era, swelling curves",
        "groovy, warm", "flat", "#F58220 #D428A6 #FAD02C #2E9E44", "rays, rounded"),
    "ICONIC": _style(
        _DESIGN, "single iconic symbol, large and centred",
        "simple, memorable", "even", "#DC2A2A #FFFFFF #161616", "plain, bold"),
    "JAPANDI_FUSION": _style(
        _ILL, "Japandi, Japanese and Scandinavian calm in natural tones",
        "restrained, natural", "soft daylight", "#EFE6D6 #A4B494 #7C4A22 #3A3F47", "paper, light"),
    "JAZZY": _style(
        _ILL, "jazz record sleeve of the 1950s, loose shapes in rhythm",
        "syncopated, cool", "flat", "#14235A #D4A32A #F58220 #FBF3DA", "vertical stripes, serif"),
    "LONG_EXPOSURE": _style(
        _PHOTO, "long exposure photograph, trails of light",
        "flowing, still", "night with light trails", "#101B45 #2358CE #FAD02C #FFFFFF", "stripes, light"),
    "MAGAZINE_EDITORIAL": _style(
        _DESIGN, "magazine spread with strong type and picture",
        "stylish, structured", "studio", "#F4C2C2 #161616 #FFFFFF #DC2A2A", "plain, border, serif"),
    "MINIMAL_ILLUSTRATION": _style(
        _ILL, "minimal illustration, thin lines and two or three tones",
        "light, airy", "even", "#FFFFFF #FA7A62 #14235A", "plain, outlined, light"),
    "MIXED_MEDIA": _style(
        _PAINT, "mixed media of paint, print and pencil",
        "rich, experimental", "even", "#C3B27A #2358CE #DC2A2A #161616", "checks, bold"),
    "MONOCHROME": _style(
        _PHOTO, "monochrome photograph in black and white",
        "timeless, tonal", "directional", "#C8CACC #3A3F47 #161616", "gradient, serif"),
    "NIGHTLIFE": _style(
        _PHOTO, "night photograph of a city in neon",
        "electric, alive", "neon", "#161B45 #7A35B4 #2CC6DC #FF2E88", "vertical stripes, bold"),
    "OIL_PAINTING": _style(
        _PAINT, "oil painting with visible impasto strokes",
        "rich, classical", "chiaroscuro", "#5A3A1E #B07A38 #E9D8B4 #7A1630", "radial gradient, serif"),
    "OLD_CARTOONS": _style(
        _ILL, "rubber hose cartoon of the 1930s, ink on cels",
        "bouncy, comic", "flat", "#E6D3A3 #161616 #FFFFFF", "paper, outlined, rounded"),
    "PAINT_GESTURE": _style(
        _PAINT, "gestural painting of broad, quick strokes",
        "expressive, free", "even", "#FFFFFF #2358CE #FA7A62 #161616", "diagonal stripes, rounded"),
    "POP_ART": _style(
        _ILL, "pop art with thick outlines and benday dots",
        "loud, ironic", "flat", "#FAD02C #DC2A2A #2358CE #161616", "dots, outlined, bold"),
    "RETRO_ETCHING": _style(
        _ILL, "engraved etching with fine hatching",
        "antique, meticulous", "hatched shading", "#E9D8B4 #704214 #161616", "stripes, outlined, serif"),
    "RIVIERA_POP": _style(
        _ILL, "sunny Riviera poster, parasols and sea in flat pop colours",
        "breezy, glamorous", "noon sun", "#38CFC4 #FFFFFF #FA7A62 #FAD02C", "vertical stripes, border, rounded"),
    "SPOTLIGHT_80S": _style(
        _PHOTO, "studio portrait of the 1980s in a coloured spotlight",
        "theatrical, glossy", "single spotlight", "#D428A6 #2B0F54 #FFFFFF #2CC6DC", "radial gradient, bold"),
    "STYLIZED_RED": _style(
        _ILL, "stylised illustration in reds alone",
        "intense, unified", "graphic", "#DC2A2A #7A1630 #FBF3DA #FA7A62", "gradient, bold"),
    "SURREAL_COLLAGE": _style(
        _DESIGN, "surreal collage of unlikely things at wrong sizes",
        "uncanny, witty", "mixed", "#8CC8F0 #F4C2C2 #7C4A22 #161616", "checks, serif"),
    "TRAVEL_POSTER": _style(
        _ILL, "vintage travel poster, simplified landscape in flat layers",
        "inviting, scenic", "clear morning", "#8CC8F0 #FBF3DA #12867F #F58220", "gradient, border, bold"),
    "VINTAGE_GEO": _style(
        _DESIGN, "mid-century geometric pattern in muted tones",
        "retro, rhythmic", "flat", "#CC8822 #12867F #FBF3DA #7A1630", "checks, bold"),
    "VINTAGE_POSTER": _style(
        _DESIGN, "vintage advertising poster, lithograph inks on aged paper",
        "nostalgic, bold", "flat", "#E6D3A3 #7A1630 #14235A #CC8822", "paper, border, serif"),
    "WATERCOLOR": _style(
        _PAINT, "watercolour with washes, blooms and paper showing through",
        "delicate, fluid", "soft daylight", "#DCEBF2 #8CC8F0 #C0A8E8 #A6E6C6", "gradient, light"),
    "WEIRD": _style(
        _ILL, "weird, absurd picture with clashing colours",
        "odd, unsettling", "sickly", "#9BD32A #D428A6 #80802A #2CC6DC", "checks, rounded"),
    "WOODBLOCK_PRINT": _style(
        _ILL, "Japanese woodblock print, bold contours and flat graded inks",
        "poised, graphic", "flat with graded sky", "#E9D8B4 #1B4FB5 #DC2A2A #161616", "gradient, outlined, serif"),
}
"""By the published name of ``style_preset``."""

TYPES: dict[str, Dress] = {
    "AUTO": Dress(),
    "GENERAL": Dress(),
    "CUSTOM": Dress(),
    "REALISTIC": _style(
        _PHOTO, "realistic photograph, natural detail",
        "natural, believable", "natural daylight", "#C9BBA2 #8A7A66 #64707E #F3EDE2", "gradient"),
    "DESIGN": _style(
        _DESIGN, "clean graphic design with clear hierarchy",
        "bold, structured", "even", "#FFFFFF #2358CE #161616 #F58220", "plain, border, bold"),
    "FICTION": _style(
        _ILL, "fantasy illustration of an imagined world",
        "fantastic, adventurous", "dramatic glow", "#2B1B5E #7A35B4 #D4A32A #A6E6C6", "radial gradient, serif"),
    "STYLIZED": _style(
        _ILL, "strongly stylised illustration, simplified shapes",
        "playful, exaggerated", "graphic", "#FA7A62 #FBF3DA #12867F #14235A", "diagonal stripes, outlined, rounded"),
    # Of the older routes alone:
    "RENDER_3D": _style(
        _3D, "3D render with smooth materials and soft shadows",
        "polished, tangible", "studio softbox", "#8CC8F0 #F58220 #FFFFFF #2358CE", "radial gradient, rounded"),
    "ANIME": _style(
        _ILL, "anime illustration, clean lines and cel shading",
        "lively, expressive", "bright cel shading", "#8CC8F0 #F79ABE #FFFFFF #14235A", "gradient, outlined, rounded"),
}
"""By the published name of ``style_type``. AUTO and GENERAL leave the style to the prompt; CUSTOM to what is the
client's own (a custom model, style references)."""

PALETTES: dict[str, Palette] = {
    "EMBER": shares("#3A1210 #C23B1E #F58220 #FAD02C"),
    "FRESH": shares("#A6E6C6 #FFFFFF #12867F #9BD32A"),
    "JUNGLE": shares("#0F3B24 #2E9E44 #9BD32A #D4A32A"),
    "MAGIC": shares("#2B1B5E #7A35B4 #D428A6 #2CC6DC"),
    "MELON": shares("#FA7A62 #A6E6C6 #FBF3DA #2E9E44"),
    "MOSAIC": shares("#12867F #FAD02C #DC2A2A #2358CE"),
    "PASTEL": shares("#F79ABE #FBF3DA #A6E6C6 #C0A8E8"),
    "ULTRAMARINE": shares("#1B2FA8 #8CC8F0 #FFFFFF #14235A"),
}
"""By the published name of a ``color_palette``."""

_MANNERS = (  # medium, manner, by a code's first digit
    (_ILL, "flat illustration"), (_ILL, "ink line drawing"), (_PAINT, "gouache painting"), (_PAINT, "watercolour"),
    (_PAINT, "oil painting"), (_DESIGN, "screen print"), (_DESIGN, "paper collage"), (_DESIGN, "geometric graphic"),
    (_DESIGN, "halftone print"), (_ILL, "woodcut"), (_ILL, "crayon drawing"), (_3D, "clay render"),
    (_3D, "glossy 3D render"), (_PHOTO, "studio photograph"), (_PHOTO, "film photograph"), (_PHOTO, "cinematic still"),
)
_LIGHTS = (  # by the second
    "even light", "soft daylight", "golden hour", "noon sun", "overcast", "moonlight", "neon", "candlelight",
    "backlight", "hard side light", "spotlight", "studio softbox", "mist", "dappled shade", "twilight", "high key",
)
_MOODS = (  # by the seventh
    "calm", "playful", "elegant", "bold", "nostalgic", "mysterious", "cheerful", "melancholic", "futuristic", "rustic",
    "dreamy", "austere", "luxurious", "naive", "dramatic", "tender",
)
_GROUNDS = (  # by the sixth
    "plain", "gradient", "horizontal gradient", "radial gradient", "stripes", "vertical stripes", "diagonal stripes",
    "dots", "checks", "paper", "rays", "plain", "gradient", "dots", "radial gradient", "checks",
)
# fmt: on
_HARMONIES = ((0.0, 0.5), (0.0, 1 / 12), (1 / 3, 2 / 3), (5 / 12, 7 / 12))
"""Hues of the second and third colour beyond the first: complementary, analogous, triadic, split: the fifth digit."""
_TONES = ((0.5, 0.75), (0.8, 0.55), (0.3, 0.6), (0.62, 0.28))
"""Lightness and saturation: vivid, pastel, deep, muted; by the fifth digit too."""


def of_code(code: str) -> Dress:
    """The look of a style code (8 hexadecimal digits, either case): the same code, the same look, always.

    From the left: medium (1), light (2), the first colour's hue in 256ths of the circle (3 and 4), harmony and tone of
    the colours (5: four harmonies, four tones of each), ground (6), mood (7), and typeface and lines (8: four faces;
    4 more: outlined; 8 more: a border). What a base has no words for is seen in the colours: they are fuller with the
    first digit, and the second, seventh and eighth move the second colour's lightness, the third's hue and the first's
    lightness a little.
    """
    digits = [int(digit, 16) for digit in code]
    medium, manner = _MANNERS[digits[0]]
    hue = (16 * digits[2] + digits[3]) / 256
    (second, third), (lightness, saturation) = _HARMONIES[digits[4] // 4], _TONES[digits[4] % 4]
    saturation *= 0.7 + 0.3 * digits[0] / 15
    further = 0.18 + 0.12 * digits[1] / 15
    hue_of_third = hue + third + digits[6] / 160
    colours = [
        _hex(hue, lightness + 0.08 * (digits[7] / 15 - 0.5), saturation),
        _hex(hue + second, lightness + (further if lightness < 0.55 else -further), saturation),
        _hex(hue_of_third, 0.92 if lightness < 0.6 else 0.16, saturation),
        _hex(hue_of_third, 0.5, 1.0 - saturation / 2),
    ]
    return Dress(
        aesthetics=_MOODS[digits[6]], lighting=_LIGHTS[digits[1]], medium=medium, manner=manner,
        is_photo=medium == _PHOTO, palette=shares(" ".join(colours)), ground=_GROUNDS[digits[5]],
        face=tuple(_FACES.values())[digits[7] % 4], outlined=bool(digits[7] & 4), border=bool(digits[7] & 8),
        names=(f"style_codes {code.upper()}",),
    )  # fmt: skip


def of_codes(codes: tuple[str, ...]) -> Dress:
    """Several codes as one look: their words together, their colours in turn, the rest the first code's."""
    return worn_together([of_code(code) for code in codes])


def _hex(hue: float, lightness: float, saturation: float) -> str:
    rgb = hls_to_rgb(hue % 1.0, lightness, saturation)
    return "#" + "".join(f"{round(255 * part):02X}" for part in rgb)
