//! Random tensors as a function of (seed, stream, node, element).
