/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * aznas for C++17: value types over <aznas.h>, nothing to link but the C library.
 *
 *     aznas::Scorer scorer(aznas::Options().batch(32));
 *     aznas::Scores scores = scorer.score(aznas::nb201("|nor_conv_3x3~0|+|...|"));
 *
 * Functions that can fail throw aznas::Failure. With AZNAS_NO_EXCEPTIONS defined, and wherever the compiler has
 * exceptions switched off, only the try_... functions exist, which return a status and report through aznas::Error.
 */
#ifndef AZNAS_HPP
#define AZNAS_HPP

#include "aznas.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#if !defined(AZNAS_NO_EXCEPTIONS) && !defined(__cpp_exceptions)
#define AZNAS_NO_EXCEPTIONS
#endif
#ifndef AZNAS_NO_EXCEPTIONS
#include <new>
#include <stdexcept>
#endif

namespace aznas {

/** A view of numbers that somebody else owns; a std::span for C++17. */
template <class T>
class View {
public:
    constexpr View() noexcept = default;
    constexpr View(T *data, std::size_t size) noexcept : data_(data), size_(size) {}
    /** A view of anything with data() and size(): vectors, arrays, spans. */
    template <class Container, class = decltype(static_cast<T *>(std::declval<Container &>().data()))>
    constexpr View(Container &&container) noexcept : data_(container.data()), size_(container.size()) {}

    constexpr T *data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr bool empty() const noexcept { return size_ == 0; }
    constexpr T *begin() const noexcept { return data_; }
    constexpr T *end() const noexcept { return data_ + size_; }
    constexpr T &operator[](std::size_t index) const noexcept { return data_[index]; }

private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
};

/** Where and why a call was refused. */
struct Error : aznas_error {
    Error() noexcept : aznas_error(AZNAS_ERROR_INIT) {}

    /** One line that names the place. */
    std::string message() const {
        std::string text = aznas_status_str(status);
        switch (status) {
        case AZNAS_STATUS_PARSE:
            text += ": column " + std::to_string(column);
            break;
        case AZNAS_STATUS_NODE:
            text += ": block " + std::to_string(block) + ", node " + std::to_string(node);
            break;
        case AZNAS_STATUS_TENSOR_LENGTH:
            text += ": block " + std::to_string(block);
            break;
        default:
            break;
        }
        if (field[0] != '\0')
            text += std::string(": ") + field + " must be " + expected;
        if (needed != 0)
            text += " (needed: " + std::to_string(needed) + ", given: " + std::to_string(given) + ")";
        return text;
    }
};

#ifndef AZNAS_NO_EXCEPTIONS
/** A refused call, as an exception. */
class Failure : public std::runtime_error {
public:
    explicit Failure(const Error &error) : std::runtime_error(error.message()), error_(error) {}
    const Error &error() const noexcept { return error_; }
    aznas_status status() const noexcept { return static_cast<aznas_status>(error_.status); }

private:
    Error error_;
};

namespace detail {
inline void require(aznas_status status, const Error &error) {
    if (status != AZNAS_STATUS_OK)
        throw Failure(error);
}
} // namespace detail
#endif

/** What is scored. Owns its text and its nodes. */
class Arch {
public:
    explicit Arch(aznas_space space) noexcept : value_{} { aznas_arch_init(&value_, sizeof value_, space); }

    Arch &text(std::string text) { return text_ = std::move(text), *this; }
    Arch &nodes(std::vector<aznas_node> nodes) { return nodes_ = std::move(nodes), *this; }
    Arch &channels(std::uint32_t channels) noexcept { return value_.channels = channels, *this; }
    Arch &cells(std::uint32_t cells) noexcept { return value_.cells = cells, *this; }
    Arch &classes(std::uint32_t classes) noexcept { return value_.classes = classes, *this; }
    Arch &target_channels(std::uint32_t channels) noexcept { return value_.target_channels = channels, *this; }
    Arch &stem(aznas_stem stem) noexcept { return value_.stem = stem, *this; }
    Arch &target_resolution(std::uint32_t side) noexcept { return value_.target_resolution = side, *this; }
    Arch &input_channels(std::uint32_t channels) noexcept { return value_.input_channels = channels, *this; }
    Arch &identity_rule(aznas_identity rule) noexcept { return value_.identity_rule = rule, *this; }

    Arch &patch(std::uint32_t side) noexcept { return value_.patch = side, *this; }
    Arch &reach(std::uint32_t farthest) noexcept { return value_.reach = farthest, *this; }
    Arch &parameters(aznas_parameters parameters) noexcept { return value_.parameters = parameters, *this; }

    std::string_view text() const noexcept { return text_; }

    /** The struct for the C functions; valid while this object lives and is not changed. */
    aznas_arch c() const noexcept {
        aznas_arch value = value_;
        value.text = text_.data();
        value.text_len = text_.size();
        value.nodes = nodes_.data();
        value.node_count = nodes_.size();
        value.node_size = sizeof(aznas_node);
        return value;
    }

private:
    aznas_arch value_;
    std::string text_;
    std::vector<aznas_node> nodes_;
};

/** A cell of NAS-Bench-201 in the benchmark's network. */
inline Arch nb201(std::string cell) { return Arch(AZNAS_SPACE_NB201).text(std::move(cell)); }
/** A cell of NAS-Bench-101 in the benchmark's network. */
inline Arch nb101(std::string cell) { return Arch(AZNAS_SPACE_NB101).text(std::move(cell)); }
/** An architecture of NDS. */
inline Arch nds(std::string genotype) { return Arch(AZNAS_SPACE_NDS).text(std::move(genotype)); }
/** A structure of the MobileNetV2 space. */
inline Arch mbv2(std::string structure) { return Arch(AZNAS_SPACE_MBV2).text(std::move(structure)); }
/** A vision transformer of the AutoFormer space. */
inline Arch autoformer(std::string architecture) { return Arch(AZNAS_SPACE_AUTOFORMER).text(std::move(architecture)); }
/** Any network. */
inline Arch graph(std::vector<aznas_node> nodes) { return Arch(AZNAS_SPACE_GRAPH).nodes(std::move(nodes)); }

/** How a network is scored. */
class Options {
public:
    Options() noexcept : value_(AZNAS_OPTIONS_INIT) {}

    Options &batch(std::size_t images) noexcept { return value_.batch = images, *this; }
    Options &resolution(std::size_t side) noexcept { return value_.height = value_.width = side, *this; }
    Options &height(std::size_t rows) noexcept { return value_.height = rows, *this; }
    Options &width(std::size_t columns) noexcept { return value_.width = columns, *this; }
    Options &seed(std::uint64_t seed) noexcept { return value_.seed = seed, *this; }
    Options &init(aznas_init init) noexcept { return value_.init = init, *this; }
    Options &repeats(std::uint32_t repeats) noexcept { return value_.repeats = repeats, *this; }
    Options &backend(aznas_backend backend) noexcept { return value_.backend = backend, *this; }
    Options &sigma(aznas_sigma sigma) noexcept { return value_.sigma = sigma, *this; }
    /** How convolutions sum products. */
    Options &entropy(aznas_entropy entropy) noexcept { return value_.entropy = entropy, *this; }
    Options &algorithm(aznas_algorithm algorithm) noexcept { return value_.algorithm = algorithm, *this; }
    /** The proxies that are wanted, some of AZNAS_PROXY_...; the work of others is saved. */
    Options &proxies(std::uint32_t proxies) noexcept { return value_.proxies = proxies, *this; }
    /** Tensors of the caller; must outlive the options. */
    Options &source(const aznas_source *source) noexcept { return value_.source = source, *this; }

    /** The struct for the C functions. */
    const aznas_options &c() const noexcept { return value_; }

private:
    aznas_options value_;
};

/** The proxies of a network. */
struct Scores : aznas_scores {
    Scores() noexcept : aznas_scores(AZNAS_SCORES_INIT) {}
};

/** Memory that grows to the largest need and is kept: one for each thread. */
class Workspace {
public:
    /** At least `bytes` bytes, or NULL. */
    void *reserve(std::size_t bytes) noexcept {
        if (bytes > size_) {
            bytes_.reset();
            bytes_.reset(static_cast<unsigned char *>(std::malloc(bytes)));
            size_ = bytes_ ? bytes : 0;
        }
        return bytes_.get();
    }
    void *data() const noexcept { return bytes_.get(); }
    std::size_t size() const noexcept { return size_; }

private:
    struct Free {
        void operator()(unsigned char *bytes) const noexcept { std::free(bytes); }
    };
    std::unique_ptr<unsigned char, Free> bytes_;
    std::size_t size_ = 0;
};

/** Bytes of workspace that a score takes. */
inline aznas_status try_workspace_size(const Arch &arch, const Options &options, std::size_t &bytes, Error &error) noexcept {
    const aznas_arch described = arch.c();
    return aznas_workspace_size(&described, &options.c(), &bytes, &error);
}

/** Scores a network in a workspace, which grows if it must. Rows, if any, are filled block after block. */
inline aznas_status try_score(const Arch &arch, const Options &options, Workspace &workspace, Scores &scores, Error &error,
                              View<aznas_block> rows = {}) noexcept {
    const aznas_arch described = arch.c();
    std::size_t bytes = 0;
    aznas_status status = aznas_workspace_size(&described, &options.c(), &bytes, &error);
    if (status != AZNAS_STATUS_OK)
        return status;
    if (bytes != 0 && workspace.reserve(bytes) == nullptr) {
        error.status = status = AZNAS_STATUS_OUT_OF_MEMORY;
        error.needed = bytes;
        return status;
    }
    Scores out;
    out.blocks = rows.data();
    out.block_capacity = rows.size();
    out.block_size = sizeof(aznas_block);
    status = aznas_score(&described, &options.c(), workspace.data(), workspace.size(), &out, &error);
    if (status == AZNAS_STATUS_OK) {
        // The rows belong to the caller, who may keep the scores for longer.
        out.blocks = nullptr;
        out.block_capacity = 0;
        scores = out;
    }
    return status;
}

/** Multiply-adds and parameters at the resolution of the options. */
inline aznas_status try_cost(const Arch &arch, const Options &options, aznas_costs &costs, Error &error) noexcept {
    const aznas_arch described = arch.c();
    costs.struct_size = sizeof costs;
    return aznas_cost(&described, &options.c(), &costs, &error);
}

/** One score for every candidate by the ranks of its proxies: columns of equal length, one for each proxy. */
inline aznas_status try_aggregate(View<const View<const double>> columns, View<double> out, Workspace &workspace,
                                  Error &error, aznas_mode mode = AZNAS_MODE_LOG, View<const double> weights = {}) {
    std::vector<const double *> starts;
    aznas_ranking ranking = AZNAS_RANKING_INIT;
    bool even = weights.empty() || weights.size() == columns.size();
    for (const View<const double> &column : columns) {
        even = even && column.size() == out.size();
        starts.push_back(column.data());
    }
    if (!even) {
        error = Error();
        error.status = AZNAS_STATUS_INVALID;
        std::strcpy(error.field, "columns");
        std::strcpy(error.expected, "of one length, and as many as weights if there are any");
        return AZNAS_STATUS_INVALID;
    }
    ranking.columns = starts.data();
    ranking.column_count = starts.size();
    ranking.candidate_count = out.size();
    ranking.weights = weights.empty() ? nullptr : weights.data();
    ranking.mode = mode;
    std::size_t bytes = 0;
    aznas_status status = aznas_aggregate_workspace_size(&ranking, &bytes, &error);
    if (status != AZNAS_STATUS_OK)
        return status;
    if (workspace.reserve(bytes) == nullptr) {
        error.status = AZNAS_STATUS_OUT_OF_MEMORY;
        return AZNAS_STATUS_OUT_OF_MEMORY;
    }
    return aznas_aggregate(&ranking, workspace.data(), workspace.size(), out.data(), &error);
}

/** One score for every candidate by the ranks of some of its proxies, of AZNAS_PROXY_...; weights in the order of their bits. */
inline aznas_status try_aggregate(View<const Scores> candidates, View<double> out, Workspace &workspace, Error &error,
                                  std::uint32_t proxies = AZNAS_PROXIES_PAPER, aznas_mode mode = AZNAS_MODE_LOG,
                                  View<const double> weights = {}) {
    if (proxies == 0)
        proxies = AZNAS_PROXIES_PAPER;
    std::size_t count = 0;
    for (std::uint32_t rest = proxies; rest != 0; rest &= rest - 1)
        count++;
    std::vector<double> table(count * candidates.size());
    for (std::size_t i = 0; i < candidates.size(); i++) {
        const aznas_status status = aznas_scores_values(&candidates[i], proxies, table.data() + i, candidates.size());
        if (status != AZNAS_STATUS_OK)
            return error.status = status, status;
    }
    std::vector<View<const double>> columns;
    for (std::size_t column = 0; column < count; column++)
        columns.emplace_back(table.data() + column * candidates.size(), candidates.size());
    return try_aggregate(columns, out, workspace, error, mode, weights);
}

#ifndef AZNAS_BARE_METAL
/** Runs a network forwards and back in a workspace, which grows if it must, and calls `watch(const aznas_gradient &)` with the
 * gradient with respect to every parameter. `watch` must not throw. */
template <class Watch>
aznas_status try_gradients(const Arch &arch, const Options &options, Workspace &workspace, Watch &&watch, double &loss,
                           Error &error, aznas_loss differentiated = AZNAS_LOSS_CROSS_ENTROPY,
                           std::uint32_t input = 0) noexcept {
    using Callable = std::remove_reference_t<Watch>;
    const aznas_arch described = arch.c();
    aznas_sweep sweep = AZNAS_SWEEP_INIT;
    sweep.loss = differentiated;
    sweep.input = input;
    sweep.watch = [](void *context, const aznas_gradient *gradient) { (*static_cast<Callable *>(context))(*gradient); };
    sweep.context = const_cast<void *>(static_cast<const void *>(std::addressof(watch)));
    std::size_t bytes = 0;
    aznas_status status = aznas_gradients_workspace_size(&described, &options.c(), &sweep, &bytes, &error);
    if (status != AZNAS_STATUS_OK)
        return status;
    if (workspace.reserve(bytes) == nullptr) {
        error.status = status = AZNAS_STATUS_OUT_OF_MEMORY;
        error.needed = bytes;
        return status;
    }
    return aznas_gradients(&described, &options.c(), &sweep, workspace.data(), workspace.size(), &loss, &error);
}
#endif

#ifndef AZNAS_NO_EXCEPTIONS
/** Scores networks with the same options. Any number of threads may share one: each keeps memory of its own. */
class Scorer {
public:
    explicit Scorer(Options options = Options()) : options_(options) {}

    /** Scores a network in the memory of this thread. */
    Scores score(const Arch &arch) const {
        thread_local Workspace workspace;
        return score(arch, workspace);
    }

    /** Scores a network in a workspace of the caller; rows, if any, are filled block after block. */
    Scores score(const Arch &arch, Workspace &workspace, View<aznas_block> rows = {}) const {
        Scores scores;
        Error error;
        const aznas_status status = try_score(arch, options_, workspace, scores, error, rows);
        if (status == AZNAS_STATUS_OUT_OF_MEMORY)
            throw std::bad_alloc();
        detail::require(status, error);
        return scores;
    }

    /** Counts a network without running it. */
    aznas_costs cost(const Arch &arch) const {
        aznas_costs costs{};
        Error error;
        detail::require(try_cost(arch, options_, costs, error), error);
        return costs;
    }

    const Options &options() const noexcept { return options_; }

private:
    Options options_;
};

/** One score for every candidate by the ranks of its proxies. */
inline std::vector<double> aggregate(View<const View<const double>> columns, aznas_mode mode = AZNAS_MODE_LOG,
                                     View<const double> weights = {}) {
    std::vector<double> out(columns.empty() ? 0 : columns[0].size());
    Workspace workspace;
    Error error;
    detail::require(try_aggregate(columns, out, workspace, error, mode, weights), error);
    return out;
}

/** One score for every candidate by the ranks of some of its proxies, of AZNAS_PROXY_...; weights in the order of their bits. */
inline std::vector<double> aggregate(View<const Scores> candidates, std::uint32_t proxies = AZNAS_PROXIES_PAPER,
                                     aznas_mode mode = AZNAS_MODE_LOG, View<const double> weights = {}) {
    std::vector<double> out(candidates.size());
    Workspace workspace;
    Error error;
    detail::require(try_aggregate(candidates, out, workspace, error, proxies, mode, weights), error);
    return out;
}
#endif

/** An evolutionary search, asked and told: the table of aznas_search, kept and grown. Candidates may be told in any order; what
 *  is asked for depends on the seed and on what was told alone. */
class Search {
public:
    /** A search among the candidates of a space, ranked by as many scores as are told of each. */
    explicit Search(Arch arch) : arch_(std::move(arch)) {
        const aznas_arch described = arch_.c();
        aznas_search_init(&settings, sizeof settings, described.space);
    }

    /** What it looks for; to be changed before the first candidate. Its table is set here. */
    aznas_search settings{};

    /** The text of the next candidate, whose number is how many were asked for before; none while it would know some that are
     *  not told. */
    aznas_status try_ask(std::string &text, bool &is_there, Error &error) {
        const std::size_t number = texts_.size();
        is_there = settings.workers == 0 || number < told_ + settings.workers;
        if (!is_there)
            return AZNAS_STATUS_OK;
        std::vector<const char *> starts;
        std::vector<std::size_t> lens;
        for (const std::string &known : texts_) {
            starts.push_back(known.data());
            lens.push_back(known.size());
        }
        std::vector<const double *> columns;
        for (const std::vector<double> &column : columns_)
            columns.push_back(column.data());
        aznas_ranking history = AZNAS_RANKING_INIT;
        history.columns = columns.data();
        history.column_count = columns.size();
        history.candidate_count = told_;
        aznas_search search = settings;
        search.texts = starts.data();
        search.text_lens = lens.data();
        search.history = told_ == 0 ? nullptr : &history;
        std::size_t bytes = 0;
        const aznas_arch described = arch_.c();
        aznas_status status = aznas_search_workspace_size(&search, number, &bytes, &error);
        if (status != AZNAS_STATUS_OK)
            return status;
        void *const memory = workspace_.reserve(bytes);
        if (memory == nullptr)
            return error.status = AZNAS_STATUS_OUT_OF_MEMORY, AZNAS_STATUS_OUT_OF_MEMORY;
        std::string room(1 << 14, '\0');
        std::size_t used = 0;
        status = aznas_search_ask(&search, &described, number, memory, workspace_.size(), &room[0], room.size(), &used, &error);
        if (status == AZNAS_STATUS_OK)
            texts_.push_back(text = room.substr(0, used));
        return status;
    }

    /** Takes the scores of a candidate that was asked for; higher is better. */
    aznas_status try_tell(std::size_t number, View<const double> scores, Error &error) {
        if (number >= texts_.size() || scores.empty() || (!columns_.empty() && scores.size() != columns_.size())) {
            error = Error();
            std::strcpy(error.field, number >= texts_.size() ? "number" : "scores");
            std::strcpy(error.expected, number >= texts_.size() ? "of a candidate asked for" : "as many for each candidate");
            return error.status = AZNAS_STATUS_INVALID, AZNAS_STATUS_INVALID;
        }
        columns_.resize(scores.size());
        is_told_.resize(texts_.size());
        for (std::size_t column = 0; column < scores.size(); column++) {
            columns_[column].resize(texts_.size());
            columns_[column][number] = scores[column];
        }
        is_told_[number] = true;
        while (told_ < is_told_.size() && is_told_[told_])
            told_++;
        return AZNAS_STATUS_OK;
    }

    /** The candidates so far. */
    const std::vector<std::string> &texts() const noexcept { return texts_; }

#ifndef AZNAS_NO_EXCEPTIONS
    /** As try_ask; an empty text while the next candidate would know some that are not told. */
    std::string ask() {
        std::string text;
        bool is_there = false;
        Error error;
        detail::require(try_ask(text, is_there, error), error);
        return text;
    }

    /** As try_tell. */
    void tell(std::size_t number, View<const double> scores) {
        Error error;
        detail::require(try_tell(number, scores, error), error);
    }
#endif

private:
    Arch arch_;
    std::vector<std::string> texts_;
    std::vector<std::vector<double>> columns_;
    std::vector<bool> is_told_;
    std::size_t told_ = 0;
    Workspace workspace_;
};

} // namespace aznas

#endif
