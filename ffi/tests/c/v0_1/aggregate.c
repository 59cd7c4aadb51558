/* Ranks five candidates by three proxies in both ways and prints bits. */
#include "print.h"
#include <math.h>
#include <stdlib.h>

int main(void) {
    const double expressivity[] = {3.0, 1.0, 2.0, 2.0, -INFINITY};
    const double trainability[] = {-0.5, -0.25, NAN, -0.5, -2.0};
    const double complexity[] = {1e6, 2e6, 3e6, 4e6, 5e6};
    const double *columns[] = {expressivity, trainability, complexity};
    const double weights[] = {1.0, 0.5, 2.0};
    aznas_ranking ranking = {.struct_size = sizeof ranking, .columns = columns, .column_count = 3, .candidate_count = 5};
    size_t bytes;
    REQUIRE(aznas_aggregate_workspace_size(&ranking, &bytes, NULL));
    char *workspace = malloc(bytes + 3);
    for (unsigned skip = 0; skip < 4; skip++) {
        double out[5];
        ranking.mode = skip % 2 ? AZNAS_MODE_LINEAR : AZNAS_MODE_LOG;
        ranking.weights = skip / 2 ? weights : NULL;
        REQUIRE(aznas_aggregate(&ranking, workspace + skip, bytes, out, NULL));
        for (int i = 0; i < 5; i++)
            printf("%016" PRIx64 "%s", bits(out[i]), i < 4 ? " " : "\n");
    }
    free(workspace);
    return 0;
}
