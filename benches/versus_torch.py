"""Times scores by PyTorch and by this project in turns, one thread each, on the same architectures.

The PyTorch side is what a plain program of the method does, in single precision: draw the weights and the input, run block
after block in training mode, take the eigenvalues of the covariance of each feature and the largest singular value of each
block's matrix of gradients. It is kept generous: weights want no gradients, and the graph of one block is alive at a
time (the authors' program keeps that of the whole network). Both sides count everything from drawing to scores.

In a turn each side scores a cell eight times, a MobileNetV2 structure twice; of all turns the best time counts. PyTorch's memory is the
growth of its process's peak since the library was imported, ours the workspace.

With --whole the proxies of whole networks are timed instead, on cells: GradNorm and SNIP of one way forwards and back, and each
of the others by itself, as their authors' programs compute them (Synflow in double precision).

With --bfloat16 both sides multiply numbers of that type in convolutions, PyTorch by its `autocast`.

--check compares the scores themselves: each side with several seeds, whose means have to agree within their errors. There
PyTorch's covariances and eigenvalues are in double precision, as ours mostly are: in single precision some cells get eigenvalues of
the wrong sign, and the plain program's expressivity is then not a number. (Here such an eigenvalue counts as 0.)
"""
import argparse
import json
import math
import re
import resource
import subprocess
import sys
import time

CELLS = [
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|",
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|",
    "|skip_connect~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|nor_conv_3x3~0|nor_conv_1x1~1|nor_conv_3x3~2|",
    "|skip_connect~0|+|nor_conv_1x1~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|nor_conv_1x1~2|",
    "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|",
    "|avg_pool_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|skip_connect~1|avg_pool_3x3~2|",
]
STRUCTURES = [
    "SuperConvK3BNRELU(3,8,2,1)SuperResIDWE6K3(8,32,2,8,1)SuperResIDWE6K3(32,48,2,32,1)"
    "SuperResIDWE6K3(48,96,2,48,1)SuperResIDWE6K3(96,128,2,96,1)SuperConvK1BNRELU(128,2048,1,1)",
    "SuperConvK3BNRELU(3,24,2,1)SuperResIDWE2K3(24,24,2,24,1)SuperResIDWE4K7(24,40,2,32,2)SuperResIDWE4K5(40,80,2,48,3)"
    "SuperResIDWE6K3(80,112,1,96,3)SuperResIDWE6K7(112,192,2,128,3)SuperConvK1BNRELU(192,2048,1,1)",
]
VERTICES = ["7:110001001101001100001:3m133", "7:101010101100001000001:333mm", "6:101001010110111:mmm1"]
GENOTYPES = [
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], "
    "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5], width=16, depth=8)",
    "Genotype(normal=[('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 0), ('sep_conv_3x3', 0), "
    "('avg_pool_3x3', 1), ('skip_connect', 0), ('avg_pool_3x3', 0), ('avg_pool_3x3', 0), ('sep_conv_3x3', 1), "
    "('skip_connect', 1)], normal_concat=[2, 3, 4, 5, 6], reduce=[('sep_conv_5x5', 1), ('sep_conv_7x7', 0), "
    "('max_pool_3x3', 1), ('sep_conv_7x7', 0), ('avg_pool_3x3', 1), ('sep_conv_5x5', 0), ('skip_connect', 3), "
    "('avg_pool_3x3', 2), ('sep_conv_3x3', 2), ('max_pool_3x3', 1)], reduce_concat=[4, 5, 6], width=16, depth=8)",
    "Genotype(normal=[('avg_pool_3x3', 0), ('max_pool_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 2), "
    "('sep_conv_3x3', 0), ('avg_pool_3x3', 3), ('sep_conv_3x3', 1), ('skip_connect', 1), ('skip_connect', 0), "
    "('avg_pool_3x3', 1)], normal_concat=[4, 5, 6], reduce=[('avg_pool_3x3', 0), ('sep_conv_3x3', 1), ('max_pool_3x3', 0), "
    "('sep_conv_7x7', 2), ('sep_conv_7x7', 0), ('avg_pool_3x3', 1), ('max_pool_3x3', 0), ('max_pool_3x3', 1), "
    "('conv_7x1_1x7', 0), ('sep_conv_3x3', 5)], reduce_concat=[3, 4, 6], width=16, depth=8)",
]
SPACES = {"nb201": (CELLS, 32), "mbv2": (STRUCTURES, 224), "nb101": (VERTICES, 32), "nds": (GENOTYPES, 32)}
# Of each side in a turn: the first ones after a change of sides find cold caches.
SCORES = {"nb201": 8, "mbv2": 2, "nb101": 8, "nds": 8}
PROXIES = ("expressivity", "progressivity", "trainability")
WHOLE = ("grad-norm,snip", "synflow", "naswot", "zen", "zico", "grad-sign")


class Torch:
    """Networks as chains of blocks, and their scores, in PyTorch."""

    def __init__(self, double_statistics, bfloat16):
        import torch
        import torch.nn.functional

        torch.set_num_threads(1)
        self.torch, self.functional = torch, torch.nn.functional
        self.double_statistics = double_statistics
        self.precision = torch.autocast("cpu", torch.bfloat16, enabled=bfloat16)
        # What proxies of whole networks look at or change.
        self.weights, self.trains, self.seen, self.norms, self.normalises = [], False, None, None, True

    def weight(self, outputs, inputs_per_group, kernel):
        """Kaiming's normal distribution by fan-in."""
        deviation = math.sqrt(2.0 / (inputs_per_group * kernel * kernel))
        weight = self.torch.randn(outputs, inputs_per_group, kernel, kernel) * deviation
        if not self.normalises:
            weight = weight.double().abs()
        self.weights.append(weight.requires_grad_(self.trains))
        return weight

    def relu(self, x):
        if self.seen is not None:
            self.seen(x)
        return self.functional.relu(x)

    def convolution(self, inputs, outputs, kernel, stride, epsilon, groups=1, normalised=True):
        """A convolution and batch normalisation with the statistics of this very batch."""
        weight = self.weight(outputs, inputs // groups, kernel)

        def run(x):
            x = self.functional.conv2d(x, weight, stride=stride, padding=kernel // 2, groups=groups)
            if not (normalised and self.normalises):
                return x
            if self.norms is not None:
                self.norms.append(x.var(dim=(0, 2, 3)).mean())
            return self.functional.batch_norm(x, None, None, training=True, eps=epsilon)

        return run

    def cell(self, text, channels):
        """Four nodes, each the sum of its edges."""
        edges = [re.findall(r"(\w+)~(\d)", node) for node in text.split("+")]
        run_edge = {}
        for target, sources in enumerate(edges, start=1):
            for operation, source in sources:
                if operation.startswith("nor_conv"):
                    convolution = self.convolution(channels, channels, int(operation[-1]), 1, 1e-5)
                    run = lambda x, convolution=convolution: convolution(self.relu(x))
                elif operation == "avg_pool_3x3":
                    run = lambda x: self.functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
                elif operation == "skip_connect":
                    run = lambda x: x
                else:
                    run = None
                run_edge[target, int(source)] = run

        def run(x):
            nodes = [x]
            for target in range(1, 4):
                terms = [run_edge[target, source] for source in range(target)]
                terms = [term(node) for term, node in zip(terms, nodes) if term]
                nodes.append(sum(terms) if terms else self.torch.zeros_like(x))
            return nodes[-1]

        return run

    def reduction(self, inputs):
        """A residual block with stride 2."""
        first = self.convolution(inputs, 2 * inputs, 3, 2, 1e-5)
        second = self.convolution(2 * inputs, 2 * inputs, 3, 1, 1e-5)
        shortcut = self.convolution(inputs, 2 * inputs, 1, 1, None, normalised=False)
        relu = self.relu
        return lambda x: shortcut(self.functional.avg_pool2d(x, 2)) + second(relu(first(relu(x))))

    def inverted_residual(self, inputs, outputs, hidden, kernel, stride, projects):
        """1x1 to the hidden width, depthwise, 1x1, and the shortcut."""
        expand = self.convolution(inputs, hidden, 1, 1, 1e-3)
        depthwise = self.convolution(hidden, hidden, kernel, stride, 1e-3, groups=hidden)
        reduce = self.convolution(hidden, outputs, 1, 1, 1e-3)
        shortcut = self.convolution(inputs, outputs, 1, stride, 1e-3) if projects else lambda x: x
        relu = self.relu
        return lambda x: relu(reduce(relu(depthwise(relu(expand(x))))) + shortcut(x))

    def cell_network(self, text):
        """CIFAR-10's skeleton: the stem, five cells, a reduction, and so on."""
        blocks, channels = [self.convolution(3, 16, 3, 1, 1e-5)], 16
        for stage in range(3):
            if stage:
                blocks.append(self.reduction(channels))
                channels *= 2
            blocks += [self.cell(text, channels) for _ in range(5)]
        return blocks

    def structure_network(self, text):
        """A block for each convolution and for each half of a residual super-block."""
        blocks = []
        for name, numbers in re.findall(r"(\w+)\(([\d,]+)\)", text):
            inputs, outputs, stride, *middle, repetitions = map(int, numbers.split(","))
            expansion = re.search(r"E(\d)K", name)
            kernel = int(re.search(r"K(\d)", name)[1])
            for repetition in range(repetitions):
                if expansion is None:
                    convolution = self.convolution(inputs, outputs, kernel, stride, 1e-3)
                    blocks.append(lambda x, convolution=convolution: self.relu(convolution(x)))
                else:
                    halves = (inputs, middle[0], stride, repetition == 0), (middle[0], outputs, 1, False)
                    for source, target, step, first in halves:
                        projects = first or source != target
                        hidden = max(8, round(target * int(expansion[1]) / 8) * 8)
                        blocks.append(self.inverted_residual(source, target, hidden, kernel, step, projects))
                inputs, stride = outputs, 1
        return blocks

    def plain(self, inputs, outputs, kernel, stride=(1, 1), groups=1, dilation=1):
        """A convolution alone, its kernel and stride by rows and columns."""
        weight = self.torch.randn(outputs, inputs // groups, *kernel)
        weight *= math.sqrt(2.0 / (inputs // groups * kernel[0] * kernel[1]))
        padding = [dilation * (side // 2) for side in kernel]
        return lambda x: self.functional.conv2d(x, weight, None, stride, padding, dilation, groups)

    def norm(self, x):
        return self.functional.batch_norm(x, None, None, training=True, eps=1e-5)

    def vertex_cell(self, text, inputs, outputs, pools):
        """Vertices in order, each the sum of its edges; the outputs are dealt out among those that lead to the last."""
        count, bits, letters = text.split(":")
        last, bits = int(count) - 1, iter(bits)
        leads = {(x, y): next(bits) == "1" for y in range(1, last + 1) for x in range(y)}
        ends = [v for v in range(1, last) if leads[v, last]]
        width = {v: outputs // len(ends) + (i < outputs % len(ends)) for i, v in enumerate(ends)}
        for v in reversed(range(1, last)):
            width.setdefault(v, max((width[w] for w in range(v + 1, last) if leads[v, w]), default=0))
        width[last] = outputs
        project = {v: self.convolution(inputs, width[v], 1, 1, 1e-5) for v in range(1, last + 1) if leads[0, v]}
        operate = {}
        for v, letter in enumerate(letters, start=1):
            if letter != "m":
                operate[v] = self.convolution(width[v], width[v], int(letter), 1, 1e-5)

        def run(x):
            x = self.functional.max_pool2d(x, 2) if pools else x
            value = {}
            for v in range(1, last + 1):
                terms = [self.relu(project[v](x))] if leads[0, v] else []
                if v == last:
                    terms += [self.torch.cat([value[w] for w in ends], dim=1)] if ends else []
                    return sum(terms)
                terms += [value[w][:, : width[v]] for w in range(1, v) if leads[w, v]]
                value[v] = self.functional.max_pool2d(sum(terms), 3, 1, 1) if v not in operate else \
                    self.relu(operate[v](sum(terms)))

        return run

    def vertex_network(self, text, channels=15):
        """Three stacks of three cells."""
        stem = self.convolution(3, channels, 3, 1, 1e-5)
        blocks, inputs = [lambda x: self.relu(stem(x))], channels
        for place in range(9):
            outputs = channels << place // 3
            blocks.append(self.vertex_cell(text, inputs, outputs, place in (3, 6)))
            inputs = outputs
        return blocks

    def factorised(self, inputs, outputs):
        halves = [self.plain(inputs, outputs // 2, (1, 1), (2, 2)) for _ in range(2)]

        def run(x):
            x = self.relu(x)
            return self.norm(self.torch.cat([halves[0](x), halves[1](x[:, :, 1:, 1:])], dim=1))

        return run

    def rectified(self, *convolutions):
        """A rectifier, convolutions, a normalisation."""

        def run(x):
            x = self.relu(x)
            for convolution in convolutions:
                x = convolution(x)
            return self.norm(x)

        return run

    def operation(self, name, c, s):
        """An operation of NDS on c channels with stride s."""
        k = int(name[-1]) if name[-1].isdigit() else 0
        if name == "skip_connect":
            return self.factorised(c, c) if s == 2 else lambda x: x
        if name == "none":
            return lambda x: 0 * x[:, :, ::s, ::s]
        if name.startswith("avg"):
            return lambda x: self.functional.avg_pool2d(x, k, s, k // 2, count_include_pad=False)
        if name.startswith("max"):
            return lambda x: self.functional.max_pool2d(x, k, s, k // 2)
        if name in ("conv_1x1", "conv_3x3"):
            return self.rectified(self.plain(c, c, (k, k), (s, s)))
        if name.startswith("conv"):
            return self.rectified(self.plain(c, c, (1, k), (1, s)), self.plain(c, c, (k, 1), (s, 1)))
        halves = [
            self.rectified(
                self.plain(c, c, (k, k), (stride, stride), c, 2 if name.startswith("dil") else 1), self.plain(c, c, (1, 1))
            )
            for stride in ((s,) if name.startswith("dil_conv") else (s, 1))
        ]
        return halves[0] if len(halves) == 1 else lambda x: halves[1](halves[0](x))

    def genotype_network(self, text):
        """The stem and cells that read the last two features; a block remembers what it read for the next one."""
        lists = [re.findall(r"\('(\w+)', (\d)\)", part) for part in re.findall(r"(?:normal|reduce)=(\[[^]]*\])", text)]
        parts = [list(map(int, part.split(","))) for part in re.findall(r"concat=\[([^]]*)\]", text)]
        width, depth = (int(re.search(name + r"=(\d+)", text)[1]) for name in ("width", "depth"))
        blocks, seen = [self.convolution(3, 3 * width, 3, 1, 1e-5)], {}
        before, last, c, larger = 3 * width, 3 * width, width, False
        for place in range(depth):
            halves = place in (depth // 3, 2 * depth // 3)
            c *= 1 + halves
            first = self.factorised(before, c) if larger else self.rectified(self.plain(before, c, (1, 1)))
            second = self.rectified(self.plain(last, c, (1, 1)))
            edges = [(self.operation(name, c, 2 if halves and state in "01" else 1), int(state)) for name, state in lists[halves]]

            def run(x, place=place, first=first, second=second, edges=edges, ends=parts[halves]):
                states = [first(seen["before"] if place else x), second(x)]
                seen["before"] = x.detach()
                for (f, i), (g, j) in zip(edges[::2], edges[1::2]):
                    states.append(f(states[i]) + g(states[j]))
                return self.torch.cat([states[end] for end in ends], dim=1)

            blocks.append(run)
            before, last, larger = last, len(parts[halves]) * c, halves
        return blocks

    def network(self, space, text):
        builders = {
            "nb201": self.cell_network,
            "mbv2": self.structure_network,
            "nb101": self.vertex_network,
            "nds": self.genotype_network,
        }
        return builders[space](text)

    def entropy(self, feature):
        """The entropy of the spectrum of the channels' covariance."""
        rows = feature.float().movedim(1, -1).flatten(0, 2)
        if self.double_statistics:
            rows = rows.double()
        rows = rows - rows.mean(dim=0)
        eigenvalues = self.torch.linalg.eigvalsh(rows.T @ rows / len(rows)).clamp(min=0)
        shares = eigenvalues / eigenvalues.sum()
        return float(-(shares * (shares + 1e-8).log()).sum())

    def gain(self, gradient, direction):
        """The largest singular value of the mean product of gradients at a position, as 2 - gain - 1 / gain."""
        ratio = gradient.shape[2] // direction.shape[2]
        gradient = self.functional.pixel_unshuffle(gradient, ratio)
        gradient, direction = (x.float().movedim(1, -1).flatten(0, 2) for x in (gradient, direction))
        matrix = gradient.T @ direction / len(direction)
        sigma = float(self.torch.linalg.matrix_norm(matrix, ord=2))
        return 2.0 - sigma - 1.0 / (sigma + 1e-6)

    def score(self, space, text, batch, resolution, seed):
        """Expressivity, progressivity and trainability."""
        self.torch.manual_seed(seed)
        blocks = self.network(space, text)
        with self.torch.no_grad(), self.precision:
            feature = blocks[0](self.torch.randn(batch, 3, resolution, resolution))
        entropies, gains = [self.entropy(feature)], []
        for block in blocks[1:]:
            source = feature.requires_grad_(True)
            with self.precision:
                output = block(source)
            direction = (self.torch.randint(0, 2, output.shape) * 2 - 1).to(output.dtype)
            gradient = self.torch.autograd.grad(output, source, direction)[0]
            gains.append(self.gain(gradient, direction))
            feature = output.detach()
            entropies.append(self.entropy(feature))
        steps = [after - before for before, after in zip(entropies, entropies[1:])]
        return sum(entropies), min(steps), sum(gains) / len(gains)

    def classifier(self, text, trains, normalises=True):
        """A whole cell network: logits of ten classes, and the map before the pooling."""
        self.weights, self.trains, self.normalises = [], trains, normalises
        blocks = self.cell_network(text)
        linear = self.weight(10, 64, 1)

        def run(x):
            for block in blocks:
                x = block(x)
            if normalises:
                x = self.functional.batch_norm(x, None, None, training=True, eps=1e-5)
            last = self.relu(x)
            return self.functional.linear(last.mean(dim=(2, 3)), linear[:, :, 0, 0]), last

        return run

    def gradients(self, network, x):
        """Of the loss, with labels drawn, with respect to all weights that reach it."""
        loss = self.functional.cross_entropy(network(x)[0], self.torch.randint(10, (len(x),)))
        return self.torch.autograd.grad(loss, self.weights, allow_unused=True)

    def whole(self, proxy, text, batch, resolution, seed):
        """A proxy of the whole network."""
        torch = self.torch
        torch.manual_seed(seed)
        x = torch.randn(batch, 3, resolution, resolution)
        if proxy == "synflow":
            network = self.classifier(text, trains=True, normalises=False)
            total = network(torch.ones(1, 3, resolution, resolution, dtype=torch.float64))[0].sum()
            got = torch.autograd.grad(total, self.weights, allow_unused=True) if total.requires_grad else []
            return float(sum((w.detach() * g).abs().sum() for w, g in zip(self.weights, got) if g is not None))
        if proxy in ("naswot", "zen"):
            network = self.classifier(text, trains=False)
            with torch.no_grad():
                if proxy == "naswot":
                    kernel = torch.zeros(batch, batch, dtype=torch.float64)

                    def seen(x):
                        signs = (x.flatten(1) > 0).float()
                        kernel.add_((signs @ signs.T + (1 - signs) @ (1 - signs).T).double())

                    self.seen = seen
                    network(x)
                    self.seen = None
                    return float(torch.linalg.slogdet(kernel)[1])
                self.norms = []
                difference = (network(x)[1] - network(x + 0.01 * torch.randn_like(x))[1]).abs().sum() / batch
                norms, self.norms = self.norms, None
                return float(difference.log() + sum(norm.log() / 2 for norm in norms))
        network = self.classifier(text, trains=True)
        if proxy == "grad-norm,snip":
            got = [(w.detach(), g) for w, g in zip(self.weights, self.gradients(network, x)) if g is not None]
            return float(sum((g * g).sum() for _, g in got).sqrt() + sum((w * g).abs().sum() for w, g in got))
        if proxy == "zico":
            first, second = self.gradients(network, x), self.gradients(network, torch.randn_like(x))
            score = 0.0
            for pair in zip(first, second):
                if pair[0] is not None:
                    both = torch.stack(pair)
                    mean, deviation = both.abs().mean(dim=0), both.std(dim=0, unbiased=False)
                    kept = deviation != 0
                    score += float((mean[kept] / deviation[kept]).sum().log())
            return score
        signs = None
        for image in x.split(1):
            each = [g.sign() for g in self.gradients(network, image) if g is not None]
            signs = each if signs is None else [a + b for a, b in zip(signs, each)]
        return float(sum(s.abs().sum() for s in signs))


def peak_mebibytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def work(space, text, batch, resolution, proxy, double_statistics, bfloat16):
    """The PyTorch side in a process of its own: a score for every seed on standard input."""
    torch = Torch(double_statistics, bfloat16)
    before = peak_mebibytes()
    for line in sys.stdin:
        start = time.perf_counter()
        if proxy:
            proxies = (torch.whole(proxy, text, batch, resolution, int(line)),)
        else:
            proxies = torch.score(space, text, batch, resolution, int(line))
        milliseconds = 1e3 * (time.perf_counter() - start)
        memory = peak_mebibytes() - before
        print(json.dumps({"milliseconds": milliseconds, "memory": memory, **dict(zip(PROXIES, proxies))}), flush=True)


class Peer:
    """The PyTorch side of one architecture."""

    def __init__(self, case, bfloat16, double_statistics=False):
        command = [sys.executable, __file__, "--work", *map(str, case)]
        command += ["--check"] * double_statistics + ["--bfloat16"] * bfloat16
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def score(self, seeds):
        results = []
        for seed in seeds:
            self.process.stdin.write(f"{seed}\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
            if not line:
                sys.exit("versus_torch: the PyTorch process has ended; is there enough memory?")
            results.append(json.loads(line))
        return results

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def ours(arguments, seeds, space, text, batch, resolution, proxy=""):
    """Scores of the program: of one seed in one process, so that it keeps its memory."""
    results = []
    for seed in dict.fromkeys(seeds):
        command = [arguments.score, "--space", space, "--batch", str(batch), "--resolution", str(resolution)]
        command += ["--algorithm", "bfloat16"] * arguments.bfloat16 + ["--proxies", proxy] * bool(proxy)
        command += ["--threads", "1", "--seed", str(seed), "--format", "json", *[text] * seeds.count(seed)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        results += [json.loads(line) for line in output.splitlines()]
    for result in results:
        result["memory"] = result["workspace_bytes"] / 2**20
    return results


def compare_times(arguments, cases):
    print(f"{'batch':>5} {'ours':>9} {'PyTorch':>10} {'ratio':>6} {'ours':>8} {'PyTorch':>8}")
    print(f"{'':>5} {'ms':>9} {'ms':>10} {'':>6} {'MiB':>8} {'MiB':>8}  architecture")
    ratios = {}
    for case in cases:
        space, text, batch, _, proxy = case
        peer = Peer(case, arguments.bfloat16)
        own, other = [], []
        for turn in range(arguments.turns):
            other += peer.score([turn + 1] * SCORES[space])
            own += ours(arguments, [turn + 1] * SCORES[space], *case)
        peer.end()
        (own_time, own_memory), (other_time, other_memory) = (
            (min(r["milliseconds"] for r in results), max(r["memory"] for r in results)) for results in (own, other)
        )
        ratio = other_time / own_time
        ratios.setdefault((space, batch, proxy), []).append(ratio)
        sizes = f"{own_memory:8.1f} {other_memory:8.0f}"
        print(f"{batch:>5} {own_time:9.1f} {other_time:10.1f} {ratio:6.2f} {sizes}  {proxy} {text}", flush=True)
    for (space, batch, proxy), group in ratios.items():
        mean = math.exp(sum(map(math.log, group)) / len(group))
        print(f"geometric mean, {proxy or space}, batch {batch}: {mean:.2f} times as fast")


def statistics(results, proxy):
    """Mean of a proxy, and its variance from seed to seed."""
    values = [result[proxy] for result in results]
    mean = sum(values) / len(values)
    return mean, sum((value - mean) ** 2 for value in values) / (len(values) - 1)


def compare_scores(arguments, cases):
    """Means over seeds, and how many standard errors lie between them."""
    seeds = list(range(1, 1 + arguments.seeds))
    worst = 0.0
    print(f"{'batch':>5} {'proxy':<14} {'ours':>10} {'PyTorch':>10} {'deviation':>9} {'errors':>6}  architecture")
    for case in cases:
        _, text, batch, _, _ = case
        peer = Peer(case, arguments.bfloat16, double_statistics=True)
        own, other = ours(arguments, seeds, *case), peer.score(seeds)
        peer.end()
        for proxy in PROXIES:
            (own_mean, own_variance), (other_mean, other_variance) = statistics(own, proxy), statistics(other, proxy)
            error = math.sqrt(own_variance / len(own) + other_variance / len(other))
            distance = abs(own_mean - other_mean) / error
            worst = max(worst, distance)
            deviation = math.sqrt((own_variance + other_variance) / 2)
            print(f"{batch:>5} {proxy:<14} {own_mean:10.4f} {other_mean:10.4f} {deviation:9.4f} {distance:6.2f}  {text}")
    # Among a hundred comparisons none should be this far off by chance.
    if worst > 5:
        sys.exit(f"versus_torch: scores disagree, by {worst:.1f} standard errors")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--score", default="target/release/examples/score", help="our program (default: %(default)s)")
    parser.add_argument("--spaces", default="nb201,mbv2", help="of nb201, mbv2, nb101, nds (default: %(default)s)")
    parser.add_argument("--batches", default="64,8", help="images of an input batch (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=3, help="turns a side (default: %(default)s)")
    parser.add_argument("--bfloat16", action="store_true", help="multiply in bfloat16 on both sides")
    parser.add_argument("--check", action="store_true", help="compare the scores and not the times")
    parser.add_argument("--seeds", type=int, default=16, help="seeds of --check (default: %(default)s)")
    parser.add_argument("--whole", nargs="*", choices=WHOLE, help="time the proxies of whole networks, these or all, on cells")
    parser.add_argument("--work", nargs=5, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        space, text, batch, resolution, proxy = arguments.work
        return work(space, text, int(batch), int(resolution), proxy, arguments.check, arguments.bfloat16)
    try:
        import torch
    except ImportError:
        parser.error("no PyTorch: pip install torch numpy --index-url https://download.pytorch.org/whl/cpu")
    print(f"PyTorch {torch.__version__} and {arguments.score}, one thread each")
    cases = [
        (space, text, int(batch), SPACES[space][1], proxy)
        for space in (arguments.spaces.split(",") if arguments.whole is None else ["nb201"])
        for proxy in ([""] if arguments.whole is None else arguments.whole or WHOLE)
        for batch in arguments.batches.split(",")
        for text in SPACES[space][0]
    ]
    (compare_scores if arguments.check else compare_times)(arguments, cases)


if __name__ == "__main__":
    main()
