// Scores the cell of the freestanding example through a WebAssembly module and prints the same lines.
//
// node wasm32.mjs MODULE [BACKEND [REFERENCE]]: with a file of such lines, the proxies must be close to those in it.
import { readFileSync } from 'node:fs';

const hook = () => { throw new Error('a defect of the library'); };
const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), { env: { aznas_on_panic: hook } });
const c = instance.exports;
const memory = () => new DataView(c.memory.buffer);

// Memory behind that of the module, 64 bytes apart.
let end = (c.__heap_base.value + 63) & ~63;
function reserve(bytes) {
    const start = end;
    end = (end + bytes + 63) & ~63;
    const missing = end - c.memory.buffer.byteLength;
    if (missing > 0) c.memory.grow(Math.ceil(missing / 65536));
    return start;
}

// Places of fields in 32-bit structs of the header of 0.1: this is an old program that a newer library runs.
const ARCH = { size: 64, channels: 8, cells: 12, text: 44, text_len: 48 };
const OPTIONS = { size: 56, batch: 4, height: 8, width: 12, backend: 32 };
const SCORES = { size: 120, expressivity: 24 };

function check(status) {
    if (status !== 0) throw new Error(`status ${status}`);
}

const text = '|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|';
const at = reserve(text.length);
new Uint8Array(c.memory.buffer).set(new TextEncoder().encode(text), at);
const arch = reserve(ARCH.size), options = reserve(OPTIONS.size), scores = reserve(SCORES.size), bytes = reserve(4);
check(c.aznas_arch_init(arch, ARCH.size, 1));
check(c.aznas_options_init(options, OPTIONS.size));
const set = (place, value) => memory().setUint32(place, value, true);
set(arch + ARCH.channels, 4);
set(arch + ARCH.cells, 1);
set(arch + ARCH.text, at);
set(arch + ARCH.text_len, text.length);
set(options + OPTIONS.batch, 2);
set(options + OPTIONS.height, 8);
set(options + OPTIONS.width, 8);
set(options + OPTIONS.backend, Number(process.argv[3] ?? 1));
set(scores, SCORES.size);
check(c.aznas_workspace_size(arch, options, bytes, 0));
const needed = memory().getUint32(bytes, true);
const workspace = reserve(needed);
check(c.aznas_score(arch, options, workspace, needed, scores, 0));
const proxies = Array.from({ length: 4 }, (_, proxy) => scores + SCORES.expressivity + 8 * proxy);
for (const place of proxies) console.log(memory().getBigUint64(place, true).toString(16).padStart(16, '0'));
console.log('ok');

if (process.argv[4]) {
    const bits = new DataView(new ArrayBuffer(8));
    readFileSync(process.argv[4], 'utf8').trim().split('\n').slice(0, 4).forEach((line, proxy) => {
        bits.setBigUint64(0, BigInt('0x' + line));
        const [expected, found] = [bits.getFloat64(0), memory().getFloat64(proxies[proxy], true)];
        // Back ends sum in different orders.
        if (!(Math.abs(found - expected) <= 1e-4 * Math.abs(expected)))
            throw new Error(`proxy ${proxy}: ${found}, expected ${expected}`);
    });
}
