/* Scores a cell without a C library: own entry, memory from a static array, a system call to print.
 *
 * Prints the bits of the four proxies and "ok". The same file, compiled with -DHOSTED, prints them with stdio. */
#include "freestanding.h"
#include <aznas.h>

#ifndef WORKSPACE
#define WORKSPACE (1 << 18)
#endif
static unsigned char workspace[WORKSPACE];

int main(void) {
    static const char cell[] = "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|";
    aznas_arch arch;
    aznas_options options;
    aznas_scores scores = {.struct_size = sizeof scores};
    aznas_arch_init(&arch, sizeof arch, AZNAS_SPACE_NB201);
    aznas_options_init(&options, sizeof options);
    arch.text = cell;
    arch.text_len = sizeof cell - 1;
    arch.channels = 4;
    arch.cells = 1;
    options.batch = 2;
    options.height = options.width = 8;
    options.backend = AZNAS_BACKEND_SCALAR;
    if (aznas_score(&arch, &options, workspace, sizeof workspace, &scores, NULL) != AZNAS_STATUS_OK)
        return 1;
    print_bits(scores.expressivity);
    print_bits(scores.progressivity);
    print_bits(scores.trainability);
    print_bits(scores.complexity);
    print("ok\n", 3);
    return 0;
}
