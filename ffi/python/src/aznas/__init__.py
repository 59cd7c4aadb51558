"""Training-free scores (AZ-NAS, CVPR 2024) of neural networks on a CPU.

    >>> import aznas
    >>> scores = aznas.score("|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|none~1|none~2|", batch=8)
    >>> scores.trainability, scores["depth"], scores.blocks["sigma"]
    >>> table = aznas.score_many(cells, threads=4, batch=8, proxies="extended")
    >>> table[aznas.aggregate(table, proxies="extended").argmax()]["arch"]

`score` and `score_many` take texts of a search space, or a `Network` of nodes; `help(aznas.score)` lists the options, which
are those of the C interface. `aggregate` ranks candidates by several proxies, `cost` counts without running, `draw` draws.
`Search` proposes candidates by evolution, and is told their scores.
What cannot be scored raises `Error`, which names the place.

Scores have the same bits from Rust, C and Python, on any thread. Several Python threads score at once.
"""

from .abi import (
    VERSION as __version__, Algorithm, Backend, Entropy, Flag, Identity, Init, Mode, Op, Options, Parameters, Proxy, Role,
    Sigma, Space, Status, Stem,
)
from .drawing import Drawing, draw
from .error import Error
from .library import PROXY_NAMES, backend_name
from .network import Network, Node
from .ranking import aggregate
from .scoring import Interrupted, Scores, cost, score, score_many
from .search import Candidate, Search
from .table import Table
from .tensors import Tensors

__all__ = [
    "Algorithm", "Backend", "Candidate", "Drawing", "Entropy", "Error", "Flag", "Identity", "Init", "Interrupted",
    "Mode", "Network", "Node", "Op", "Options", "PROXY_NAMES", "Parameters", "Proxy", "Role", "Scores", "Search",
    "Sigma", "Space", "Status", "Stem", "Table", "Tensors", "__version__", "aggregate", "backend_name", "cost", "draw",
    "score", "score_many",
]
