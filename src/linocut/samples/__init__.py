"""The sample pictures that the package ships: twenty posters of Kettle & Fern, a tea house that does not exist.

``draw.py`` draws them (and a second style to compare with), ``style.py`` measures how near a picture is to a style.
"""

from pathlib import Path

PICTURES = Path(__file__).parent / "pictures"
"""Twenty PNG posters with their captions beside them: ``.txt`` for the odd ones, ``.json`` for the even ones."""
