/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * aznas: training-free scores (AZ-NAS, CVPR 2024) of neural networks on a CPU, in the caller's memory.
 *
 * Generated from the documentation of the library: do not edit. To change it, change `ffi/src` and run
 * `cargo build --features header`.
 *
 * Every function that can fail returns an `aznas_status` and writes its results only on success (AZNAS_STATUS_OK). Nothing
 * is allocated, kept between calls or shared between threads: any number of threads may call anything at the same time, as
 * long as no two write to the same memory.
 *
 * Structs start with `struct_size`, which is what the program was compiled with; the init functions set it. Structs grow at
 * their ends. A library takes those of every header up to its own: what a shorter struct lacks counts as zero, and nothing
 * beyond it is written. Of later headers it takes the longer structs, where all that it does not know is zero. The same holds
 * for the structs of arrays, whose size is in a field beside the array.
 *
 * A pointer that is not NULL must point to as much memory as the struct or the length beside it says, and nobody may write
 * to that memory during the call. NULL, misaligned pointers, unknown numbers and lengths that cannot be are refused.
 *
 * Blocks, repeats, edges and proxies are counted from 0, columns of a text from 1. In a block, 0 is what the block reads, and
 * its nodes follow from 1.
 *
 * Fields and arguments named after an enum are plain integers, so that any value may be passed and is checked.
 */


#ifndef AZNAS_H
#define AZNAS_H

#include <stddef.h>
#include <stdint.h>
/**
 * Version of this header as text, such as "0.1.0".
 */
#define AZNAS_VERSION AZNAS_VERSION_EXPAND(AZNAS_VERSION_MAJOR, AZNAS_VERSION_MINOR, AZNAS_VERSION_PATCH)
#define AZNAS_VERSION_EXPAND(major, minor, patch) AZNAS_VERSION_QUOTE(major, minor, patch)
#define AZNAS_VERSION_QUOTE(major, minor, patch) #major "." #minor "." #patch

/**
 * What structs that start with their size are initialised with: `aznas_scores scores = AZNAS_SCORES_INIT;`. The defaults of
 * `aznas_arch` and `aznas_search` depend on the space, so they have functions only.
 */
#define AZNAS_COSTS_INIT AZNAS_SIZED(aznas_costs)
#define AZNAS_ERROR_INIT AZNAS_SIZED(aznas_error)
#define AZNAS_ONNX_INIT AZNAS_SIZED(aznas_onnx)
#define AZNAS_RANKING_INIT AZNAS_SIZED(aznas_ranking)
#define AZNAS_SCORES_INIT AZNAS_SIZED(aznas_scores)
#define AZNAS_SOURCE_INIT AZNAS_SIZED(aznas_source)
#define AZNAS_SWEEP_INIT AZNAS_SIZED(aznas_sweep)
#ifdef __cplusplus
#define AZNAS_SIZED(type) ([] { type sized = {}; sized.struct_size = sizeof sized; return sized; }())
#define AZNAS_OPTIONS_INIT ([] { aznas_options options; aznas_options_init(&options, sizeof options); return options; }())
#else
#define AZNAS_SIZED(type) {.struct_size = sizeof(type)}
#define AZNAS_OPTIONS_INIT {.struct_size = sizeof(aznas_options), .batch = 64, .seed = 1, .repeats = 1, .proxies = AZNAS_PROXIES_PAPER}
#endif

/**
 * Version of this header: changes that break programs.
 */
#define AZNAS_VERSION_MAJOR 0

/**
 * Version of this header: additions; while the major version is 0, also changes that break programs.
 */
#define AZNAS_VERSION_MINOR 1

/**
 * Version of this header: corrections.
 */
#define AZNAS_VERSION_PATCH 0

/**
 * The outcome of a call. 0 is success, everything negative a refusal; numbers never change their meaning.
 */
enum aznas_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Done.
     */
    AZNAS_STATUS_OK = 0,
    /**
     * The text does not follow the grammar of its space; `column` of the error says where.
     */
    AZNAS_STATUS_PARSE = -1,
    /**
     * A number lies outside what its field allows.
     */
    AZNAS_STATUS_INVALID = -2,
    /**
     * A node does not fit its inputs or its own arguments; `block` and `node` of the error say which.
     */
    AZNAS_STATUS_NODE = -3,
    /**
     * A tensor of the caller has the wrong number of elements.
     */
    AZNAS_STATUS_TENSOR_LENGTH = -4,
    /**
     * A size does not fit the address space.
     */
    AZNAS_STATUS_OVERFLOW = -5,
    /**
     * A fixed capacity of the library is exceeded; `needed` of the error is the limit.
     */
    AZNAS_STATUS_TOO_LARGE = -6,
    /**
     * The workspace is too small; `needed` of the error are the bytes it takes.
     */
    AZNAS_STATUS_WORKSPACE_TOO_SMALL = -7,
    /**
     * The back end is not available on this processor or in this build.
     */
    AZNAS_STATUS_BACKEND_UNAVAILABLE = -8,
    /**
     * The heap does not have the memory. Reserved: nothing in this library uses the heap.
     */
    AZNAS_STATUS_OUT_OF_MEMORY = -9,
    /**
     * No candidate is within the limits of a search; `needed` of the error are the proposals that were made.
     */
    AZNAS_STATUS_NO_CANDIDATE = -10,
    /**
     * An error that this version of the header does not know.
     */
    AZNAS_STATUS_OTHER = -100,
    /**
     * A pointer that must not be NULL is NULL.
     */
    AZNAS_STATUS_NULL_POINTER = -101,
    /**
     * A pointer is not aligned to its type.
     */
    AZNAS_STATUS_MISALIGNED = -102,
    /**
     * `struct_size`, or the size of an array's structs, is that of no header so far; or a longer struct of a later
     * header sets something that this library does not know.
     */
    AZNAS_STATUS_STRUCT_SIZE = -103,
    /**
     * Memory that is written overlaps memory that is read, or written as well. If it is the error struct that does, nothing
     * is written into it.
     */
    AZNAS_STATUS_OVERLAP = -104,
    /**
     * A defect of the library, caught at the boundary. Please report it. Per-block rows may have been written.
     */
    AZNAS_STATUS_PANIC = -105,
    /**
     * A file is not understood, or damaged; `field` and `expected` of the error say where and why.
     */
    AZNAS_STATUS_MODEL = -106,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum aznas_status aznas_status;
#else
typedef int32_t aznas_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How convolutions sum products.
 */
enum aznas_algorithm
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Those of 3x3 by Winograd's F(4x4, 3x3), where it applies; others directly.
     */
    AZNAS_ALGORITHM_WINOGRAD = 0,
    /**
     * All directly: half the rounding error, two to three times the time.
     */
    AZNAS_ALGORITHM_DIRECT = 1,
    /**
     * As AZNAS_ALGORITHM_WINOGRAD; but where that sums directly and the processor multiplies bfloat16 numbers (AVX-512
     * BF16), both factors are rounded to eight bits, which halves the time of these products. Scores change by less than
     * from one seed to another. Other processors give the scores of AZNAS_ALGORITHM_WINOGRAD.
     */
    AZNAS_ALGORITHM_BFLOAT16 = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum aznas_algorithm aznas_algorithm;
#else
typedef uint32_t aznas_algorithm;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The instruction set to run on. The same back end gives the same bits on every machine that has it.
 */
enum aznas_backend
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * The fastest one of this processor.
     */
    AZNAS_BACKEND_BEST = 0,
    /**
     * Portable code, available everywhere.
     */
    AZNAS_BACKEND_SCALAR = 1,
    /**
     * x86-64 with AVX2 and FMA.
     */
    AZNAS_BACKEND_AVX2 = 2,
    /**
     * x86-64 with AVX-512 F, VL, BW and DQ.
     */
    AZNAS_BACKEND_AVX512 = 3,
    /**
     * AArch64.
     */
    AZNAS_BACKEND_NEON = 4,
    /**
     * WebAssembly, in builds with the feature `simd128`.
     */
    AZNAS_BACKEND_SIMD128 = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum aznas_backend aznas_backend;
#else
typedef uint32_t aznas_backend;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Why a proxy is minus infinity, or out of the ordinary.
 */
enum aznas_flag
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * A feature or gradient holds NaN or infinity.
     */
    AZNAS_FLAG_NOT_FINITE = 1,
    /**
     * A feature does not vary over its positions: expressivity and progressivity are minus infinity.
     */
    AZNAS_FLAG_CONSTANT_FEATURE = 2,
    /**
     * A block passes its gradient unchanged.
     */
    AZNAS_FLAG_IDENTITY_BLOCK = 4,
    /**
     * One of the proxies with a field of their own was not measured, because `proxies` of the options does not ask for
     * it.
     */
    AZNAS_FLAG_NOT_MEASURED = 8,
    /**
     * The network is a single block: progressivity, mean progressivity and trainability are minus infinity.
     */
    AZNAS_FLAG_SINGLE_BLOCK = 16,
    /**
     * Every block after the first down-samples: mean progressivity is minus infinity.
     */
    AZNAS_FLAG_ALL_DOWN_SAMPLE = 32,
    /**
     * There are no rectifiers, and NASWOT or linear regions are minus infinity.
     */
    AZNAS_FLAG_NO_RECTIFIER = 64,
    /**
     * There are no batch normalisations or there is no map that is pooled, and ZenNAS is minus infinity.
     */
    AZNAS_FLAG_NO_BATCH_NORM = 128,
    /**
     * Two images look alike to the network, and NASWOT or the score of the tangent kernel is minus infinity.
     */
    AZNAS_FLAG_IMAGES_ALIKE = 256,
    /**
     * Nothing of the input reaches the last map or the outputs, and ZenNAS or Synflow is minus infinity.
     */
    AZNAS_FLAG_CUT_OFF = 512,
    /**
     * Every feature has a single channel, and isotropy is minus infinity.
     */
    AZNAS_FLAG_ONE_CHANNEL = 1024,
    /**
     * A block does not shrink its map by one whole factor in rows and columns: trainability and log gain do without it,
     * and are minus infinity if that leaves no block.
     */
    AZNAS_FLAG_UNEVEN_BLOCK = 2048,
    /**
     * A spectrum is of fewer than two positions a channel, which says little about it: a larger batch is needed. See
     * `aznas_smallest_batch`.
     */
    AZNAS_FLAG_FEW_POSITIONS = 4096,
    /**
     * There are none of the parameters whose gradients a proxy is made of, and it is minus infinity.
     */
    AZNAS_FLAG_NO_PARAMETERS = 8192,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum aznas_flag aznas_flag;
#else
typedef uint32_t aznas_flag;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What the trainability of a block counts for whose gradient passes unchanged.
 */
enum aznas_identity
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Minus infinity for the whole network: the published rule for convolutional spaces.
     */
    AZNAS_IDENTITY_REJECT = 0,
    /**
     * The block is left out of the mean: the published rule for vision transformers.
     */
    AZNAS_IDENTITY_SKIP = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum aznas_identity aznas_identity;
#else
typedef uint32_t aznas_identity;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How the weights of convolutions and linear maps are drawn, unless the space prescribes it. Biases and shifts are 0,
 * gains 1; class tokens and positions are N(0, 0.0004).
 *
 * `fan_in` is input channels per group times kernel area, `fan_out` output channels times kernel area.
 */
enum aznas_init
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * N(0, 2 / fan_in): the paper's default.
     */
    AZNAS_INIT_KAIMING_NORMAL_FAN_IN = 0,
    /**
     * N(0, 2 / fan_out)
     */
    AZNAS_INIT_KAIMING_NORMAL_FAN_OUT = 1,
    /**
     * U(-a, a), a = sqrt(6 / fan_in)
     */
    AZNAS_INIT_KAIMING_UNIFORM_FAN_IN = 2,
    /**
     * U(-a, a), a = sqrt(6 / fan_out)
     */
    AZNAS_INIT_KAIMING_UNIFORM_FAN_OUT = 3,
    /**
     * N(0, 2 / (fan_in + fan_out))
     */
    AZNAS_INIT_XAVIER_NORMAL = 4,
    /**
     * N(0, 0.01)
     */
    AZNAS_INIT_NORMAL = 5,
    /**
     * U(-0.1, 0.1)
     */
    AZNAS_INIT_UNIFORM = 6,
    /**
     * U(-a, a), a = 1 / sqrt(fan_in)
     */
    AZNAS_INIT_UNIFORM_FAN_IN = 7,
    /**
     * N(0, 1)
     */
    AZNAS_INIT_STANDARD_NORMAL = 8,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum aznas_init aznas_init;
#else
typedef uint32_t aznas_init;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How the relative ranks of the proxies are combined.
 */
enum aznas_mode
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Sum of `w * ln(rank / m)`, equation 12 of the paper.
     */
    AZNAS_MODE_LOG = 0,
    /**
     * Sum of `w * rank / m`.
     */
    AZNAS_MODE_LINEAR = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum aznas_mode aznas_mode;
#else
typedef uint32_t aznas_mode;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What holds of a node.
 *
 */
enum aznas_node_flag
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * The node ends its primary block, and its value is the block's feature. Nodes after the last block are the head,
     * which only counts as complexity and parameters.
     *
     * Trainability is measured of blocks, all but the first, whose feature is as large as their input, or smaller by one
     * whole factor in rows and columns, such as 16x16 after 32x32. It does without the others: AZNAS_FLAG_UNEVEN_BLOCK.
     */
    AZNAS_NODE_END_OF_BLOCK = 1,
    /**
     * The convolution has a bias. (A linear map always has one.)
     */
    AZNAS_NODE_BIAS = 2,
    /**
     * `padding` is that above and to the left, `behind` that below and to the right, of a pool or a pad.
     */
    AZNAS_NODE_BEHIND = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum aznas_node_flag aznas_node_flag;
#else
typedef uint32_t aznas_node_flag;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a node computes. Each takes one input unless it says otherwise.
 */
enum aznas_op
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Zeros of the shape of its input.
     */
    AZNAS_OP_ZERO = 1,
    /**
     * Its input.
     */
    AZNAS_OP_IDENTITY = 2,
    /**
     * `max(x, 0)`; derivative 0 at 0.
     */
    AZNAS_OP_RELU = 3,
    /**
     * A convolution: `channels`, `kernel`, `stride`, `padding`, `dilation`, `groups`, `key`, AZNAS_NODE_BIAS.
     */
    AZNAS_OP_CONVOLUTION = 4,
    /**
     * Normalisation by the batch's own mean and biased variance, then gain and shift per channel: `epsilon`, `key`.
     */
    AZNAS_OP_BATCH_NORM = 5,
    /**
     * The mean over a window, padding not counted: `kernel`, `stride`, `padding`, AZNAS_NODE_BEHIND.
     */
    AZNAS_OP_AVERAGE_POOL = 6,
    /**
     * The maximum over a window, padding not counted: `kernel`, `stride`, `padding`, AZNAS_NODE_BEHIND. Over all positions if
     * the kernel is as large as the map.
     */
    AZNAS_OP_MAX_POOL = 7,
    /**
     * The mean over all positions.
     */
    AZNAS_OP_GLOBAL_POOL = 8,
    /**
     * A linear map of the channels of every position, with bias: `channels`, `key`.
     */
    AZNAS_OP_LINEAR = 9,
    /**
     * The sum of 1 to 8 inputs.
     */
    AZNAS_OP_ADD = 10,
    /**
     * 1 to 8 inputs side by side along the channels.
     */
    AZNAS_OP_CONCAT = 11,
    /**
     * Normalisation of every position over its channels, then gain and shift per channel: `epsilon`, `key`.
     */
    AZNAS_OP_LAYER_NORM = 12,
    /**
     * `x * P(N(0, 1) <= x)`, exactly.
     */
    AZNAS_OP_GELU = 13,
    /**
     * The positions of a map as a column of tokens behind a class token, with a vector added to each: `key`. What other
     * nodes call rows are tokens from here on.
     */
    AZNAS_OP_TOKENS = 14,
    /**
     * Multi-head attention of tokens: `heads`, and for relative positions `grid`, `reach`, `key`; a grid of 0 x 0 is for
     * attention without them. Its input has in its channels the queries of all heads, then all keys, then all values; its
     * output a third of these channels. Logits are divided by the square root of a head's channels.
     */
    AZNAS_OP_ATTENTION = 15,
    /**
     * The mean over all tokens but the first, the class token.
     */
    AZNAS_OP_TOKEN_POOL = 16,
    /**
     * The feature before the one that the block reads. Takes no input: `input_count` is 0. The first two blocks have
     * none.
     */
    AZNAS_OP_EARLIER = 17,
    /**
     * `1 / (1 + exp(-x))`
     */
    AZNAS_OP_SIGMOID = 18,
    /**
     * `min(max(x + 3, 0), 6) / 6`
     */
    AZNAS_OP_HARD_SIGMOID = 19,
    /**
     * `x / (1 + exp(-x))`, also called swish.
     */
    AZNAS_OP_SILU = 20,
    /**
     * `x * min(max(x + 3, 0), 6) / 6`
     */
    AZNAS_OP_HARD_SWISH = 21,
    /**
     * `min(max(x, 0), 6)`
     */
    AZNAS_OP_RELU6 = 22,
    /**
     * x where it is positive, else `alpha * x`: `alpha`.
     */
    AZNAS_OP_LEAKY_RELU = 23,
    /**
     * x where it is positive, else `alpha * (exp(x) - 1)`: `alpha`.
     */
    AZNAS_OP_ELU = 24,
    /**
     * The hyperbolic tangent.
     */
    AZNAS_OP_TANH = 25,
    /**
     * Some of its input: `channels` from `first` on, of every `stride`-th row and column from `offset` on.
     */
    AZNAS_OP_SLICE = 26,
    /**
     * The product of its two inputs, number by number; the second may have one position, which meets all of an image's.
     */
    AZNAS_OP_PRODUCT = 27,
    /**
     * Its channels, taken from `groups` of them in turn: the first of every group, the second of every group, and so on.
     */
    AZNAS_OP_SHUFFLE = 28,
    /**
     * Every channel times its own gain, which is 1 unless given: `key`.
     */
    AZNAS_OP_SCALE = 29,
    /**
     * Zeros around its input: `padding`, AZNAS_NODE_BEHIND. For convolutions whose sides differ, and for means that count
     * padding.
     */
    AZNAS_OP_PAD = 30,
    /**
     * A vector added to each position of a map, the same for all images: `key`.
     */
    AZNAS_OP_POSITIONS = 31,
    /**
     * Normalisation of `groups` of channels of every image over their channels and positions, then gain and shift per channel:
     * `groups`, `epsilon`, `key`. Instance normalisation if there are as many groups as channels.
     */
    AZNAS_OP_GROUP_NORM = 32,
    /**
     * `x * tanh(log(1 + exp(x)))`
     */
    AZNAS_OP_MISH = 33,
    /**
     * `alpha * x`: `alpha`. With -1, a sum is a difference.
     */
    AZNAS_OP_TIMES = 34,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum aznas_op aznas_op;
#else
typedef uint32_t aznas_op;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Where the parameters of an AutoFormer candidate come from.
 */
enum aznas_parameters
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * The leading slices of one largest network, the same for every candidate of a seed: the authors' search.
     */
    AZNAS_PARAMETERS_SHARED = 0,
    /**
     * Drawn for each candidate alone.
     */
    AZNAS_PARAMETERS_OWN = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum aznas_parameters aznas_parameters;
#else
typedef uint32_t aznas_parameters;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Sets of proxies. Any other is some of `aznas_proxy`, one or the other.
 */
enum aznas_proxies
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * The four of the paper.
     */
    AZNAS_PROXIES_PAPER = 15,
    /**
     * The paper's, with mean progressivity in place of the smallest step, and depth: ranks better at the same price.
     */
    AZNAS_PROXIES_EXTENDED = 61,
    /**
     * One ranking for every space, also where networks differ in depth and width.
     */
    AZNAS_PROXIES_GENERAL = 7340428,
    /**
     * The first eight proxies.
     */
    AZNAS_PROXIES_ALL = 255,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum aznas_proxies aznas_proxies;
#else
typedef uint32_t aznas_proxies;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The proxies, each as the bit that it is in a set. Its number, which is its place in `proxies` of the scores, is the place
 * of that bit: 0 for AZNAS_PROXY_EXPRESSIVITY, 1 for AZNAS_PROXY_PROGRESSIVITY and so on.
 *
 * Higher is better for all of them. Who minimises and so negates them turns the minus infinity of what is undefined
 * into plus infinity: replace it where an optimiser takes finite numbers only.
 */
enum aznas_proxy
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * `expressivity` of the scores.
     */
    AZNAS_PROXY_EXPRESSIVITY = 1,
    /**
     * `progressivity` of the scores.
     */
    AZNAS_PROXY_PROGRESSIVITY = 2,
    /**
     * `trainability` of the scores.
     */
    AZNAS_PROXY_TRAINABILITY = 4,
    /**
     * `complexity` of the scores.
     */
    AZNAS_PROXY_COMPLEXITY = 8,
    /**
     * `mean_progressivity` of the scores: what progressivity asks of the worst block, asked of all.
     */
    AZNAS_PROXY_MEAN_PROGRESSIVITY = 16,
    /**
     * `depth` of the scores.
     */
    AZNAS_PROXY_DEPTH = 32,
    /**
     * `live_macs` of the scores.
     */
    AZNAS_PROXY_LIVE_COMPLEXITY = 64,
    /**
     * `live_layers` of the scores.
     */
    AZNAS_PROXY_LIVE_LAYERS = 128,
    /**
     * `parameters` of the scores.
     */
    AZNAS_PROXY_PARAMS = 256,
    /**
     * `macs` of the scores.
     */
    AZNAS_PROXY_FLOPS = 512,
    /**
     * Length of the gradient of the loss. This and what follows is measured of the network as a whole, in runs of its
     * own.
     */
    AZNAS_PROXY_GRAD_NORM = 1024,
    /**
     * SNIP: how much the loss depends on the weights as they are; comes free with the former.
     */
    AZNAS_PROXY_SNIP = 2048,
    /**
     * GraSP: whether a step along the gradient keeps the gradient long.
     */
    AZNAS_PROXY_GRASP = 4096,
    /**
     * Logarithm of Synflow: what flows through the network without signs.
     */
    AZNAS_PROXY_SYNFLOW = 8192,
    /**
     * NASWOT: how well the rectifiers tell images apart.
     */
    AZNAS_PROXY_NASWOT = 16384,
    /**
     * Minus the condition number of the tangent kernel, the first half of TE-NAS.
     */
    AZNAS_PROXY_NTK = 32768,
    /**
     * Linear regions that the images lie in, the second half of TE-NAS.
     */
    AZNAS_PROXY_LINEAR_REGIONS = 65536,
    /**
     * ZenNAS: how much the last map answers to a small change of the input.
     */
    AZNAS_PROXY_ZEN = 131072,
    /**
     * GradSign, the sum over the weights: whether images pull them the same way.
     */
    AZNAS_PROXY_GRAD_SIGN = 262144,
    /**
     * ZiCo: how large gradients are beside what they vary by.
     */
    AZNAS_PROXY_ZICO = 524288,
    /**
     * Share of the entropy that their width allows, which features reach in the mean; comes with expressivity.
     */
    AZNAS_PROXY_ISOTROPY = 1048576,
    /**
     * Mean over the features of the entropy of their spectra; comes with expressivity.
     */
    AZNAS_PROXY_MEAN_EXPRESSIVITY = 2097152,
    /**
     * Share of its directions that a feature takes, in the mean; comes with expressivity.
     */
    AZNAS_PROXY_EFFECTIVE_DIMENSION = 4194304,
    /**
     * Minus the mean distance of a block's gain from 1, in logarithms; comes with trainability.
     */
    AZNAS_PROXY_LOG_GAIN = 8388608,
    /**
     * GradSign, the mean over the weights; comes with the sum.
     */
    AZNAS_PROXY_GRAD_SIGN_MEAN = 16777216,
    /**
     * Share of its directions that a feature's variance is on, in the mean: no eigenvalues. Not in builds with the feature `small`.
     */
    AZNAS_PROXY_PARTICIPATION_RATIO = 33554432,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum aznas_proxy aznas_proxy;
#else
typedef uint32_t aznas_proxy;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a tensor of the caller is.
 */
enum aznas_role
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * The weights of a convolution, `[out, in / groups, rows, columns]`, or of a linear map, `[out, in]`, the last axis
     * fastest.
     */
    AZNAS_ROLE_WEIGHT = 0,
    /**
     * The bias of a convolution or linear map, one number an output channel.
     */
    AZNAS_ROLE_BIAS = 1,
    /**
     * The factor of a normalisation, one number a channel.
     */
    AZNAS_ROLE_GAIN = 2,
    /**
     * The summand of a normalisation, one number a channel.
     */
    AZNAS_ROLE_SHIFT = 3,
    /**
     * An input batch, `[batch, row, column, channel]`, channels fastest: `block` is its number, 0 for the one that all
     * scores read and 1 for the second batch of ZiCo and ZenNAS; `key` is 0.
     */
    AZNAS_ROLE_INPUT = 4,
    /**
     * The vector of plus and minus ones that is pulled back through block `block`, 1 and up, of the shape of its
     * feature, channels fastest; `key` is 0.
     */
    AZNAS_ROLE_DIRECTION = 5,
    /**
     * The class token, one number a channel.
     */
    AZNAS_ROLE_CLASS_TOKEN = 6,
    /**
     * What is added to the tokens, `[token, channel]`, the class token first, channels fastest.
     */
    AZNAS_ROLE_POSITION = 7,
    /**
     * What a key gains by its row relative to the query, `[entry, channel of a head]`, the channels fastest: entry 0 is for
     * the class token, entry `d + reach + 1` for a difference of `d` from `-reach` to `reach`.
     */
    AZNAS_ROLE_KEY_ROW = 8,
    /**
     * What a key gains by its column relative to the query.
     */
    AZNAS_ROLE_KEY_COLUMN = 9,
    /**
     * What a value gains by its row relative to the query.
     */
    AZNAS_ROLE_VALUE_ROW = 10,
    /**
     * What a value gains by its column relative to the query.
     */
    AZNAS_ROLE_VALUE_COLUMN = 11,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum aznas_role aznas_role;
#else
typedef uint32_t aznas_role;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

#if !defined(AZNAS_BARE_METAL)
/**
 * What is differentiated.
 */
enum aznas_loss
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
#if !defined(AZNAS_BARE_METAL)
    /**
     * The mean over the batch of the cross entropy with the labels of the source, or with labels that are drawn uniformly.
     * Needs outputs of one position an image and a channel for each class.
     */
    AZNAS_LOSS_CROSS_ENTROPY = 0,
#endif
#if !defined(AZNAS_BARE_METAL)
    /**
     * The sum of all outputs of the network.
     */
    AZNAS_LOSS_SUM = 1,
#endif
#if !defined(AZNAS_BARE_METAL)
    /**
     * The sum of the outputs for each image by itself, one after the other, of one pass forwards.
     */
    AZNAS_LOSS_EACH_SAMPLE = 2,
#endif
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum aznas_loss aznas_loss;
#else
typedef uint32_t aznas_loss;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus
#endif

/**
 * How a search varies a candidate. Only MobileNetV2-like structures have more than one way.
 */
enum aznas_mutation
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * `replacements` super-blocks are replaced, as in the authors' program.
     */
    AZNAS_MUTATION_PUBLISHED = 0,
    /**
     * The same with every expansion and kernel alike.
     */
    AZNAS_MUTATION_UNIFORM = 1,
    /**
     * Half of the candidates as published; of the others up to three single numbers change a little, or repetitions move.
     */
    AZNAS_MUTATION_MIXED = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum aznas_mutation aznas_mutation;
#else
typedef uint32_t aznas_mutation;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How the largest singular value of a block is taken.
 */
enum aznas_sigma
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Of the whole batch, as published.
     */
    AZNAS_SIGMA_PLAIN = 0,
    /**
     * Corrected by the two halves of the batch, for batches of 2 to 16 images.
     */
    AZNAS_SIGMA_HALF_SPLIT = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum aznas_sigma aznas_sigma;
#else
typedef uint32_t aznas_sigma;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How the entropy of a feature's spectrum is taken.
 */
enum aznas_entropy
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * That of the whole batch, as published.
     */
    AZNAS_ENTROPY_PLAIN = 0,
    /**
     * Corrected by the entropies of the two halves of the batch: for small batches, whose entropies are too low. Needs two
     * images or more, and takes the time of three spectra.
     */
    AZNAS_ENTROPY_HALF_SPLIT = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum aznas_entropy aznas_entropy;
#else
typedef uint32_t aznas_entropy;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A search space, or the caller's own graph.
 */
enum aznas_space
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * NAS-Bench-201: `text` is a cell such as `|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|`.
     * Uses `channels`, `cells`, `classes`; `target_resolution` where a smaller network is scored.
     */
    AZNAS_SPACE_NB201 = 1,
    /**
     * MobileNetV2-like structures: `text` is `SuperConvK3BNRELU(3,8,2,1)SuperResIDWE6K3(8,32,2,8,1)...`.
     * Uses `classes`, `target_resolution`.
     */
    AZNAS_SPACE_MBV2 = 2,
    /**
     * Vision transformers: `text` is `autoformer(embed=192,heads=3-4-...,ratio=4-3.5-...)`.
     * Uses `classes`, `target_resolution`, `patch`, `reach`, `parameters`.
     */
    AZNAS_SPACE_AUTOFORMER = 3,
    /**
     * NAS-Bench-101: `text` is a cell such as `7:101010101100001000001:333mm`.
     * Uses `channels`, `cells`, `classes`, `target_channels`, `target_resolution`.
     */
    AZNAS_SPACE_NB101 = 5,
    /**
     * NDS: `text` is a genotype such as `Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=[2, 3, 4, 5],
     * reduce=[...], reduce_concat=[2, 3, 4, 5], width=36, depth=20)`.
     * Uses `classes`, `target_resolution`, `stem`; `channels` and `cells` where the text says no width and depth.
     */
    AZNAS_SPACE_NDS = 6,
    /**
     * Any network: `nodes`, cut into primary blocks by their flags. Uses `input_channels`, `identity_rule`.
     */
    AZNAS_SPACE_GRAPH = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum aznas_space aznas_space;
#else
typedef uint32_t aznas_space;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What is before the cells of an NDS network.
 */
enum aznas_stem
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * One convolution.
     */
    AZNAS_STEM_CIFAR = 0,
    /**
     * Three convolutions of stride 2.
     */
    AZNAS_STEM_IMAGENET = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum aznas_stem aznas_stem;
#else
typedef uint32_t aznas_stem;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How the first candidates of a search come about. A space without an initial structure gives independent samples instead.
 */
enum aznas_warmup
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * The first candidate is the initial structure itself; `warmup_count` is not used.
     */
    AZNAS_WARMUP_INITIAL = 0,
    /**
     * The first `warmup_count` candidates are the initial structure with one replacement each.
     */
    AZNAS_WARMUP_MUTANTS = 1,
    /**
     * The first `warmup_count` candidates are independent samples of the space: random search if that is all of them.
     */
    AZNAS_WARMUP_SAMPLES = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum aznas_warmup aznas_warmup;
#else
typedef uint32_t aznas_warmup;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The raw scores of all candidates. A candidate is judged by its rank in each column: 1 for the worst, `m` for the best,
 * the mean rank for ties. NaN ranks as minus infinity.
 */
typedef struct aznas_ranking {
    /**
     * `sizeof(aznas_ranking)`
     */
    size_t struct_size;
    /**
     * A pointer for every proxy, to one score for every candidate; "higher is better".
     */
    const double *const *columns;
    /**
     * Proxies, 1 to 32.
     */
    size_t column_count;
    /**
     * Candidates, 1 to 2147483647.
     */
    size_t candidate_count;
    /**
     * A finite factor for every proxy, or NULL for 1.
     */
    const double *weights;
    /**
     * One of `aznas_mode`.
     */
    uint32_t mode;
    /**
     * Must be 0.
     */
    uint32_t reserved;
} aznas_ranking;

/**
 * Where and why a call was refused. Optional: pass NULL if the status is enough.
 *
 * Set `struct_size` to `sizeof(aznas_error)` before the call; everything else is written if, and only if, the call
 * fails. Numbers that say nothing about the failure are 0.
 */
typedef struct aznas_error {
    /**
     * `sizeof(aznas_error)`
     */
    size_t struct_size;
    /**
     * The status that the call returned, one of `aznas_status`.
     */
    int32_t status;
    /**
     * AZNAS_STATUS_PARSE: one-based column, in bytes, of the first byte that does not fit.
     */
    size_t column;
    /**
     * AZNAS_STATUS_NODE and AZNAS_STATUS_TENSOR_LENGTH: number of the block, from 0.
     */
    size_t block;
    /**
     * AZNAS_STATUS_NODE: number of the node inside its block, from 1, as in `inputs`.
     */
    size_t node;
    /**
     * Bytes, elements, the limit or the divisor that would have been right.
     */
    size_t needed;
    /**
     * Bytes or elements that were given.
     */
    size_t given;
    /**
     * What is wrong, as NUL-terminated text: a field or argument of this header; `output` for the feature that the head
     * of a network ends with; or, of AZNAS_STATUS_OVERFLOW and AZNAS_STATUS_TOO_LARGE, a quantity in words.
     */
    char field[48];
    /**
     * What it must be, as NUL-terminated text.
     */
    char expected[80];
} aznas_error;

/**
 * A node of a graph. Fields that its `op` does not use are ignored; zero them.
 */
typedef struct aznas_node {
    /**
     * One of `aznas_op`.
     */
    uint32_t op;
    /**
     * Some of `aznas_node_flag`.
     */
    uint32_t flags;
    /**
     * What it reads, by number inside its block: 0 is the feature that the block reads (in the first block, the input
     * batch), 1 the first node of the block, and so on.
     */
    uint32_t inputs[8];
    /**
     * How many of `inputs` count.
     */
    uint32_t input_count;
    /**
     * Its parameters are drawn and looked up by this number. In a block the convolutions and linear maps have a key each
     * of their own, and so do the normalisations, the tokens and the attentions; a convolution and a normalisation may
     * have the same. Two networks that agree in block, key and size of a tensor share its random numbers.
     */
    uint32_t key;
    /**
     * Output channels.
     */
    uint32_t channels;
    /**
     * Rows and columns of the kernel; like the next three, at most 65536.
     */
    uint32_t kernel[2];
    /**
     * Steps between outputs, in rows and columns.
     */
    uint32_t stride[2];
    /**
     * Zeros around the input, above and below, left and right. A pool leaves them out.
     */
    uint32_t padding[2];
    /**
     * Steps between the elements of the kernel. 1 and 1 for an ordinary convolution.
     */
    uint32_t dilation[2];
    /**
     * Groups that the channels are split into: 1 for an ordinary convolution, the channels for a depthwise one.
     */
    uint32_t groups;
    /**
     * Heads of an attention: a third of the channels of its input is split into as many.
     */
    uint32_t heads;
    /**
     * Rows and columns that the tokens behind the class token are laid out in.
     */
    uint32_t grid[2];
    /**
     * The farthest relative position, along an axis of the grid, with an entry of its own.
     */
    uint32_t reach;
    /**
     * Number that a normalisation adds to the variance; positive and finite.
     */
    double epsilon;
    /**
     * Constant of an activation; finite.
     */
    double alpha;
    /**
     * The first channel of a slice.
     */
    uint32_t first;
    /**
     * The first row and column of a slice.
     */
    uint32_t offset[2];
    /**
     * Reserved; 0.
     */
    uint32_t reserved;
    /**
     * With AZNAS_NODE_BEHIND, the padding below and to the right; at most 65536. Of a pool `stride - 1` more than `padding`
     * makes the number of windows round up instead of down.
     */
    uint32_t behind[2];
} aznas_node;

/**
 * What is scored. Fill with `aznas_arch_init`, then set `text` and `text_len`, or the nodes. Fields that the space does
 * not use are ignored.
 */
typedef struct aznas_arch {
    /**
     * `sizeof(aznas_arch)`
     */
    size_t struct_size;
    /**
     * One of `aznas_space`.
     */
    uint32_t space;
    /**
     * Channels of the first stage, 1 to 65536 (NAS-Bench-101: from 5 on, NDS: to 4096). Default 16, for NAS-Bench-101
     * 15.
     */
    uint32_t channels;
    /**
     * Cells in each stage, 1 to 1024; of NDS in all, 1 to 256. Default 5, for NAS-Bench-101 3, for NDS 8.
     */
    uint32_t cells;
    /**
     * Classes of the classifier, 1 to 1048576; count as complexity and parameters. Default 10, for MobileNetV2
     * and AutoFormer 1000.
     */
    uint32_t classes;
    /**
     * Rows and columns that complexity is counted at, 1 to 65536 (AutoFormer: in steps of 16, NAS-Bench-101 and
     * NDS: of 4, NDS with the stem of ImageNet: of 32), whatever the resolution of the scores. Default 224, for
     * NAS-Bench-101 and NDS 32.
     */
    uint32_t target_resolution;
    /**
     * Channels of the input batch, at least 1. Default 3.
     */
    uint32_t input_channels;
    /**
     * One of `aznas_identity`. Default AZNAS_IDENTITY_REJECT.
     */
    uint32_t identity_rule;
    /**
     * Pixels along a side of a patch, at least 1. Default 16.
     */
    uint32_t patch;
    /**
     * The farthest relative position with an entry of its own. Default 14.
     */
    uint32_t reach;
    /**
     * One of `aznas_parameters`. Default AZNAS_PARAMETERS_SHARED.
     */
    uint32_t parameters;
    /**
     * The architecture as text; needs no terminator.
     */
    const char *text;
    /**
     * Bytes of the text.
     */
    size_t text_len;
    /**
     * The nodes of all blocks one after another.
     */
    const struct aznas_node *nodes;
    /**
     * Nodes, 1 to 65536.
     */
    size_t node_count;
    /**
     * `sizeof(aznas_node)`
     */
    size_t node_size;
    /**
     * Channels of the first stage that complexity and parameters are counted for, 5 to 65536, whatever is scored. 0, the
     * default, means the benchmark's: 128.
     */
    uint32_t target_channels;
    /**
     * One of `aznas_stem`. Default AZNAS_STEM_CIFAR.
     */
    uint32_t stem;
    /**
     * Percent of the channels that are scored, 1 to 100. 0, the default, means all. What is counted (complexity,
     * multiply-adds, parameters, layers, depth) stays that of the whole network at `target_resolution`, with this field
     * as with the next. AutoFormer and graphs are scored whole. MobileNetV2: in steps of 8 channels, at least 8.
     */
    uint32_t score_width;
    /**
     * The most cells that are scored: of each stage (NAS-Bench-201, NAS-Bench-101), of each third of the depth (NDS), or
     * repetitions of each super-block (MobileNetV2). 0, the default, means all.
     */
    uint32_t score_cells;
} aznas_arch;

/**
 * A tensor of the caller.
 */
typedef struct aznas_tensor {
    /**
     * One of `aznas_role`.
     */
    uint32_t role;
    /**
     * Number of the primary block, 0 for the first; that of the head is the number of blocks.
     */
    uint32_t block;
    /**
     * `key` of the node. NAS-Bench-201: the number of the edge in the text, from 0, in a cell; 0 and 1 along the main
     * path and 2 on the shortcut of a reduction; 0 in the stem. MobileNetV2: 0 for the expanding convolution, 1 for the
     * depthwise, 2 for the reducing, 3 for the shortcut; 0 for a plain convolution. A normalisation has the key of the
     * convolution before it. AutoFormer: 0 for the patches, 1 for class token and positions, 2 for the normalisation, 3 for
     * queries, keys and values, 4 for the relative positions, 5 for the projection after them, 6 and 7 for the perceptron.
     */
    uint32_t key;
    /**
     * Must be 0.
     */
    uint32_t reserved;
    /**
     * The numbers.
     */
    const float *data;
    /**
     * How many there are.
     */
    size_t len;
} aznas_tensor;

/**
 * Returns the tensor with this role, block and key and writes the number of its elements to `len`; or returns NULL for a
 * tensor that is to be drawn (weights, tokens, positions, inputs, directions) or to have its neutral value (biases and
 * shifts 0, gains 1).
 *
 * Called several times a score for the same tensor and must answer the same each time. What it returns must not change
 * until the score returns. It must not throw or jump out.
 */
typedef const float *(*aznas_lookup)(void *context, uint32_t role, uint32_t block, uint32_t key, size_t *len);

/**
 * Where tensors come from: first the table, then the function, then random numbers.
 */
typedef struct aznas_source {
    /**
     * `sizeof(aznas_source)`
     */
    size_t struct_size;
    /**
     * A table of tensors; searched from the front, and fast if the blocks ascend, once or for each role anew.
     */
    const struct aznas_tensor *tensors;
    /**
     * Tensors in the table.
     */
    size_t tensor_count;
    /**
     * `sizeof(aznas_tensor)`
     */
    size_t tensor_size;
    /**
     * A function to ask for what the table does not have, or NULL.
     */
    aznas_lookup lookup;
    /**
     * Handed to the function.
     */
    void *context;
    /**
     * The classes of the images of the input batch, for proxies and gradients of a loss, or NULL: then they are drawn.
     */
    const uint32_t *labels;
    /**
     * How many there are: as many as images in the batch, each below the number of the network's outputs.
     */
    size_t label_count;
    /**
     * The classes of the second batch's images, or NULL.
     */
    const uint32_t *second_labels;
    /**
     * How many there are.
     */
    size_t second_label_count;
} aznas_source;

/**
 * How a network is scored. Fill with `aznas_options_init`, then change what differs.
 */
typedef struct aznas_options {
    /**
     * `sizeof(aznas_options)`
     */
    size_t struct_size;
    /**
     * Images of the input batch, at least 1. Default 64, the paper's.
     */
    size_t batch;
    /**
     * Rows of an image. 0, the default, stands for those of the space's benchmark, such as 32 for NAS-Bench-201 and 224
     * for MobileNetV2; graphs have none, so it must be set for them.
     */
    size_t height;
    /**
     * Columns of an image, as for rows.
     */
    size_t width;
    /**
     * Seed of everything that is drawn. Default 1.
     */
    uint64_t seed;
    /**
     * How weights are drawn, one of `aznas_init`. Default 0.
     */
    uint32_t init;
    /**
     * How often everything is drawn anew, at least 1; the proxies are means. Default 1.
     */
    uint32_t repeats;
    /**
     * The instruction set to run on, one of `aznas_backend`. Default AZNAS_BACKEND_BEST.
     */
    uint32_t backend;
    /**
     * How the largest singular value of a block is taken, one of `aznas_sigma`. Default AZNAS_SIGMA_PLAIN.
     */
    uint32_t sigma;
    /**
     * The proxies that are wanted, some of `aznas_proxy`. What none of them needs is not done and takes no memory: the
     * backward pass is for trainability alone, spectra are for expressivity and both progressivities, and what is
     * counted on the graph is always known. 0 stands for AZNAS_PROXIES_PAPER, which is the default.
     */
    uint32_t proxies;
    /**
     * How convolutions sum products, one of `aznas_algorithm`. Default AZNAS_ALGORITHM_WINOGRAD.
     */
    uint32_t algorithm;
    /**
     * Tensors of the caller in place of random ones, or NULL. Default NULL.
     */
    const struct aznas_source *source;
    /**
     * How entropies of spectra are taken, one of `aznas_entropy`. Default AZNAS_ENTROPY_PLAIN.
     */
    uint32_t entropy;
    /**
     * Reserved; 0.
     */
    uint32_t reserved;
} aznas_options;

/**
 * What a network costs for one image.
 *
 * Set `struct_size` to `sizeof(aznas_costs)` before the call; the rest is written if, and only if, the call succeeds.
 */
typedef struct aznas_costs {
    /**
     * `sizeof(aznas_costs)`
     */
    size_t struct_size;
    /**
     * Primary blocks.
     */
    size_t blocks;
    /**
     * Multiply-adds by the convention of the space: the fourth proxy.
     */
    double complexity;
    /**
     * Multiply-adds of every convolution and linear map. Biases, normalisation, rectifiers, pooling and sums are free,
     * and what cannot influence the output counts too.
     */
    uint64_t macs;
    /**
     * The multiply-adds that can influence the output.
     */
    uint64_t live_macs;
    /**
     * Trainable numbers: weights, biases, gains and shifts.
     */
    uint64_t parameters;
    /**
     * The trainable numbers that can influence the output.
     */
    uint64_t live_parameters;
    /**
     * Convolutions and linear maps that can influence the output.
     */
    uint64_t live_layers;
    /**
     * Sum over the blocks of the most of them in a row.
     */
    uint64_t depth;
    /**
     * The most numbers that inference holds at a time: what the op that runs reads and writes, and all that is still needed
     * after it, in the order of the nodes. Batch normalisations, activations, gains, sums and products write over an input
     * of as many numbers that nobody needs any more. Times the bytes of a number, this is the peak activation memory.
     */
    uint64_t peak_activation;
} aznas_costs;

#if defined(AZNAS_ONNX)
/**
 * What an ONNX file is turned into.
 *
 * Zero the struct and set `struct_size` to `sizeof(aznas_onnx)` before the call; for the nodes also `nodes`,
 * `node_capacity` and `node_size`, and for the weights of the file what begins with `tensor` and `number`. The rest is
 * written if, and only if, the call succeeds.
 */
typedef struct aznas_onnx {
    /**
     * `sizeof(aznas_onnx)`
     */
    size_t struct_size;
    /**
     * [in] An array of nodes to fill, or NULL to learn how many there are.
     */
    struct aznas_node *nodes;
    /**
     * [in] Nodes in the array; at least `node_count` if `nodes` is not NULL.
     */
    size_t node_capacity;
    /**
     * [in] `sizeof(aznas_node)` if `nodes` is not NULL.
     */
    size_t node_size;
    /**
     * [out] Nodes of the network.
     */
    size_t node_count;
    /**
     * [in] Rows and columns of an image where the file leaves them open; 0 if it does not.
     */
    uint32_t resolution;
    /**
     * [out] Channels of an image.
     */
    uint32_t input_channels;
    /**
     * [out] Rows of an image.
     */
    uint32_t height;
    /**
     * [out] Columns of an image.
     */
    uint32_t width;
    /**
     * [out] One of `aznas_identity`: transformers leave blocks out that pass their gradient unchanged.
     */
    uint32_t identity_rule;
    /**
     * [out] 1 if there are convolutions and no normalisation: it may have been folded into them, and scores of a network
     * without it mean something else. Else 0.
     */
    uint32_t may_be_folded;
    /**
     * [in] An array of tensors to fill with the parameters of the file, for `aznas_source`, or NULL. Scores draw the
     * parameters that they are not given.
     */
    struct aznas_tensor *tensors;
    /**
     * [in] Tensors in the array; at least `tensor_count` if `tensors` is not NULL.
     */
    size_t tensor_capacity;
    /**
     * [in] `sizeof(aznas_tensor)` if `tensors` is not NULL.
     */
    size_t tensor_size;
    /**
     * [out] Parameters of the file. Their blocks ascend.
     */
    size_t tensor_count;
    /**
     * [in] Where the numbers of the tensors are put, which then point there.
     */
    float *numbers;
    /**
     * [in] Numbers there is room for; at least `number_count` if `tensors` is not NULL.
     */
    size_t number_capacity;
    /**
     * [out] Numbers of all tensors.
     */
    size_t number_count;
} aznas_onnx;
#endif

/**
 * What is measured of one primary block.
 */
typedef struct aznas_block {
    /**
     * Number of the block, from 0.
     */
    uint32_t block;
    /**
     * Rows of its feature.
     */
    uint32_t height;
    /**
     * Columns of its feature.
     */
    uint32_t width;
    /**
     * Channels of its feature.
     */
    uint32_t channels;
    /**
     * Some of `aznas_flag`.
     */
    uint32_t flags;
    /**
     * Number of the repeat, from 0.
     */
    uint32_t repeat;
    /**
     * Entropy of the feature's spectrum, 0 to ln(channels); NaN if undefined or not measured.
     */
    double expressivity;
    /**
     * Largest singular value of the transfer matrix; NaN for the first block, for one with AZNAS_FLAG_UNEVEN_BLOCK or if not
     * measured.
     */
    double sigma;
    /**
     * `2 - sigma - 1 / (sigma + 1e-6)`; minus infinity for a block that passes its gradient unchanged, NaN where sigma is.
     */
    double trainability;
} aznas_block;

/**
 * The proxies of a network. All are "higher is better"; what is undefined, or was not measured, is minus infinity.
 *
 * Zero the struct and set `struct_size` to `sizeof(aznas_scores)` before the call; for per-block rows also `blocks`,
 * `block_capacity` and `block_size`. The rest is written if, and only if, the call succeeds.
 */
typedef struct aznas_scores {
    /**
     * `sizeof(aznas_scores)`
     */
    size_t struct_size;
    /**
     * [in] An array of rows to fill, block after block and repeat after repeat, or NULL.
     */
    struct aznas_block *blocks;
    /**
     * [in] Rows in the array; at least blocks times repeats if `blocks` is not NULL.
     */
    size_t block_capacity;
    /**
     * [in] `sizeof(aznas_block)` if `blocks` is not NULL.
     */
    size_t block_size;
    /**
     * [out] Primary blocks of the network.
     */
    size_t block_count;
    /**
     * [out] Sum over the blocks of the entropy of their features' spectra; at most the sum of ln(channels).
     */
    double expressivity;
    /**
     * [out] Smallest step of that entropy from a block to the next.
     */
    double progressivity;
    /**
     * [out] Mean over the blocks but the first of `2 - sigma - 1 / (sigma + 1e-6)`; at most about 0.
     */
    double trainability;
    /**
     * [out] Multiply-adds of one image by the convention of the space.
     */
    double complexity;
    /**
     * [out] Mean step of the entropy over the blocks that do not down-sample.
     */
    double mean_progressivity;
    /**
     * [out] Multiply-adds of one image: all convolutions and linear maps.
     */
    uint64_t macs;
    /**
     * [out] Those of them that can influence the output.
     */
    uint64_t live_macs;
    /**
     * [out] Trainable numbers.
     */
    uint64_t parameters;
    /**
     * [out] Those of them that can influence the output.
     */
    uint64_t live_parameters;
    /**
     * [out] Convolutions and linear maps that can influence the output.
     */
    uint64_t live_layers;
    /**
     * [out] Sum over the blocks of the most of them in a row.
     */
    uint64_t depth;
    /**
     * [out] Some of `aznas_flag`: why a proxy is minus infinity.
     */
    uint32_t flags;
    /**
     * [out] The proxies that are known, of `aznas_proxy`: those asked for, and all that come free with them.
     */
    uint32_t measured;
    /**
     * [out] Every proxy by its number, those with a field of their own too.
     */
    double proxies[32];
} aznas_scores;

/**
 * An evolutionary search by aggregated ranks (Algorithm 1 of the paper): what it looks for, and all that is known by now. Fill
 * with `aznas_search_init`, then change what differs.
 *
 * The search is in the memory of the caller, who keeps a table of the candidates and of their scores, asks for the next
 * candidate with `aznas_search_ask`, and tells it by adding its scores to the table. A candidate is a function of its number
 * and of the lines of those before it: any number of threads may ask, and a search goes on from a table that was kept.
 */
typedef struct aznas_search {
    /**
     * `sizeof(aznas_search)`
     */
    size_t struct_size;
    /**
     * Decides, with a candidate's number, every random choice made for that candidate. Default 123, the authors'.
     */
    uint64_t seed;
    /**
     * How many candidates may be out to be scored at a time, at least 1: candidate `number` knows those up to
     * `number - workers`, whatever else the table has. More than one thus change the search. Default 1.
     */
    size_t workers;
    /**
     * How many of the best candidates may become parents, at least 1, all with the same chance. Default 1023, the authors'.
     */
    size_t parents;
    /**
     * How many replacements a mutation makes. Default that of the space.
     */
    uint32_t replacements;
    /**
     * How the first candidates come about, one of `aznas_warmup`. Default AZNAS_WARMUP_MUTANTS.
     */
    uint32_t warmup;
    /**
     * How many first candidates have no parents. Default 11, the authors'.
     */
    size_t warmup_count;
    /**
     * The most multiply-adds of a candidate, by the convention of the space; 0 for no limit. Default 0.
     */
    double max_complexity;
    /**
     * The most parameters of a candidate, by the convention of the space; 0 for no limit. Default 0.
     */
    uint64_t max_parameters;
    /**
     * The fewest parameters of a candidate. Default 0.
     */
    uint64_t min_parameters;
    /**
     * The most layers of a candidate, by the convention of the space; 0 for no limit. Default that of the space.
     */
    uint32_t max_layers;
    /**
     * How a candidate is varied, one of `aznas_mutation`. Default AZNAS_MUTATION_PUBLISHED.
     */
    uint32_t mutation;
    /**
     * After how many proposals outside the limits a search gives up, at least 1. Default 100000.
     */
    size_t max_proposals;
    /**
     * The texts of the candidates that are known, in the order of their numbers, as `aznas_search_ask` has written them.
     */
    const char *const *texts;
    /**
     * Bytes of each text.
     */
    const size_t *text_lens;
    /**
     * Their scores, and how they are ranked: line by line those of `texts`. NULL while nothing is known.
     */
    const struct aznas_ranking *history;
} aznas_search;

#if !defined(AZNAS_BARE_METAL)
/**
 * The gradient with respect to a parameter of a network. What it points to lies in the workspace or is the caller's, and is
 * valid until the function that is told of it returns.
 */
typedef struct aznas_gradient {
    /**
     * `sizeof(aznas_gradient)` of the library: what lies beyond, a later header has.
     */
    size_t struct_size;
    /**
     * Number of the primary block; the head has that of the blocks.
     */
    uint32_t block;
    /**
     * Number of the node inside its block, from 1, as in `inputs`.
     */
    uint32_t node;
    /**
     * `key` of the node, as in `aznas_tensor`.
     */
    uint32_t key;
    /**
     * What the parameter is of the node, one of `aznas_role`.
     */
    uint32_t role;
    /**
     * AZNAS_LOSS_EACH_SAMPLE: number of the image, from 0. Else 0.
     */
    uint32_t sample;
    /**
     * 0
     */
    uint32_t reserved;
    /**
     * Numbers of the parameter.
     */
    size_t len;
    /**
     * The gradient, in the order of the role.
     */
    const float *gradient;
    /**
     * The parameter itself, as the network was run with it. NULL if it has its neutral value: gains 1, biases and shifts 0.
     */
    const float *values;
} aznas_gradient;
#endif

#if !defined(AZNAS_BARE_METAL)
/**
 * Is told of the gradient with respect to a parameter as soon as it is complete. Must not throw or jump out.
 */
typedef void (*aznas_watch)(void *context, const struct aznas_gradient *gradient);
#endif

#if !defined(AZNAS_BARE_METAL)
/**
 * A run through a whole network, forwards and back.
 */
typedef struct aznas_sweep {
    /**
     * `sizeof(aznas_sweep)`
     */
    size_t struct_size;
    /**
     * What is differentiated, one of `aznas_loss`. 0 is AZNAS_LOSS_CROSS_ENTROPY.
     */
    uint32_t loss;
    /**
     * Number of the input batch and of its labels, which is another for each number: the source's, or drawn. That of
     * scores is 0.
     */
    uint32_t input;
    /**
     * A function that is told of every gradient. The query of the size does without.
     */
    aznas_watch watch;
    /**
     * Handed to the function.
     */
    void *context;
} aznas_sweep;
#endif

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Combines the proxies of `m` candidates into one score each; higher is better.
 *
 * `workspace` is memory of any alignment and content, of `workspace_len` bytes; `aznas_aggregate_workspace_size` says how
 * many suffice. `out` takes a score for every candidate. A list of one candidate gets 0 in AZNAS_MODE_LOG.
 *
 * `error` may be NULL.
 */
aznas_status aznas_aggregate(const struct aznas_ranking *ranking,
                             void *workspace,
                             size_t workspace_len,
                             double *out,
                             struct aznas_error *error);

/**
 * The bytes of workspace that suffice for `aznas_aggregate` with the same `ranking`, wherever the workspace starts. Only
 * the counts of `ranking` are used.
 *
 * `error` may be NULL.
 */
aznas_status aznas_aggregate_workspace_size(const struct aznas_ranking *ranking,
                                            size_t *bytes,
                                            struct aznas_error *error);

/**
 * Fills `arch` with the defaults of `space`, one of `aznas_space`: the network of the space's benchmark.
 *
 * `struct_size` is `sizeof(aznas_arch)`.
 */
aznas_status aznas_arch_init(struct aznas_arch *arch, size_t struct_size, uint32_t space);

/**
 * The lower-case name of a back end, whether or not it is available here; of `AZNAS_BACKEND_BEST`, that of the one it
 * stands for on this processor. "unknown" for a number that is none of `aznas_backend`. Never NULL, never to be freed.
 */
const char *aznas_backend_name(uint32_t backend);

#if defined(AZNAS_BARE_METAL)
/**
 * Bare metal only (feature `panic-handler`): the program supplies this function. The library calls it when it
 * finds a defect of its own, and it must not return: halt, or reset the device.
 */
extern void aznas_on_panic(void);
#endif

/**
 * Counts multiply-adds, parameters and peak activation memory at the resolution of `options`, of which nothing else is used. Takes no workspace.
 *
 * `error` may be NULL.
 */
aznas_status aznas_cost(const struct aznas_arch *arch,
                        const struct aznas_options *options,
                        struct aznas_costs *costs,
                        struct aznas_error *error);

/**
 * The smallest batch in which the feature of every block has at least `positions_per_channel` positions (images x rows x
 * columns) for each of its channels, at the resolution of `options`, of which nothing else is used. 4 is a good choice;
 * below 2 a score has `AZNAS_FLAG_FEW_POSITIONS`.
 *
 * Of networks whose scores are compared, the largest such batch serves all. `error` may be NULL.
 */
aznas_status aznas_smallest_batch(const struct aznas_arch *arch,
                                  const struct aznas_options *options,
                                  uint32_t positions_per_channel,
                                  uint32_t *batch,
                                  struct aznas_error *error);

#if defined(AZNAS_ONNX)
/**
 * Turns an ONNX file of `length` bytes into the nodes of a graph, cut into primary blocks by the rule of
 * docs/own-networks.md.
 *
 *     aznas_onnx onnx = AZNAS_ONNX_INIT;
 *     aznas_onnx_nodes(bytes, length, &onnx, &error);                     // how many
 *     onnx.nodes = calloc(onnx.node_count, sizeof *onnx.nodes);
 *     onnx.node_capacity = onnx.node_count;
 *     onnx.node_size = sizeof *onnx.nodes;
 *     aznas_onnx_nodes(bytes, length, &onnx, &error);
 *     // arch.nodes, node_count, node_size, input_channels and identity_rule are those of onnx, height and width of the
 *     // options too. With the weights of the file, tensors, tensor_count and tensor_size of a source as well.
 *
 * Unlike all other functions it uses the heap while it works, up to a multiple of `length`. There is nothing to free.
 *
 * `error` may be NULL. With AZNAS_STATUS_MODEL, `field` of the error is the node by name and operator, else a part of the
 * file, and `expected` is what is wrong there; what does not fit is cut, names at their front.
 */
aznas_status aznas_onnx_nodes(const void *bytes,
                              size_t length,
                              struct aznas_onnx *onnx,
                              struct aznas_error *error);
#endif

/**
 * Fills `options` with the defaults: the paper's setting, for images of the space's benchmark, on the fastest back end.
 * Options of the first header, which had no `entropy`, are for images of 32x32, as they were.
 *
 * `struct_size` is `sizeof(aznas_options)`.
 */
aznas_status aznas_options_init(struct aznas_options *options, size_t struct_size);

/**
 * The name of the proxy with this number, such as "expressivity"; NULL for a number that no proxy has, and so at the end of a
 * list that counts from 0. Never to be freed.
 */
const char *aznas_proxy_name(uint32_t number);

/**
 * Reads a set of proxies: `paper`, `extended`, `general`, or names between commas, such as `expressivity,depth`; the symbols `E`, `P`,
 * `T` and `C` of the paper are names too. Writes its bits to `proxies`. `all` stands for every proxy that this library has,
 * which are more than AZNAS_PROXIES_ALL.
 *
 * `text` needs no terminator. `error` may be NULL; `column` of AZNAS_STATUS_PARSE is that of the first unknown name.
 */
aznas_status aznas_proxy_parse(const char *text,
                               size_t text_len,
                               uint32_t *proxies,
                               struct aznas_error *error);

/**
 * Scores a network.
 *
 * `workspace` is memory of any alignment and content, of `workspace_len` bytes; `aznas_workspace_size` says how many
 * suffice. The scores are a function of `arch`, `options` and the tensors they lead to: the same bits on any thread and in
 * any workspace.
 *
 * `error` may be NULL. Everything that can be refused is refused before any work.
 */
aznas_status aznas_score(const struct aznas_arch *arch,
                         const struct aznas_options *options,
                         void *workspace,
                         size_t workspace_len,
                         struct aznas_scores *scores,
                         struct aznas_error *error);

/**
 * The bytes of workspace that suffice for `aznas_score` with the same `arch` and `options`, wherever the workspace starts.
 *
 * Refuses all that `aznas_score` refuses of them. `error` may be NULL.
 */
aznas_status aznas_workspace_size(const struct aznas_arch *arch,
                                  const struct aznas_options *options,
                                  size_t *bytes,
                                  struct aznas_error *error);

/**
 * Writes the values of some proxies, in the order of their bits, to `values[0]`, `values[stride]`, `values[2 * stride]`
 * and so on: a row of a table with `stride` 1; or a candidate's place in the columns of `aznas_ranking`, if `values` points
 * to it in the first column and the columns lie `stride` numbers apart.
 *
 *     double *table;  // [proxy][candidate]: a column of n candidates for each of four proxies
 *     aznas_scores_values(&scores, AZNAS_PROXIES_PAPER, table + candidate, n);
 *
 * `proxies` is some of `aznas_proxy`, 0 stands for AZNAS_PROXIES_PAPER. `stride` is at least 1.
 */
aznas_status aznas_scores_values(const struct aznas_scores *scores,
                                 uint32_t proxies,
                                 double *values,
                                 size_t stride);

/**
 * Fills `search` with what the authors search by, for `space`, one of `aznas_space` but AZNAS_SPACE_GRAPH.
 *
 * `struct_size` is `sizeof(aznas_search)`.
 */
aznas_status aznas_search_init(struct aznas_search *search, size_t struct_size, uint32_t space);

/**
 * Makes candidate `number` of a search, from 0, and writes its text to `text` and the bytes of it, without a terminator, to
 * `text_len`. `arch` says by its space and settings what candidates are and cost; its text is not used.
 *
 * The table must have all that the candidate knows: `number + 1 - workers` lines. Later lines do not matter. `workspace` is
 * memory of any alignment and content, of `workspace_len` bytes; `aznas_search_workspace_size` says how many suffice. A text
 * of NAS-Bench-201 takes 90 bytes, one of MobileNetV2 or NDS up to some thousands.
 *
 * Candidates may equal earlier ones. Whoever measures all by the same draws can tell the earlier scores again.
 *
 * `error` may be NULL. AZNAS_STATUS_NO_CANDIDATE if nothing within the limits was found. A parent that cannot be read is
 * refused with AZNAS_STATUS_PARSE.
 */
aznas_status aznas_search_ask(const struct aznas_search *search,
                              const struct aznas_arch *arch,
                              size_t number,
                              void *workspace,
                              size_t workspace_len,
                              char *text,
                              size_t text_capacity,
                              size_t *text_len,
                              struct aznas_error *error);

/**
 * The bytes of workspace that suffice for `aznas_search_ask` with the same `search` and `number`, and with every smaller number,
 * wherever the workspace starts. The table is not looked at.
 *
 * `error` may be NULL.
 */
aznas_status aznas_search_workspace_size(const struct aznas_search *search,
                                         size_t number,
                                         size_t *bytes,
                                         struct aznas_error *error);

/**
 * One line of English about a status; never NULL, never to be freed.
 */
const char *aznas_status_str(int32_t status);

#if !defined(AZNAS_BARE_METAL)
/**
 * Runs a network forwards and back, and tells `watch` of the gradient with respect to every parameter that can influence the
 * outputs: blocks from the head to the first, in a block from its output to its inputs.
 *
 * The memory is known beforehand, and no gradient of the size of the network is ever formed:
 * `aznas_gradients_workspace_size` says how many bytes of `workspace`, of any alignment and content, suffice. `proxies`,
 * `sigma`, `entropy` and `repeats` of the options have no meaning here. The gradients are a function of the other arguments:
 * the same bits on any thread and in any workspace.
 *
 * `loss` is given the loss, of AZNAS_LOSS_EACH_SAMPLE the sum of all; it and `error` may be NULL. Everything that can be
 * refused is refused before any work.
 */
aznas_status aznas_gradients(const struct aznas_arch *arch,
                             const struct aznas_options *options,
                             const struct aznas_sweep *sweep,
                             void *workspace,
                             size_t workspace_len,
                             double *loss,
                             struct aznas_error *error);
#endif

#if !defined(AZNAS_BARE_METAL)
/**
 * The bytes of workspace that suffice for `aznas_gradients` with the same `arch`, `options` and `sweep`, wherever the
 * workspace starts.
 *
 * Refuses all that `aznas_gradients` refuses of them. `error` may be NULL.
 */
aznas_status aznas_gradients_workspace_size(const struct aznas_arch *arch,
                                            const struct aznas_options *options,
                                            const struct aznas_sweep *sweep,
                                            size_t *bytes,
                                            struct aznas_error *error);
#endif

/**
 * The version of the library that is running, such as "0.1.0": compare with `AZNAS_VERSION`.
 */
const char *aznas_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* AZNAS_H */
