/* Everything a program can get wrong: always a status, never a crash, and nothing is written but on success.
 * Takes the number of random calls and a seed. */
#include <aznas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A struct with room for what a later version might add. */
#define ROOMY(type, name) \
    union {               \
        type s;           \
        char room[2048];  \
    } name

static const char CELL[] = {"|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|"};
static const char UNITS[] = {"SuperConvK3BNRELU(3,8,2,1)SuperResIDWE2K3(8,16,2,8,1)"};
static const char VERTICES[] = {"4:111011:1m"};
static const char GENOTYPE[] = {"Genotype(normal=[('none', 0), ('sep_conv_3x3', 1)], normal_concat=[1, 2], "
                                "reduce=[('skip_connect', 0), ('max_pool_3x3', 1)], reduce_concat=[2], width=2, depth=3)"};
static const char TRANSFORMER[] = {"autoformer(embed=16,heads=1-2,ratio=1-1.5)"};

enum { NODES = 12, TENSORS = 3, ROWS = 64, CANDIDATES = 7, COLUMNS = 3 };

/* Everything a call can reach. The texts have no terminator and end with their memory, for the sanitizer to see. */
static ROOMY(aznas_arch, arch);
static ROOMY(aznas_options, options);
static ROOMY(aznas_source, source);
static ROOMY(aznas_sweep, sweep);
static ROOMY(aznas_scores, scores);
static ROOMY(aznas_costs, costs);
static ROOMY(aznas_ranking, ranking);
static ROOMY(aznas_search, search);
static ROOMY(aznas_error, error);
static struct {
    ROOMY(aznas_node, each);
} nodes[NODES];
static aznas_tensor tensors[TENSORS];
static uint32_t labels[2], second_labels[2];
static double loss;
static aznas_block rows[ROWS];
static float numbers[2 * 8 * 8 * 3];
static double first[CANDIDATES], second[CANDIDATES], third[CANDIDATES], out[CANDIDATES], weights[COLUMNS], values[32 * 9];
static const double *columns[COLUMNS] = {first, second, third};
static size_t bytes;
static const char *known[CANDIDATES];
static size_t known_lens[CANDIDATES];
static char room[1 << 12];
static char *cell, *units, *transformer, *vertices, *genotype, *memory;
/* The text of each space, by its number. */
static const struct {
    const char *text;
    size_t length;
    char **own;
} texts[] = {
    [AZNAS_SPACE_NB201] = {CELL, sizeof CELL - 1, &cell},
    [AZNAS_SPACE_MBV2] = {UNITS, sizeof UNITS - 1, &units},
    [AZNAS_SPACE_AUTOFORMER] = {TRANSFORMER, sizeof TRANSFORMER - 1, &transformer},
    [AZNAS_SPACE_GRAPH] = {CELL, sizeof CELL - 1, &cell},
    [AZNAS_SPACE_NB101] = {VERTICES, sizeof VERTICES - 1, &vertices},
    [AZNAS_SPACE_NDS] = {GENOTYPE, sizeof GENOTYPE - 1, &genotype},
};
static size_t memory_len = 1 << 19;

/* The arguments of a call, any of which may be wrong. */
static struct {
    const void *arch, *options, *ranking, *search, *sweep;
    void *workspace, *scores, *costs, *error, *bytes, *out, *values, *text, *loss;
    size_t workspace_len, stride, number, text_capacity;
} call;

/* How many proxies and ops there are: their numbers end where the library says so. */
static uint32_t proxy_count, op_count;

static uint64_t state;

static uint32_t draw(uint32_t below) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 32) * below >> 32);
}

/* Reads all that it is told of. */
static void watch(void *context, const aznas_gradient *gradient) {
    double *sum = context;
    for (size_t i = 0; i < gradient->len; i++)
        *sum += gradient->gradient[i] + (gradient->values ? gradient->values[i] : 0);
}

static void reset(uint32_t space) {
    static double sum;
    static const aznas_error no_error;
    static const aznas_scores no_scores;
    static const aznas_costs no_costs;
    memset(&arch, 0, sizeof arch);
    memset(&options, 0, sizeof options);
    memset(&source, 0, sizeof source);
    memset(&sweep, 0, sizeof sweep);
    memset(labels, 0, sizeof labels);
    memset(second_labels, 0, sizeof second_labels);
    memset(&scores, 0, sizeof scores);
    memset(&costs, 0, sizeof costs);
    memset(&ranking, 0, sizeof ranking);
    memset(&error, 0, sizeof error);
    memset(nodes, 0, sizeof nodes);
    memset(tensors, 0, sizeof tensors);
    aznas_arch_init(&arch.s, sizeof arch.s, space);
    aznas_options_init(&options.s, sizeof options.s);
    arch.s.channels = space == AZNAS_SPACE_NB101 ? 5 : 4;
    arch.s.cells = 1;
    arch.s.patch = 4;
    arch.s.target_channels = space == AZNAS_SPACE_NB101 ? 7 : 0;
    arch.s.text = *texts[space].own;
    arch.s.text_len = texts[space].length;
    arch.s.nodes = &nodes[0].each.s;
    arch.s.node_count = 3;
    arch.s.node_size = sizeof(aznas_node);
    aznas_node *node = &nodes[0].each.s;
    for (uint32_t i = 0; i < NODES; i++) {
        node[i] = (aznas_node){.op = AZNAS_OP_RELU, .inputs = {i % 3}, .input_count = 1, .channels = 4, .groups = 1, .epsilon = 1e-5};
        node[i].kernel[0] = node[i].kernel[1] = 3;
        node[i].stride[0] = node[i].stride[1] = node[i].dilation[0] = node[i].dilation[1] = 1;
        node[i].padding[0] = node[i].padding[1] = 1;
        if (i % 3 == 0)
            node[i].op = AZNAS_OP_CONVOLUTION;
        if (i % 3 == 2)
            node[i].flags = AZNAS_NODE_END_OF_BLOCK;
    }
    options.s.batch = 2;
    options.s.height = options.s.width = 8;
    source.s.struct_size = sizeof source.s;
    source.s.tensors = tensors;
    source.s.tensor_count = 1;
    source.s.tensor_size = sizeof tensors[0];
    for (int i = 0; i < TENSORS; i++)
        tensors[i] = (aznas_tensor){.role = AZNAS_ROLE_INPUT, .data = numbers, .len = sizeof numbers / sizeof *numbers};
    sweep.s.struct_size = sizeof sweep.s;
    /* The graph here has no head. */
    sweep.s.loss = space == AZNAS_SPACE_GRAPH ? AZNAS_LOSS_SUM : AZNAS_LOSS_CROSS_ENTROPY;
    sweep.s.watch = watch;
    sweep.s.context = &sum;
    scores.s = no_scores;
    scores.s.struct_size = sizeof scores.s;
    costs.s = no_costs;
    costs.s.struct_size = sizeof costs.s;
    error.s = no_error;
    error.s.struct_size = sizeof error.s;
    ranking.s.struct_size = sizeof ranking.s;
    ranking.s.columns = columns;
    ranking.s.column_count = COLUMNS;
    ranking.s.candidate_count = CANDIDATES;
    memset(&search, 0, sizeof search);
    if (aznas_search_init(&search.s, sizeof search.s, space) != AZNAS_STATUS_OK)
        aznas_search_init(&search.s, sizeof search.s, AZNAS_SPACE_NB201);
    for (int i = 0; i < CANDIDATES; i++) {
        known[i] = *texts[space].own;
        known_lens[i] = texts[space].length;
    }
    search.s.warmup_count = 2;
    search.s.max_proposals = 2;
    search.s.texts = known;
    search.s.text_lens = known_lens;
    search.s.history = &ranking.s;
    call.search = &search;
    call.text = room;
    call.text_capacity = sizeof room;
    call.number = CANDIDATES;
    call.arch = &arch;
    call.options = &options;
    call.ranking = &ranking;
    call.workspace = memory;
    call.workspace_len = memory_len;
    call.scores = &scores;
    call.costs = &costs;
    call.error = &error;
    call.bytes = &bytes;
    call.out = out;
    call.sweep = &sweep;
    call.loss = &loss;
    call.values = values;
    call.stride = 1;
}

static void fail(const char *what, aznas_status status) {
    fprintf(stderr, "%s: %d %s; field %s, expected %s\n", what, (int)status, aznas_status_str(status), error.s.field, error.s.expected);
    fprintf(stderr, "space %u channels %u cells %u classes %u batch %zu %zux%zu\n", (unsigned)arch.s.space, (unsigned)arch.s.channels,
            (unsigned)arch.s.cells, (unsigned)arch.s.classes, options.s.batch, options.s.height, options.s.width);
    for (int i = 0; i < NODES; i++) {
        const aznas_node *n = &(&nodes[0].each.s)[i];
        fprintf(stderr, "node op %u flags %u inputs %u %u %u count %u channels %u kernel %ux%u stride %ux%u padding %ux%u dilation %ux%u groups %u\n",
                (unsigned)n->op, (unsigned)n->flags, (unsigned)n->inputs[0], (unsigned)n->inputs[1], (unsigned)n->inputs[2],
                (unsigned)n->input_count, (unsigned)n->channels, (unsigned)n->kernel[0], (unsigned)n->kernel[1], (unsigned)n->stride[0],
                (unsigned)n->stride[1], (unsigned)n->padding[0], (unsigned)n->padding[1], (unsigned)n->dilation[0],
                (unsigned)n->dilation[1], (unsigned)n->groups);
    }
    exit(1);
}

enum { SCORE, SIZE, COST, AGGREGATE, AGGREGATE_SIZE, VALUES, ASK, ASK_SIZE, GRADIENTS_SIZE, GRADIENTS, FUNCTIONS };

/* Calls a function with the arguments as they are, checks the rules, and returns the status. */
static aznas_status invoke(int function) {
    static ROOMY(aznas_scores, scores_before);
    static ROOMY(aznas_costs, costs_before);
    static ROOMY(aznas_error, error_before);
    static aznas_block rows_before[ROWS];
    double out_before[CANDIDATES], values_before[sizeof values / sizeof *values];
    memset(rows, 0x5a, sizeof rows);
    memset(out, 0x5a, sizeof out);
    memset(values, 0x5a, sizeof values);
    static char room_before[sizeof room];
    memset(room, 0x5a, sizeof room);
    memcpy(room_before, room, sizeof room);
    bytes = 0x5a5a;
    loss = 0x5a5a;
    memcpy(&scores_before, &scores, sizeof scores);
    memcpy(&costs_before, &costs, sizeof costs);
    memcpy(&error_before, &error, sizeof error);
    memcpy(rows_before, rows, sizeof rows);
    memcpy(out_before, out, sizeof out);
    memcpy(values_before, values, sizeof values);
    aznas_status status = AZNAS_STATUS_OTHER;
    switch (function) {
    case SCORE:
        status = aznas_score(call.arch, call.options, call.workspace, call.workspace_len, call.scores, call.error);
        break;
    case SIZE:
        status = aznas_workspace_size(call.arch, call.options, call.bytes, call.error);
        break;
    case COST:
        status = aznas_cost(call.arch, call.options, call.costs, call.error);
        break;
    case AGGREGATE:
        status = aznas_aggregate(call.ranking, call.workspace, call.workspace_len, call.out, call.error);
        break;
    case AGGREGATE_SIZE:
        status = aznas_aggregate_workspace_size(call.ranking, call.bytes, call.error);
        break;
    case VALUES:
        status = aznas_scores_values(call.scores, options.s.proxies, call.values, call.stride);
        break;
    case ASK:
        status = aznas_search_ask(call.search, call.arch, call.number, call.workspace, call.workspace_len, call.text,
                                  call.text_capacity, call.bytes, call.error);
        break;
    case ASK_SIZE:
        status = aznas_search_workspace_size(call.search, call.number, call.bytes, call.error);
        break;
    case GRADIENTS_SIZE:
        status = aznas_gradients_workspace_size(call.arch, call.options, call.sweep, call.bytes, call.error);
        break;
    case GRADIENTS:
        status = aznas_gradients(call.arch, call.options, call.sweep, call.workspace, call.workspace_len, call.loss, call.error);
        break;
    }
    if (status > 0 || status == AZNAS_STATUS_OTHER || status == AZNAS_STATUS_PANIC || status == AZNAS_STATUS_OUT_OF_MEMORY)
        fail("a status that must not be", status);
#define BEYOND(descriptor, before)                                                                            \
    (descriptor.s.struct_size < sizeof descriptor &&                                                          \
     memcmp(descriptor.room + descriptor.s.struct_size, before.room + descriptor.s.struct_size,                \
            sizeof descriptor - descriptor.s.struct_size))
    if (BEYOND(scores, scores_before) || BEYOND(costs, costs_before) || BEYOND(error, error_before))
        fail("something was written beyond the struct", status);
    if (status == AZNAS_STATUS_OK) {
        if (memcmp(&error_before, &error, sizeof error))
            fail("success wrote into the error", status);
    } else {
        if (memcmp(&scores_before, &scores, sizeof scores) || memcmp(&costs_before, &costs, sizeof costs) ||
            memcmp(rows_before, rows, sizeof rows) || memcmp(out_before, out, sizeof out) ||
            memcmp(values_before, values, sizeof values) || memcmp(room_before, room, sizeof room) || bytes != 0x5a5a ||
            loss != 0x5a5a)
            fail("a refusal wrote into a result", status);
        if (memcmp(&error_before, &error, sizeof error) && error.s.status != status)
            fail("the error has another status", status);
    }
    return status;
}

static void expect(int function, aznas_status expected, const char *what) {
    aznas_status status = invoke(function);
    if (status != expected) {
        fprintf(stderr, "%s (function %d): expected %d\n", what, function, (int)expected);
        fail(what, status);
    }
}

/* Lays the nodes out as those of a later header, whose new field holds `value`. */
static void spread_nodes(char value) {
    static struct {
        aznas_node node;
        char later[64];
    } spread[3];
    for (int i = 0; i < 3; i++) {
        spread[i].node = (&nodes[0].each.s)[i];
        memset(spread[i].later, 0, sizeof spread[i].later);
    }
    spread[2].later[63] = value;
    arch.s.nodes = &spread[0].node;
    arch.s.node_size = sizeof spread[0];
}

/* Makes the node an attention over as many rows of eight tokens. */
static void attend(aznas_node *node, uint32_t heads, uint32_t rows) {
    node->op = AZNAS_OP_ATTENTION;
    node->heads = heads;
    node->grid[0] = rows;
    node->grid[1] = 8;
}

/* Every size that a struct could claim: those of headers up to now and some room for later ones are accepted. */
static void every_size(int function, size_t *struct_size, const size_t *known, size_t known_count, const char *field) {
    const size_t now = known[known_count - 1];
    for (size_t size = 0; size <= now + 1100; size += size > now && size < now + 1000 ? 111 : 1) {
        reset(AZNAS_SPACE_NB201);
        *struct_size = size;
        int is_known = size >= now && size <= now + 1024;
        for (size_t i = 0; i < known_count; i++)
            is_known |= size == known[i];
        expect(function, is_known ? AZNAS_STATUS_OK : AZNAS_STATUS_STRUCT_SIZE, field);
        const int is_reported = function != VALUES && struct_size != &error.s.struct_size;
        if (!is_known && is_reported && strcmp(error.s.field, field))
            fail("the error names another field", AZNAS_STATUS_STRUCT_SIZE);
    }
}

/* Each mistake on its own, with the status it must give. */
static void single_mistakes(void) {
    const volatile double zero = 0.0;
#define MISTAKE(function, change, expected)      \
    do {                                         \
        reset(AZNAS_SPACE_NB201);                \
        expect(function, AZNAS_STATUS_OK, "no mistake"); \
        reset(AZNAS_SPACE_NB201);                \
        change;                                  \
        expect(function, expected, #change);     \
    } while (0)
    /* The sizes in earlier headers are the places of the fields that came after them. */
#define SIZES(function, descriptor, ...)                                                         \
    do {                                                                                         \
        const size_t known[] = {__VA_ARGS__ sizeof descriptor.s};                                \
        every_size(function, &descriptor.s.struct_size, known, sizeof known / sizeof *known, #descriptor ".struct_size"); \
    } while (0);                                                                                 \
    MISTAKE(function, descriptor.s.struct_size = SIZE_MAX, AZNAS_STATUS_STRUCT_SIZE);            \
    MISTAKE(function, (descriptor.s.struct_size += 64, descriptor.room[sizeof descriptor.s + 63] = 1), AZNAS_STATUS_STRUCT_SIZE)
#define POINTERS(function, argument)                                                   \
    MISTAKE(function, call.argument = NULL, AZNAS_STATUS_NULL_POINTER);                \
    MISTAKE(function, call.argument = (char *)call.argument + 1, AZNAS_STATUS_MISALIGNED)
    const int scoring[] = {SCORE, SIZE, COST};
    for (int i = 0; i < 3; i++) {
        const int f = scoring[i];
        MISTAKE(f, call.arch = NULL, AZNAS_STATUS_NULL_POINTER);
        MISTAKE(f, call.arch = (const char *)call.arch + 1, AZNAS_STATUS_MISALIGNED);
        MISTAKE(f, call.options = NULL, AZNAS_STATUS_NULL_POINTER);
        MISTAKE(f, call.options = (const char *)call.options + 1, AZNAS_STATUS_MISALIGNED);
        SIZES(f, arch, offsetof(aznas_arch, target_channels), );
        SIZES(f, options, offsetof(aznas_options, entropy), );
        SIZES(f, error, );
        MISTAKE(f, call.error = NULL, AZNAS_STATUS_OK);
        MISTAKE(f, call.error = (char *)call.error + 1, AZNAS_STATUS_MISALIGNED);
        const uint32_t enums[] = {UINT32_MAX, INT32_MAX, (uint32_t)INT32_MIN, 99};
        for (int e = 0; e < 4; e++) {
            MISTAKE(f, arch.s.space = enums[e], AZNAS_STATUS_INVALID);
            MISTAKE(f, options.s.init = enums[e], AZNAS_STATUS_INVALID);
            MISTAKE(f, options.s.backend = enums[e], AZNAS_STATUS_INVALID);
            MISTAKE(f, options.s.sigma = enums[e], AZNAS_STATUS_INVALID);
            MISTAKE(f, options.s.entropy = enums[e], AZNAS_STATUS_INVALID);
            MISTAKE(f, options.s.algorithm = enums[e], AZNAS_STATUS_INVALID);
            MISTAKE(f, options.s.proxies = enums[e] | 1u << 30, AZNAS_STATUS_INVALID);
            MISTAKE(f, (arch.s.space = AZNAS_SPACE_GRAPH, arch.s.identity_rule = enums[e]), AZNAS_STATUS_INVALID);
            MISTAKE(f, (arch.s.space = AZNAS_SPACE_GRAPH, nodes[0].each.s.op = enums[e]), AZNAS_STATUS_NODE);
            MISTAKE(f, (arch.s.space = AZNAS_SPACE_GRAPH, nodes[0].each.s.flags = enums[e] | 4), AZNAS_STATUS_NODE);
        }
        MISTAKE(f, arch.s.space = 0, AZNAS_STATUS_INVALID);
        MISTAKE(f, arch.s.space = AZNAS_SPACE_AUTOFORMER, AZNAS_STATUS_PARSE);
        MISTAKE(f, options.s.sigma = 2, AZNAS_STATUS_INVALID);
        MISTAKE(f, options.s.entropy = 2, AZNAS_STATUS_INVALID);
        MISTAKE(f, options.s.entropy = AZNAS_ENTROPY_HALF_SPLIT, AZNAS_STATUS_OK);
        MISTAKE(f, options.s.reserved = 1, AZNAS_STATUS_INVALID);
        MISTAKE(f, options.s.proxies = 0, AZNAS_STATUS_OK);
        MISTAKE(f, options.s.proxies = AZNAS_PROXIES_ALL, AZNAS_STATUS_OK);
        MISTAKE(f, options.s.algorithm = 3, AZNAS_STATUS_INVALID);
        MISTAKE(f, options.s.algorithm = AZNAS_ALGORITHM_BFLOAT16, AZNAS_STATUS_OK);
        MISTAKE(f, arch.s.text = NULL, AZNAS_STATUS_NULL_POINTER);
        MISTAKE(f, arch.s.text_len = 0, AZNAS_STATUS_PARSE);
        MISTAKE(f, arch.s.text_len -= 1, AZNAS_STATUS_PARSE);
        MISTAKE(f, arch.s.text_len = SIZE_MAX, AZNAS_STATUS_OVERFLOW);
        MISTAKE(f, arch.s.channels = 0, AZNAS_STATUS_INVALID);
        MISTAKE(f, arch.s.cells = UINT32_MAX, AZNAS_STATUS_INVALID);
        MISTAKE(f, arch.s.classes = 0, AZNAS_STATUS_INVALID);
        MISTAKE(f, options.s.height = SIZE_MAX, AZNAS_STATUS_OVERFLOW);
        MISTAKE(f, arch.s.space = AZNAS_SPACE_GRAPH, AZNAS_STATUS_OK);
#define GRAPH_MISTAKE(change, expected) MISTAKE(f, (arch.s.space = AZNAS_SPACE_GRAPH, change), expected)
        GRAPH_MISTAKE(arch.s.nodes = NULL, AZNAS_STATUS_NULL_POINTER);
        GRAPH_MISTAKE(arch.s.nodes = (const aznas_node *)((const char *)nodes + 1), AZNAS_STATUS_MISALIGNED);
        GRAPH_MISTAKE(arch.s.node_count = 0, AZNAS_STATUS_INVALID);
        GRAPH_MISTAKE(arch.s.node_count = 2, AZNAS_STATUS_INVALID);
        GRAPH_MISTAKE(arch.s.node_count = 65537, AZNAS_STATUS_TOO_LARGE);
        GRAPH_MISTAKE(arch.s.node_count = SIZE_MAX, AZNAS_STATUS_TOO_LARGE);
        GRAPH_MISTAKE(arch.s.node_size = 0, AZNAS_STATUS_STRUCT_SIZE);
        GRAPH_MISTAKE(arch.s.node_size += 1, AZNAS_STATUS_STRUCT_SIZE);
        GRAPH_MISTAKE(arch.s.node_size = SIZE_MAX, AZNAS_STATUS_STRUCT_SIZE);
        GRAPH_MISTAKE(arch.s.node_size -= sizeof(uint32_t), AZNAS_STATUS_STRUCT_SIZE);
        GRAPH_MISTAKE(spread_nodes(0), AZNAS_STATUS_OK);
        GRAPH_MISTAKE(spread_nodes(1), AZNAS_STATUS_STRUCT_SIZE);
        GRAPH_MISTAKE(arch.s.input_channels = 0, AZNAS_STATUS_INVALID);
        GRAPH_MISTAKE(nodes[0].each.s.inputs[0] = UINT32_MAX, AZNAS_STATUS_NODE);
        GRAPH_MISTAKE(nodes[0].each.s.inputs[0] = 1, AZNAS_STATUS_NODE);
        GRAPH_MISTAKE(nodes[0].each.s.input_count = 0, AZNAS_STATUS_NODE);
        GRAPH_MISTAKE(nodes[0].each.s.input_count = 2, AZNAS_STATUS_NODE);
        GRAPH_MISTAKE(nodes[0].each.s.input_count = 9, AZNAS_STATUS_NODE);
        GRAPH_MISTAKE(nodes[0].each.s.groups = 0, AZNAS_STATUS_NODE);
        GRAPH_MISTAKE((nodes[0].each.s.op = AZNAS_OP_LINEAR, nodes[0].each.s.channels = 0), AZNAS_STATUS_NODE);
        GRAPH_MISTAKE((nodes[0].each.s.op = AZNAS_OP_LAYER_NORM, nodes[0].each.s.epsilon = 0), AZNAS_STATUS_NODE);
        GRAPH_MISTAKE((&nodes[0].each.s)[1].op = AZNAS_OP_GELU, AZNAS_STATUS_OK);
        GRAPH_MISTAKE((nodes[0].each.s.op = AZNAS_OP_TOKENS, nodes[0].each.s.input_count = 2), AZNAS_STATUS_NODE);
        /* A block that reads the feature before its input: the third and later ones can. */
#define EARLIER(place) ((&nodes[0].each.s)[place].op = AZNAS_OP_EARLIER, (&nodes[0].each.s)[place].input_count = 0)
#define THREE_BLOCKS(change) (arch.s.node_count = 9, change)
        GRAPH_MISTAKE(EARLIER(0), AZNAS_STATUS_NODE);
        GRAPH_MISTAKE(THREE_BLOCKS(EARLIER(3)), AZNAS_STATUS_NODE);
        GRAPH_MISTAKE(THREE_BLOCKS(EARLIER(6)), AZNAS_STATUS_OK);
        GRAPH_MISTAKE(THREE_BLOCKS((EARLIER(6), (&nodes[0].each.s)[6].input_count = 1)), AZNAS_STATUS_NODE);
        GRAPH_MISTAKE(THREE_BLOCKS((&nodes[0].each.s)[6].input_count = 0), AZNAS_STATUS_NODE);
        /* A head is refused like a block. */
#define HEAD(change) (arch.s.node_count = 4, change)
        GRAPH_MISTAKE(arch.s.node_count = 4, AZNAS_STATUS_OK);
        GRAPH_MISTAKE(HEAD((&nodes[0].each.s)[3].op = 99), AZNAS_STATUS_NODE);
        GRAPH_MISTAKE(HEAD((&nodes[0].each.s)[3].flags = 8), AZNAS_STATUS_NODE);
        GRAPH_MISTAKE(HEAD((&nodes[0].each.s)[3].inputs[0] = 7), AZNAS_STATUS_NODE);
        GRAPH_MISTAKE(HEAD((&nodes[0].each.s)[3].input_count = 2), AZNAS_STATUS_NODE);
        GRAPH_MISTAKE(HEAD((&nodes[0].each.s)[3].groups = 3), AZNAS_STATUS_NODE);
        GRAPH_MISTAKE(HEAD((&nodes[0].each.s)[3].kernel[0] = 70000), AZNAS_STATUS_NODE);
        GRAPH_MISTAKE(HEAD(((&nodes[0].each.s)[3].op = AZNAS_OP_BATCH_NORM, (&nodes[0].each.s)[3].epsilon = 0)), AZNAS_STATUS_NODE);
        GRAPH_MISTAKE(HEAD(EARLIER(3)), AZNAS_STATUS_NODE);
        GRAPH_MISTAKE((arch.s.node_count = 7, EARLIER(6)), AZNAS_STATUS_OK);
        /* Three channels in one row of 65 tokens are a query, a key and a value. */
#define ATTENTION(wide, rows) (nodes[0].each.s.op = AZNAS_OP_TOKENS, attend(&nodes[0].each.s + 1, wide, rows))
        GRAPH_MISTAKE(ATTENTION(1, 8), AZNAS_STATUS_OK);
        GRAPH_MISTAKE(ATTENTION(0, 8), AZNAS_STATUS_NODE);
        GRAPH_MISTAKE(ATTENTION(UINT32_MAX, 8), AZNAS_STATUS_NODE);
        GRAPH_MISTAKE(ATTENTION(2, 8), AZNAS_STATUS_NODE);
        GRAPH_MISTAKE(ATTENTION(1, 7), AZNAS_STATUS_NODE);
        GRAPH_MISTAKE(ATTENTION(1, UINT32_MAX), AZNAS_STATUS_NODE);
    }
    for (int i = 0; i < 2; i++) {
        const int f = i ? SIZE : SCORE;
        MISTAKE(f, options.s.batch = 0, AZNAS_STATUS_INVALID);
        MISTAKE(f, options.s.width = 0, AZNAS_STATUS_OK);
        MISTAKE(f, (arch.s.space = AZNAS_SPACE_GRAPH, options.s.width = 0), AZNAS_STATUS_INVALID);
        MISTAKE(f, options.s.repeats = 0, AZNAS_STATUS_INVALID);
        MISTAKE(f, options.s.batch = SIZE_MAX, AZNAS_STATUS_OVERFLOW);
        MISTAKE(f, options.s.source = &source.s, AZNAS_STATUS_OK);
#define SOURCE_MISTAKE(change, expected) MISTAKE(f, (options.s.source = &source.s, change), expected)
        SOURCE_MISTAKE(options.s.source = (const aznas_source *)((const char *)&source + 1), AZNAS_STATUS_MISALIGNED);
        SOURCE_MISTAKE(source.s.struct_size = 0, AZNAS_STATUS_STRUCT_SIZE);
        SOURCE_MISTAKE(source.s.struct_size = SIZE_MAX, AZNAS_STATUS_STRUCT_SIZE);
        SOURCE_MISTAKE(source.s.tensors = NULL, AZNAS_STATUS_NULL_POINTER);
        SOURCE_MISTAKE(source.s.tensor_count = SIZE_MAX, AZNAS_STATUS_OVERFLOW);
        SOURCE_MISTAKE(source.s.tensor_size = 1, AZNAS_STATUS_STRUCT_SIZE);
        SOURCE_MISTAKE(tensors[0].role = UINT32_MAX, AZNAS_STATUS_INVALID);
        SOURCE_MISTAKE(tensors[0].role = AZNAS_ROLE_VALUE_COLUMN + 1, AZNAS_STATUS_INVALID);
        SOURCE_MISTAKE(tensors[0].role = AZNAS_ROLE_VALUE_COLUMN, AZNAS_STATUS_OK);
        SOURCE_MISTAKE(tensors[0].reserved = 1, AZNAS_STATUS_INVALID);
        SOURCE_MISTAKE(tensors[0].data = NULL, AZNAS_STATUS_NULL_POINTER);
        SOURCE_MISTAKE(tensors[0].data = (const float *)((const char *)numbers + 1), AZNAS_STATUS_MISALIGNED);
        SOURCE_MISTAKE(tensors[0].len = SIZE_MAX, AZNAS_STATUS_OVERFLOW);
        SOURCE_MISTAKE(tensors[0].len = 0, AZNAS_STATUS_TENSOR_LENGTH);
        SOURCE_MISTAKE(tensors[0].len -= 1, AZNAS_STATUS_TENSOR_LENGTH);
    }
    const int sweeping[] = {GRADIENTS, GRADIENTS_SIZE};
    for (int i = 0; i < 2; i++) {
        const int f = sweeping[i];
        MISTAKE(f, call.arch = NULL, AZNAS_STATUS_NULL_POINTER);
        MISTAKE(f, call.options = NULL, AZNAS_STATUS_NULL_POINTER);
        MISTAKE(f, call.sweep = NULL, AZNAS_STATUS_NULL_POINTER);
        MISTAKE(f, call.sweep = (const char *)call.sweep + 1, AZNAS_STATUS_MISALIGNED);
        MISTAKE(f, call.error = NULL, AZNAS_STATUS_OK);
        MISTAKE(f, call.error = (char *)call.error + 1, AZNAS_STATUS_MISALIGNED);
        SIZES(f, arch, offsetof(aznas_arch, target_channels), );
        SIZES(f, options, offsetof(aznas_options, entropy), );
        SIZES(f, sweep, );
        SIZES(f, error, );
        MISTAKE(f, sweep.s.loss = AZNAS_LOSS_SUM, AZNAS_STATUS_OK);
        MISTAKE(f, sweep.s.loss = AZNAS_LOSS_EACH_SAMPLE, AZNAS_STATUS_OK);
        MISTAKE(f, sweep.s.loss = AZNAS_LOSS_EACH_SAMPLE + 1, AZNAS_STATUS_INVALID);
        MISTAKE(f, sweep.s.loss = UINT32_MAX, AZNAS_STATUS_INVALID);
        MISTAKE(f, sweep.s.input = UINT32_MAX, AZNAS_STATUS_OK);
        MISTAKE(f, sweep.s.watch = NULL, f == GRADIENTS ? AZNAS_STATUS_NULL_POINTER : AZNAS_STATUS_OK);
        MISTAKE(f, (arch.s.space = AZNAS_SPACE_GRAPH, sweep.s.loss = AZNAS_LOSS_SUM), AZNAS_STATUS_OK);
        MISTAKE(f, arch.s.space = AZNAS_SPACE_GRAPH, AZNAS_STATUS_NODE);
        MISTAKE(f, options.s.batch = 0, AZNAS_STATUS_INVALID);
        MISTAKE(f, options.s.batch = SIZE_MAX, AZNAS_STATUS_OVERFLOW);
        MISTAKE(f, options.s.backend = 99, AZNAS_STATUS_INVALID);
        MISTAKE(f, (options.s.source = &source.s, tensors[0].len -= 1), AZNAS_STATUS_TENSOR_LENGTH);
        MISTAKE(f, (options.s.source = &source.s, tensors[0].block = 1, tensors[0].len -= 1), AZNAS_STATUS_OK);
        MISTAKE(f, (options.s.source = &source.s, sweep.s.input = tensors[0].block = 1, tensors[0].len -= 1), AZNAS_STATUS_TENSOR_LENGTH);
    }
    /* Labels, wherever they are read: by gradients and by the proxies of losses, the second ones with the second batch. */
    const int labelled[] = {GRADIENTS, GRADIENTS_SIZE, SCORE, SIZE};
    for (int i = 0; i < 4; i++) {
        const int f = labelled[i], is_score = f == SCORE || f == SIZE;
        for (int is_second = 0; is_second < 2; is_second++) {
            const uint32_t proxies = is_second ? AZNAS_PROXY_ZICO : AZNAS_PROXY_SNIP;
            uint32_t *own = is_second ? second_labels : labels;
            const uint32_t **given = is_second ? &source.s.second_labels : &source.s.labels;
            size_t *count = is_second ? &source.s.second_label_count : &source.s.label_count;
#define LABELS(change, expected) \
    MISTAKE(f, (options.s.source = &source.s, options.s.proxies = is_score ? proxies : 0, sweep.s.input = (uint32_t)is_second, *given = own, *count = 2, change), expected)
            LABELS((void)0, AZNAS_STATUS_OK);
            LABELS(own[1] = 9, AZNAS_STATUS_OK);
            LABELS(own[1] = 10, AZNAS_STATUS_INVALID);
            LABELS(own[0] = UINT32_MAX, AZNAS_STATUS_INVALID);
            LABELS(*count = 1, AZNAS_STATUS_INVALID);
            LABELS((*count = 0), AZNAS_STATUS_INVALID);
            LABELS((*count = 0, *given = NULL), AZNAS_STATUS_OK);
            LABELS(*given = NULL, AZNAS_STATUS_NULL_POINTER);
            LABELS(*given = (const uint32_t *)((const char *)own + 1), AZNAS_STATUS_MISALIGNED);
            LABELS(*count = SIZE_MAX, AZNAS_STATUS_OVERFLOW);
            LABELS((own[0] = 99, options.s.proxies = AZNAS_PROXY_NASWOT, sweep.s.loss = AZNAS_LOSS_SUM), AZNAS_STATUS_OK);
            LABELS((*count = 0, source.s.struct_size = offsetof(aznas_source, labels)), AZNAS_STATUS_OK);
            LABELS(source.s.struct_size = offsetof(aznas_source, label_count), AZNAS_STATUS_STRUCT_SIZE);
        }
    }
    MISTAKE(GRADIENTS, call.loss = NULL, AZNAS_STATUS_OK);
    MISTAKE(GRADIENTS, call.loss = (char *)call.loss + 1, AZNAS_STATUS_MISALIGNED);
    MISTAKE(GRADIENTS, call.workspace = NULL, AZNAS_STATUS_NULL_POINTER);
    MISTAKE(GRADIENTS, call.workspace = memory + 1, AZNAS_STATUS_OK);
    MISTAKE(GRADIENTS, call.workspace_len = 1000, AZNAS_STATUS_WORKSPACE_TOO_SMALL);
    MISTAKE(GRADIENTS, call.workspace_len = SIZE_MAX, AZNAS_STATUS_OVERFLOW);
    MISTAKE(GRADIENTS, (options.s.source = &source.s, tensors[0].data = (const float *)memory), AZNAS_STATUS_OVERLAP);
    POINTERS(GRADIENTS_SIZE, bytes);
    MISTAKE(SCORE, (options.s.source = &source.s, tensors[0].data = (const float *)memory), AZNAS_STATUS_OVERLAP);
    MISTAKE(SCORE, (memcpy(memory, CELL, sizeof CELL - 1), arch.s.text = memory), AZNAS_STATUS_OVERLAP);
    POINTERS(SCORE, scores);
    SIZES(SCORE, scores, offsetof(aznas_scores, proxies), );
    MISTAKE(SCORE, call.workspace = NULL, AZNAS_STATUS_NULL_POINTER);
    MISTAKE(SCORE, call.workspace = memory + 1, AZNAS_STATUS_OK);
    MISTAKE(SCORE, call.workspace_len = 0, AZNAS_STATUS_WORKSPACE_TOO_SMALL);
    MISTAKE(SCORE, call.workspace_len = 1000, AZNAS_STATUS_WORKSPACE_TOO_SMALL);
    MISTAKE(SCORE, call.workspace_len = SIZE_MAX, AZNAS_STATUS_OVERFLOW);
    MISTAKE(SCORE, (scores.s.blocks = rows, scores.s.block_capacity = ROWS, scores.s.block_size = sizeof *rows), AZNAS_STATUS_OK);
    MISTAKE(SCORE, (scores.s.blocks = rows, scores.s.block_capacity = 5, scores.s.block_size = sizeof *rows), AZNAS_STATUS_INVALID);
    MISTAKE(SCORE, (scores.s.blocks = rows, scores.s.block_capacity = SIZE_MAX, scores.s.block_size = sizeof *rows), AZNAS_STATUS_OVERFLOW);
    MISTAKE(SCORE, (scores.s.blocks = rows, scores.s.block_capacity = ROWS, scores.s.block_size = 8), AZNAS_STATUS_STRUCT_SIZE);
    MISTAKE(SCORE, (scores.s.blocks = (void *)memory, scores.s.block_capacity = ROWS,
                    scores.s.block_size = sizeof *rows), AZNAS_STATUS_OVERLAP);
    POINTERS(SIZE, bytes);
    POINTERS(AGGREGATE_SIZE, bytes);
    POINTERS(COST, costs);
    SIZES(COST, costs, offsetof(aznas_costs, peak_activation), );
    for (int i = 0; i < 2; i++) {
        const int f = i ? AGGREGATE_SIZE : AGGREGATE;
        MISTAKE(f, call.ranking = NULL, AZNAS_STATUS_NULL_POINTER);
        MISTAKE(f, call.ranking = (const char *)call.ranking + 1, AZNAS_STATUS_MISALIGNED);
        SIZES(f, ranking, );
        MISTAKE(f, ranking.s.column_count = 0, AZNAS_STATUS_INVALID);
        MISTAKE(f, ranking.s.column_count = 33, AZNAS_STATUS_TOO_LARGE);
        MISTAKE(f, ranking.s.candidate_count = 0, AZNAS_STATUS_INVALID);
        MISTAKE(f, ranking.s.candidate_count = SIZE_MAX, AZNAS_STATUS_TOO_LARGE);
    }
    POINTERS(AGGREGATE, out);
    MISTAKE(AGGREGATE, ranking.s.columns = NULL, AZNAS_STATUS_NULL_POINTER);
    MISTAKE(AGGREGATE, ranking.s.mode = UINT32_MAX, AZNAS_STATUS_INVALID);
    MISTAKE(AGGREGATE, ranking.s.mode = 2, AZNAS_STATUS_INVALID);
    MISTAKE(AGGREGATE, ranking.s.reserved = 1, AZNAS_STATUS_INVALID);
    MISTAKE(AGGREGATE, call.workspace = NULL, AZNAS_STATUS_NULL_POINTER);
    MISTAKE(AGGREGATE, call.workspace = memory + 1, AZNAS_STATUS_OK);
    MISTAKE(AGGREGATE, call.workspace_len = 0, AZNAS_STATUS_WORKSPACE_TOO_SMALL);
    MISTAKE(AGGREGATE, call.workspace_len = SIZE_MAX, AZNAS_STATUS_OVERFLOW);
    MISTAKE(AGGREGATE, call.workspace = out, AZNAS_STATUS_OVERLAP);
    MISTAKE(AGGREGATE, call.out = first, AZNAS_STATUS_OVERLAP);
    MISTAKE(AGGREGATE, (call.workspace = first, call.workspace_len = sizeof first), AZNAS_STATUS_OVERLAP);
    SIZES(VALUES, scores, offsetof(aznas_scores, proxies), );
    POINTERS(VALUES, scores);
    POINTERS(VALUES, values);
    MISTAKE(VALUES, options.s.proxies = 0, AZNAS_STATUS_OK);
    MISTAKE(VALUES, options.s.proxies = 1u << 31, AZNAS_STATUS_INVALID);
    MISTAKE(VALUES, options.s.proxies = UINT32_MAX, AZNAS_STATUS_INVALID);
    MISTAKE(VALUES, call.stride = 0, AZNAS_STATUS_INVALID);
    MISTAKE(VALUES, call.stride = SIZE_MAX, AZNAS_STATUS_OVERFLOW);
    MISTAKE(VALUES, call.stride = SIZE_MAX / 16, AZNAS_STATUS_OVERFLOW);
    MISTAKE(VALUES, (call.stride = SIZE_MAX, options.s.proxies = AZNAS_PROXY_DEPTH), AZNAS_STATUS_OK);
    MISTAKE(VALUES, call.values = &scores.s.depth, AZNAS_STATUS_OVERLAP);
    MISTAKE(VALUES, call.values = &scores.s.proxies[31], AZNAS_STATUS_OVERLAP);
    for (int i = 0; i < 2; i++) {
        const int f = i ? ASK_SIZE : ASK;
        MISTAKE(f, call.search = NULL, AZNAS_STATUS_NULL_POINTER);
        MISTAKE(f, call.search = (const char *)call.search + 1, AZNAS_STATUS_MISALIGNED);
        POINTERS(f, bytes);
        SIZES(f, search, );
        SIZES(f, error, );
        MISTAKE(f, search.s.workers = 0, AZNAS_STATUS_INVALID);
        MISTAKE(f, search.s.workers = SIZE_MAX, AZNAS_STATUS_OK);
        MISTAKE(f, search.s.parents = 0, AZNAS_STATUS_INVALID);
        MISTAKE(f, search.s.parents = SIZE_MAX, AZNAS_STATUS_OK);
        MISTAKE(f, search.s.max_proposals = 0, AZNAS_STATUS_INVALID);
        MISTAKE(f, search.s.warmup = 3, AZNAS_STATUS_INVALID);
        MISTAKE(f, search.s.warmup = UINT32_MAX, AZNAS_STATUS_INVALID);
        MISTAKE(f, search.s.warmup_count = SIZE_MAX, AZNAS_STATUS_OK);
        MISTAKE(f, search.s.max_complexity = -1.0, AZNAS_STATUS_INVALID);
        MISTAKE(f, search.s.max_complexity = 0.0 / zero, AZNAS_STATUS_INVALID);
        MISTAKE(f, search.s.max_complexity = 1.0 / zero, AZNAS_STATUS_OK);
        MISTAKE(f, search.s.mutation = 3, AZNAS_STATUS_INVALID);
        MISTAKE(f, search.s.mutation = UINT32_MAX, AZNAS_STATUS_INVALID);
        MISTAKE(f, call.number = 0, AZNAS_STATUS_OK);
        MISTAKE(f, call.number = SIZE_MAX, AZNAS_STATUS_OVERFLOW);
    }
    POINTERS(ASK, arch);
    MISTAKE(ASK, arch.s.space = AZNAS_SPACE_GRAPH, AZNAS_STATUS_INVALID);
    MISTAKE(ASK, arch.s.space = 99, AZNAS_STATUS_INVALID);
    MISTAKE(ASK, arch.s.channels = 0, AZNAS_STATUS_INVALID);
    MISTAKE(ASK, arch.s.text = NULL, AZNAS_STATUS_OK);
    MISTAKE(ASK, call.number = CANDIDATES + 1, AZNAS_STATUS_INVALID);
    MISTAKE(ASK, (call.number = CANDIDATES + 1, search.s.workers = 2), AZNAS_STATUS_OK);
    MISTAKE(ASK, (call.number = 0, search.s.history = NULL, search.s.texts = NULL, search.s.text_lens = NULL), AZNAS_STATUS_OK);
    MISTAKE(ASK, search.s.history = NULL, AZNAS_STATUS_NULL_POINTER);
    MISTAKE(ASK, search.s.texts = NULL, AZNAS_STATUS_NULL_POINTER);
    MISTAKE(ASK, search.s.text_lens = NULL, AZNAS_STATUS_NULL_POINTER);
    MISTAKE(ASK, search.s.text_lens = (const size_t *)((const char *)known_lens + 1), AZNAS_STATUS_MISALIGNED);
    MISTAKE(ASK, known[CANDIDATES - 1] = NULL, AZNAS_STATUS_NULL_POINTER);
    MISTAKE(ASK, known_lens[3] = SIZE_MAX, AZNAS_STATUS_OVERFLOW);
    MISTAKE(ASK, memset(known_lens, 0, sizeof known_lens), AZNAS_STATUS_PARSE);
    MISTAKE(ASK, ranking.s.candidate_count = CANDIDATES - 1, AZNAS_STATUS_INVALID);
    MISTAKE(ASK, ranking.s.mode = 2, AZNAS_STATUS_INVALID);
    MISTAKE(ASK, ranking.s.columns = NULL, AZNAS_STATUS_NULL_POINTER);
    MISTAKE(ASK, search.s.max_complexity = 1e-9, AZNAS_STATUS_NO_CANDIDATE);
    MISTAKE(ASK, search.s.min_parameters = UINT64_MAX, AZNAS_STATUS_NO_CANDIDATE);
    MISTAKE(ASK, call.text = NULL, AZNAS_STATUS_NULL_POINTER);
    MISTAKE(ASK, call.text_capacity = 0, AZNAS_STATUS_INVALID);
    MISTAKE(ASK, call.text_capacity = 50, AZNAS_STATUS_INVALID);
    MISTAKE(ASK, call.text_capacity = SIZE_MAX, AZNAS_STATUS_OVERFLOW);
    MISTAKE(ASK, call.workspace = NULL, AZNAS_STATUS_NULL_POINTER);
    MISTAKE(ASK, call.workspace = memory + 1, AZNAS_STATUS_OK);
    MISTAKE(ASK, call.workspace_len = 0, AZNAS_STATUS_WORKSPACE_TOO_SMALL);
    MISTAKE(ASK, call.workspace_len = 16 * CANDIDATES - 1, AZNAS_STATUS_WORKSPACE_TOO_SMALL);
    MISTAKE(ASK, call.workspace_len = 16 * CANDIDATES + 7, AZNAS_STATUS_OK);
    MISTAKE(ASK, call.workspace_len = SIZE_MAX, AZNAS_STATUS_OVERFLOW);
    MISTAKE(ASK, call.text = memory, AZNAS_STATUS_OVERLAP);
    for (uint32_t space = 0; space < AZNAS_SPACE_NDS + 2; space++) {
        aznas_search own = {.struct_size = 7};
        const int has_texts = space >= 1 && space <= AZNAS_SPACE_NDS && space != AZNAS_SPACE_GRAPH;
        const aznas_status expected = has_texts ? AZNAS_STATUS_OK : AZNAS_STATUS_INVALID;
        if (aznas_search_init(&own, sizeof own, space) != expected || (expected && own.struct_size != 7) ||
            aznas_search_init(&own, sizeof own - 1, AZNAS_SPACE_NB201) != AZNAS_STATUS_STRUCT_SIZE ||
            aznas_search_init(NULL, sizeof own, AZNAS_SPACE_NB201) != AZNAS_STATUS_NULL_POINTER)
            fail("aznas_search_init", expected);
    }
    for (uint32_t space = 0; space < AZNAS_SPACE_NDS + 2; space++) {
        aznas_arch own = {.struct_size = 7};
        const aznas_status expected = space >= 1 && space <= AZNAS_SPACE_NDS ? AZNAS_STATUS_OK : AZNAS_STATUS_INVALID;
        if (aznas_arch_init(&own, sizeof own, space) != expected || (expected && own.struct_size != 7) ||
            aznas_arch_init(&own, sizeof own - 1, AZNAS_SPACE_NB201) != AZNAS_STATUS_STRUCT_SIZE ||
            aznas_arch_init(NULL, sizeof own, AZNAS_SPACE_NB201) != AZNAS_STATUS_NULL_POINTER)
            fail("aznas_arch_init", expected);
    }
    uint32_t set = 0;
    char *const inside = (char *)&set;
    if (aznas_proxy_parse("E", 1, &set, NULL) != AZNAS_STATUS_OK || set != AZNAS_PROXY_EXPRESSIVITY ||
        aznas_proxy_parse("E", 0, &set, NULL) != AZNAS_STATUS_PARSE ||
        aznas_proxy_parse("E\xff", 2, &set, NULL) != AZNAS_STATUS_PARSE ||
        aznas_proxy_parse(NULL, 1, &set, NULL) != AZNAS_STATUS_NULL_POINTER ||
        aznas_proxy_parse("E", SIZE_MAX, &set, NULL) != AZNAS_STATUS_OVERFLOW ||
        aznas_proxy_parse("E", 1, NULL, NULL) != AZNAS_STATUS_NULL_POINTER ||
        aznas_proxy_parse("E", 1, (uint32_t *)(inside + 1), NULL) != AZNAS_STATUS_MISALIGNED ||
        aznas_proxy_parse(inside, 1, &set, NULL) != AZNAS_STATUS_OVERLAP || set != AZNAS_PROXY_EXPRESSIVITY)
        fail("aznas_proxy_parse", AZNAS_STATUS_OTHER);
    if (aznas_options_init(NULL, sizeof options.s) != AZNAS_STATUS_NULL_POINTER ||
        aznas_options_init(&options.s, 0) != AZNAS_STATUS_STRUCT_SIZE ||
        aznas_options_init(&options.s, SIZE_MAX) != AZNAS_STATUS_STRUCT_SIZE)
        fail("aznas_options_init", AZNAS_STATUS_OTHER);
}

/* Every proxy by itself, of every space; and the bits that stand for none. */
static void every_proxy(void) {
    const uint32_t of_losses = AZNAS_PROXY_GRAD_NORM | AZNAS_PROXY_SNIP | AZNAS_PROXY_GRASP | AZNAS_PROXY_GRAD_SIGN |
                               AZNAS_PROXY_GRAD_SIGN_MEAN | AZNAS_PROXY_ZICO;
    while (aznas_proxy_name(proxy_count))
        proxy_count++;
    if (1u << (proxy_count - 1) < AZNAS_PROXY_GRAD_SIGN_MEAN || proxy_count >= 32)
        fail("a proxy is not tried", AZNAS_STATUS_OTHER);
    for (uint32_t space = AZNAS_SPACE_NB201; space <= AZNAS_SPACE_NDS; space++)
        for (uint32_t number = 0; number < 32; number++)
            for (int function = SCORE; function <= COST; function++) {
                reset(space);
                options.s.proxies = 1u << number;
                if (number >= proxy_count)
                    expect(function, AZNAS_STATUS_INVALID, "a bit without a proxy");
                else if (space == AZNAS_SPACE_GRAPH && options.s.proxies & of_losses && function != COST)
                    expect(function, AZNAS_STATUS_NODE, "a loss without a head");
                else
                    expect(function, AZNAS_STATUS_OK, "a proxy by itself");
            }
}

/* Of a batch or of weights that are not numbers every proxy of a whole network is the worst, with the reason; Synflow reads
 * ones. */
static void not_numbers(void) {
    for (uint32_t number = 0; number < proxy_count; number++)
        for (int is_weight = 0; is_weight < 2; is_weight++) {
            const uint32_t proxy = 1u << number;
            if (number < 10 || (proxy == AZNAS_PROXY_SYNFLOW && !is_weight))
                continue;
            reset(AZNAS_SPACE_NB201);
            options.s.source = &source.s;
            options.s.proxies = proxy;
            if (is_weight)
                tensors[0] = (aznas_tensor){.role = AZNAS_ROLE_WEIGHT, .block = 1, .data = numbers, .len = 4 * 4 * 9};
            const float before = numbers[70];
            numbers[70] = NAN;
            expect(SCORE, AZNAS_STATUS_OK, "a score of what is not a number");
            numbers[70] = before;
            if (scores.s.proxies[number] != -INFINITY || !(scores.s.flags & AZNAS_FLAG_NOT_FINITE)) {
                fprintf(stderr, "%s is %g\n", aznas_proxy_name(number), scores.s.proxies[number]);
                fail("what is not a number is ranked", AZNAS_STATUS_OK);
            }
        }
}

/* Sides of 0 are those of the space; options of the first header were made for 32x32. */
static void default_resolutions(void) {
    static const struct {
        uint32_t space;
        size_t side;
    } spaces[] = {{AZNAS_SPACE_NB201, 32}, {AZNAS_SPACE_MBV2, 224}, {AZNAS_SPACE_AUTOFORMER, 224}};
    for (int i = 0; i < 3; i++) {
        aznas_costs found[2];
        for (int given = 0; given < 2; given++) {
            reset(spaces[i].space);
            aznas_options_init(&options.s, sizeof options.s);
            if (options.s.height != 0 || options.s.width != 0)
                fail("a default resolution", AZNAS_STATUS_OTHER);
            if (given)
                options.s.height = options.s.width = spaces[i].side;
            expect(COST, AZNAS_STATUS_OK, "the space's resolution");
            found[given] = costs.s;
        }
        if (memcmp(&found[0], &found[1], sizeof found[0]))
            fail("another resolution than the space's", AZNAS_STATUS_OK);
    }
    memset(&options, 0x5a, sizeof options);
    const size_t first = offsetof(aznas_options, entropy);
    if (aznas_options_init(&options.s, first) != AZNAS_STATUS_OK || options.s.height != 32 || options.s.width != 32 ||
        options.room[first] != 0x5a)
        fail("options of the first header", AZNAS_STATUS_OTHER);
}

/* What two nodes of a block must not both have under one key: 0 for nothing. */
static int parameters_of(uint32_t op) {
    switch (op) {
    case AZNAS_OP_CONVOLUTION:
    case AZNAS_OP_LINEAR:
        return 1;
    case AZNAS_OP_BATCH_NORM:
    case AZNAS_OP_LAYER_NORM:
    case AZNAS_OP_GROUP_NORM:
    case AZNAS_OP_SCALE:
        return 2;
    case AZNAS_OP_TOKENS:
    case AZNAS_OP_POSITIONS:
        return 3;
    case AZNAS_OP_ATTENTION:
        return 4;
    default:
        return 0;
    }
}

/* The third of three blocks: tokens, two nodes that read them, and a rectifier that reads none of these. */
static void pair_of_nodes(uint32_t first, uint32_t second, uint32_t key) {
    reset(AZNAS_SPACE_GRAPH);
    aznas_node *node = &nodes[0].each.s;
    arch.s.node_count = 6;
    for (int i = 0; i < 6; i++)
        node[i].flags = i < 2 || i == 5 ? AZNAS_NODE_END_OF_BLOCK : 0;
    node[0].op = node[1].op = node[5].op = AZNAS_OP_RELU;
    node[0].inputs[0] = node[1].inputs[0] = node[5].inputs[0] = 0;
    node[2].op = AZNAS_OP_TOKENS;
    node[2].inputs[0] = 0;
    node[2].key = 1000;
    attend(&node[3], 1, 8);
    attend(&node[4], 1, 8);
    node[3].op = first;
    node[4].op = second;
    node[3].key = 7;
    node[4].key = key;
    for (int i = 3; i < 5; i++) {
        node[i].inputs[0] = node[i].inputs[1] = 1;
        node[i].channels = 1;
        node[i].input_count = node[i].op == AZNAS_OP_EARLIER ? 0 : node[i].op == AZNAS_OP_PRODUCT ? 2 : 1;
    }
}

/* Every two ops under one key and under two. */
static void every_pair_of_keys(void) {
    uint32_t count = 0;
    do
        pair_of_nodes(++count, AZNAS_OP_IDENTITY, 8);
    while (invoke(SIZE) == AZNAS_STATUS_OK);
    if (count <= AZNAS_OP_GROUP_NORM || error.s.status != AZNAS_STATUS_NODE || strcmp(error.s.field, "op"))
        fail("an op is not tried", error.s.status);
    op_count = count - 1;
    for (uint32_t first = 1; first < count; first++)
        for (uint32_t second = 1; second < count; second++)
            for (uint32_t key = 7; key < 9; key++) {
                const int ties = key == 7 && parameters_of(first) && parameters_of(first) == parameters_of(second);
                for (int function = SCORE; function <= COST; function++) {
                    pair_of_nodes(first, second, key);
                    expect(function, ties ? AZNAS_STATUS_NODE : AZNAS_STATUS_OK, "a pair of nodes");
                    if (ties && (error.s.block != 2 || error.s.node != 3 || strcmp(error.s.field, "key")))
                        fail("the error names another place", AZNAS_STATUS_NODE);
                }
            }
}

static uint32_t hostile_u32(void) {
    static const uint32_t values[] = {0, 1, 2, 3, 4, 5, 7, 8, 16, 255, 256, 65535, 65536, 1u << 20, INT32_MAX, 1u << 31, UINT32_MAX - 1, UINT32_MAX};
    return draw(4) ? values[draw(sizeof values / sizeof *values)] : draw(12);
}

static size_t hostile_size(void) {
    return draw(3) ? hostile_u32() : draw(2) ? (size_t)1 << draw(8 * sizeof(size_t)) : SIZE_MAX - draw(3);
}

static uint32_t small(void) {
    return draw(8) ? draw(4) : hostile_u32();
}

/* A size whose memory exists, or one that must be refused. */
static size_t hostile_len(size_t real) {
    switch (draw(6)) {
    case 0:
        return 0;
    case 1:
        return SIZE_MAX - draw(9);
    case 2:
        return SIZE_MAX / 2 + 1 + draw(9);
    case 3:
        return real / 2;
    default:
        return real;
    }
}

static const void *hostile_pointer(const void *real) {
    return draw(3) ? draw(2) ? NULL : (const char *)real + 1 : real;
}

static void random_node(aznas_node *node) {
    static const uint32_t widths[] = {1, 2, 4, 4, 4, 6};
    node->op = draw(30) ? 1 + draw(op_count) : hostile_u32();
    node->flags = draw(4) ? draw(8) : draw(30) ? 0 : hostile_u32();
    const int takes_many = node->op == AZNAS_OP_ADD || node->op == AZNAS_OP_CONCAT, takes_none = node->op == AZNAS_OP_EARLIER;
    node->input_count = draw(12) ? takes_none ? 0 : 1 + (takes_many ? draw(3) : 0) : small();
    for (int i = 0; i < 8; i++)
        node->inputs[i] = draw(40) ? draw(3) : hostile_u32();
    node->key = draw(30) ? (uint32_t)(node - &nodes[0].each.s) : small();
    node->channels = draw(20) ? widths[draw(6)] : hostile_u32();
    node->groups = draw(6) ? 1 : small();
    /* Most tokens are those of the whole image, and most attention has one head. */
    node->heads = draw(6) ? 1 : small();
    node->reach = draw(6) ? draw(9) : hostile_u32();
    for (int i = 0; i < 2; i++)
        node->grid[i] = draw(12) ? 8 : hostile_u32();
    const uint32_t kernel = 1 + 2 * draw(3), stride = 1 + draw(2);
    for (int i = 0; i < 2; i++) {
        node->kernel[i] = draw(20) ? kernel : small();
        node->stride[i] = draw(20) ? stride : small();
        node->padding[i] = draw(20) ? kernel / 2 : small();
        node->behind[i] = draw(20) ? kernel / 2 + draw(2) : small();
        node->dilation[i] = draw(20) ? 1 : small();
    }
    node->first = draw(6) ? draw(2) : hostile_u32();
    for (int i = 0; i < 2; i++)
        node->offset[i] = draw(12) ? draw(2) : hostile_u32();
    node->reserved = draw(200) ? 0 : hostile_u32();
    if (!draw(50))
        node->epsilon = draw(2) ? -1.0 : 1.0 / (double)draw(2);
    if (!draw(50))
        node->alpha = draw(2) ? -1.0 : 1.0 / (double)draw(2);
}

static void spoil(int function) {
    switch (draw(31)) {
    case 0:
        arch.s.struct_size = draw(2) ? arch.s.struct_size + draw(1100) : hostile_size();
        break;
    case 1:
        options.s.struct_size = draw(2) ? options.s.struct_size + draw(1100) : hostile_size();
        break;
    case 2:
        arch.room[draw(sizeof arch)] = (char)draw(256);
        /* Lengths and addresses must not be made up. */
        arch.s.text = cell;
        arch.s.text_len = sizeof CELL - 1;
        arch.s.nodes = &nodes[0].each.s;
        arch.s.node_count = NODES;
        arch.s.node_size = sizeof(aznas_node);
        break;
    case 3:
        arch.s.channels = hostile_u32();
        break;
    case 4:
        arch.s.cells = draw(50) ? draw(4) : hostile_u32();
        break;
    case 5:
        arch.s.classes = hostile_u32();
        break;
    case 6:
        arch.s.target_resolution = hostile_u32();
        break;
    case 7:
        arch.s.input_channels = hostile_u32();
        break;
    case 8:
        arch.s.text = NULL;
        break;
    case 9:
        /* No longer than the shortest text. */
        arch.s.text_len = hostile_len(sizeof VERTICES - 1);
        break;
    case 10:
        cell[draw(sizeof CELL - 1)] = (char)draw(256);
        break;
    case 11:
        arch.s.patch = draw(2) ? 1 + draw(8) : hostile_u32();
        arch.s.reach = draw(2) ? draw(20) : hostile_u32();
        arch.s.parameters = draw(20) ? draw(2) : hostile_u32();
        transformer[draw(sizeof TRANSFORMER - 1)] = "0123456789()=,-."[draw(16)];
        units[draw(sizeof UNITS - 1)] = "0123456789()K,"[draw(14)];
        vertices[draw(sizeof VERTICES - 1)] = "0123456789:m"[draw(12)];
        genotype[draw(sizeof GENOTYPE - 1)] = "0123456789()[]',="[draw(17)];
        arch.s.target_channels = draw(2) ? draw(9) : hostile_u32();
        arch.s.stem = draw(20) ? draw(2) : hostile_u32();
        arch.s.score_width = draw(4) ? 0 : draw(20) ? draw(101) : hostile_u32();
        arch.s.score_cells = draw(4) ? 0 : draw(20) ? draw(4) : hostile_u32();
        break;
    case 12:
        arch.s.node_count = draw(2) ? draw(NODES + 1) : hostile_len(NODES);
        break;
    case 13:
        options.s.batch = draw(2) ? draw(4) : hostile_size();
        break;
    case 14:
        options.s.height = draw(2) ? draw(12) : hostile_size();
        break;
    case 15:
        options.s.width = draw(2) ? draw(12) : hostile_size();
        break;
    case 16:
        options.s.init = hostile_u32();
        break;
    case 17:
        options.s.backend = draw(2) ? draw(5) : hostile_u32();
        break;
    case 18:
        /* A score of many repeats is sound, but takes long. */
        options.s.repeats = function == SCORE ? draw(3) : hostile_u32();
        break;
    case 19:
        options.s.source = &source.s;
        tensors[0].role = draw(13);
        tensors[0].block = draw(4);
        tensors[0].key = draw(4);
        tensors[0].len = hostile_len(draw(sizeof numbers / sizeof *numbers));
        source.s.tensor_count = draw(4) ? draw(TENSORS + 1) : SIZE_MAX - draw(3);
        break;
    case 20:
        scores.s.blocks = rows;
        scores.s.block_capacity = draw(2) ? draw(ROWS + 1) : SIZE_MAX - draw(9);
        scores.s.block_size = draw(4) ? sizeof *rows : hostile_size();
        break;
    case 21:
        call.workspace_len = draw(2) ? draw((uint32_t)memory_len) : hostile_len(memory_len);
        break;
    case 22:
        call.workspace = memory + draw(70);
        call.workspace_len = memory_len - 70;
        break;
    case 23:
        switch (draw(8)) {
        case 0:
            call.arch = hostile_pointer(call.arch);
            break;
        case 1:
            call.options = hostile_pointer(call.options);
            break;
        case 2:
            call.ranking = hostile_pointer(call.ranking);
            break;
        case 3:
            call.scores = (void *)hostile_pointer(call.scores);
            break;
        case 4:
            call.costs = (void *)hostile_pointer(call.costs);
            break;
        case 5:
            call.error = (void *)hostile_pointer(call.error);
            break;
        case 6:
            call.bytes = (void *)hostile_pointer(call.bytes);
            break;
        default:
            call.out = (void *)hostile_pointer(call.out);
        }
        break;
    case 24:
        /* A few: each may take runs of its own. */
        options.s.proxies = draw(20) ? 1u << draw(proxy_count) | 1u << draw(proxy_count) : hostile_u32();
        break;
    case 25:
        call.stride = draw(2) ? draw(9) : SIZE_MAX - draw(9);
        call.values = draw(8) ? call.values : (void *)hostile_pointer(call.values);
        break;
    case 26:
        search.s.seed = hostile_size();
        search.s.workers = draw(2) ? draw(9) : hostile_size();
        search.s.parents = draw(2) ? draw(9) : hostile_size();
        search.s.replacements = draw(9);
        search.s.warmup = draw(9) ? draw(4) : hostile_u32();
        search.s.warmup_count = draw(2) ? draw(9) : hostile_size();
        search.s.max_complexity = draw(2) ? 0.0 : (double)hostile_u32() / (double)draw(3);
        search.s.min_parameters = draw(4) ? draw(9) : hostile_size();
        search.s.max_layers = draw(4) ? draw(20) : hostile_u32();
        search.s.mutation = draw(9) ? draw(4) : hostile_u32();
        break;
    case 27:
        call.number = draw(4) ? draw(CANDIDATES + 2) : hostile_size();
        call.text_capacity = draw(2) ? sizeof room : hostile_len(sizeof room);
        search.s.history = draw(9) ? search.s.history : hostile_pointer(search.s.history);
        search.s.struct_size = draw(9) ? search.s.struct_size : hostile_size();
        known[draw(CANDIDATES)] = draw(9) ? known[0] : NULL;
        known_lens[draw(CANDIDATES)] = hostile_len(sizeof VERTICES - 1);
        break;
    case 28:
        sweep.s.loss = draw(2) ? draw(4) : hostile_u32();
        sweep.s.input = draw(2) ? draw(3) : hostile_u32();
        sweep.s.watch = draw(4) ? watch : NULL;
        sweep.s.struct_size = draw(4) ? sizeof sweep.s : hostile_size();
        call.sweep = draw(4) ? &sweep : hostile_pointer(&sweep);
        call.loss = draw(2) ? NULL : (void *)hostile_pointer(&loss);
        break;
    case 29:
        options.s.source = &source.s;
        source.s.labels = draw(4) ? labels : hostile_pointer(labels);
        source.s.label_count = hostile_len(2);
        source.s.second_labels = draw(2) ? second_labels : NULL;
        source.s.second_label_count = source.s.second_labels ? hostile_len(2) : draw(2);
        for (int i = 0; i < 2; i++) {
            labels[i] = draw(4) ? draw(10) : hostile_u32();
            second_labels[i] = draw(4) ? draw(10) : hostile_u32();
        }
        break;
    default:
        ranking.s.column_count = draw(2) ? draw(COLUMNS + 1) : draw(2) ? 33 + draw(9) : SIZE_MAX - draw(9);
        ranking.s.candidate_count = draw(2) ? draw(CANDIDATES + 1) : hostile_len(CANDIDATES);
        ranking.s.mode = draw(2) ? draw(2) : hostile_u32();
        ranking.s.weights = draw(2) ? weights : NULL;
        for (int i = 0; i < COLUMNS; i++)
            weights[i] = draw(20) ? (double)draw(5) : 1.0 / (double)draw(2) - 1.0 / (double)draw(2);
        for (int i = 0; i < CANDIDATES; i++)
            first[i] = draw(10) ? (double)draw(5) : (double)draw(2) / (double)draw(2);
    }
}

/* What a score refuses of its arguments, the query refuses too, with the same status, and the other way round. A score
 * without memory does no work. */
static void expect_the_same_of_a_score(aznas_status of_query) {
    aznas_scores own_scores = {.struct_size = sizeof own_scores};
    aznas_costs own_costs = {.struct_size = sizeof own_costs};
    const aznas_status of_score = aznas_score(call.arch, call.options, memory, 0, &own_scores, NULL);
    if (of_query == AZNAS_STATUS_OK ? of_score != AZNAS_STATUS_OK && of_score != AZNAS_STATUS_WORKSPACE_TOO_SMALL
                                    : of_score != of_query)
        fail("the query and the score disagree", of_score);
    if (of_query == AZNAS_STATUS_OK && aznas_cost(call.arch, call.options, &own_costs, NULL) != AZNAS_STATUS_OK)
        fail("the query accepts what cannot be counted", of_query);
}

/* The same of gradients. */
static void expect_the_same_of_a_sweep(aznas_status of_query) {
    if (call.sweep == &sweep)
        sweep.s.watch = watch;
    const aznas_status of_sweep = aznas_gradients(call.arch, call.options, call.sweep, memory, 0, NULL, NULL);
    if (of_query == AZNAS_STATUS_OK ? of_sweep != AZNAS_STATUS_WORKSPACE_TOO_SMALL : of_sweep != of_query)
        fail("the query and the sweep disagree", of_sweep);
}

static void write_texts(void) {
    for (size_t space = 1; space < sizeof texts / sizeof *texts; space++)
        memcpy(*texts[space].own, texts[space].text, texts[space].length);
}

static void random_calls(long count) {
    static const uint32_t spaces[] = {AZNAS_SPACE_NB201, AZNAS_SPACE_MBV2, AZNAS_SPACE_AUTOFORMER, AZNAS_SPACE_GRAPH,
                                      AZNAS_SPACE_GRAPH, AZNAS_SPACE_NB101, AZNAS_SPACE_NDS};
    long accepted[FUNCTIONS] = {0}, asked[FUNCTIONS] = {0};
    for (long i = 0; i < count; i++) {
        write_texts();
        const uint32_t space = spaces[draw(7)];
        reset(space);
        /* What runs the network takes long. */
        int function = draw(32) ? SIZE + (int)draw(GRADIENTS - SIZE) : draw(2) ? SCORE : GRADIENTS;
        /* Proposals take longer than refusals. */
        if (function == ASK && draw(8))
            function = ASK_SIZE;
        if (space == AZNAS_SPACE_GRAPH && (function <= COST || function >= GRADIENTS_SIZE)) {
            arch.s.node_count = 1 + draw(NODES);
            for (int n = 0; n < NODES; n++)
                random_node(&(&nodes[0].each.s)[n]);
        }
        for (uint32_t mistakes = draw(4); mistakes > 0; mistakes--)
            spoil(function);
        asked[function]++;
        /* Images that are taken one by one need no more memory, but time. */
        if (options.s.batch > 64)
            options.s.proxies &= ~(uint32_t)(AZNAS_PROXY_GRAD_SIGN | AZNAS_PROXY_GRAD_SIGN_MEAN);
        const aznas_status status = invoke(function);
        accepted[function] += status == AZNAS_STATUS_OK;
        /* Many repeats of counting alone would take long. */
        if (function == SIZE && call.bytes == &bytes && call.error == &error && options.s.repeats <= 3)
            expect_the_same_of_a_score(status);
        if (function == GRADIENTS_SIZE && call.bytes == &bytes && call.error == &error)
            expect_the_same_of_a_sweep(status);
    }
    printf("accepted:");
    for (int f = 0; f < FUNCTIONS; f++)
        printf(" %ld of %ld", accepted[f], asked[f]);
    printf("\n");
    /* A test that is refused at the door every time tests nothing. */
    for (int f = 0; f < FUNCTIONS; f++)
        if (accepted[f] * 20 < asked[f])
            fail("hardly anything was accepted", AZNAS_STATUS_OK);
}

int main(int argc, char **argv) {
    const long count = argc > 1 ? atol(argv[1]) : 1000000;
    state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    state = state * 0x9e3779b97f4a7c15u + 1;
    memory = malloc(memory_len);
    if (!memory)
        return 2;
    for (size_t space = 1; space < sizeof texts / sizeof *texts; space++)
        if (!*texts[space].own && !(*texts[space].own = malloc(texts[space].length)))
            return 2;
    write_texts();
    single_mistakes();
    every_pair_of_keys();
    every_proxy();
    not_numbers();
    default_resolutions();
    random_calls(count);
    free(cell);
    free(units);
    free(transformer);
    free(vertices);
    free(genotype);
    free(memory);
    return 0;
}
