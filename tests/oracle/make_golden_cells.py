"""Adds the cell spaces NAS-Bench-101 and NDS to ../golden/.   python make_golden_cells.py"""
import cells_oracle as cells
from make_golden import case

NB101 = [  # file, cell, seed: widths that do not divide, so that channels are cut off; a pool between convolutions
    ("nb101_cut", "5:1110111011:31m", 60),
    ("nb101_projected", "4:111111:m3", 61),
]


def macs(net, resolution):
    """Multiply-adds of every convolution and linear map, by the sizes of the maps they make."""
    import torch
    import torch.nn.functional as F
    sums, convolution = [0], F.conv2d

    def counted(x, w, *rest, **options):
        y = convolution(x, w, *rest, **options)
        sums[0] += w.shape[1:].numel() * y.numel()
        return y

    F.conv2d = counted
    try:
        net.feature_shapes((1,) + net.input_shape(resolution))
    finally:
        F.conv2d = convolution
    return sums[0] + net.spec["fc.weight"][0][0] * net.spec["fc.weight"][0][1]


def main():
    table = []
    for name, text, seed in NB101:
        net = cells.NB101(text, channels=15, cells=1)
        count = macs(net, 16)
        case(name, net, "kaiming_fan_in", 16, 4, seed, True, False,
             dict(family="nb101", cell=text, channels=15, cells=1, classes=10), (count, net.n_params(), count), table)
    print("\n".join(table))


if __name__ == "__main__":
    main()
