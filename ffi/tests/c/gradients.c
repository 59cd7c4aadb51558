/* Prints the loss and every gradient of a few sweeps over one network: with labels, weights and batches that are drawn or
 * given. Takes the number of a back end. */
#include "print.h"
#include <stdlib.h>

enum { BATCH = 2, SIDE = 8, PIXELS = BATCH * SIDE * SIDE * 3 };

static float given[PIXELS];

/* Places and sums: a difference in any number shows. */
static void print_gradient(void *context, const aznas_gradient *gradient) {
    uint64_t sum = 0;
    for (size_t i = 0; i < gradient->len; i++) {
        uint32_t bits;
        memcpy(&bits, gradient->gradient + i, sizeof bits);
        sum = sum * 31 + bits;
        if (gradient->values) {
            memcpy(&bits, gradient->values + i, sizeof bits);
            sum = sum * 31 + bits;
        }
    }
    ++*(size_t *)context;
    printf("%u %u %u %u %u %zu %d %016" PRIx64 "\n", (unsigned)gradient->block, (unsigned)gradient->node, (unsigned)gradient->key,
           (unsigned)gradient->role, (unsigned)gradient->sample, gradient->len, gradient->values != NULL,
           sum);
    if (gradient->struct_size != sizeof *gradient || gradient->reserved != 0)
        exit(1);
}

int main(int argc, char **argv) {
    static const uint32_t labels[BATCH] = {3, 0}, second_labels[BATCH] = {9, 1};
    const aznas_tensor tensors[] = {{.role = AZNAS_ROLE_INPUT, .block = 1, .data = given, .len = PIXELS}};
    const aznas_source source = {
        .struct_size = sizeof source,
        .tensors = tensors,
        .tensor_count = 1,
        .tensor_size = sizeof *tensors,
        .labels = labels,
        .label_count = BATCH,
        .second_labels = second_labels,
        .second_label_count = BATCH,
    };
    for (uint32_t i = 0; i < PIXELS; i++)
        given[i] = (float)(i * 37 % 101) / 50.0f - 1.0f;
    aznas_arch arch;
    aznas_options options = AZNAS_OPTIONS_INIT;
    aznas_arch_init(&arch, sizeof arch, AZNAS_SPACE_NB201);
    arch.text = "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|";
    arch.text_len = strlen(arch.text);
    arch.channels = 4;
    arch.cells = 1;
    options.batch = BATCH;
    options.height = options.width = SIDE;
    options.backend = argc > 1 ? (uint32_t)atoi(argv[1]) : AZNAS_BACKEND_BEST;
    for (uint32_t loss = AZNAS_LOSS_CROSS_ENTROPY; loss <= AZNAS_LOSS_EACH_SAMPLE; loss++)
        for (uint32_t input = 0; input < 3; input++)
            for (int is_given = 0; is_given < 2; is_given++) {
                size_t bytes, told = 0;
                double value;
                const aznas_sweep sweep = {
                    .struct_size = sizeof sweep, .loss = loss, .input = input, .watch = print_gradient, .context = &told};
                options.source = is_given ? &source : NULL;
                REQUIRE(aznas_gradients_workspace_size(&arch, &options, &sweep, &bytes, NULL));
                void *workspace = malloc(bytes);
                if (!workspace)
                    return 1;
                REQUIRE(aznas_gradients(&arch, &options, &sweep, workspace, bytes, &value, NULL));
                free(workspace);
                printf("%016" PRIx64 " %zu\n", bits(value), told);
            }
    return 0;
}
