"""Writes ../golden/proxies_*.safetensors: what the nine other proxies are on the networks, parameters and inputs of ../golden/*.safetensors.

    python make_golden_proxies.py        (needs torch, safetensors; reads and writes ../golden)

Everything is computed in double precision from the single-precision parameters and inputs there; see ../golden/README.md for the names.
"""
import os

import torch
from safetensors import safe_open
from safetensors.torch import save_file

import aznas_oracle as az
import cells_oracle as cells
import proxies_oracle as po

OUT = os.environ.get("GOLDEN", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
NAMES = ("nb201_best nb201_all_conv3x3 nb201_mixed nb201_avg_pool_all nb201_skip_all nb201_identity nb201_none mbv2_a mbv2_b vit_tiny nb201_full nb101_cut nds_cifar").split()


def network(m):
    if m["family"] == "nb201":
        return az.NB201(m["arch"], int(m["channels"]), int(m["cells"]), int(m["classes"]))
    if m["family"] == "mbv2":
        return az.MBV2(m["structure"], int(m["classes"]))
    if m["family"] == "nb101":
        return cells.NB101(m["cell"], int(m["channels"]), int(m["cells"]), int(m["classes"]))
    if m["family"] == "nds":
        genotype = eval(m["genotype"], {"Genotype": cells.Genotype})
        return cells.NDS(genotype, int(m["width"]), int(m["depth"]), int(m["classes"]), m["stem"] == "imagenet")
    return az.ViT(int(m["embed"]), [int(h) for h in m["heads"].split(",")], [float(r) for r in m["mlp_ratio"].split(",")], int(m["resolution"]), int(m["patch"]),
                  int(m["classes"]), int(m["max_rel"]))


def main():
    table = []
    for i, name in enumerate(NAMES):
        with safe_open(os.path.join(OUT, name + ".safetensors"), "pt") as f:
            meta = f.metadata()
            params = {k[6:]: f.get_tensor(k) for k in f.keys() if k.startswith("param/")}
            x = f.get_tensor("input")
        net, g = network(meta), torch.Generator().manual_seed(900 + i)
        classes = int(meta["classes"])
        x2 = torch.randn(x.shape, generator=g)
        labels, labels2 = (torch.randint(0, classes, (len(x),), generator=g) for _ in range(2))
        d = {k: t.double() for k, t in params.items()}
        xd, xd2 = x.double(), x2.double()
        both = po.gradients(net, d, xd, labels, only_weights=False)
        out = {"second_input": x2, "labels": labels.to(torch.int32), "second_labels": labels2.to(torch.int32), "logits": po.forward(net, d, xd)[0].detach()}
        if name != "nb201_full":
            out |= {"gradient/" + k: v[1] for k, v in both.items()}
        out["gradient_norms"] = torch.tensor([float(both[k][1].norm()) for k in both], dtype=torch.float64)
        if name != "nb201_full":
            out |= {f"feature_gradient/{l}": t for l, t in enumerate(po.feature_gradients(net, d, xd, labels))}

        def scalars(p, a, b):
            r = {"grad_norm": po.grad_norm(net, p, a, labels), "snip": po.snip(net, p, a, labels), "grasp": po.grasp(net, p, a, labels),
                 "grad_sign": po.grad_sign(net, p, a, labels), "grad_sign_sum": po.grad_sign(net, p, a, labels, sum_form=True),
                 "zico": po.zico(net, p, ((a, labels), (b, labels2)))}
            if meta["family"] != "vit":
                kernel = po.ntk(net, p, a)
                r |= {"synflow_ln": float(torch.tensor(po.synflow(net, p, int(meta["resolution"])), dtype=torch.float64).log()), "naswot": po.naswot(net, p, a),
                      "linear_regions": float(po.linear_regions(net, p, a)), "ntk_score": po.ntk_score(net, p, a), "zen": po.zen(net, p, a, b)}
                out.setdefault("ntk", kernel)
            return r
        exact, single = scalars(d, xd, xd2), scalars(params, x, x2)
        out |= {k: torch.tensor([v], dtype=torch.float64) for k, v in exact.items()}
        out = {k: t.detach().clone().contiguous() for k, t in out.items()}
        save_file(out, os.path.join(OUT, f"proxies_{name}.safetensors"), metadata={"network": name + ".safetensors", "gradient_norms": ",".join(both)})
        os.chmod(os.path.join(OUT, f"proxies_{name}.safetensors"), 0o644)
        gap = {k: abs(single[k] - v) / max(abs(v), 1e-12) for k, v in exact.items() if abs(v) < 1e300 and v == v}
        table.append(f"| {name} | " + " | ".join(f"{exact[k]:.7g} ({gap.get(k, float('nan')):.0e})" if k in exact else "–" for k in
                     "grad_norm snip grasp synflow_ln naswot linear_regions ntk_score zen grad_sign_sum zico".split()) + " |")
        print(table[-1], flush=True)


if __name__ == "__main__":
    main()
