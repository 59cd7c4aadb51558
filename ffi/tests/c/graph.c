/* A small ResNet, a MobileNet block and a transformer block as nodes: prints the bits of their scores on the back end of its argument. */
#include "nodes.h"

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
