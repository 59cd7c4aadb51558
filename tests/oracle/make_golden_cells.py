"""Adds the cell spaces NAS-Bench-101 and NDS to ../golden/.   python make_golden_cells.py"""
import cells_oracle as cells
from make_golden import case

NB101 = [  # file, cell, seed: widths that do not divide, so that channels are cut off; a pool between convolutions
    ("nb101_cut", "5:1110111011:31m", 60),
    ("nb101_projected", "4:111111:m3", 61),
]
NDS = [  # file, width, depth, resolution, batch, seed, whether the stem is that of ImageNet, genotype: every operation
    ("nds_cifar", 4, 4, 16, 4, 70, False,
     "Genotype(normal=[('sep_conv_3x3', 0), ('dil_conv_5x5', 1), ('conv_7x1_1x7', 1), ('max_pool_3x3', 0), "
     "('dil_sep_conv_3x3', 2), ('avg_pool_3x3', 1), ('conv_1x1', 3), ('skip_connect', 1), ('none', 0), ('conv_3x3', 4)], "
     "normal_concat=[5, 6], reduce=[('skip_connect', 0), ('sep_conv_5x5', 1), ('conv_3x1_1x3', 0), ('max_pool_5x5', 1), "
     "('sep_conv_7x7', 1), ('none', 0), ('dil_conv_3x3', 0), ('avg_pool_3x3', 2), ('max_pool_7x7', 1), "
     "('skip_connect', 3)], reduce_concat=[4, 5, 6])"),
    ("nds_imagenet", 6, 3, 64, 4, 71, True,
     "Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1), ('sep_conv_5x5', 1), ('dil_conv_3x3', 0), "
     "('conv_3x1_1x3', 2), ('max_pool_3x3', 1), ('avg_pool_3x3', 0), ('conv_3x3', 3)], normal_concat=[2, 3, 4, 5], "
     "reduce=[('max_pool_3x3', 0), ('conv_7x1_1x7', 1), ('conv_3x3', 1), ('dil_sep_conv_3x3', 0), ('skip_connect', 1), "
     "('conv_1x1', 0), ('avg_pool_3x3', 1), ('sep_conv_3x3', 4)], reduce_concat=[2, 3, 4, 5])"),
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
    for name, width, depth, resolution, batch, seed, imagenet, text in NDS:
        genotype = eval(text, {"Genotype": cells.Genotype})
        net = cells.NDS(genotype, width, depth, imagenet=imagenet)
        count = macs(net, resolution)
        meta = dict(family="nds", genotype=text, width=width, depth=depth, classes=10,
                    stem="imagenet" if imagenet else "cifar")
        case(name, net, "kaiming_fan_in", resolution, batch, seed, True, False, meta, (count, net.n_params(), count), table)
    print("\n".join(table))


if __name__ == "__main__":
    main()
