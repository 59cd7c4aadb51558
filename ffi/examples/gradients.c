/* The gradient of a loss with respect to every parameter of a network, block by block, in memory that is known beforehand:
 * here SNIP and the length of the gradient in each block. Takes a cell of NAS-Bench-201, or has one.
 *
 *     cc -std=c11 gradients.c -I include target/release/libaznas.a -lpthread -ldl -lm -o gradients */
#include <aznas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 8, BLOCKS = 32 };

/* What is made of the gradients with respect to the parameters of a block. */
struct block {
    double squares, snip;
};

static void add(void *context, const aznas_gradient *gradient) {
    struct block *block = (struct block *)context + (gradient->block < BLOCKS ? gradient->block : BLOCKS - 1);
    for (size_t i = 0; i < gradient->len; i++) {
        block->squares += (double)gradient->gradient[i] * gradient->gradient[i];
        if (gradient->role == AZNAS_ROLE_WEIGHT)
            block->snip += fabs((double)gradient->values[i] * gradient->gradient[i]);
    }
}

int main(int argc, char **argv) {
    /* Classes of the images, which are drawn here; without these, classes are drawn as well. */
    static const uint32_t labels[BATCH] = {3, 1, 4, 1, 5, 9, 2, 6};
    struct block blocks[BLOCKS] = {{0.0, 0.0}};
    aznas_source source = AZNAS_SOURCE_INIT;
    source.labels = labels;
    source.label_count = BATCH;

    aznas_arch arch;
    aznas_arch_init(&arch, sizeof arch, AZNAS_SPACE_NB201);
    arch.text = argc > 1 ? argv[1] : "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|";
    arch.text_len = strlen(arch.text);
    aznas_options options = AZNAS_OPTIONS_INIT;
    options.batch = BATCH;
    options.source = &source;

    aznas_sweep sweep = AZNAS_SWEEP_INIT;
    sweep.loss = AZNAS_LOSS_CROSS_ENTROPY;
    sweep.watch = add;
    sweep.context = blocks;

    size_t bytes;
    double loss;
    aznas_error error = AZNAS_ERROR_INIT;
    void *workspace = NULL;
    aznas_status status = aznas_gradients_workspace_size(&arch, &options, &sweep, &bytes, &error);
    if (status == AZNAS_STATUS_OK && (workspace = malloc(bytes)) == NULL)
        return 2;
    if (status == AZNAS_STATUS_OK)
        status = aznas_gradients(&arch, &options, &sweep, workspace, bytes, &loss, &error);
    free(workspace);
    if (status != AZNAS_STATUS_OK) {
        fprintf(stderr, "%s: %s must be %s\n", aznas_status_str(status), error.field, error.expected);
        return 1;
    }
    printf("loss %.6f in %zu bytes\n", loss, bytes);
    for (int i = 0; i < BLOCKS; i++)
        if (blocks[i].squares > 0.0)
            printf("block %d: gradient %.6g snip %.6g\n", i, sqrt(blocks[i].squares), blocks[i].snip);
    return 0;
}
