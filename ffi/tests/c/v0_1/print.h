/* Numbers as bits, so that a test can compare them exactly. */
#ifndef PRINT_H
#define PRINT_H

#include <aznas.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static inline uint64_t bits(double x) {
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    /* Every NaN is one NaN. */
    return x == x ? u : UINT64_C(0x7ff8000000000000);
}

static inline void print_scores(const aznas_scores *s) {
    double proxies[8];
    if (aznas_scores_values(s, AZNAS_PROXIES_ALL, proxies, 1) != AZNAS_STATUS_OK)
        return;
    for (int i = 0; i < 8; i++)
        printf("%016" PRIx64 " ", bits(proxies[i]));
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu32 " %zu\n", s->macs, s->live_macs,
           s->parameters, s->live_parameters, s->live_layers, s->depth, s->flags, s->block_count);
    for (size_t i = 0; s->blocks && i < s->block_capacity; i++) {
        const aznas_block *b = &s->blocks[i];
        if (b->channels == 0)
            break;
        printf("%" PRIu32 " %" PRIu32 "x%" PRIu32 "x%" PRIu32 " %016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %" PRIu32
               "\n",
               b->block, b->height, b->width, b->channels, bits(b->expressivity), bits(b->sigma),
               bits(b->trainability), b->flags);
    }
}

/* Ends the program with a message where a call that must succeed does not. */
#define REQUIRE(call)                                                                        \
    do {                                                                                     \
        aznas_status status_ = (call);                                                       \
        if (status_ != AZNAS_STATUS_OK) {                                                    \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, aznas_status_str(status_)); \
            exit(1);                                                                         \
        }                                                                                    \
    } while (0)

#endif
