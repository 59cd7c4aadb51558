/* Cells that read the last two features as nodes: prints the bits of their scores on the back end of its argument. */
#include "nodes.h"

/* A cell of the last two features, each of which is shrunk so many times. */
#define CELL(last, before, channels)                                                                     \
    earlier(),                                                                           /* 1 */         \
    node(AZNAS_OP_RELU, 0, 0), convolution(2, 0, channels, 3, last, 1), node(AZNAS_OP_BATCH_NORM, 3, 0), \
    node(AZNAS_OP_RELU, 1, 0), convolution(5, 1, channels, 1, before, 1), node(AZNAS_OP_BATCH_NORM, 6, 1), \
    end_of_block(sum(4, 7))                                                              /* 8 */

int main(int argc, char **argv) {
    const uint32_t backend = argc > 1 ? (uint32_t)atoi(argv[1]) : AZNAS_BACKEND_BEST;
    const aznas_node cells[] = {
        convolution(0, 0, 8, 3, 1, 1),                 /* stem */
        end_of_block(node(AZNAS_OP_BATCH_NORM, 1, 0)),
        convolution(0, 0, 8, 3, 1, 1),                 /* stem */
        end_of_block(node(AZNAS_OP_BATCH_NORM, 1, 0)),
        CELL(1, 1, 8),
        CELL(2, 2, 24),
        CELL(1, 2, 24),
        CELL(1, 1, 8),
        node(AZNAS_OP_GLOBAL_POOL, 0, 0),              /* head */
        linear(1, 0, 10),
    };
    score(cells, sizeof cells / sizeof *cells, backend);
    return 0;
}
