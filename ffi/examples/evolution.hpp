// An evolutionary search over NAS-Bench-201 in generations, whoever scores them: ranks choose parents, parents mutate.
#include <aznas.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>
#include <random>

namespace evolution {

/// The operations on the six edges of a cell.
using Cell = std::array<unsigned, 6>;

constexpr const char *OPERATIONS[] = {"none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"};
constexpr std::size_t GENERATION = 20, PARENTS = 10;
constexpr std::uint32_t PROXIES = AZNAS_PROXIES_EXTENDED;

inline std::string text(const Cell &cell) {
    std::string text;
    for (unsigned target = 1, edge = 0; target < 4; target++) {
        text += target == 1 ? "|" : "+|";
        for (unsigned source = 0; source < target; source++)
            text += std::string(OPERATIONS[cell[edge++]]) + "~" + std::to_string(source) + "|";
    }
    return text;
}

/// Scores a cell in the memory of this thread.
inline aznas::Scores score(const Cell &cell) {
    static const aznas::Scorer scorer(aznas::Options().batch(8).resolution(16).proxies(PROXIES));
    return scorer.score(aznas::nb201(text(cell)).channels(8).cells(1));
}

/// Searches `budget` candidates and prints the best after each generation. `evaluate` scores cells, in their order.
template <class Evaluate> void search(std::size_t budget, Evaluate evaluate) {
    std::mt19937 random(1);
    std::vector<Cell> cells;
    std::vector<aznas::Scores> scores;
    std::vector<Cell> generation(std::min(GENERATION, budget));
    for (Cell &cell : generation)
        std::generate(cell.begin(), cell.end(), [&random] { return static_cast<unsigned>(random() % 5); });

    std::vector<std::size_t> order;
    while (!generation.empty()) {
        const std::vector<aznas::Scores> scored = evaluate(generation);
        cells.insert(cells.end(), generation.begin(), generation.end());
        scores.insert(scores.end(), scored.begin(), scored.end());
        const std::vector<double> ranks = aznas::aggregate(scores, PROXIES);
        order.resize(cells.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        // Candidates that tie keep their order, so that a run can be repeated.
        std::stable_sort(order.begin(), order.end(), [&ranks](std::size_t a, std::size_t b) { return ranks[a] > ranks[b]; });
        const std::size_t best = order.front();
        std::printf("%4zu candidates, best %8.4f %s\n", cells.size(), ranks[best], text(cells[best]).c_str());
        generation.resize(std::min(GENERATION, budget - cells.size()));
        for (Cell &child : generation) {
            child = cells[order[random() % std::min(PARENTS, cells.size())]];
            unsigned &operation = child[random() % child.size()];
            operation = (operation + 1 + static_cast<unsigned>(random() % 4)) % 5;
        }
    }
}

} // namespace evolution
