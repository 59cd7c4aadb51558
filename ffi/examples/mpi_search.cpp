// The evolutionary search of evolution.hpp with MPI processes that score: rank 0 searches, the others have one candidate at a
// time each. What is found does not depend on how many they are.
//
// Usage: mpirun -np 1+WORKERS mpi_search [candidates]
#include "evolution.hpp"

// The interface of MPI is that for C; that for C++ is no more, but still in some headers.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <cstring>

namespace {

using evolution::Cell;

/// The place of a candidate in its generation is the tag of its messages.
constexpr int TAG_END = 32767;
static_assert(evolution::GENERATION < TAG_END, "a tag is at least so large everywhere");

/// Ends the job, so that nobody waits for this rank.
[[noreturn]] void give_up(const std::string &reason) {
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    std::fprintf(stderr, "mpi_search: rank %d: %s\n", rank, reason.c_str());
    MPI_Abort(MPI_COMM_WORLD, 1);
    std::abort();
}

/// What scores depend on beside a network and options: processes that differ in it must not share a search.
struct Identity {
    char library[32] = {}, backend[32] = {};
    std::size_t scores = sizeof(aznas::Scores);

    Identity() {
        std::strncpy(library, aznas_version(), sizeof library - 1);
        std::strncpy(backend, aznas_backend_name(AZNAS_BACKEND_BEST), sizeof backend - 1);
    }
};

/// Refuses ranks that would not score as rank 0 does.
void greet(int rank, int size) {
    const Identity own;
    std::vector<Identity> all(rank == 0 ? static_cast<std::size_t>(size) : 0);
    MPI_Gather(&own, sizeof own, MPI_BYTE, all.data(), sizeof own, MPI_BYTE, 0, MPI_COMM_WORLD);
    for (const Identity &other : all)
        if (std::memcmp(&own, &other, sizeof own) != 0)
            give_up("rank " + std::to_string(&other - all.data()) + " has aznas " + other.library + " on " +
                    other.backend + ", and not " + own.library + " on " + own.backend);
}

/// Scores what rank 0 sends until it ends this worker.
void work() {
    while (true) {
        Cell cell;
        MPI_Status status;
        MPI_Recv(cell.data(), static_cast<int>(cell.size()), MPI_UNSIGNED, 0, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
        if (status.MPI_TAG == TAG_END)
            return;
        aznas::Scores scores;
        try {
            scores = evolution::score(cell);
        } catch (const std::exception &failure) {
            give_up(evolution::text(cell) + ": " + failure.what());
        }
        MPI_Send(&scores, sizeof scores, MPI_BYTE, 0, status.MPI_TAG, MPI_COMM_WORLD);
    }
}

/// Deals the cells to the workers, a next one to whoever is done, and collects what they score.
std::vector<aznas::Scores> deal(const std::vector<Cell> &cells, int workers) {
    std::vector<aznas::Scores> scores(cells.size());
    std::size_t sent = 0;
    const auto send = [&](int worker) {
        const Cell &cell = cells[sent];
        MPI_Send(cell.data(), static_cast<int>(cell.size()), MPI_UNSIGNED, worker, static_cast<int>(sent), MPI_COMM_WORLD);
        sent++;
    };
    for (int worker = 1; worker <= workers && sent < cells.size(); worker++)
        send(worker);
    for (std::size_t done = 0; done < cells.size(); done++) {
        aznas::Scores answer;
        MPI_Status status;
        int bytes = 0;
        MPI_Recv(&answer, sizeof answer, MPI_BYTE, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
        MPI_Get_count(&status, MPI_BYTE, &bytes);
        const auto place = static_cast<std::size_t>(status.MPI_TAG);
        if (bytes != static_cast<int>(sizeof answer) || place >= sent)
            give_up("rank " + std::to_string(status.MPI_SOURCE) + " has answered " + std::to_string(bytes) + " bytes");
        scores[place] = answer;
        if (sent < cells.size())
            send(status.MPI_SOURCE);
    }
    return scores;
}

} // namespace

int main(int argc, char **argv) {
    const std::size_t budget = argc > 1 ? std::stoul(argv[1]) : 200;
    int rank = 0, size = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (size < 2)
        give_up("the workers are the ranks above 0: mpirun -np 1+WORKERS");
    greet(rank, size);
    if (rank == 0) {
        evolution::search(budget, [size](const std::vector<Cell> &cells) { return deal(cells, size - 1); });
        for (int worker = 1; worker < size; worker++)
            MPI_Send(nullptr, 0, MPI_UNSIGNED, worker, TAG_END, MPI_COMM_WORLD);
    } else {
        work();
    }
    MPI_Finalize();
}
