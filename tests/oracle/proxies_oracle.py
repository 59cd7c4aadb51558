"""Independent numerical oracle for the nine zero-cost proxies that the paper compares with (its Tables 1 and 5, Figures 4, 6, 7).

Written from the definitions in the papers and the programs of the authors of each. As in aznas_oracle.py everything random is an argument: parameters, input
batches and labels, so that any other implementation can be fed the same numbers. Every proxy is "higher is better".

    net    = NB201("|nor_conv_3x3~0|+|...|")              # or MBV2(...)
    params = init_params(net, "kaiming_fan_in", generator)
    grad_norm(net, params, x, labels), snip(...), grasp(...), ...

`weights` are the weights of convolutions and linear maps: no biases, no gains, no shifts. The loss is the mean cross entropy over the
batch. Networks run as while training: batch normalisation uses the statistics of the batch, and gradients go through them.
"""
import contextlib
import math
import os
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import aznas_oracle as az

WEIGHTS = ("conv", "linear", "patch_weight")


class _Taps:
    """What a forward pass is asked to record: inputs of rectifiers, inputs of batch normalisations; or to leave the latter out."""

    def __init__(self, relu=None, norm=None, bypass_norm=False):
        self.relu, self.norm, self.bypass_norm = relu, norm, bypass_norm


@contextlib.contextmanager
def _tapped(net, taps):
    class Functional:
        def __getattr__(self, name):
            return getattr(F, name)

        def relu(self, x):
            if taps.relu is not None:
                taps.relu.append(x)
            return F.relu(x)

        def batch_norm(self, x, mean, var, gain, shift, training, momentum, eps):
            if taps.norm is not None:
                taps.norm.append(x)
            return x if taps.bypass_norm else F.batch_norm(x, mean, var, gain, shift, training, momentum, eps)

    saved, az.F = az.F, Functional()
    try:
        yield az.F
    finally:
        az.F = saved


def features(net, p, x):
    """Every feature f_0 .. f_{L-1}."""
    out = []
    for block in net.maps(p):
        x = block(x)
        out.append(x)
    return out


def last_map(net, p, feature, functional):
    """The map whose mean over positions the classifier reads: batch normalisation and rectifier of the last feature in NAS-Bench-201, the
    last feature itself in MobileNetV2-like networks and those of cells_oracle.py, its layer normalisation without the class token in vision transformers."""
    if isinstance(net, az.NB201):
        return functional.relu(net._bn(p, "head.bn", feature))
    return net._ln(p, "norm", feature)[:, 1:] if isinstance(net, az.ViT) else feature


def classify(net, p, m):
    name = {az.NB201: "head.fc", az.ViT: "head"}.get(type(net), "fc")
    return F.linear(m.mean(dim=1 if m.dim() == 3 else (2, 3)), p[name + ".weight"], p[name + ".bias"])


def forward(net, p, x, taps=None):
    """Logits and the map before the pooling."""
    with _tapped(net, taps or _Taps()) as functional:
        m = last_map(net, p, features(net, p, x)[-1], functional)
        return classify(net, p, m), m


def feature_gradients(net, params, x, labels):
    """Gradient of the loss with respect to every feature; zero for features that do not influence it."""
    with _tapped(net, _Taps()) as functional:
        fs, f = [], x
        for block in net.maps(params):
            f = block(f)
            f = f if f.requires_grad else f.detach().requires_grad_(True)     # a chain that is cut, by zeros, goes on from a leaf
            fs.append(f)
        loss = F.cross_entropy(classify(net, params, last_map(net, params, fs[-1], functional)), labels)
        got = torch.autograd.grad(loss, fs, allow_unused=True)
    return [torch.zeros_like(f) if g is None else g for f, g in zip(fs, got)]


def _is_weight(net, name):
    return net.spec[name][1] in WEIGHTS


def gradients(net, params, x, labels, create_graph=False, only_weights=True):
    """name -> (tensor that requires a gradient, its gradient); parameters that do not influence the loss have gradient zero."""
    p = {k: t.detach().clone().requires_grad_(True) for k, t in params.items()}
    logits, _ = forward(net, p, x)
    loss = F.cross_entropy(logits, labels)
    names = [k for k in p if not only_weights or _is_weight(net, k)]
    got = torch.autograd.grad(loss, [p[k] for k in names], create_graph=create_graph, allow_unused=True)
    return {k: (p[k], torch.zeros_like(p[k]) if g is None else g) for k, g in zip(names, got)}


def grad_norm(net, params, x, labels):
    """Euclidean norm of the gradient with respect to all parameters, biases, gains and shifts included."""
    return math.sqrt(sum(float((g.double() ** 2).sum()) for _, g in gradients(net, params, x, labels, only_weights=False).values()))


def snip(net, params, x, labels):
    """Sum over the weights of |w dL/dw|."""
    return sum(float((w * g).double().abs().sum()) for w, g in gradients(net, params, x, labels).values())


def grasp(net, params, x, labels):
    """-w . (H g), H the Hessian of the loss with respect to the weights, g its gradient."""
    both = gradients(net, params, x, labels, create_graph=True)
    z = sum((g.detach() * g).sum() for _, g in both.values() if g.requires_grad)
    weights = [w for w, _ in both.values()]
    hg = torch.autograd.grad(z, weights, allow_unused=True)
    return -sum(float((w.detach() * h).double().sum()) for w, h in zip(weights, hg) if h is not None)


def synflow(net, params, resolution):
    """Sum over the weights of |w dR/dw|, R the sum of the outputs for one image of ones, of the network with the absolute values of all
    parameters and without batch normalisations. In double precision: values reach 1e49."""
    p = {k: t.double().abs().requires_grad_(True) for k, t in params.items()}
    logits, _ = forward(net, p, torch.ones((1,) + net.input_shape(resolution), dtype=torch.float64), _Taps(bypass_norm=True))
    names = [k for k in p if _is_weight(net, k)]
    got = torch.autograd.grad(logits.sum(), [p[k] for k in names], allow_unused=True)
    return sum(float((p[k] * g).abs().sum()) for k, g in zip(names, got) if g is not None)


def naswot(net, params, x):
    """ln |det K|, K[i, j] = number of rectifier inputs that images i and j agree on being positive."""
    taps = _Taps(relu=[])
    with torch.no_grad():
        forward(net, params, x, taps)
    k = torch.zeros(len(x), len(x), dtype=torch.float64)
    for r in taps.relu:
        c = (r.flatten(1) > 0).double()
        k += c @ c.T + (1 - c) @ (1 - c).T
    return float(torch.linalg.slogdet(k)[1])


def linear_regions(net, params, x):
    """Number of different patterns of positive rectifier outputs (of maps, not of vectors) among the images."""
    taps = _Taps(relu=[])
    with torch.no_grad():
        forward(net, params, x, taps)
    rows = torch.cat([(r.flatten(1) > 0) for r in taps.relu if r.dim() == 4], dim=1)
    return len({bytes(row.to(torch.uint8).numpy().tobytes()) for row in rows})


def ntk(net, params, x):
    """Gram matrix (n, n) of J_i = gradient of the sum of the logits of image i with respect to everything named weight (gains too)."""
    p = {k: t.detach().clone().requires_grad_(True) for k, t in params.items()}
    logits, _ = forward(net, p, x)
    names = [k for k in p if k.endswith("weight")]
    rows = []
    for i in range(len(x)):
        got = torch.autograd.grad(logits[i].sum(), [p[k] for k in names], retain_graph=True, allow_unused=True)
        rows.append(torch.cat([(torch.zeros_like(p[k]) if g is None else g).flatten() for k, g in zip(names, got)]).double())
    j = torch.stack(rows)
    return j @ j.T


def ntk_score(net, params, x):
    """Minus the condition number of the tangent kernel; -100000 where it is undefined."""
    lam = torch.linalg.eigvalsh(ntk(net, params, x))
    kappa = float(lam[-1] / lam[0])
    return -100000.0 if math.isnan(kappa) else -kappa


def zen(net, params, x, y):
    """ln of the mean over images of sum |f(x) - f(x + 0.01 y)|, f the map before pooling, plus the sum over batch normalisations of half the
    ln of the mean over channels of their running variance after both passes (momentum 0.1, from 1, unbiased). params: N(0, 1) weights."""
    first, second = _Taps(norm=[]), _Taps(norm=[])
    with torch.no_grad():
        a = forward(net, params, x, first)[1]
        b = forward(net, params, x + 0.01 * y, second)[1]
    score = float(torch.log((a - b).abs().double().sum(dim=(1, 2, 3)).mean()))
    for s, t in zip(first.norm, second.norm):
        v = [n.double().transpose(0, 1).flatten(1).var(dim=1, unbiased=True) for n in (s, t)]
        score += 0.5 * float(torch.log((0.81 + 0.09 * v[0] + 0.1 * v[1]).mean()))
    return score


def grad_sign(net, params, x, labels, sum_form=False):
    """Mean over the weights of |sum over images of sign(gradient of that image alone)| (or the sum over the weights)."""
    total = None
    for i in range(len(x)):
        signs = {k: g.sign() for k, (_, g) in gradients(net, params, x[i:i + 1], labels[i:i + 1]).items()}
        total = signs if total is None else {k: total[k] + signs[k] for k in total}
    value = sum(float(t.abs().double().sum()) for t in total.values())
    return value if sum_form else value / sum(t.numel() for t in total.values())


def zico(net, params, batches):
    """batches: ((x, labels), (x', labels')). Sum over layers of ln of the sum over weights of mean |g| / deviation of g over the batches; weights
    without deviation and layers without such weights are left out."""
    per = [gradients(net, params, x, labels) for x, labels in batches]
    score = 0.0
    for k in per[0]:
        g = torch.stack([d[k][1] for d in per]).double()
        deviation, mean = g.std(dim=0, unbiased=False), g.abs().mean(dim=0)
        kept = deviation != 0
        s = float((mean[kept] / deviation[kept]).sum())
        if s > 0:
            score += math.log(s)
    return score
