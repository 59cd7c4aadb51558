/* Nodes of networks in a line each, and the bits of the scores of a network. */
#include "print.h"
#include <stdlib.h>

static inline aznas_node node(uint32_t op, uint32_t input, uint32_t key) {
    aznas_node n = {.op = op, .inputs = {input}, .input_count = 1, .key = key, .epsilon = 1e-5};
    return n;
}

static inline aznas_node convolution(uint32_t input, uint32_t key, uint32_t channels, uint32_t kernel, uint32_t stride, uint32_t groups) {
    aznas_node n = node(AZNAS_OP_CONVOLUTION, input, key);
    n.channels = channels;
    n.kernel[0] = n.kernel[1] = kernel;
    n.stride[0] = n.stride[1] = stride;
    n.padding[0] = n.padding[1] = kernel / 2;
    n.dilation[0] = n.dilation[1] = 1;
    n.groups = groups;
    return n;
}

static inline aznas_node linear(uint32_t input, uint32_t key, uint32_t channels) {
    aznas_node n = node(AZNAS_OP_LINEAR, input, key);
    n.channels = channels;
    return n;
}

/* Each patch of an image on its own. */
static inline aznas_node patches(uint32_t input, uint32_t key, uint32_t channels, uint32_t side) {
    aznas_node n = convolution(input, key, channels, side, side, 1);
    n.padding[0] = n.padding[1] = 0;
    n.flags |= AZNAS_NODE_BIAS;
    return n;
}

static inline aznas_node attention(uint32_t input, uint32_t key, uint32_t heads, uint32_t side, uint32_t reach) {
    aznas_node n = node(AZNAS_OP_ATTENTION, input, key);
    n.heads = heads;
    n.grid[0] = n.grid[1] = side;
    n.reach = reach;
    return n;
}

static inline aznas_node sum(uint32_t a, uint32_t b) {
    aznas_node n = node(AZNAS_OP_ADD, a, 0);
    n.inputs[1] = b;
    n.input_count = 2;
    return n;
}

static inline aznas_node earlier(void) {
    aznas_node n = {.op = AZNAS_OP_EARLIER};
    return n;
}

static inline aznas_node end_of_block(aznas_node n) {
    n.flags |= AZNAS_NODE_END_OF_BLOCK;
    return n;
}

static inline void score(const aznas_node *nodes, size_t count, uint32_t backend) {
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
