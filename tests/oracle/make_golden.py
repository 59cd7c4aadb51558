"""Writes ../golden/: see its README.md for names, shapes and layouts.   python make_golden.py"""
import csv
import os
import random

import numpy as np
import torch
from safetensors.torch import save_file

import aznas_oracle as az

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden")
BEST = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|"
AZ_PICK = "|skip_connect~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|nor_conv_3x3~0|nor_conv_1x1~1|nor_conv_3x3~2|"
NB_SMALL = [  # file, arch, perturbed BN affine
    ("nb201_best", BEST, True),
    ("nb201_all_conv3x3", "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|", False),
    ("nb201_mixed", "|nor_conv_1x1~0|+|avg_pool_3x3~0|none~1|+|nor_conv_3x3~0|skip_connect~1|avg_pool_3x3~2|", True),
    ("nb201_avg_pool_all", "|avg_pool_3x3~0|+|avg_pool_3x3~0|avg_pool_3x3~1|+|avg_pool_3x3~0|avg_pool_3x3~1|avg_pool_3x3~2|", False),
    ("nb201_skip_all", "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|", False),
    ("nb201_identity", "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|", False),
    ("nb201_none", "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", False),
]
MB_SMALL = [
    ("mbv2_a", "SuperConvK3BNRELU(3,8,2,1)SuperResIDWE2K3(8,16,2,8,1)SuperResIDWE1K5(16,24,2,16,2)SuperConvK1BNRELU(24,24,1,1)"),
    ("mbv2_b", "SuperConvK3BNRELU(3,16,2,1)SuperResIDWE4K7(16,24,1,24,2)SuperResIDWE2K3(24,40,2,32,1)SuperConvK1BNRELU(40,160,1,1)"),
]


def perturb(params, g):
    """Move normalisation gains / shifts and biases away from 1 / 0, so that a mix-up shows."""
    for k, t in params.items():
        if t.dim() == 1:
            params[k] = t + 0.3 * torch.randn(t.shape, generator=g)


def case(name, net, scheme, resolution, batch, seed, shake, small, meta, counts, table):
    g = torch.Generator().manual_seed(seed)
    params = az.init_params(net, scheme, g)
    if shake:
        perturb(params, g)
    x = torch.randn((batch,) + net.input_shape(resolution), generator=g)
    v = az.draw_rademacher(net.feature_shapes(x.shape), g)
    r = az.evaluate(net, {k: t.double() for k, t in params.items()}, x.double(), v)
    f = az.evaluate(net, params, x, v)                                  # all float32
    h = az.evaluate(net, params, x, v, stats_dtype=torch.float64)       # float32 network, float64 statistics
    L = len(r.features)
    out = {"param/" + k: t for k, t in params.items()}
    out["input"] = x
    for l in range(L):
        if small:
            out[f"feature/{l}"] = r.features[l]
        out[f"eigenvalues/{l}"] = r.eigenvalues[l]
        if l:
            out[f"v/{l}"] = v[l]
            if small:
                out[f"g_in/{l}"] = r.g_in[l]
            out[f"mat/{l}"] = r.mats[l]
    d = lambda xs: torch.tensor(xs, dtype=torch.float64)
    out["block_expressivity"] = d(r.expr)
    out["sigma"] = d([r.sigma[l] for l in range(1, L)])
    out["block_trainability"] = d([az.NEG_INF if r.train[l] is None else r.train[l] for l in range(1, L)])
    out["identity"] = torch.tensor([int(r.train[l] is None) for l in range(1, L)], dtype=torch.uint8)
    out["totals"] = d([r.E, r.P, r.T])
    out["counts"] = d([float(c) for c in counts])
    out = {k: t.contiguous() for k, t in out.items()}
    meta = {k: str(s) for k, s in meta.items()} | {"resolution": str(resolution), "batch": str(batch)}
    path = os.path.join(OUT, name + ".safetensors")
    save_file(out, path, metadata=meta)
    os.chmod(path, 0o644)

    def gap(q):
        e = [abs(a - b) for a, b in zip(r.expr, q.expr) if np.isfinite([a, b]).all()]
        s = [abs(r.sigma[l] - q.sigma[l]) / max(r.sigma[l], 1e-9) for l in r.sigma if r.sigma[l] > 0]
        t = [abs(r.train[l] - q.train[l]) for l in r.train if r.train[l] is not None and q.train[l] is not None]
        lost = sum(np.isnan(b) and not np.isnan(a) for a, b in zip(r.expr, q.expr))
        return f"{max(e or [0]):.1e} / {max(s or [0]):.1e} / {max(t or [0]):.1e}" + (f" ({lost} NaN)" if lost else "")
    table.append(f"| {name} | {L} | {r.E:.10g} | {r.P:.10g} | {r.T:.10g} | {os.path.getsize(path) / 1e6:.2f} MB | {gap(f)} | {gap(h)} |")


def main():
    os.makedirs(OUT, exist_ok=True)
    table = []
    for i, (name, arch, shake) in enumerate(NB_SMALL):
        net = az.NB201(arch, 8, 1)
        case(name, net, "kaiming_fan_in", 16, 4, 10 + i, shake, True,
             dict(family="nb201", arch=arch, channels=8, cells=1, classes=10), (net.macs(16), net.n_params(), net.macs(16)), table)
    net = az.NB201(AZ_PICK, 16, 5)
    case("nb201_full", net, "kaiming_fan_in", 32, 2, 30, False, False,
         dict(family="nb201", arch=AZ_PICK, channels=16, cells=5, classes=10), (net.macs(32), net.n_params(), net.macs(32)), table)
    for (name, s), seed in zip(MB_SMALL, (46, 43)):     # seeds with no ReLU input within float32 rounding of 0
        net = az.MBV2(s, 10)
        case(name, net, "kaiming_fan_in", 32, 2, seed, True, True,
             dict(family="mbv2", structure=s, classes=10, model_size=net.model_size(), layers=net.n_layers()),
             (net.macs(32), net.n_params(), net.complexity(32)), table)
    net = az.ViT(24, [2, 1], [2.0, 3.5], image=32, patch=8, classes=10, max_rel=2)
    case("vit_tiny", net, "vit", 32, 2, 50, True, True,
         dict(family="vit", embed=24, heads="2,1", mlp_ratio="2.0,3.5", patch=8, classes=10, max_rel=2),
         (0, net.n_params(), net.complexity()), table)

    rng = random.Random(201)
    archs = [BEST, AZ_PICK] + [a for _, a, _ in NB_SMALL[1:]]
    while len(archs) < 200:
        o = [rng.choice(az.NB201_OPS) for _ in range(6)]
        a = f"|{o[0]}~0|+|{o[1]}~0|{o[2]}~1|+|{o[3]}~0|{o[4]}~1|{o[5]}~2|"
        if a not in archs:
            archs.append(a)
    with open(os.path.join(OUT, "nb201_flops.csv"), "w", newline="") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow(["arch", "params", "macs"])
        for a in archs:
            n = az.NB201(a)
            w.writerow([a, n.n_params(), n.macs(32)])

    inf, nan = float("inf"), float("nan")
    raw = [  # E, P, T, C as a scorer would return them, before NaN -> -inf
        (57.84, -0.0145, -0.0692, 121815690), (53.32, -0.2441, -0.1176, 153272970), (59.63, -0.0203, -0.3034, 220119690),
        (nan, nan, -882351.2, 7783050), (57.31, 0.0, -inf, 7783050), (57.16, -0.0, -inf, 7783050),
        (39.33, -0.3870, -2.8637, 7783050), (nan, nan, -0.2787, 7783050), (57.84, -0.0145, -0.0692, 121815690),
        (30.45, -0.2713, -0.3864, 15647370), (-inf, -inf, -inf, 15647370), (45.11, -0.4320, -3.2121, 7783050),
        (57.84, -0.2441, -0.3034, 82494090)]
    cols = list(zip(*[[az.nan_to_neg_inf(float(s)) for s in row] for row in raw]))
    ranks = [az.average_ranks(c) for c in cols]
    log, lin = az.aggregate(cols), az.aggregate(cols, "linear")
    log3 = az.aggregate([cols[0], cols[2], cols[3]])
    with open(os.path.join(OUT, "aggregation.csv"), "w", newline="") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow("E P T C rank_E rank_P rank_T rank_C s_az s_linear s_az_without_P".split())
        for i, row in enumerate(raw):
            w.writerow([("NaN" if s != s else repr(float(s))) for s in row] + [repr(float(r[i])) for r in ranks]
                       + [repr(float(z[i])) for z in (log, lin, log3)])
    print("\n".join(table))


if __name__ == "__main__":
    main()
