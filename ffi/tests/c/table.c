/* Plans a long network with a table of as many tensors, in several orders, and prints the seconds of each. */
#include "print.h"
#include <stdlib.h>
#include <time.h>

enum { LONGEST = 16384 };

static const float weight = 1.0f, gain = 1.0f, shift = 0.0f;
static aznas_node nodes[LONGEST];
static aznas_tensor table[3 * LONGEST / 2];

/* A network of blocks of a convolution and a normalisation, and its tensors: block after block, or role after role. */
static size_t describe(size_t blocks, int by_role) {
    static const aznas_tensor kinds[] = {
        {.role = AZNAS_ROLE_WEIGHT, .data = &weight, .len = 1},
        {.role = AZNAS_ROLE_GAIN, .data = &gain, .len = 1},
        {.role = AZNAS_ROLE_SHIFT, .data = &shift, .len = 1},
    };
    for (size_t block = 0; block < blocks; block++) {
        nodes[2 * block] = (aznas_node){.op = AZNAS_OP_CONVOLUTION, .input_count = 1, .channels = 1, .kernel = {1, 1},
                                        .stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
        nodes[2 * block + 1] = (aznas_node){.op = AZNAS_OP_BATCH_NORM, .flags = AZNAS_NODE_END_OF_BLOCK, .inputs = {1},
                                            .input_count = 1, .epsilon = 1e-5};
        for (size_t kind = 0; kind < 3; kind++) {
            aznas_tensor *tensor = &table[by_role ? kind * blocks + block : 3 * block + kind];
            *tensor = kinds[kind];
            tensor->block = (uint32_t)block;
        }
    }
    return 3 * blocks;
}

static double seconds(size_t blocks, int by_role) {
    const aznas_source source = {.struct_size = sizeof source, .tensors = table, .tensor_count = describe(blocks, by_role),
                                 .tensor_size = sizeof *table};
    aznas_arch arch;
    aznas_options options;
    REQUIRE(aznas_arch_init(&arch, sizeof arch, AZNAS_SPACE_GRAPH));
    REQUIRE(aznas_options_init(&options, sizeof options));
    arch.input_channels = 1;
    arch.nodes = nodes;
    arch.node_count = 2 * blocks;
    arch.node_size = sizeof *nodes;
    options.batch = 2;
    options.height = options.width = 2;
    options.source = &source;
    const clock_t start = clock();
    size_t bytes;
    REQUIRE(aznas_workspace_size(&arch, &options, &bytes, NULL));
    return (double)(clock() - start) / CLOCKS_PER_SEC;
}

int main(void) {
    /* Four times as long a network takes four times as long, not sixteen. */
    for (int by_role = 0; by_role < 2; by_role++)
        printf("%f %f\n", seconds(LONGEST / 8, by_role), seconds(LONGEST / 2, by_role));
    return 0;
}
