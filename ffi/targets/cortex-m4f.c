/* Vector table, start and semihosting output for a Cortex-M4F; the rest is `freestanding.c`. */
#include <stddef.h>
#include <stdint.h>

extern uint32_t stack_bottom[], stack_top[];
int main(void);
void print(const char *text, size_t length);

/* The names under which compilers for ARM call the functions of the C library, which has them all. */
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
void __aeabi_memmove(void *to, const void *from, size_t n) { memmove(to, from, n); }
void __aeabi_memset(void *to, size_t n, int value) { memset(to, value, n); }
void __aeabi_memclr(void *to, size_t n) { memset(to, 0, n); }
#define SAME(name, other) void name(void *to, const void *from, size_t n) __attribute__((alias(#other)))
SAME(__aeabi_memcpy, __aeabi_memmove);
SAME(__aeabi_memcpy4, __aeabi_memmove);
SAME(__aeabi_memcpy8, __aeabi_memmove);
SAME(__aeabi_memmove4, __aeabi_memmove);
SAME(__aeabi_memmove8, __aeabi_memmove);
void __aeabi_memset4(void *to, size_t n, int value) __attribute__((alias("__aeabi_memset")));
void __aeabi_memset8(void *to, size_t n, int value) __attribute__((alias("__aeabi_memset")));
void __aeabi_memclr4(void *to, size_t n) __attribute__((alias("__aeabi_memclr")));
void __aeabi_memclr8(void *to, size_t n) __attribute__((alias("__aeabi_memclr")));

/* A request to the debugger or emulator. */
static int semihosting(int operation, const void *argument) {
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void print(const char *text, size_t length) {
    char character[2] = {0};
    for (size_t i = 0; i < length; i++) {
        character[0] = text[i];
        semihosting(0x04, character);
    }
}

_Noreturn void leave(int code) {
    const uint32_t reason[2] = {0x20026, (uint32_t)code};
    for (;;)
        semihosting(0x20, reason);
}

static void print_number(const char *name, size_t length, uint32_t number) {
    char digits[12];
    size_t place = sizeof digits;
    digits[--place] = '\n';
    do
        digits[--place] = (char)('0' + number % 10);
    while (number /= 10);
    print(name, length);
    print(digits + place, sizeof digits - place);
}

static void fault(void) { leave(4); }

void reset(void) {
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* the floating-point unit is off at first */
    __asm__ volatile("dsb\n isb");
    uint32_t *const here = __builtin_frame_address(0);
    for (volatile uint32_t *word = stack_bottom; word < here - 32; word++)
        *word = 0x5a5a5a5au;
    const int code = main();
    uint32_t *lowest = stack_bottom;
    while (lowest < stack_top && *lowest == 0x5a5a5a5au)
        lowest++;
    print_number("stack ", 6, (uint32_t)((char *)stack_top - (char *)lowest));
    leave(code);
}

__attribute__((section(".vectors"), used)) void (*const vectors[16])(void) = {
    (void (*)(void))stack_top, reset, fault, fault, fault, fault, fault,
};
