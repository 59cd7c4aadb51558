/* Prints the names of all proxies; then, for every line of the input, the set that it names and what scores hold of it. */
#include "print.h"
#include <stdlib.h>

static const char CELL[] = "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|";

/* Scores the cell in a struct of `struct_size` bytes; what lies behind these must stay as it is. */
static aznas_scores score(uint32_t proxies, size_t struct_size) {
    aznas_arch arch;
    aznas_options options;
    aznas_scores scores;
    memset(&scores, 0x5a, sizeof scores);
    scores.struct_size = struct_size;
    scores.blocks = NULL;
    REQUIRE(aznas_arch_init(&arch, sizeof arch, AZNAS_SPACE_NB201));
    REQUIRE(aznas_options_init(&options, sizeof options));
    arch.text = CELL;
    arch.text_len = sizeof CELL - 1;
    arch.channels = 4;
    arch.cells = 1;
    options.batch = 2;
    options.height = options.width = 8;
    options.proxies = proxies;
    options.backend = AZNAS_BACKEND_SCALAR;
    size_t bytes;
    REQUIRE(aznas_workspace_size(&arch, &options, &bytes, NULL));
    void *workspace = malloc(bytes + 1);
    REQUIRE(aznas_score(&arch, &options, workspace, bytes, &scores, NULL));
    free(workspace);
    return scores;
}

/* Whether what structs are initialised with is what the library says. */
static int initialisers_are_right(void) {
    const aznas_options options = AZNAS_OPTIONS_INIT;
    const aznas_costs costs = AZNAS_COSTS_INIT;
    const aznas_ranking ranking = AZNAS_RANKING_INIT;
    const aznas_scores scores = AZNAS_SCORES_INIT;
    const aznas_source source = AZNAS_SOURCE_INIT;
    aznas_options expected;
    REQUIRE(aznas_options_init(&expected, sizeof expected));
    return memcmp(&options, &expected, sizeof options) == 0 && costs.struct_size == sizeof costs &&
           ranking.struct_size == sizeof ranking && scores.struct_size == sizeof scores && source.struct_size == sizeof source;
}

int main(void) {
    if (!initialisers_are_right())
        return 4;
    for (uint32_t number = 0; aznas_proxy_name(number); number++)
        printf("%s\n", aznas_proxy_name(number));
    char line[256];
    while (fgets(line, sizeof line, stdin)) {
        uint32_t proxies = 0;
        aznas_error error = AZNAS_ERROR_INIT;
        if (aznas_proxy_parse(line, strlen(line) - 1, &proxies, &error) != AZNAS_STATUS_OK) {
            printf("%d %zu\n", (int)error.status, error.column);
            continue;
        }
        const aznas_scores scores = score(proxies, sizeof scores), older = score(proxies, offsetof(aznas_scores, proxies));
        for (size_t i = offsetof(aznas_scores, proxies); i < sizeof older; i++)
            if (((const char *)&older)[i] != 0x5a)
                return 2;
        double values[32], older_values[32];
        REQUIRE(aznas_scores_values(&scores, proxies, values, 1));
        REQUIRE(aznas_scores_values(&older, proxies & 0x3ff, older_values, 1));
        printf("%" PRIu32 " %" PRIu32, proxies, scores.measured);
        for (uint32_t number = 0, place = 0; number < 32; number++) {
            if (!(proxies >> number & 1))
                continue;
            if (bits(values[place]) != bits(scores.proxies[number]) ||
                (number < 10 && bits(values[place]) != bits(older_values[place])))
                return 3;
            printf(" %016" PRIx64, bits(values[place++]));
        }
        printf("\n");
    }
    return 0;
}
