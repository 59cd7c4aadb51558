/* Vector table, start and semihosting output for a Cortex-M4F; the rest is `freestanding.c`. */
#include <stddef.h>
#include <stdint.h>

extern uint32_t stack_bottom[], stack_top[];
int main(void);
void print(const char *text, size_t length);

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
