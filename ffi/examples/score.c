/* Scores a cell of NAS-Bench-201, the one of the command line or a good one. */
#include <aznas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    const char *text = argc > 1 ? argv[1]
        : "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|";
    aznas_arch arch;
    aznas_options options;
    aznas_arch_init(&arch, sizeof arch, AZNAS_SPACE_NB201);
    aznas_options_init(&options, sizeof options);
    arch.text = text;
    arch.text_len = strlen(text);
    options.batch = 8;

    size_t bytes = 0;
    aznas_scores scores = AZNAS_SCORES_INIT;
    aznas_error error = AZNAS_ERROR_INIT;
    aznas_status status = aznas_workspace_size(&arch, &options, &bytes, &error);
    if (status == AZNAS_STATUS_OK) {
        void *workspace = malloc(bytes);
        if (workspace == NULL) {
            fprintf(stderr, "no memory for a workspace of %zu bytes\n", bytes);
            return 1;
        }
        status = aznas_score(&arch, &options, workspace, bytes, &scores, &error);
        free(workspace);
    }
    if (status == AZNAS_STATUS_PARSE)
        fprintf(stderr, "column %zu: ", error.column);
    if (status != AZNAS_STATUS_OK) {
        fprintf(stderr, "%s: must be %s\n", error.field, error.expected);
        return 1;
    }
    printf("expressivity %.4f progressivity %.4f trainability %.4f complexity %.0f (%zu bytes, %s)\n", scores.expressivity,
           scores.progressivity, scores.trainability, scores.complexity, bytes, aznas_backend_name(options.backend));
    return 0;
}
