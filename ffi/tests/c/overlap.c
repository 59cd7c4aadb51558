/* Lays everything that a call writes over everything else that it writes or reads: each pair is refused and nothing is
 * written. Where the two just touch, the call succeeds. */
#include <aznas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 8, INPUT = 2 * SIDE * SIDE * 3, CANDIDATES = 7, COLUMNS = 2, ROWS = 6, NODES = 3, SLOT = 1 << 18 };

static const char TEXT[] = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|";

/* Everything that some call reaches; `names` are those of arguments and fields. */
typedef enum {
    ERROR,
    SCORES,
    WORKSPACE,
    BLOCKS,
    BYTES,
    COSTS,
    BATCH,
    OUT,
    VALUES,
    ARCH,
    OPTIONS,
    SOURCE,
    TENSORS,
    DATA,
    ANSWER,
    NODE_LIST,
    ARCH_TEXT,
    RANKING,
    STARTS,
    COLUMN_0,
    COLUMN_1,
    WEIGHTS,
    SEARCH,
    KNOWN_TEXTS,
    KNOWN_LENS,
    KNOWN,
    ROOM,
    LENGTH,
    LOSS,
    SWEEP,
    LABELS,
    SECOND_LABELS,
    PARTS
} part;

static const struct {
    const char *name;
    size_t len;
} parts[PARTS] = {
    [ERROR] = {"error", sizeof(aznas_error)},
    [SCORES] = {"scores", sizeof(aznas_scores)},
    [WORKSPACE] = {"workspace", SLOT},
    [BLOCKS] = {"blocks", ROWS * sizeof(aznas_block)},
    [BYTES] = {"bytes", sizeof(size_t)},
    [COSTS] = {"costs", sizeof(aznas_costs)},
    [BATCH] = {"batch", sizeof(uint32_t)},
    [OUT] = {"out", CANDIDATES * sizeof(double)},
    [VALUES] = {"values", 4 * sizeof(double)},
    [ARCH] = {"arch", sizeof(aznas_arch)},
    [OPTIONS] = {"options", sizeof(aznas_options)},
    [SOURCE] = {"source", sizeof(aznas_source)},
    [TENSORS] = {"tensors", sizeof(aznas_tensor)},
    [DATA] = {"data", INPUT * sizeof(float)},
    [ANSWER] = {"lookup", 4 * 3 * 9 * sizeof(float)},
    [NODE_LIST] = {"nodes", NODES * sizeof(aznas_node)},
    [ARCH_TEXT] = {"text", sizeof TEXT - 1},
    [RANKING] = {"ranking", sizeof(aznas_ranking)},
    [STARTS] = {"columns", COLUMNS * sizeof(double *)},
    [COLUMN_0] = {"columns", CANDIDATES * sizeof(double)},
    [COLUMN_1] = {"columns", CANDIDATES * sizeof(double)},
    [WEIGHTS] = {"weights", COLUMNS * sizeof(double)},
    [SEARCH] = {"search", sizeof(aznas_search)},
    [KNOWN_TEXTS] = {"texts", CANDIDATES * sizeof(char *)},
    [KNOWN_LENS] = {"text_lens", CANDIDATES * sizeof(size_t)},
    [KNOWN] = {"texts", sizeof TEXT - 1},
    [ROOM] = {"text", 256},
    [LENGTH] = {"text_len", sizeof(size_t)},
    [LOSS] = {"loss", sizeof(double)},
    [SWEEP] = {"sweep", sizeof(aznas_sweep)},
    [LABELS] = {"labels", 2 * sizeof(uint32_t)},
    [SECOND_LABELS] = {"second_labels", 2 * sizeof(uint32_t)},
};

/* A call, what it writes and what it reads besides. */
typedef struct {
    const char *name;
    uint32_t space;
    part written[5], read[12];
} function;

#define NAMED(name, ...) {name " of a text", AZNAS_SPACE_NB201, __VA_ARGS__, ARCH_TEXT, PARTS}}
#define GRAPH(name, ...) {name " of nodes", AZNAS_SPACE_GRAPH, __VA_ARGS__, NODE_LIST, PARTS}}
#define BATCHES {ERROR, BATCH, PARTS}, {ARCH, OPTIONS
#define READ ARCH, OPTIONS, SOURCE, TENSORS, DATA, ANSWER, LABELS, SECOND_LABELS
#define SCORE {ERROR, SCORES, WORKSPACE, BLOCKS, PARTS}, {READ
#define SIZE {ERROR, BYTES, PARTS}, {READ
#define GRADIENTS {ERROR, LOSS, WORKSPACE, PARTS}, {READ, SWEEP
#define GRADIENTS_SIZE {ERROR, BYTES, PARTS}, {READ, SWEEP
#define COST {ERROR, COSTS, PARTS}, {ARCH, OPTIONS
static const function functions[] = {
    NAMED("aznas_score", SCORE),
    GRAPH("aznas_score", SCORE),
    NAMED("aznas_workspace_size", SIZE),
    GRAPH("aznas_workspace_size", SIZE),
    NAMED("aznas_cost", COST),
    GRAPH("aznas_cost", COST),
    NAMED("aznas_smallest_batch", BATCHES),
    GRAPH("aznas_smallest_batch", BATCHES),
    NAMED("aznas_gradients", GRADIENTS),
    GRAPH("aznas_gradients", GRADIENTS),
    NAMED("aznas_gradients_workspace_size", GRADIENTS_SIZE),
    GRAPH("aznas_gradients_workspace_size", GRADIENTS_SIZE),
    {"aznas_aggregate", 0, {ERROR, WORKSPACE, OUT, PARTS}, {RANKING, STARTS, COLUMN_0, COLUMN_1, WEIGHTS, PARTS}},
    {"aznas_aggregate_workspace_size", 0, {ERROR, BYTES, PARTS}, {RANKING, PARTS}},
    {"aznas_scores_values", 0, {VALUES, PARTS}, {SCORES, PARTS}},
    {"aznas_search_ask", 0, {ERROR, WORKSPACE, ROOM, LENGTH, PARTS},
     {SEARCH, ARCH, KNOWN_TEXTS, KNOWN_LENS, KNOWN, RANKING, STARTS, COLUMN_0, COLUMN_1, WEIGHTS, PARTS}},
    {"aznas_search_workspace_size", 0, {ERROR, BYTES, PARTS}, {SEARCH, PARTS}},
};

static unsigned char *memory, *before;
static void *at[PARTS];

static const float *lookup(void *context, uint32_t role, uint32_t block, uint32_t key, size_t *len) {
    (void)context;
    *len = parts[ANSWER].len / sizeof(float);
    return role == AZNAS_ROLE_WEIGHT && block == 0 && key == 0 ? at[ANSWER] : NULL;
}

static void fill_nodes(void) {
    aznas_node nodes[NODES];
    memset(nodes, 0, sizeof nodes);
    for (uint32_t i = 0; i < NODES; i++) {
        nodes[i].op = i == 0 ? AZNAS_OP_CONVOLUTION : AZNAS_OP_RELU;
        nodes[i].inputs[0] = i;
        nodes[i].input_count = 1;
        nodes[i].channels = 4;
        nodes[i].groups = 1;
        for (int axis = 0; axis < 2; axis++) {
            nodes[i].kernel[axis] = 3;
            nodes[i].stride[axis] = nodes[i].dilation[axis] = nodes[i].padding[axis] = 1;
        }
    }
    nodes[NODES - 1].flags = AZNAS_NODE_END_OF_BLOCK;
    memcpy(at[NODE_LIST], nodes, sizeof nodes);
}

static void watch(void *context, const aznas_gradient *gradient) {
    (void)context;
    (void)gradient;
}

/* Puts what a call expects where the part lies. */
static void fill(part which, uint32_t space) {
    aznas_error error = {.struct_size = sizeof error};
    aznas_scores scores = {.struct_size = sizeof scores, .blocks = at[BLOCKS], .block_capacity = ROWS, .block_size = sizeof(aznas_block)};
    aznas_costs costs = {.struct_size = sizeof costs};
    aznas_tensor tensor = {.role = AZNAS_ROLE_INPUT, .data = at[DATA], .len = INPUT};
    aznas_source source = {.struct_size = sizeof source, .tensors = at[TENSORS], .tensor_count = 1, .tensor_size = sizeof tensor, .lookup = lookup,
                           .labels = at[LABELS], .label_count = 2, .second_labels = at[SECOND_LABELS], .second_label_count = 2};
    aznas_sweep sweep = {.struct_size = sizeof sweep, .loss = AZNAS_LOSS_SUM, .watch = watch};
    aznas_ranking ranking = {.struct_size = sizeof ranking, .columns = at[STARTS], .column_count = COLUMNS, .candidate_count = CANDIDATES, .weights = at[WEIGHTS]};
    const double *starts[COLUMNS] = {at[COLUMN_0], at[COLUMN_1]}, weights[COLUMNS] = {1.0, 2.0};
    const char *known[CANDIDATES];
    size_t known_lens[CANDIDATES];
    for (int i = 0; i < CANDIDATES; i++) {
        known[i] = at[KNOWN];
        known_lens[i] = sizeof TEXT - 1;
    }
    aznas_arch arch;
    aznas_options options;
    aznas_search search;
    switch (which) {
    case ERROR:
        memcpy(at[ERROR], &error, sizeof error);
        break;
    case SCORES:
        memcpy(at[SCORES], &scores, sizeof scores);
        break;
    case COSTS:
        memcpy(at[COSTS], &costs, sizeof costs);
        break;
    case ARCH:
        aznas_arch_init(&arch, sizeof arch, space ? space : AZNAS_SPACE_NB201);
        arch.channels = 4;
        arch.cells = 1;
        arch.text = at[ARCH_TEXT];
        arch.text_len = sizeof TEXT - 1;
        arch.nodes = at[NODE_LIST];
        arch.node_count = NODES;
        arch.node_size = sizeof(aznas_node);
        memcpy(at[ARCH], &arch, sizeof arch);
        break;
    case OPTIONS:
        aznas_options_init(&options, sizeof options);
        options.batch = 2;
        options.height = options.width = SIDE;
        options.source = at[SOURCE];
        memcpy(at[OPTIONS], &options, sizeof options);
        break;
    case SOURCE:
        memcpy(at[SOURCE], &source, sizeof source);
        break;
    case TENSORS:
        memcpy(at[TENSORS], &tensor, sizeof tensor);
        break;
    case NODE_LIST:
        fill_nodes();
        break;
    case ARCH_TEXT:
    case KNOWN:
        memcpy(at[which], TEXT, sizeof TEXT - 1);
        break;
    case SEARCH:
        aznas_search_init(&search, sizeof search, AZNAS_SPACE_NB201);
        search.warmup_count = 1;
        search.texts = at[KNOWN_TEXTS];
        search.text_lens = at[KNOWN_LENS];
        search.history = at[RANKING];
        memcpy(at[SEARCH], &search, sizeof search);
        break;
    case KNOWN_TEXTS:
        memcpy(at[KNOWN_TEXTS], known, sizeof known);
        break;
    case KNOWN_LENS:
        memcpy(at[KNOWN_LENS], known_lens, sizeof known_lens);
        break;
    case RANKING:
        memcpy(at[RANKING], &ranking, sizeof ranking);
        break;
    case STARTS:
        memcpy(at[STARTS], starts, sizeof starts);
        break;
    case SWEEP:
        memcpy(at[SWEEP], &sweep, sizeof sweep);
        break;
    case LABELS:
    case SECOND_LABELS:
        memset(at[which], 0, parts[which].len);
        break;
    case WEIGHTS:
        memcpy(at[WEIGHTS], weights, sizeof weights);
        break;
    default:
        for (size_t i = 0; i < parts[which].len; i += sizeof(float))
            memcpy((char *)at[which] + i, &(float){(float)(i % 7)}, sizeof(float));
    }
}

static aznas_status invoke(const function *f) {
    switch (f->written[1]) {
    case SCORES:
        return aznas_score(at[ARCH], at[OPTIONS], at[WORKSPACE], parts[WORKSPACE].len, at[SCORES], at[ERROR]);
    case COSTS:
        return aznas_cost(at[ARCH], at[OPTIONS], at[COSTS], at[ERROR]);
    case BATCH:
        return aznas_smallest_batch(at[ARCH], at[OPTIONS], 2, at[BATCH], at[ERROR]);
    case WORKSPACE:
        if (f->read[0] == SEARCH)
            return aznas_search_ask(at[SEARCH], at[ARCH], CANDIDATES, at[WORKSPACE], parts[WORKSPACE].len, at[ROOM],
                                    parts[ROOM].len, at[LENGTH], at[ERROR]);
        return aznas_aggregate(at[RANKING], at[WORKSPACE], parts[WORKSPACE].len, at[OUT], at[ERROR]);
    case LOSS:
        return aznas_gradients(at[ARCH], at[OPTIONS], at[SWEEP], at[WORKSPACE], parts[WORKSPACE].len, at[LOSS], at[ERROR]);
    case BYTES:
        if (f->read[0] == SEARCH)
            return aznas_search_workspace_size(at[SEARCH], CANDIDATES, at[BYTES], at[ERROR]);
        for (const part *p = f->read; *p != PARTS; p++)
            if (*p == SWEEP)
                return aznas_gradients_workspace_size(at[ARCH], at[OPTIONS], at[SWEEP], at[BYTES], at[ERROR]);
        return f->read[0] == RANKING ? aznas_aggregate_workspace_size(at[RANKING], at[BYTES], at[ERROR])
                                     : aznas_workspace_size(at[ARCH], at[OPTIONS], at[BYTES], at[ERROR]);
    default:
        return aznas_scores_values(at[SCORES], AZNAS_PROXIES_PAPER, at[VALUES], 1);
    }
}

/* Calls the function with the end of `written` so many bytes inside `other`, and checks the outcome. */
static int check(const function *f, part written, part other, size_t shared) {
    for (part p = 0; p < PARTS; p++)
        at[p] = memory + (size_t)(2 * p + 1) * SLOT;
    at[written] = (unsigned char *)at[other] - parts[written].len + shared;
    fill(written, f->space);
    for (part p = 0; p < PARTS; p++)
        if (p != written)
            fill(p, f->space);
    const size_t len = 2 * (size_t)PARTS * SLOT;
    memcpy(before, memory, len);
    const aznas_status status = invoke(f), expected = shared ? AZNAS_STATUS_OVERLAP : AZNAS_STATUS_OK;
    const aznas_error *error = at[ERROR];
    int is_right = status == expected;
    if (status != AZNAS_STATUS_OK && f->written[0] == ERROR && written != ERROR && other != ERROR) {
        is_right &= !strcmp(error->field, parts[written].name) || !strcmp(error->field, parts[other].name);
        memcpy(at[ERROR], before + ((unsigned char *)at[ERROR] - memory), sizeof *error);
    }
    is_right &= status == AZNAS_STATUS_OK || !memcmp(before, memory, len);
    if (!is_right)
        fprintf(stderr, "%s: %s over %zu bytes of %s: %s (%s)\n", f->name, parts[written].name, shared, parts[other].name,
                aznas_status_str(status), error->field);
    return !is_right;
}

int main(void) {
    int wrong = 0, pairs = 0;
    memory = calloc(2 * PARTS, SLOT);
    before = malloc(2 * (size_t)PARTS * SLOT);
    if (!memory || !before)
        return 2;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        const function *f = &functions[i];
        for (const part *written = f->written; *written != PARTS; written++) {
            part others[16];
            size_t count = 0;
            for (const part *p = f->written; *p != PARTS; p++)
                if (p != written)
                    others[count++] = *p;
            for (const part *p = f->read; *p != PARTS; p++)
                others[count++] = *p;
            for (size_t other = 0; other < count; other++, pairs++) {
                wrong += check(f, *written, others[other], 0);
                wrong += check(f, *written, others[other], sizeof(size_t));
            }
        }
    }
    printf("%d pairs\n", pairs);
    free(memory);
    free(before);
    return wrong != 0;
}
