"""The cell spaces NAS-Bench-101 and NDS for the oracle, written from their descriptions alone.

Vertices, channels and truncation of NAS-Bench-101 are those of `model_builder.py`; operators, states and reductions of
NDS those of pycls' `models/nas`.  Everything random is an argument, as in `aznas_oracle.py`.
"""
import torch

import aznas_oracle as az
from aznas_oracle import Net


# --------------------------------------------------------------------------------------
# 1. NAS-Bench-101
# --------------------------------------------------------------------------------------
def parse_nb101(text):
    """"4:111011:1m" -> (4, {(0, 1), (0, 2), ...}, {1: "1", 2: "m"})."""
    n, bits, ops = text.split(":")
    n, pairs = int(n), [(x, y) for y in range(1, int(n)) for x in range(y)]
    if len(bits) != len(pairs) or len(ops) != n - 2:
        raise ValueError(text)
    return n, {pair for pair, bit in zip(pairs, bits) if bit == "1"}, dict(enumerate(ops, start=1))


def vertex_channels(n, edges, cin, cout):
    """Channels of every vertex: the output's are dealt out among those that lead to it, the others follow them."""
    out = n - 1
    c = {0: cin, out: cout}
    direct = [v for v in range(1, out) if (v, out) in edges]
    for i, v in enumerate(direct):
        c[v] = cout // len(direct) + (1 if i < cout % len(direct) else 0)
    for v in range(out - 1, 0, -1):
        if v not in c:
            c[v] = max(c[w] for w in range(v + 1, out) if (v, w) in edges)
    return c


class NB101(Net):
    """Stem (conv3x3, BN, ReLU), three stacks of cells; 2x2 maxima of stride 2 before the second and the third stack
    belong to the cell behind them.  Features: stem and cells."""

    def __init__(self, text, channels=128, cells=3, classes=10):
        super().__init__()
        self.n, self.edges, self.ops = parse_nb101(text)
        self._cbr("stem", channels, 3, 3)
        self.stages, c = [], channels                       # (pool?, c_in, c_out)
        for stack in range(3):
            for place in range(cells):
                pool = stack > 0 and place == 0
                self.stages.append((pool, c, channels << stack))
                c = channels << stack
        for i, (_, cin, cout) in enumerate(self.stages, start=1):
            width = vertex_channels(self.n, self.edges, cin, cout)
            for v in range(1, self.n):
                if (0, v) in self.edges:
                    self._cbr(f"b{i}.p{v}", width[v], cin, 1)
                if v < self.n - 1 and self.ops[v] != "m":
                    self._cbr(f"b{i}.v{v}", width[v], width[v], int(self.ops[v]))
        self._linear("fc", classes, c)

    def _cbr(self, name, cout, cin, k):
        self._conv(name + ".conv", cout, cin, k)
        self._norm(name + ".bn", cout)

    def _conv_bn_relu(self, p, name, x):
        w = p[name + ".conv.weight"]
        return az.F.relu(self._bn(p, name + ".bn", az.F.conv2d(x, w, padding=w.shape[-1] // 2)))

    def _cell(self, p, i, x):
        pool, cin, cout = self.stages[i - 1]
        x = az.F.max_pool2d(x, 2, 2) if pool else x
        out, width = self.n - 1, vertex_channels(self.n, self.edges, cin, cout)
        value = {}
        for v in range(1, out):
            terms = [value[w][:, :width[v]] for w in range(1, v) if (w, v) in self.edges]
            if (0, v) in self.edges:
                terms.append(self._conv_bn_relu(p, f"b{i}.p{v}", x))
            s = sum(terms[1:], terms[0])
            value[v] = az.F.max_pool2d(s, 3, 1, 1) if self.ops[v] == "m" else self._conv_bn_relu(p, f"b{i}.v{v}", s)
        parts = [value[v] for v in range(1, out) if (v, out) in self.edges]
        y = torch.cat(parts, 1) if parts else None
        if (0, out) in self.edges:
            projection = self._conv_bn_relu(p, f"b{i}.p{out}", x)
            y = projection if y is None else y + projection
        return y

    def maps(self, p):
        cells = [lambda x, i=i: self._cell(p, i, x) for i in range(1, len(self.stages) + 1)]
        return [lambda x: self._conv_bn_relu(p, "stem", x)] + cells


# --------------------------------------------------------------------------------------
# 2. NDS
# --------------------------------------------------------------------------------------
class Genotype:
    """normal, reduce: lists of (op, state), two a node; *_concat: states that make up the output, in order."""

    def __init__(self, normal, normal_concat, reduce, reduce_concat, width=None, depth=None):
        self.normal, self.normal_concat = normal, list(normal_concat)
        self.reduce, self.reduce_concat = reduce, list(reduce_concat)


class NDS(Net):
    """CIFAR: stem (conv3x3 to 3 width, BN) and cells, reductions at a third and two thirds of them.
    ImageNet: two stems of three strided convolutions, whose outputs are the first cell's two inputs.
    Features: stem(s) and cells.  A cell reads the last two features; the gradient goes to the last only."""

    def __init__(self, genotype, width, depth, classes=10, imagenet=False):
        super().__init__()
        self.genotype, self.imagenet, self.cells = genotype, imagenet, []
        c = width
        if imagenet:
            for name, cout, cin in (("stem0.a", c // 2, 3), ("stem0.b", c, c // 2), ("stem1", c, c)):
                self._conv(name + ".conv", cout, cin, 3)
                self._norm(name + ".bn", cout)
            c2, c1, after_reduction = c, c, True
        else:
            self._conv("stem.conv", 3 * c, 3, 3)
            self._norm("stem.bn", 3 * c)
            c2, c1, after_reduction = 3 * c, 3 * c, False
        for k in range(depth):
            reduces = k in (depth // 3, 2 * depth // 3)
            c = 2 * c if reduces else c
            pairs = genotype.reduce if reduces else genotype.normal
            concat = genotype.reduce_concat if reduces else genotype.normal_concat
            self.cells.append((k, reduces, after_reduction, c))
            if after_reduction:
                self._reduction(f"c{k}.s0", c, c2)
            else:
                self._conv(f"c{k}.s0.conv", c, c2, 1)
                self._norm(f"c{k}.s0.bn", c)
            self._conv(f"c{k}.s1.conv", c, c1, 1)
            self._norm(f"c{k}.s1.bn", c)
            for e, (op, state) in enumerate(pairs):
                self._op(f"c{k}.e{e}", op, c, 2 if reduces and state < 2 else 1)
            c2, c1, after_reduction = c1, len(concat) * c, reduces
        self._linear("fc", classes, c1)

    def _reduction(self, name, cout, cin):
        self._conv(name + ".even", cout // 2, cin, 1)
        self._conv(name + ".odd", cout // 2, cin, 1)
        self._norm(name + ".bn", cout)

    def _op(self, name, op, c, stride):
        if op == "skip_connect" and stride == 2:
            self._reduction(name, c, c)
        elif op in ("conv_1x1", "conv_3x3"):
            self._conv(name + ".conv", c, c, int(op[5]))
            self._norm(name + ".bn", c)
        elif op in ("conv_3x1_1x3", "conv_7x1_1x7"):
            k = int(op[5])
            self.spec[name + ".row.weight"] = ((c, c, 1, k), "conv")
            self.spec[name + ".column.weight"] = ((c, c, k, 1), "conv")
            self._norm(name + ".bn", c)
        elif op.startswith(("sep_conv", "dil_conv", "dil_sep_conv")):
            for half in "a" if op.startswith("dil_conv") else "ab":
                self._conv(f"{name}.{half}.dw", c, 1, int(op[-1]))
                self._conv(f"{name}.{half}.pw", c, c, 1)
                self._norm(f"{name}.{half}.bn", c)

    def _relu_conv_bn(self, p, name, x, stride=1):
        w = p[name + ".conv.weight"]
        return self._bn(p, name + ".bn", az.F.conv2d(az.F.relu(x), w, stride=stride, padding=w.shape[-1] // 2))

    def _factorised(self, p, name, x):
        x = az.F.relu(x)
        odd = az.F.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:]
        halves = [az.F.conv2d(x, p[name + ".even.weight"], stride=2), az.F.conv2d(odd, p[name + ".odd.weight"], stride=2)]
        return self._bn(p, name + ".bn", torch.cat(halves, 1))

    def _apply(self, p, name, op, x, stride):
        if op == "none":
            return 0.0 * x[:, :, ::stride, ::stride]
        if op == "skip_connect":
            return x if stride == 1 else self._factorised(p, name, x)
        if op.startswith("avg_pool"):
            return az.F.avg_pool2d(x, 3, stride, 1, count_include_pad=False)
        if op.startswith("max_pool"):
            k = int(op[-1])
            return az.F.max_pool2d(x, k, stride, k // 2)
        if op in ("conv_1x1", "conv_3x3"):
            return self._relu_conv_bn(p, name, x, stride)
        if op in ("conv_3x1_1x3", "conv_7x1_1x7"):
            k = int(op[5])
            y = az.F.conv2d(az.F.relu(x), p[name + ".row.weight"], stride=(1, stride), padding=(0, k // 2))
            y = az.F.conv2d(y, p[name + ".column.weight"], stride=(stride, 1), padding=(k // 2, 0))
            return self._bn(p, name + ".bn", y)
        dilation = 2 if op.startswith("dil") else 1
        for half in "a" if op.startswith("dil_conv") else "ab":
            w = p[f"{name}.{half}.dw.weight"]
            padding = dilation * (w.shape[-1] // 2)
            y = az.F.conv2d(az.F.relu(x), w, stride=stride if half == "a" else 1, padding=padding, dilation=dilation,
                         groups=w.shape[0])
            x = self._bn(p, f"{name}.{half}.bn", az.F.conv2d(y, p[f"{name}.{half}.pw.weight"]))
        return x

    def _cell(self, p, cell, before, last):
        k, reduces, after_reduction, _ = cell
        pairs = self.genotype.reduce if reduces else self.genotype.normal
        concat = self.genotype.reduce_concat if reduces else self.genotype.normal_concat
        s0 = self._factorised(p, f"c{k}.s0", before) if after_reduction else self._relu_conv_bn(p, f"c{k}.s0", before)
        states = [s0, self._relu_conv_bn(p, f"c{k}.s1", last)]
        for node in range(len(pairs) // 2):
            terms = []
            for e in (2 * node, 2 * node + 1):
                op, state = pairs[e]
                stride = 2 if reduces and state < 2 else 1
                terms.append(self._apply(p, f"c{k}.e{e}", op, states[state], stride))
            states.append(terms[0] + terms[1])
        return torch.cat([states[state] for state in concat], 1)

    def _stem0(self, p, x):
        w = p["stem0.a.conv.weight"]
        x = self._bn(p, "stem0.a.bn", az.F.conv2d(x, w, stride=2, padding=1))
        return self._relu_conv_bn(p, "stem0.b", x, 2)

    def maps(self, p):
        """Each map is called once, in order: it remembers what it read for the one after it."""
        seen = {}

        def stem(x):
            return self._bn(p, "stem.bn", az.F.conv2d(x, p["stem.conv.weight"], padding=1))

        def stem1(x):
            seen["before"] = x
            return self._relu_conv_bn(p, "stem1", x, 2)

        def run(cell, x):
            # The first cell behind a single stem reads it twice, and both ways count.
            before = seen.get("before", x)
            seen["before"] = x
            return self._cell(p, cell, before, x)

        stems = [lambda x: self._stem0(p, x), stem1] if self.imagenet else [stem]
        return stems + [lambda x, cell=cell: run(cell, x) for cell in self.cells]
