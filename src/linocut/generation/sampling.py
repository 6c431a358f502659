"""The numbers of a rendering speed: the base's own table says what each speed is (``linocut.json``). Pure."""

from linocut.bases import Base, Sampling


def sampling_of(base: Base, rendering_speed: str) -> Sampling:
    """The base's numbers for a speed; BALANCED is DEFAULT, and so is a speed that the base has no numbers for."""
    return base.sampling.get(rendering_speed) or base.sampling["DEFAULT"]
