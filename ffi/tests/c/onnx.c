/* Turns ONNX files, one a line of its input, into nodes and prints the bits of their scores, or why they are refused. */
#include "print.h"
#include <stdlib.h>

/* With drawn parameters, or with those of the file. */
static void score(const aznas_onnx *onnx, const aznas_source *source) {
    aznas_arch arch;
    aznas_options options;
    REQUIRE(aznas_arch_init(&arch, sizeof arch, AZNAS_SPACE_GRAPH));
    REQUIRE(aznas_options_init(&options, sizeof options));
    arch.nodes = onnx->nodes;
    arch.node_count = onnx->node_count;
    arch.node_size = onnx->node_size;
    arch.input_channels = onnx->input_channels;
    arch.identity_rule = onnx->identity_rule;
    options.batch = 2;
    options.height = onnx->height;
    options.width = onnx->width;
    options.backend = AZNAS_BACKEND_SCALAR;
    options.source = source;
    size_t bytes;
    REQUIRE(aznas_workspace_size(&arch, &options, &bytes, NULL));
    void *workspace = malloc(bytes);
    aznas_scores scores = AZNAS_SCORES_INIT;
    REQUIRE(aznas_score(&arch, &options, workspace, bytes, &scores, NULL));
    free(workspace);
    print_scores(&scores);
}

int main(void) {
    static char path[4096];
    static unsigned char file[1 << 20];
    while (fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = 0;
        FILE *stream = fopen(path, "rb");
        if (!stream)
            return 2;
        const size_t length = fread(file, 1, sizeof file, stream);
        fclose(stream);

        aznas_onnx onnx = AZNAS_ONNX_INIT;
        aznas_error error = AZNAS_ERROR_INIT;
        const aznas_status status = aznas_onnx_nodes(file, length, &onnx, &error);
        if (status == AZNAS_STATUS_MODEL) {
            printf("%s: %s\n", error.field, error.expected);
            continue;
        }
        REQUIRE(status);
        const size_t count = onnx.node_count;
        onnx.nodes = calloc(count, sizeof *onnx.nodes);
        onnx.node_size = sizeof *onnx.nodes;
        /* Too few are refused, and nothing is written. */
        onnx.node_capacity = count - 1;
        if (aznas_onnx_nodes(file, length, &onnx, &error) != AZNAS_STATUS_INVALID || strcmp(error.field, "node_capacity") ||
            onnx.nodes[0].op != 0)
            return 3;
        /* Nor may the nodes lie in the file. */
        aznas_onnx inside = onnx;
        inside.nodes = (aznas_node *)(void *)(file + (16 - (uintptr_t)file % 16));
        inside.node_capacity = 1;
        if (aznas_onnx_nodes(file, length, &inside, NULL) != AZNAS_STATUS_OVERLAP)
            return 4;
        if (aznas_onnx_nodes(NULL, length, &onnx, NULL) != AZNAS_STATUS_NULL_POINTER ||
            aznas_onnx_nodes(file, length, NULL, NULL) != AZNAS_STATUS_NULL_POINTER ||
            aznas_onnx_nodes(file, 0, &onnx, NULL) != AZNAS_STATUS_MODEL)
            return 5;
        onnx.node_capacity = count;
        REQUIRE(aznas_onnx_nodes(file, length, &onnx, NULL));
        if (onnx.node_count != count)
            return 6;
        score(&onnx, NULL);

        const size_t tensors = onnx.tensor_count, numbers = onnx.number_count;
        onnx.tensors = calloc(tensors, sizeof *onnx.tensors);
        onnx.tensor_size = sizeof *onnx.tensors;
        onnx.numbers = calloc(numbers, sizeof *onnx.numbers);
        onnx.number_capacity = numbers;
        onnx.tensor_capacity = tensors - 1;
        if (aznas_onnx_nodes(file, length, &onnx, &error) != AZNAS_STATUS_INVALID || strcmp(error.field, "tensor_capacity"))
            return 7;
        onnx.tensor_capacity = tensors;
        onnx.number_capacity = numbers - 1;
        if (aznas_onnx_nodes(file, length, &onnx, &error) != AZNAS_STATUS_INVALID || strcmp(error.field, "number_capacity") ||
            onnx.tensors[0].data)
            return 8;
        onnx.number_capacity = numbers;
        REQUIRE(aznas_onnx_nodes(file, length, &onnx, NULL));
        aznas_source source = AZNAS_SOURCE_INIT;
        source.tensors = onnx.tensors;
        source.tensor_count = onnx.tensor_count;
        source.tensor_size = onnx.tensor_size;
        score(&onnx, &source);
        free(onnx.numbers);
        free(onnx.tensors);
        free(onnx.nodes);
    }
    return 0;
}
