/* Gates, shuffles, slices, scales and activations as nodes, and a transformer without relative positions: prints the bits of
 * their scores on the back end of its argument, each with the peak activation memory. */
#include "nodes.h"

static inline aznas_node activation(uint32_t op, uint32_t input, double alpha) {
    aznas_node n = node(op, input, 0);
    n.alpha = alpha;
    return n;
}

static inline aznas_node shuffle(uint32_t input, uint32_t groups) {
    aznas_node n = node(AZNAS_OP_SHUFFLE, input, 0);
    n.groups = groups;
    return n;
}

static inline aznas_node slice(uint32_t input, uint32_t first, uint32_t channels) {
    aznas_node n = node(AZNAS_OP_SLICE, input, 0);
    n.first = first;
    n.channels = channels;
    n.stride[0] = n.stride[1] = 1;
    return n;
}

static inline aznas_node two(uint32_t op, uint32_t a, uint32_t b) {
    aznas_node n = sum(a, b);
    n.op = op;
    return n;
}

static void print_peak(const aznas_node *nodes, size_t count) {
    aznas_arch arch;
    aznas_options options;
    REQUIRE(aznas_arch_init(&arch, sizeof arch, AZNAS_SPACE_GRAPH));
    REQUIRE(aznas_options_init(&options, sizeof options));
    arch.nodes = nodes;
    arch.node_count = count;
    arch.node_size = sizeof *nodes;
    options.height = options.width = 16;
    aznas_costs costs = AZNAS_COSTS_INIT;
    REQUIRE(aznas_cost(&arch, &options, &costs, NULL));
    printf("%" PRIu64 "\n", costs.peak_activation);
}

int main(int argc, char **argv) {
    const uint32_t backend = argc > 1 ? (uint32_t)atoi(argv[1]) : AZNAS_BACKEND_BEST;
    const aznas_node gates[] = {
        /* stem */
        convolution(0, 0, 16, 3, 2, 1),                           /* 1 */
        node(AZNAS_OP_BATCH_NORM, 1, 0),                          /* 2 */
        end_of_block(activation(AZNAS_OP_HARD_SWISH, 2, 0.0)),    /* 3 */
        /* grouped convolutions around a shuffle, squeeze and excitation */
        convolution(0, 0, 16, 1, 1, 2),                           /* 1 */
        node(AZNAS_OP_BATCH_NORM, 1, 0),                          /* 2 */
        shuffle(2, 2),                                            /* 3 */
        convolution(3, 1, 16, 3, 1, 16),                          /* 4 */
        node(AZNAS_OP_BATCH_NORM, 4, 1),                          /* 5 */
        activation(AZNAS_OP_SILU, 5, 0.0),                        /* 6 */
        node(AZNAS_OP_GLOBAL_POOL, 6, 0),                         /* 7 */
        linear(7, 2, 4),                                          /* 8 */
        activation(AZNAS_OP_LEAKY_RELU, 8, 0.2),                  /* 9 */
        linear(9, 3, 16),                                         /* 10 */
        activation(AZNAS_OP_SIGMOID, 10, 0.0),                    /* 11 */
        two(AZNAS_OP_PRODUCT, 6, 11),                             /* 12 */
        end_of_block(sum(12, 0)),                                 /* 13 */
        /* two halves of the channels, one gated by the other, and put together again */
        slice(0, 0, 8),                                           /* 1 */
        slice(0, 8, 8),                                           /* 2 */
        convolution(1, 0, 8, 3, 1, 1),                            /* 3 */
        activation(AZNAS_OP_HARD_SIGMOID, 2, 0.0),                /* 4 */
        two(AZNAS_OP_PRODUCT, 3, 4),                              /* 5 */
        activation(AZNAS_OP_ELU, 5, 0.5),                         /* 6 */
        activation(AZNAS_OP_TANH, 2, 0.0),                        /* 7 */
        two(AZNAS_OP_CONCAT, 6, 7),                               /* 8 */
        end_of_block(activation(AZNAS_OP_RELU6, 8, 0.0)),         /* 9 */
        /* layer scale */
        convolution(0, 0, 16, 3, 1, 16),                          /* 1 */
        node(AZNAS_OP_LAYER_NORM, 1, 1),                          /* 2 */
        linear(2, 1, 32),                                         /* 3 */
        node(AZNAS_OP_GELU, 3, 0),                                /* 4 */
        linear(4, 2, 16),                                         /* 5 */
        node(AZNAS_OP_SCALE, 5, 3),                               /* 6 */
        end_of_block(sum(0, 6)),                                  /* 7 */
        /* head */
        node(AZNAS_OP_GLOBAL_POOL, 0, 0),                         /* 1 */
        linear(1, 0, 10),                                         /* 2 */
    };
    const aznas_node transformer[] = {
        patches(0, 0, 24, 4),                                     /* 1 */
        end_of_block(node(AZNAS_OP_TOKENS, 1, 0)),                /* 2 */
        node(AZNAS_OP_LAYER_NORM, 0, 0),                          /* 1 */
        linear(1, 0, 48),                                         /* 2 */
        attention(2, 0, 2, 0, 0),                                 /* 3 */
        linear(3, 1, 24),                                         /* 4 */
        end_of_block(sum(0, 4)),                                  /* 5 */
        /* head */
        node(AZNAS_OP_TOKEN_POOL, 0, 0),                          /* 1 */
        linear(1, 0, 10),                                         /* 2 */
    };
    score(gates, sizeof gates / sizeof *gates, backend);
    print_peak(gates, sizeof gates / sizeof *gates);
    score(transformer, sizeof transformer / sizeof *transformer, backend);
    print_peak(transformer, sizeof transformer / sizeof *transformer);
    return 0;
}
