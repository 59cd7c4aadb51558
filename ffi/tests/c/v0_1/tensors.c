/* Scores a cell with the caller's input (from a table) and weights (from a function), then a transformer with the caller's
 * tokens and positions, and prints bits. */
#include "print.h"
#include <stdlib.h>

enum { BATCH = 2, SIDE = 8, CHANNELS = 4, EMBED = 12, PATCH = 4, TOKENS = 5, REACH = 1, HEAD = 64 };

/* Small numbers that every compiler computes alike. */
static float number(uint32_t i, uint32_t salt) {
    uint32_t hash = (i + 1) * 2654435761u ^ salt * 2246822519u;
    hash ^= hash >> 15;
    return (float)(int32_t)(hash % 2001) / 1000.0f - 1.0f;
}

typedef struct weights {
    float numbers[9 * CHANNELS * CHANNELS];
    unsigned calls;
} weights;

/* The weights of the 3x3 convolutions on edges 0 and 5 of the first cell, which is block 1. */
static const float *lookup(void *context, uint32_t role, uint32_t block, uint32_t key, size_t *len) {
    weights *w = context;
    w->calls++;
    if (role != AZNAS_ROLE_WEIGHT || block != 1 || (key != 0 && key != 5))
        return NULL;
    *len = sizeof w->numbers / sizeof *w->numbers;
    return w->numbers;
}

static void score(const aznas_arch *arch, const aznas_source *source, uint32_t backend) {
    aznas_options options;
    REQUIRE(aznas_options_init(&options, sizeof options));
    options.batch = BATCH;
    options.height = options.width = SIDE;
    options.source = source;
    options.backend = backend;
    size_t bytes;
    REQUIRE(aznas_workspace_size(arch, &options, &bytes, NULL));
    void *workspace = malloc(bytes);
    aznas_scores scores = {.struct_size = sizeof scores};
    REQUIRE(aznas_score(arch, &options, workspace, bytes, &scores, NULL));
    free(workspace);
    print_scores(&scores);
}

static void score_transformer(uint32_t backend) {
    static const char text[] = "autoformer(embed=12,heads=1,ratio=1)";
    static const struct {
        uint32_t role, key;
        size_t len;
    } roles[] = {
        {AZNAS_ROLE_CLASS_TOKEN, 1, EMBED},
        {AZNAS_ROLE_POSITION, 1, TOKENS * EMBED},
        {AZNAS_ROLE_KEY_ROW, 4, (2 * REACH + 2) * HEAD},
        {AZNAS_ROLE_KEY_COLUMN, 4, (2 * REACH + 2) * HEAD},
        {AZNAS_ROLE_VALUE_ROW, 4, (2 * REACH + 2) * HEAD},
        {AZNAS_ROLE_VALUE_COLUMN, 4, (2 * REACH + 2) * HEAD},
    };
    static float numbers[6][(2 * REACH + 2) * HEAD];
    aznas_tensor table[6];
    for (uint32_t i = 0; i < 6; i++) {
        for (uint32_t j = 0; j < roles[i].len; j++)
            numbers[i][j] = number(j, roles[i].role);
        table[i] = (aznas_tensor){.role = roles[i].role, .key = roles[i].key, .data = numbers[i], .len = roles[i].len};
    }
    const aznas_source source = {.struct_size = sizeof source, .tensors = table, .tensor_count = 6, .tensor_size = sizeof table[0]};
    aznas_arch arch;
    REQUIRE(aznas_arch_init(&arch, sizeof arch, AZNAS_SPACE_AUTOFORMER));
    arch.patch = PATCH;
    arch.reach = REACH;
    arch.text = text;
    arch.text_len = sizeof text - 1;
    score(&arch, &source, backend);
}

int main(int argc, char **argv) {
    const uint32_t backend = argc > 1 ? (uint32_t)atoi(argv[1]) : AZNAS_BACKEND_BEST;
    static float input[BATCH * SIDE * SIDE * 3], gain[CHANNELS];
    static weights own;
    for (uint32_t i = 0; i < sizeof input / sizeof *input; i++)
        input[i] = number(i, 1);
    for (uint32_t i = 0; i < CHANNELS; i++)
        gain[i] = 0.5f + 0.25f * (float)i;
    for (uint32_t i = 0; i < sizeof own.numbers / sizeof *own.numbers; i++)
        own.numbers[i] = number(i, 2);
    const aznas_tensor table[] = {
        {.role = AZNAS_ROLE_INPUT, .data = input, .len = sizeof input / sizeof *input},
        {.role = AZNAS_ROLE_GAIN, .block = 1, .key = 5, .data = gain, .len = CHANNELS},
    };
    const aznas_source source = {.struct_size = sizeof source,
                                 .tensors = table,
                                 .tensor_count = 2,
                                 .tensor_size = sizeof table[0],
                                 .lookup = lookup,
                                 .context = &own};
    static const char text[] = "|nor_conv_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_3x3~2|";
    aznas_arch arch;
    REQUIRE(aznas_arch_init(&arch, sizeof arch, AZNAS_SPACE_NB201));
    arch.channels = CHANNELS;
    arch.cells = 1;
    arch.text = text;
    arch.text_len = sizeof text - 1;
    score(&arch, &source, backend);
    score_transformer(backend);
    return own.calls > 0 ? 0 : 1;
}
