// An evolutionary search over NAS-Bench-201: threads score candidates, ranks choose parents, parents mutate.
//
// Usage: evaluator [candidates] [threads]
#include <aznas.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <numeric>
#include <random>
#include <thread>

namespace {

/// The operations on the six edges of a cell.
using Cell = std::array<unsigned, 6>;

constexpr const char *OPERATIONS[] = {"none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"};

std::string text(const Cell &cell) {
    std::string text;
    for (unsigned target = 1, edge = 0; target < 4; target++) {
        text += target == 1 ? "|" : "+|";
        for (unsigned source = 0; source < target; source++)
            text += std::string(OPERATIONS[cell[edge++]]) + "~" + std::to_string(source) + "|";
    }
    return text;
}

struct Population {
    std::vector<Cell> cells;
    std::vector<aznas::Scores> scores;

    std::size_t size() const { return cells.size(); }
};

/// Scores the cells, each thread in a workspace of its own, and adds them to the population.
void evaluate(const std::vector<Cell> &cells, const aznas::Scorer &scorer, unsigned thread_count, Population &population) {
    std::vector<aznas::Scores> scores(cells.size());
    std::atomic<std::size_t> next{0};
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < thread_count; i++)
        threads.emplace_back([&] {
            for (std::size_t job = next++; job < cells.size(); job = next++)
                scores[job] = scorer.score(aznas::nb201(text(cells[job])).channels(8).cells(1));
        });
    for (std::thread &thread : threads)
        thread.join();
    population.cells.insert(population.cells.end(), cells.begin(), cells.end());
    population.scores.insert(population.scores.end(), scores.begin(), scores.end());
}

} // namespace

int main(int argc, char **argv) {
    const std::size_t budget = argc > 1 ? std::stoul(argv[1]) : 200;
    const unsigned thread_count = argc > 2 ? static_cast<unsigned>(std::stoul(argv[2])) : std::thread::hardware_concurrency();
    constexpr std::size_t GENERATION = 20, PARENTS = 10;
    constexpr std::uint32_t PROXIES = AZNAS_PROXIES_EXTENDED;
    const aznas::Scorer scorer(aznas::Options().batch(8).resolution(16).proxies(PROXIES));

    std::mt19937 random(1);
    Population population;
    std::vector<Cell> generation(std::min(GENERATION, budget));
    for (Cell &cell : generation)
        std::generate(cell.begin(), cell.end(), [&random] { return static_cast<unsigned>(random() % 5); });

    std::vector<std::size_t> order;
    while (true) {
        evaluate(generation, scorer, std::max(thread_count, 1u), population);
        const std::vector<double> ranks = aznas::aggregate(population.scores, PROXIES);
        order.resize(population.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        // Candidates that tie keep their order, so that a run can be repeated.
        std::stable_sort(order.begin(), order.end(), [&ranks](std::size_t a, std::size_t b) { return ranks[a] > ranks[b]; });
        const std::size_t best = order.front();
        std::printf("%4zu candidates, best %8.4f %s\n", population.size(), ranks[best], text(population.cells[best]).c_str());
        if (population.size() >= budget)
            return 0;
        generation.resize(std::min(GENERATION, budget - population.size()));
        for (Cell &child : generation) {
            child = population.cells[order[random() % std::min(PARENTS, population.size())]];
            unsigned &operation = child[random() % child.size()];
            operation = (operation + 1 + static_cast<unsigned>(random() % 4)) % 5;
        }
    }
}
