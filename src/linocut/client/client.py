"""One method an operation. Method names say what happens; arguments and answers have the wire's names."""

from linocut.client.datasets import Datasets
from linocut.client.drawing import Drawing
from linocut.client.gallery import Gallery
from linocut.client.training import Training


class Client(Datasets, Training, Drawing, Gallery):
    """A connection to a linocut server (or to any server that speaks the same API).

    Every method raises a ``LinocutError`` that carries the server's sentence, ``Busy`` when it cannot be reached.
    """
