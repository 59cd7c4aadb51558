// The evolutionary search of evolution.hpp with threads that score: each in a workspace of its own.
//
// Usage: evaluator [candidates] [threads]
#include "evolution.hpp"

#include <atomic>
#include <thread>

int main(int argc, char **argv) {
    const std::size_t budget = argc > 1 ? std::stoul(argv[1]) : 200;
    const unsigned asked = argc > 2 ? static_cast<unsigned>(std::stoul(argv[2])) : std::thread::hardware_concurrency();

    evolution::search(budget, [asked](const std::vector<evolution::Cell> &cells) {
        std::vector<aznas::Scores> scores(cells.size());
        std::atomic<std::size_t> next{0};
        std::vector<std::thread> threads;
        for (unsigned i = 0; i < std::max(asked, 1u); i++)
            threads.emplace_back([&] {
                for (std::size_t job = next++; job < cells.size(); job = next++)
                    scores[job] = evolution::score(cells[job]);
            });
        for (std::thread &thread : threads)
            thread.join();
        return scores;
    });
}
