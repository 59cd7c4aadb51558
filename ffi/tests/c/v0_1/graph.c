/* A small ResNet, a MobileNet block and a transformer block as nodes: prints the bits of their scores on the back end of its argument. */
#include "print.h"
#include <stdlib.h>

static aznas_node node(uint32_t op, uint32_t input, uint32_t key) {
    aznas_node n = {.op = op, .inputs = {input}, .input_count = 1, .key = key, .epsilon = 1e-5};
    return n;
}

static aznas_node convolution(uint32_t input, uint32_t key, uint32_t channels, uint32_t kernel, uint32_t stride, uint32_t groups) {
    aznas_node n = node(AZNAS_OP_CONVOLUTION, input, key);
    n.channels = channels;
    n.kernel[0] = n.kernel[1] = kernel;
    n.stride[0] = n.stride[1] = stride;
    n.padding[0] = n.padding[1] = kernel / 2;
    n.dilation[0] = n.dilation[1] = 1;
    n.groups = groups;
    return n;
}

static aznas_node linear(uint32_t input, uint32_t key, uint32_t channels) {
    aznas_node n = node(AZNAS_OP_LINEAR, input, key);
    n.channels = channels;
    return n;
}

/* Each patch of an image on its own. */
static aznas_node patches(uint32_t input, uint32_t key, uint32_t channels, uint32_t side) {
    aznas_node n = convolution(input, key, channels, side, side, 1);
    n.padding[0] = n.padding[1] = 0;
    n.flags |= AZNAS_NODE_BIAS;
    return n;
}

static aznas_node attention(uint32_t input, uint32_t key, uint32_t heads, uint32_t side, uint32_t reach) {
    aznas_node n = node(AZNAS_OP_ATTENTION, input, key);
    n.heads = heads;
    n.grid[0] = n.grid[1] = side;
    n.reach = reach;
    return n;
}

static aznas_node sum(uint32_t a, uint32_t b) {
    aznas_node n = node(AZNAS_OP_ADD, a, 0);
    n.inputs[1] = b;
    n.input_count = 2;
    return n;
}

static aznas_node end_of_block(aznas_node n) {
    n.flags |= AZNAS_NODE_END_OF_BLOCK;
    return n;
}

static void score(const aznas_node *nodes, size_t count, uint32_t backend) {
    aznas_arch arch;
    aznas_options options;
    REQUIRE(aznas_arch_init(&arch, sizeof arch, AZNAS_SPACE_GRAPH));
    REQUIRE(aznas_options_init(&options, sizeof options));
    arch.nodes = nodes;
    arch.node_count = count;
    arch.node_size = sizeof *nodes;
    options.batch = 4;
    options.height = options.width = 16;
    options.backend = backend;
    size_t bytes;
    REQUIRE(aznas_workspace_size(&arch, &options, &bytes, NULL));
    void *workspace = malloc(bytes);
    aznas_scores scores = {.struct_size = sizeof scores};
    REQUIRE(aznas_score(&arch, &options, workspace, bytes, &scores, NULL));
    free(workspace);
    print_scores(&scores);
}

int main(int argc, char **argv) {
    const uint32_t backend = argc > 1 ? (uint32_t)atoi(argv[1]) : AZNAS_BACKEND_BEST;
    const aznas_node resnet[] = {
        /* stem */
        convolution(0, 0, 16, 3, 1, 1),                /* 1 */
        node(AZNAS_OP_BATCH_NORM, 1, 0),               /* 2 */
        end_of_block(node(AZNAS_OP_RELU, 2, 0)),       /* 3 */
        /* residual block that halves the map */
        convolution(0, 0, 32, 3, 2, 1),                /* 1 */
        node(AZNAS_OP_BATCH_NORM, 1, 0),               /* 2 */
        node(AZNAS_OP_RELU, 2, 0),                     /* 3 */
        convolution(3, 1, 32, 3, 1, 1),                /* 4 */
        node(AZNAS_OP_BATCH_NORM, 4, 1),               /* 5 */
        convolution(0, 2, 32, 1, 2, 1),                /* 6 */
        node(AZNAS_OP_BATCH_NORM, 6, 2),               /* 7 */
        sum(5, 7),                                     /* 8 */
        end_of_block(node(AZNAS_OP_RELU, 8, 0)),       /* 9 */
        /* residual block */
        convolution(0, 0, 32, 3, 1, 1),                /* 1 */
        node(AZNAS_OP_BATCH_NORM, 1, 0),               /* 2 */
        node(AZNAS_OP_RELU, 2, 0),                     /* 3 */
        convolution(3, 1, 32, 3, 1, 1),                /* 4 */
        node(AZNAS_OP_BATCH_NORM, 4, 1),               /* 5 */
        sum(5, 0),                                     /* 6 */
        end_of_block(node(AZNAS_OP_RELU, 6, 0)),       /* 7 */
        /* head */
        node(AZNAS_OP_GLOBAL_POOL, 0, 0),              /* 1 */
        {.op = AZNAS_OP_LINEAR, .inputs = {1}, .input_count = 1, .channels = 10},
    };
    const aznas_node mobilenet[] = {
        convolution(0, 0, 8, 3, 2, 1),
        node(AZNAS_OP_BATCH_NORM, 1, 0),
        end_of_block(node(AZNAS_OP_RELU, 2, 0)),
        convolution(0, 0, 48, 1, 1, 1),                /* 1: expand */
        node(AZNAS_OP_BATCH_NORM, 1, 0),               /* 2 */
        node(AZNAS_OP_RELU, 2, 0),                     /* 3 */
        convolution(3, 1, 48, 3, 1, 48),               /* 4: depthwise */
        node(AZNAS_OP_BATCH_NORM, 4, 1),               /* 5 */
        node(AZNAS_OP_RELU, 5, 0),                     /* 6 */
        convolution(6, 2, 8, 1, 1, 1),                 /* 7: project */
        node(AZNAS_OP_BATCH_NORM, 7, 2),               /* 8 */
        end_of_block(sum(8, 0)),                       /* 9 */
    };
    const aznas_node transformer[] = {
        patches(0, 0, 24, 4),                          /* 1: 4 x 4 patches */
        node(AZNAS_OP_TOKENS, 1, 1),                   /* 2 */
        node(AZNAS_OP_LAYER_NORM, 2, 2),               /* 3 */
        linear(3, 3, 3 * 16),                          /* 4: queries, keys, values */
        attention(4, 4, 2, 4, 2),                      /* 5 */
        linear(5, 5, 24),                              /* 6 */
        end_of_block(sum(2, 6)),                       /* 7 */
        node(AZNAS_OP_LAYER_NORM, 0, 0),               /* 1 */
        linear(1, 0, 48),                              /* 2 */
        node(AZNAS_OP_GELU, 2, 0),                     /* 3 */
        linear(3, 1, 24),                              /* 4 */
        end_of_block(sum(0, 4)),                       /* 5 */
    };
    score(resnet, sizeof resnet / sizeof *resnet, backend);
    score(mobilenet, sizeof mobilenet / sizeof *mobilenet, backend);
    score(transformer, sizeof transformer / sizeof *transformer, backend);
    return 0;
}
