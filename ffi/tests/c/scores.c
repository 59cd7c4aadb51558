/* Scores the networks of its input, one a line, and prints bits:
 * space channels cells classes batch side seed init repeats backend proxies algorithm text */
#include "print.h"
#include <stdlib.h>

int main(void) {
    char line[2048], text[1024];
    while (fgets(line, sizeof line, stdin)) {
        unsigned space;
        if (sscanf(line, "%u", &space) != 1)
            return 2;
        aznas_arch arch;
        aznas_options options;
        REQUIRE(aznas_arch_init(&arch, sizeof arch, space));
        REQUIRE(aznas_options_init(&options, sizeof options));
        if (sscanf(line, "%*u %" SCNu32 " %" SCNu32 " %" SCNu32 " %zu %zu %" SCNu64 " %" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32
                         " %" SCNu32 " %1023s",
                   &arch.channels, &arch.cells, &arch.classes, &options.batch, &options.height, &options.seed,
                   &options.init, &options.repeats, &options.backend, &options.proxies, &options.algorithm,
                   text) != 12)
            return 2;
        options.width = options.height;
        arch.text = text;
        arch.text_len = strlen(text);

        size_t bytes;
        REQUIRE(aznas_workspace_size(&arch, &options, &bytes, NULL));
        void *workspace = malloc(bytes);
        aznas_block blocks[128] = {{0}};
        aznas_scores scores = {.struct_size = sizeof scores};
        scores.blocks = blocks;
        scores.block_capacity = 128;
        scores.block_size = sizeof blocks[0];
        REQUIRE(aznas_score(&arch, &options, workspace, bytes, &scores, NULL));
        free(workspace);
        print_scores(&scores);

        aznas_costs costs = {.struct_size = sizeof costs};
        REQUIRE(aznas_cost(&arch, &options, &costs, NULL));
        if (bits(costs.complexity) != bits(scores.complexity) || costs.macs != scores.macs ||
            costs.live_macs != scores.live_macs || costs.parameters != scores.parameters ||
            costs.live_parameters != scores.live_parameters || costs.live_layers != scores.live_layers ||
            costs.depth != scores.depth || costs.blocks != scores.block_count)
            return 3;

        uint32_t batch;
        REQUIRE(aznas_smallest_batch(&arch, &options, 2, &batch, NULL));
        const int is_small = scores.measured & AZNAS_PROXY_EXPRESSIVITY && options.batch < batch;
        if (is_small != !!(scores.flags & AZNAS_FLAG_FEW_POSITIONS))
            return 4;
    }
    return 0;
}
