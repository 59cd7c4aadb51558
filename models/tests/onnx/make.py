"""Writes the small ONNX models of this folder and what PyTorch computes with them.

    python make.py [--only NAME ...]      (needs torch, onnx, safetensors)
    python make.py --torchvision FOLDER   (also needs torchvision: its models, and a table of the published counts)

Every model is exported as while training, so that batch normalisations stay. NAME.onnx is the model with its weights. NAME.safetensors
has an input batch and vectors of signs `v/1`, `v/2`, … and what follows from them in double precision: the entropy of the spectrum of
each feature, the output of a module named `f0`, `f1`, …, and the gain of each such module; and the last feature itself, `f/N`. Its
metadata names the features.

Of some models of torchvision, NAME.safetensors has all features `f/0`, `f/1`, … and the gains of three of them.
"""
import argparse
import os
import warnings

import onnx
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

warnings.filterwarnings("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))


class Blocks(nn.Module):
    """Modules f0, f1, … one after the other, then a head."""

    def __init__(self, blocks, head):
        super().__init__()
        self.count = len(blocks)
        for i, block in enumerate(blocks):
            setattr(self, f"f{i}", block)
        self.head = head

    def forward(self, x):
        for i in range(self.count):
            x = getattr(self, f"f{i}")(x)
        return self.head(x)


class Same(nn.Module):
    """A convolution and a pool padded as TensorFlow pads: what is odd of it goes below and to the right."""

    def __init__(self, channels):
        super().__init__()
        self.conv, self.norm, self.out = nn.Conv2d(channels, channels, 3, 2, bias=False), nn.BatchNorm2d(channels), unit(channels, channels, 1)

    def forward(self, x):
        y = F.relu(self.norm(self.conv(F.pad(x, (0, 1, 0, 1)))))
        return self.out(y + F.max_pool2d(x, (3, 2), 2, (1, 0)))


class Norms(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.a, self.group = nn.Conv2d(channels, channels, 3, padding=1), nn.GroupNorm(2, channels)
        self.b, self.instance = nn.Conv2d(channels, channels, 3, padding=1), nn.InstanceNorm2d(channels, affine=True)
        for norm in (self.group, self.instance):
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.uniform_(norm.bias, -0.5, 0.5)

    def forward(self, x):
        return F.relu(self.instance(self.b(F.relu(self.group(self.a(x))))))


class Sine(nn.Module):
    """What no op stands for."""

    def forward(self, x):
        return torch.sin(x)


class Gate(nn.Module):
    """Channels gated by their means and their maxima."""

    def __init__(self, channels):
        super().__init__()
        self.a, self.b = unit(channels, channels), nn.Conv2d(2 * channels, channels, 1)

    def forward(self, x):
        y = self.a(x)
        return y * torch.sigmoid(self.b(torch.cat((F.adaptive_avg_pool2d(y, 1), F.adaptive_max_pool2d(y, 1)), dim=1)))


def classifier(channels, classes=5):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def unit(i, o, k=3, s=1, act=nn.ReLU, groups=1, norm=True):
    layers = [nn.Conv2d(i, o, k, s, k // 2, groups=groups, bias=not norm)] + ([nn.BatchNorm2d(o)] if norm else [])
    return nn.Sequential(*layers, *([act()] if act else []))


class Residual(nn.Module):
    def __init__(self, branch, short=None, act=None):
        super().__init__()
        self.branch, self.short, self.act = branch, short or nn.Identity(), act or nn.Identity()

    def forward(self, x):
        return self.act(self.branch(x) + self.short(x))


class Squeeze(nn.Module):
    def __init__(self, channels, gate):
        super().__init__()
        self.reduce, self.expand, self.gate = nn.Conv2d(channels, 4, 1), nn.Conv2d(4, channels, 1), gate()

    def forward(self, x):
        return x * self.gate(self.expand(F.relu(self.reduce(x.mean((2, 3), keepdim=True)))))


class Shuffle(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.branch = nn.Sequential(unit(channels // 2, channels // 2, 1), unit(channels // 2, channels // 2, 3, act=None, groups=channels // 2))

    def forward(self, x):
        a, b = x.chunk(2, dim=1)
        x = torch.cat((a, self.branch(b)), dim=1)
        n, c, h, w = x.shape
        return x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)


class Dense(nn.Module):
    def __init__(self, channels, growth):
        super().__init__()
        self.a, self.b = unit(channels, growth), unit(channels + growth, growth)

    def forward(self, x):
        x = torch.cat((x, self.a(x)), dim=1)
        return torch.cat((x, self.b(x)), dim=1)


class LastNorm(nn.Module):
    """A layer normalisation of the channels of a map, as ConvNeXt has it."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.LayerNorm(channels, eps=1e-6)

    def forward(self, x):
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Next(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.depthwise, self.norm = nn.Conv2d(channels, channels, 7, padding=3, groups=channels), nn.LayerNorm(channels, eps=1e-6)
        self.up, self.down, self.scale = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels), nn.Parameter(0.1 + torch.rand(channels, 1, 1))

    def forward(self, x):
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        return x + self.scale * self.down(F.gelu(self.up(y))).permute(0, 3, 1, 2)


class Patches(nn.Module):
    def __init__(self, channels, patch, tokens, class_token=True):
        super().__init__()
        self.conv = nn.Conv2d(3, channels, patch, patch)
        self.token = nn.Parameter(torch.randn(1, 1, channels)) if class_token else None
        self.positions = nn.Parameter(torch.randn(1, tokens + (1 if class_token else 0), channels))

    def forward(self, x):
        x = self.conv(x).flatten(2).transpose(1, 2)
        if self.token is not None:
            x = torch.cat((self.token.expand(x.shape[0], -1, -1), x), dim=1)
        return x + self.positions


class Attend(nn.Module):
    """Attention as written out by timm: one linear map for queries, keys and values."""

    def __init__(self, channels, heads):
        super().__init__()
        self.norm, self.qkv, self.out, self.heads = nn.LayerNorm(channels), nn.Linear(channels, 3 * channels), nn.Linear(channels, channels), heads

    def forward(self, x):
        b, n, c = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        attention = ((q * (c // self.heads) ** -0.5) @ k.transpose(-2, -1)).softmax(dim=-1)
        return x + self.out((attention @ v).transpose(1, 2).reshape(b, n, c))


class SumAttend(Attend):
    """The same, by sums over letters."""

    def forward(self, x):
        b, n, c = x.shape
        q, k, v = (part.view(b, n, self.heads, c // self.heads) for part in self.qkv(self.norm(x)).chunk(3, dim=-1))
        attention = (torch.einsum("bihd,bjhd->bhij", q, k) * (c // self.heads) ** -0.5).softmax(dim=-1)
        y = torch.einsum("bhij,bhjd->bhid", attention, v.transpose(1, 2))
        return x + self.out(y.transpose(1, 2).reshape(b, n, c))


class TorchAttend(nn.Module):
    def __init__(self, channels, heads):
        super().__init__()
        self.norm, self.attention = nn.LayerNorm(channels), nn.MultiheadAttention(channels, heads, batch_first=True)

    def forward(self, x):
        y = self.norm(x)
        return x + self.attention(y, y, y, need_weights=False)[0]


class Feed(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.layers = nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, 2 * channels), nn.GELU(), nn.Dropout(0.0), nn.Linear(2 * channels, channels))

    def forward(self, x):
        return x + self.layers(x)


class Joints(nn.Module):
    """Paths that are weighed, and told apart, before they meet."""

    def __init__(self, channels):
        super().__init__()
        self.a, self.b = unit(channels, channels, act=nn.Mish), unit(channels, channels, act=nn.SELU)

    def forward(self, x):
        y = 0.5 * x + 0.25 * self.a(x)
        return y - torch.sigmoid(1.702 * y) * y + self.b(y) / 4


class NormByHand(nn.Module):
    """A layer normalisation of the channels of a map, written out."""

    def __init__(self, channels):
        super().__init__()
        self.weight, self.bias = nn.Parameter(0.5 + torch.rand(channels)), nn.Parameter(torch.rand(channels) - 0.5)

    def forward(self, x):
        d = x - x.mean(1, keepdim=True)
        x = d / torch.sqrt((d * d).mean(1, keepdim=True) + 1e-6)
        return self.weight[:, None, None] * x + self.bias[:, None, None]


class SqueezeByHand(nn.Module):
    """Squeeze and excitation of vectors: sums, linear maps, and a gate repeated to the map."""

    def __init__(self, channels):
        super().__init__()
        self.reduce, self.expand = nn.Linear(channels, 4, bias=False), nn.Linear(4, channels, bias=False)

    def forward(self, x):
        b, c, h, w = x.shape
        y = x.sum((2, 3)) / (h * w) + x.mean(3).mean(2)
        return x * torch.sigmoid(self.expand(F.relu(self.reduce(y)))).view(b, c, 1, 1).expand_as(x)


class SquaredRelu(nn.Module):
    def forward(self, x):
        return torch.clamp(x, min=0) ** 2


class Shortcut(nn.Module):
    """Every other row and column, with channels of zeros beside: what joins maps of two sizes without parameters."""

    def forward(self, x):
        x, more = x[:, :, ::2, ::2], x.shape[1] // 2
        x = F.pad(x, (0, 0, 0, 0, more, more))
        return torch.cat((x, torch.zeros_like(x[:, :4])), dim=1)


class TokenHead(nn.Module):
    def __init__(self, channels, first=True):
        super().__init__()
        self.norm, self.linear, self.first = nn.LayerNorm(channels), nn.Linear(channels, 5), first

    def forward(self, x):
        x = self.norm(x)
        return self.linear(x[:, 0] if self.first else x.mean(1))


def models():
    yield "residual", Blocks([unit(3, 8, 3, 2), Residual(nn.Sequential(unit(8, 8), unit(8, 8, act=None)), act=nn.ReLU()),
                              Residual(nn.Sequential(unit(8, 16, 3, 2), unit(16, 16, act=None)), unit(8, 16, 1, 2, act=None), nn.ReLU())], classifier(16)), 16
    for name, act in (("silu", nn.SiLU), ("hard_swish", nn.Hardswish), ("relu6", nn.ReLU6), ("leaky_relu", lambda: nn.LeakyReLU(0.1)), ("elu", nn.ELU),
                      ("tanh", nn.Tanh), ("sigmoid", nn.Sigmoid), ("hard_sigmoid", nn.Hardsigmoid), ("gelu", nn.GELU)):
        yield "activation_" + name, Blocks([unit(3, 8, 3, act=act), unit(8, 8, 3, act=act)], classifier(8)), 8
    yield "squeeze", Blocks([unit(3, 8), nn.Sequential(unit(8, 8, 3, groups=8), Squeeze(8, nn.Sigmoid), unit(8, 8, 1, act=None)),
                             nn.Sequential(unit(8, 8, 3, groups=8), Squeeze(8, nn.Hardsigmoid), unit(8, 8, 1, act=None))], classifier(8)), 8
    yield "shuffle", Blocks([unit(3, 8), Shuffle(8), Shuffle(8)], classifier(8)), 8
    yield "dense", Blocks([unit(3, 8), Dense(8, 4)], classifier(16)), 8
    yield "next", Blocks([nn.Sequential(nn.Conv2d(3, 8, 4, 4), LastNorm(8)), Next(8), Next(8)], classifier(8)), 16
    yield "vit", Blocks([Patches(16, 4, 16), Attend(16, 2), Feed(16), Attend(16, 4), Feed(16)], TokenHead(16)), 16
    yield "vit_sums", Blocks([Patches(16, 4, 16), SumAttend(16, 2), Feed(16)], TokenHead(16)), 16
    yield "vit_torch", Blocks([Patches(16, 4, 16), TorchAttend(16, 2), Feed(16)], TokenHead(16)), 16
    yield "vit_mean", Blocks([Patches(16, 4, 16, False), Attend(16, 2), Feed(16)], TokenHead(16, False)), 16
    yield "plain", nn.Sequential(nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(32, 10), nn.ReLU(),
                                 nn.Linear(10, 5)), 16
    yield "pools", Blocks([unit(3, 8), nn.Sequential(nn.MaxPool2d(3, 2, ceil_mode=True), unit(8, 8)), nn.Sequential(nn.AvgPool2d(3, 1, 1), unit(8, 8)),
                           nn.Sequential(nn.AvgPool2d(3, 1, 1, count_include_pad=False), unit(8, 8))], classifier(8)), 16


    yield "same", Blocks([unit(3, 8), Same(8), Same(8)], classifier(8)), 16
    yield "norms", Blocks([nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.GroupNorm(4, 8), nn.ReLU()), Norms(8)], classifier(8)), 8
    yield "maxima", Blocks([unit(3, 8), Gate(8), Gate(8)], nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(8, 5))), 8
    yield "sine", nn.Sequential(unit(3, 8), Sine(), nn.Conv2d(8, 8, 3), classifier(8)), 8
    yield "by_hand", Blocks([nn.Sequential(nn.Conv2d(3, 8, 4, 4), NormByHand(8)),
                             Residual(nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, groups=8), NormByHand(8), nn.Conv2d(8, 32, 1), nn.GELU(), nn.Conv2d(32, 8, 1))),
                             nn.Sequential(unit(8, 8), SqueezeByHand(8), nn.Conv2d(8, 8, 1), SquaredRelu())], classifier(8)), 16
    yield "joints", Blocks([unit(3, 8), Joints(8), Joints(8)], classifier(8)), 8
    yield "shortcuts", Blocks([unit(3, 8), Residual(unit(8, 20, 3, 2), Shortcut(), nn.ReLU())], nn.Sequential(classifier(20), nn.Softmax(1))), 8
    yield "vit_old", Blocks([Patches(16, 4, 16), Attend(16, 2), Feed(16)], TokenHead(16)), 16
    yield "uneven", Blocks([unit(3, 8), nn.Sequential(nn.Conv2d(8, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU()), unit(8, 8, 3, 2), unit(8, 8)], classifier(8)), 15


def positions(f):
    """Channels last, a row a position."""
    return (f.permute(0, 2, 3, 1) if f.dim() == 4 else f).flatten(0, -2)


def expressivity(f):
    z = positions(f)
    z = z - z.mean(0)
    p = torch.linalg.eigvalsh(z.T @ z / len(z)).clamp(min=0)
    p = p / p.sum()
    return float(-(p * (p + 1e-8).log()).sum())


def gain(u, v):
    """NaN for a block that does not shrink its map by one whole factor."""
    if u.dim() == 4:
        factor = u.shape[2] // v.shape[2]
        if u.shape[2:] != torch.Size(factor * size for size in v.shape[2:]):
            return float("nan")
        u = F.pixel_unshuffle(u, factor) if factor > 1 else u
    u, v = positions(u), positions(v)
    return float(torch.linalg.matrix_norm(u.T @ v / len(v), 2))


def feature_names(path, count):
    """The tensor that the last node of each module computes."""
    graph = onnx.load(path).graph
    return [[n for n in graph.node if n.name.startswith(f"/f{i}/")][-1].output[0] for i in range(count)]


def export(model, x, path, opset=17):
    torch.onnx.export(model, x, path, training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False, opset_version=opset, dynamo=False,
                      input_names=["input"], output_names=["logits"], dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}})


def export_dynamo(model, x, path):
    """By the other exporter, without what it notes beside the nodes."""
    torch.onnx.export(model, (x,), path, dynamo=True, optimize=False, external_data=False, verbose=False)
    exported = onnx.load(path)
    for part in (exported, exported.graph, *exported.graph.node, *exported.graph.value_info, *exported.graph.input, *exported.graph.output):
        part.ClearField("metadata_props")
    onnx.save(exported, path)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--torchvision", metavar="FOLDER")
    arguments.add_argument("--only", metavar="NAME", nargs="+", help="make these small models alone")
    arguments = arguments.parse_args()
    for name, model, side in models():
        if arguments.only is not None and name not in arguments.only:
            continue
        torch.manual_seed(3)
        for parameter in model.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=(2 / parameter[0].numel()) ** 0.5)
        model.train()
        x = torch.randn(4, 3, side, side)
        # Opset 11 has no layer normalisation.
        export(model, x, os.path.join(HERE, name + ".onnx"), 11 if name == "vit_old" else 17)
        if name in ("residual", "norms", "squeeze"):
            export_dynamo(model, x, os.path.join(HERE, name + "_dynamo.onnx"))
        if not isinstance(model, Blocks):
            continue
        out, f, model = {"input": x}, x.double(), model.double()
        entropies, gains = [], []
        for i in range(model.count):
            f = f.detach().requires_grad_(True)
            y = getattr(model, f"f{i}")(f)
            entropies.append(expressivity(y.detach()))
            if i > 0:
                v = torch.where(torch.rand(y.shape) < 0.5, -1.0, 1.0)
                gains.append(gain(torch.autograd.grad(y, f, v.double())[0], v.double()))
                out[f"v/{i}"] = v
            f = y
        out[f"f/{model.count - 1}"] = f.detach()
        out = {k: t.float().contiguous() for k, t in out.items()}
        out["expressivity"], out["sigma"] = torch.tensor(entropies, dtype=torch.float64), torch.tensor(gains, dtype=torch.float64)
        names = feature_names(os.path.join(HERE, name + ".onnx"), model.count)
        save_file(out, os.path.join(HERE, name + ".safetensors"), metadata={"features": ",".join(names)})
    if arguments.torchvision:
        torchvision_models(arguments.torchvision)


TORCHVISION = """alexnet vgg16_bn resnet18 resnet50 resnext50_32x4d wide_resnet50_2 mobilenet_v2 mobilenet_v3_small mobilenet_v3_large
    efficientnet_b0 efficientnet_v2_s regnet_x_400mf regnet_y_400mf densenet121 shufflenet_v2_x1_0 squeezenet1_0 squeezenet1_1 googlenet
    inception_v3 mnasnet1_0 convnext_tiny vit_b_16 swin_t maxvit_t""".split()

# Models whose features are recorded, and the classes of the modules that end their blocks.
RECORDED = {"resnet18": "BasicBlock", "mobilenet_v3_small": "InvertedResidual", "regnet_y_400mf": "ResBottleneckBlock",
            "shufflenet_v2_x1_0": "InvertedResidual", "squeezenet1_1": "Fire", "googlenet": "Inception", "convnext_tiny": "CNBlock", "vit_b_16": "EncoderBlock"}


def torchvision_models(folder):
    """Writes the models with drawn weights, and FOLDER/published.csv: name, parameters, giga multiply-adds."""
    import torchvision
    with open(os.path.join(folder, "published.csv"), "w") as table:
        table.write("name,parameters,giga_multiply_adds\n")
        for name in TORCHVISION:
            more = {"googlenet": {"aux_logits": False, "init_weights": False}, "inception_v3": {"aux_logits": False, "init_weights": False}}.get(name, {})
            torch.manual_seed(1)
            model = torchvision.models.get_model(name, weights=None, **more).train()
            side = 299 if name == "inception_v3" else 224
            weights = torchvision.models.get_model_weights(name).DEFAULT.meta
            try:
                export(model, torch.randn(2, 3, side, side), os.path.join(folder, name + ".onnx"))
            except Exception as error:  # what the exporter itself cannot do
                print(f"{name}: {error}", flush=True)
                continue
            table.write(f"{name},{weights['num_params']},{weights['_ops']}\n")
            if name in RECORDED:
                record(model, RECORDED[name], torch.randn(2, 3, side, side), os.path.join(folder, name))


def scope(path):
    """What the exporter calls the nodes of a module."""
    names = []
    for part in path.split("."):
        names.append(f"{names[-1]}.{part}" if part.isdigit() else part)
    return "".join("/" + name for name in names) + "/"


def record(model, kind, x, path):
    """What a model computes in double precision at the end of every module of a kind, without dropping anything."""
    nodes, features, outputs = onnx.load(path + ".onnx", load_external_data=False).graph.node, [], []
    for module_path, module in model.named_modules():
        for name in ("p", "inplace", "dropout"):
            if hasattr(module, name) and isinstance(getattr(module, name), (bool, int, float)):
                setattr(module, name, False if name == "inplace" else 0.0)
        if type(module).__name__ == kind:
            features.append([node for node in nodes if node.name.startswith(scope(module_path))][-1].output[0])
            module.register_forward_hook(lambda *call: outputs.append(call[-1]))
    model.double()(x.double())
    out = {f"f/{i}": y for i, y in enumerate(outputs)}
    gains = [float("nan")] * len(outputs)
    for i in sorted({1, len(outputs) // 2, len(outputs) - 1}):
        v = torch.where(torch.rand(outputs[i].shape) < 0.5, -1.0, 1.0)
        gains[i] = gain(torch.autograd.grad(outputs[i], outputs[i - 1], v.double(), retain_graph=True)[0], v.double())
        out[f"v/{i}"] = v
    out = {name: tensor.detach().float().contiguous() for name, tensor in out.items()}
    out.update(input=x, sigma=torch.tensor(gains[1:], dtype=torch.float64))
    save_file(out, path + ".safetensors", metadata={"features": ",".join(features)})


if __name__ == "__main__":
    main()
