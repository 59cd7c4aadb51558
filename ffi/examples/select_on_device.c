/* Selects a network on the microcontroller that is to run it: draws structures, drops those that would not fit, scores the
 * rest and prints the best.
 *
 * A structure fits if inference of one image, at a byte an activation, holds no more than the memory given to activations,
 * and its parameters no more than the flash given to weights. Scores take smaller images than inference does: a score has to
 * fit the same memory with numbers of four bytes, gradients and a batch. */
#include "freestanding.h"
#include <aznas.h>

enum {
    KEPT = 12,                   /* candidates to score */
    SIDE = 96,                   /* rows and columns of the images to be classified */
    MOST_ACTIVATIONS = 56 * 1024, /* held at a time */
    MOST_PARAMETERS = 12 * 1024,
};

/* With the stack, which takes up to 74 KiB, and what is below, less than 256 KiB. */
#ifndef WORKSPACE
#define WORKSPACE (172 * 1024)
#endif
static unsigned char workspace[WORKSPACE];

/* A text that grows, of what the space is spelled with. */
typedef struct text {
    char characters[256];
    size_t length;
} text;

static void append(text *to, const char *what) {
    while (*what)
        to->characters[to->length++] = *what++;
}

static void append_number(text *to, uint32_t number) {
    char digits[11];
    size_t place = sizeof digits - 1;
    digits[place] = 0;
    do
        digits[--place] = (char)('0' + number % 10);
    while (number /= 10);
    append(to, digits + place);
}

static void append_numbers(text *to, const uint32_t *numbers, size_t count) {
    for (size_t i = 0; i < count; i++) {
        append(to, i ? "," : "(");
        append_number(to, numbers[i]);
    }
    append(to, ")");
}

/* Marsaglia's xorshift: enough to draw structures with. */
static uint32_t state = 2463534242u;

static uint32_t one_of(const uint32_t *choices, uint32_t count) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return choices[state % count];
}
#define ONE_OF(...) one_of((const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* Draws a stem, three stages of inverted residuals and a last convolution. */
static void draw(text *structure) {
    static const uint32_t strides[] = {2, 2, 1};
    structure->length = 0;
    uint32_t channels = ONE_OF(4, 8);
    append(structure, "SuperConvK3BNRELU");
    append_numbers(structure, (const uint32_t[]){3, channels, 2, 1}, 4);
    for (int stage = 0; stage < 3; stage++) {
        const uint32_t expansion = ONE_OF(1, 2, 4), kernel = ONE_OF(3, 5, 7);
        const uint32_t output = ONE_OF(8, 12, 16, 24), bottleneck = ONE_OF(4, 8, 12);
        append(structure, "SuperResIDWE");
        append_number(structure, expansion);
        append(structure, "K");
        append_number(structure, kernel);
        append_numbers(structure, (const uint32_t[]){channels, output, strides[stage], bottleneck, 1}, 5);
        channels = output;
    }
    append(structure, "SuperConvK1BNRELU");
    append_numbers(structure, (const uint32_t[]){channels, ONE_OF(32, 64), 1, 1}, 4);
}

int main(void) {
    static text candidates[KEPT], report;
    static double columns[4][KEPT], ranks[KEPT];
    static aznas_costs costs[KEPT];
    static aznas_arch arch;
    static aznas_options inference, score;
    static aznas_scores scores = AZNAS_SCORES_INIT;
    aznas_arch_init(&arch, sizeof arch, AZNAS_SPACE_MBV2);
    arch.classes = 2;
    arch.target_resolution = SIDE;
    aznas_options_init(&inference, sizeof inference);
    inference.height = inference.width = SIDE;
    aznas_options_init(&score, sizeof score);
    score.batch = 4;
    score.height = score.width = 16;
    score.backend = AZNAS_BACKEND_SCALAR;

    uint32_t drawn = 0, kept = 0;
    while (kept < KEPT) {
        text *structure = &candidates[kept];
        draw(structure);
        drawn++;
        arch.text = structure->characters;
        arch.text_len = structure->length;
        costs[kept].struct_size = sizeof costs[kept];
        if (aznas_cost(&arch, &inference, &costs[kept], NULL) != AZNAS_STATUS_OK)
            return 1;
        if (costs[kept].peak_activation > MOST_ACTIVATIONS || costs[kept].parameters > MOST_PARAMETERS)
            continue;
        if (aznas_score(&arch, &score, workspace, sizeof workspace, &scores, NULL) != AZNAS_STATUS_OK)
            return 2;
        aznas_scores_values(&scores, AZNAS_PROXIES_PAPER, &columns[0][kept], KEPT);
        kept++;
    }

    const double *const starts[] = {columns[0], columns[1], columns[2], columns[3]};
    aznas_ranking ranking = AZNAS_RANKING_INIT;
    ranking.columns = starts;
    ranking.column_count = 4;
    ranking.candidate_count = KEPT;
    if (aznas_aggregate(&ranking, workspace, sizeof workspace, ranks, NULL) != AZNAS_STATUS_OK)
        return 3;
    uint32_t best = 0;
    for (uint32_t i = 1; i < KEPT; i++)
        if (ranks[i] > ranks[best])
            best = i;

    append_number(&report, drawn);
    append(&report, " drawn, ");
    append_number(&report, kept);
    append(&report, " within the budget\nthe best holds ");
    append_number(&report, (uint32_t)costs[best].peak_activation);
    append(&report, " activations at a time and has ");
    append_number(&report, (uint32_t)costs[best].parameters);
    append(&report, " parameters:\n");
    print(report.characters, report.length);
    print(candidates[best].characters, candidates[best].length);
    print("\n", 1);
    for (int i = 0; i < 4; i++)
        print_bits(columns[i][best]);
    print_bits(ranks[best]);
    return 0;
}
