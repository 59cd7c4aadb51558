/* A rank that is not what it says: it greets rank 0 with the setting of its first argument, and answers every candidate with
 * its second. */
#include <mpi.h>
#include <stdint.h>
#include <string.h>

static void say(const char *text) { MPI_Send(text, (int)strlen(text), MPI_UINT8_T, 0, 0, MPI_COMM_WORLD); }

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    say(argv[1]);
    for (;;) {
        uint8_t message[1 << 16];
        MPI_Status status;
        int length = 0;
        MPI_Recv(message, sizeof message, MPI_UINT8_T, 0, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
        MPI_Get_count(&status, MPI_UINT8_T, &length);
        if (length == 3 && memcmp(message, "end", 3) == 0)
            break;
        say(argv[2]);
    }
    MPI_Finalize();
    return 0;
}
