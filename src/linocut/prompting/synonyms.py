"""Everyday words for what the embedded base can draw: more colour names, nouns, patterns, counts and places."""

from __future__ import annotations

# Names beyond the trained ones, mostly CSS; the caption names the nearest trained one, its palette the value.
MORE_COLOURS: dict[str, str] = {
    "aqua": "#00E5E5", "aquamarine": "#7FFFD4", "azure": "#3A8DFF", "amber": "#FFBF00", "apricot": "#FBCEB1",
    "blush": "#F4C2C2", "bronze": "#B07A38", "burgundy": "#800020", "chartreuse": "#8FE000", "chocolate": "#7B3F1A",
    "cobalt": "#0047AB", "copper": "#B87333", "crimson": "#DC143C", "cornflower": "#6495ED", "darkblue": "#00008B",
    "darkgreen": "#0B5A1E", "darkred": "#8B0000", "ebony": "#202020", "emerald": "#1FA463", "forest": "#228B22",
    "fuchsia": "#E61EA8", "golden": "#D4A32A", "grey": "#8C8C8C", "honey": "#E8A92C", "indigo": "#4B1A8C",
    "ivory": "#FFFDF0",
    "jade": "#10A573", "khaki": "#C3B27A", "lilac": "#C8A2D8", "linen": "#FAF0E6", "magnolia": "#F8F4EA",
    "mauve": "#C9A0DC", "mustard": "#E1AD21", "ochre": "#CC8822", "orchid": "#DA70D6", "peach": "#FFCBA4",
    "periwinkle": "#AAB0F0", "plum": "#7E2F7E", "rose": "#F0648C", "ruby": "#C4113A", "rust": "#B0431E",
    "salmon": "#FA8072", "sand": "#E6D3A3", "sapphire": "#1B4FB5", "scarlet": "#EA2814", "sepia": "#704214",
    "sienna": "#A0522D", "slate": "#64707E", "tan": "#D2B48C", "terracotta": "#D0694A", "tomato": "#F65A42",
    "turquoise": "#38CFC4", "vermilion": "#E34027", "violet": "#8438D8", "wheat": "#F2DDB2", "wine": "#6E1830",
    "snow": "#FFFAFA", "coffee": "#6B4428", "caramel": "#C8843C", "denim": "#2F5C9E", "midnight": "#161B45",
    "lemon": "#FBE84A", "cherry": "#C81E3C", "sage": "#A4B494", "steelblue": "#4682B4", "skyblue": "#8CC8F0",
}  # fmt: skip

NOUNS: dict[str, str] = {
    "disc": "circle", "disk": "circle", "ball": "circle", "sphere": "circle", "round": "circle", "orb": "circle",
    "box": "square", "block": "square", "cube": "square", "tile": "square", "bar": "rectangle", "banner": "rectangle",
    "panel": "rectangle", "brick": "rectangle", "pyramid": "triangle", "rhombus": "diamond", "gem": "diamond",
    "jewel": "diamond", "plus": "cross", "donut": "ring", "doughnut": "ring", "hoop": "ring", "loop": "ring",
    "moon": "crescent", "ellipse": "oval", "egg": "oval", "pointer": "arrow", "sunshine": "sun", "home": "house",
    "cottage": "house", "hut": "house", "cabin": "house", "barn": "house", "pine": "tree", "fir": "tree",
    "mug": "cup", "teacup": "cup", "kitten": "cat", "kitty": "cat", "goldfish": "fish", "shark": "fish",
    "auto": "car", "automobile": "car", "taxi": "car", "vehicle": "car", "blossom": "flower", "daisy": "flower",
    "tulip": "flower", "hill": "mountain", "peak": "mountain", "volcano": "mountain", "ship": "boat",
    "sailboat": "boat", "yacht": "boat", "leaves": "leaf", "duck": "bird", "dove": "bird", "robin": "bird",
    "sparrow": "bird", "parrot": "bird", "toadstool": "mushroom", "flask": "bottle", "stars": "star", "fishes": "fish",
}  # fmt: skip

_SIGNS_OF: dict[str, str] = {
    "star": "⭐🌟★☆", "heart": "❤♥💗💖", "blue heart": "💙", "green heart": "💚", "yellow heart": "💛",
    "orange heart": "🧡", "purple heart": "💜", "black heart": "🖤", "white heart": "🤍", "red circle": "🔴",
    "orange circle": "🟠", "yellow circle": "🟡", "green circle": "🟢", "blue circle": "🔵", "purple circle": "🟣",
    "black circle": "⚫", "white circle": "⚪", "moon": "🌙🌛🌜", "arrow": "➡", "gem": "💎", "sun": "☀🌞",
    "house": "🏠🏡", "tree": "🌳🌲", "cup": "☕🍵", "cat": "🐱🐈", "fish": "🐟🐠", "car": "🚗🚙", "flower": "🌸🌼🌷",
    "cloud": "☁", "mountain": "⛰🏔", "boat": "⛵🚤", "leaf": "🍃🍁🍂", "bird": "🐦", "mushroom": "🍄", "bottle": "🍾",
    "balloon": "🎈",
}  # fmt: skip
SIGNS: dict[str, str] = {sign: word for word, signs in _SIGNS_OF.items() for sign in signs}
"""Symbols of what the base can draw, without variation selectors."""

PATTERNS: dict[str, str] = {
    "gradient": "gradient", "fade": "gradient", "stripes": "stripes", "striped": "stripes", "stripe": "stripes",
    "dots": "dots", "dotted": "dots", "polka": "dots", "spots": "dots", "spotted": "dots", "checks": "checks",
    "checked": "checks", "checkered": "checks", "chequered": "checks", "checkerboard": "checks", "gingham": "checks",
    "paper": "paper", "grainy": "paper", "textured": "paper", "texture": "paper", "grain": "paper", "rays": "rays",
    "sunburst": "rays", "sunbeams": "rays",
}  # fmt: skip

COUNTS: dict[str, int] = {
    "two": 2, "both": 2, "pair": 2, "couple": 2, "three": 3, "few": 3, "several": 3, "four": 4, "many": 4, "some": 3,
    "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "dozen": 12,
}  # fmt: skip

# Place words -> (horizontal, vertical) in -1, 0, 1; None leaves the axis open.
PLACES: dict[str, tuple[int | None, int | None]] = {
    "top": (None, -1), "upper": (None, -1), "above": (None, -1), "bottom": (None, 1), "lower": (None, 1),
    "below": (None, 1),
    "left": (-1, None), "right": (1, None), "center": (0, 0), "centre": (0, 0), "middle": (0, 0), "centered": (0, 0),
}  # fmt: skip

SIZES: dict[str, float] = {
    "tiny": 0.5,
    "little": 0.7,
    "small": 0.65,
    "big": 1.3,
    "large": 1.3,
    "huge": 1.6,
    "giant": 1.6,
    "bold": 1.0,
}

# Height over width of a figure as it is drawn without tilt.
ASPECTS: dict[str, float] = {
    "rectangle": 0.59, "triangle": 0.88, "star": 0.95, "heart": 0.9, "diamond": 1.37, "pentagon": 0.95, "hexagon": 0.87,
    "crescent": 1.33, "sun": 1.05, "oval": 0.67, "arrow": 0.83, "house": 0.96, "tree": 1.15, "cup": 0.79, "cat": 0.97,
    "fish": 0.52,
    "car": 0.54, "flower": 0.96, "cloud": 0.51, "mountain": 0.57, "boat": 0.87, "leaf": 2.18, "bird": 0.53,
    "mushroom": 1.0, "bottle": 2.33, "balloon": 1.63,
}  # fmt: skip
