// Eight threads, a workspace each, share a Scorer and get the bits that one thread gets. Also: views, failures, ranks.
#include <aznas.hpp>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <thread>

namespace {

int failures = 0;

void check(bool holds, const char *what) {
    if (!holds) {
        std::fprintf(stderr, "does not hold: %s\n", what);
        failures++;
    }
}

#define CHECK(condition) check((condition), #condition)

// Every proxy, those of whole networks too.
uint32_t all_proxies() {
    uint32_t all = 0;
    CHECK(aznas_proxy_parse("all", 3, &all, nullptr) == AZNAS_STATUS_OK);
    return all;
}

bool same(const aznas::Scores &a, const aznas::Scores &b) {
    return std::memcmp(a.proxies, b.proxies, sizeof a.proxies) == 0 && a.macs == b.macs && a.flags == b.flags;
}

std::vector<aznas::Arch> candidates() {
    const char *operations[] = {"none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"};
    std::vector<aznas::Arch> list;
    for (unsigned i = 0; i < 25; i++) {
        unsigned digits = i * 611;
        std::string cell;
        for (unsigned target = 1; target < 4; target++) {
            cell += target == 1 ? "|" : "+|";
            for (unsigned source = 0; source < target; source++, digits /= 5)
                cell += std::string(operations[digits % 5]) + "~" + std::to_string(source) + "|";
        }
        list.push_back(aznas::nb201(cell).channels(4).cells(1));
    }
    return list;
}

} // namespace

int main() {
    CHECK(std::string(aznas_version()) == AZNAS_VERSION);
    CHECK(std::string(aznas_backend_name(AZNAS_BACKEND_SCALAR)) == "scalar");
    CHECK(std::string(aznas_backend_name(99)) == "unknown");

    const aznas::Scorer scorer(aznas::Options().batch(2).resolution(8).seed(5).proxies(all_proxies()));
    const std::vector<aznas::Arch> list = candidates();
    std::vector<aznas::Scores> expected;
    for (const aznas::Arch &arch : list)
        expected.push_back(scorer.score(arch));

    std::array<std::vector<aznas::Scores>, 8> results;
    std::vector<std::thread> threads;
    for (std::vector<aznas::Scores> &result : results)
        threads.emplace_back([&result, &list, &scorer] {
            for (const aznas::Arch &arch : list)
                result.push_back(scorer.score(arch));
        });
    for (std::thread &thread : threads)
        thread.join();
    for (const std::vector<aznas::Scores> &result : results) {
        CHECK(result.size() == expected.size());
        for (std::size_t i = 0; i < result.size(); i++)
            CHECK(same(result[i], expected[i]));
    }

    std::vector<aznas_block> rows(6);
    aznas::Workspace workspace;
    const aznas::Scores scores = scorer.score(list[7], workspace, rows);
    CHECK(same(scores, expected[7]) && scores.block_count == 6 && rows[5].channels == 16);
    CHECK(scorer.cost(list[7]).macs == scores.macs);

    std::vector<double> expressivity, complexity;
    for (const aznas::Scores &s : expected) {
        expressivity.push_back(s.expressivity);
        complexity.push_back(s.complexity);
    }
    const std::array<aznas::View<const double>, 2> columns = {expressivity, complexity};
    const std::vector<double> ranked = aznas::aggregate(columns);
    CHECK(ranked.size() == list.size() && ranked[0] <= 0.0);
    CHECK(aznas::aggregate(expected, AZNAS_PROXY_EXPRESSIVITY | AZNAS_PROXY_COMPLEXITY) == ranked);
    CHECK(aznas::aggregate(expected) != ranked && aznas::aggregate(expected, AZNAS_PROXIES_EXTENDED) != ranked);
    const std::array<double, 2> weights = {0.5, 2.0};
    CHECK(aznas::aggregate(expected, AZNAS_PROXY_EXPRESSIVITY | AZNAS_PROXY_COMPLEXITY, AZNAS_MODE_LINEAR, weights) ==
          aznas::aggregate(columns, AZNAS_MODE_LINEAR, weights));

    const aznas::Scorer forward(aznas::Options().batch(2).resolution(8).seed(5).proxies(AZNAS_PROXY_EXPRESSIVITY));
    const aznas::Scores half = forward.score(list[7]);
    CHECK(half.expressivity == expected[7].expressivity && half.depth == expected[7].depth);
    CHECK(half.trainability == -std::numeric_limits<double>::infinity() && half.flags & AZNAS_FLAG_NOT_MEASURED);
    const aznas::Scorer counter(aznas::Options().proxies(AZNAS_PROXY_LIVE_COMPLEXITY | AZNAS_PROXY_DEPTH));
    aznas::Workspace nothing;
    CHECK(counter.score(list[7], nothing).live_layers == expected[7].live_layers && nothing.size() < 64);

    // GradNorm from the gradients themselves.
    double squares = 0.0, loss = 0.0;
    aznas::Error none;
    const auto add = [&squares](const aznas_gradient &gradient) {
        for (std::size_t i = 0; i < gradient.len; i++)
            squares += static_cast<double>(gradient.gradient[i]) * gradient.gradient[i];
    };
    CHECK(aznas::try_gradients(list[7], scorer.options(), workspace, add, loss, none) == AZNAS_STATUS_OK && loss > 0.0);
    CHECK(std::abs(std::sqrt(squares) / expected[7].proxies[10] - 1.0) < 1e-12);

    try {
        scorer.score(aznas::nb201("|nor_conv_3x3~1|"));
        CHECK(!"a wrong text is refused");
    } catch (const aznas::Failure &failure) {
        CHECK(failure.status() == AZNAS_STATUS_PARSE && failure.error().column == 15);
        CHECK(std::string(failure.what()).find("column 15") != std::string::npos);
    }
    aznas::Error error;
    aznas::Scores untouched;
    CHECK(aznas::try_score(aznas::graph({}), aznas::Options(), workspace, untouched, error) == AZNAS_STATUS_INVALID);
    CHECK(error.status == AZNAS_STATUS_INVALID && error.message().find("node_count") != std::string::npos);

    // The scores of the first candidates, for the test to compare with those of other threads and builds.
    for (const aznas::Scores &s : expected)
        std::printf("%a %a %a %a\n", s.expressivity, s.progressivity, s.trainability, s.complexity);
    return failures != 0;
}
