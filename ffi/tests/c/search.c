/* Searches of the spaces in the input, by scores that are counted from the texts. A line of input is a search: space, seed,
 * workers, warmup, its count, parents, candidates, most multiply-adds, mutation. Prints the text of every candidate. */
#include <aznas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 2, CANDIDATES = 256, TEXT = 1 << 14 };

/* A score of a text that many texts share, so that ranks tie. */
static double score(const char *text, size_t len, unsigned column) {
    uint32_t sum = column;
    for (size_t i = 0; i < len; i++)
        sum = sum * 31 + (unsigned char)text[i];
    return sum % 7;
}

int main(void) {
    static char texts[CANDIDATES][TEXT];
    static const char *starts[CANDIDATES];
    static size_t lens[CANDIDATES];
    static double columns[COLUMNS][CANDIDATES];
    const double *const firsts[COLUMNS] = {columns[0], columns[1]};
    aznas_search search;
    aznas_arch arch;
    unsigned space, warmup, mutation;
    size_t candidates;
    unsigned long long seed, workers, count, parents, wanted;
    double most;
    while (scanf("%u %llu %llu %u %llu %llu %llu %lf %u", &space, &seed, &workers, &warmup, &count, &parents, &wanted, &most,
                 &mutation) == 9) {
        if (aznas_arch_init(&arch, sizeof arch, space) || aznas_search_init(&search, sizeof search, space))
            return 1;
        search.seed = seed;
        search.workers = (size_t)workers;
        search.warmup = warmup;
        search.warmup_count = (size_t)count;
        search.parents = (size_t)parents;
        search.max_complexity = most;
        search.mutation = mutation;
        candidates = (size_t)wanted;
        aznas_ranking history = AZNAS_RANKING_INIT;
        history.columns = firsts;
        history.column_count = COLUMNS;
        search.texts = starts;
        search.text_lens = lens;
        size_t bytes;
        if (candidates > CANDIDATES || aznas_search_workspace_size(&search, candidates, &bytes, NULL))
            return 2;
        void *workspace = malloc(bytes);
        for (size_t number = 0; number < candidates; number++) {
            aznas_error error = AZNAS_ERROR_INIT;
            history.candidate_count = number;
            search.history = number ? &history : NULL;
            if (aznas_search_ask(&search, &arch, number, workspace, bytes, texts[number], TEXT, &lens[number], &error)) {
                printf("%s: %s must be %s\n", aznas_status_str(error.status), error.field, error.expected);
                break;
            }
            starts[number] = texts[number];
            for (unsigned column = 0; column < COLUMNS; column++)
                columns[column][number] = score(texts[number], lens[number], column);
            printf("%.*s\n", (int)lens[number], texts[number]);
        }
        free(workspace);
    }
    return 0;
}
