/* What a program has of a platform: a way to print, a place to go, and where it starts.
 *
 * Without anything else, a system call prints and ends. With -DBOARD, where there is no operating system either, the start-up
 * code of the board does; with -DHOSTED, a C library. */
#ifndef FREESTANDING_H
#define FREESTANDING_H

#include <stddef.h>
#include <stdint.h>

#ifdef HOSTED
#include <stdio.h>
static void print(const char *text, size_t length) { fwrite(text, 1, length, stdout); }
#else
#ifdef BOARD
/* Without an operating system, either: the start-up code of the board prints and ends. */
void print(const char *text, size_t length);
_Noreturn void leave(int code);
#else
enum {
#if defined(__x86_64__)
    WRITE = 1,
    EXIT = 60
#else
    WRITE = 64,
    EXIT = 93
#endif
};

static long system_call(long number, long a, long b, long c) {
#if defined(__x86_64__)
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
#elif defined(__riscv)
    register long a7 __asm__("a7") = number, a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
    return a0;
#endif
}

static void print(const char *text, size_t length) { system_call(WRITE, 1, (long)text, (long)length); }

_Noreturn static void leave(int code) {
    for (;;)
        system_call(EXIT, code, 0, 0);
}
#endif

/* What the library asks of its program: a place to go after a defect, and four functions of the C library. The empty
 * assembly keeps the compiler from turning a loop into a call of the very function it is in. */
_Noreturn void aznas_on_panic(void) { leave(3); }

void *memcpy(void *to, const void *from, size_t n) {
    for (size_t i = 0; i < n; i++) {
        ((char *)to)[i] = ((const char *)from)[i];
        __asm__ volatile("" ::: "memory");
    }
    return to;
}

void *memmove(void *to, const void *from, size_t n) {
    if ((uintptr_t)to < (uintptr_t)from)
        return memcpy(to, from, n);
    while (n-- > 0) {
        ((char *)to)[n] = ((const char *)from)[n];
        __asm__ volatile("" ::: "memory");
    }
    return to;
}

void *memset(void *to, int value, size_t n) {
    for (size_t i = 0; i < n; i++) {
        ((char *)to)[i] = (char)value;
        __asm__ volatile("" ::: "memory");
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t n) {
    const unsigned char *x = a, *y = b;
    for (size_t i = 0; i < n; i++)
        if (x[i] != y[i])
            return x[i] - y[i];
    return 0;
}
#endif

static void print_bits(double x) {
    union {
        double number;
        uint64_t bits;
    } value = {x};
    char line[17];
    for (int i = 0; i < 16; i++)
        line[i] = "0123456789abcdef"[value.bits >> (60 - 4 * i) & 15];
    line[16] = '\n';
    print(line, sizeof line);
}

#if !defined(HOSTED) && !defined(BOARD)
int main(void);
__attribute__((used)) _Noreturn void start(void) { leave(main()); }
#if defined(__x86_64__)
__asm__(".globl _start\n_start: xor %ebp, %ebp\n and $-16, %rsp\n call start\n hlt\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start: mov x29, #0\n bl start\n brk 1\n");
#elif defined(__riscv)
__asm__(".globl _start\n_start:\n .option push\n .option norelax\n la gp, __global_pointer$\n .option pop\n call start\n ebreak\n");
#endif
#endif

#endif
