// Attention for one head of a tensor; see attention-kernel.cc.
#pragma once
#include <cstdint>

namespace attention {

constexpr int64_t kMost = 64;  // queries, keys and numbers a head

/// One head of a tensor [B, heads, length, d]: rows of d numbers that lie side by side.
struct Head {
  float* data;
  int64_t length, stride, width;
};

/// softmax(q kᵀ / √d + mask) v into `out`; `mask` is a number a key, or null.
void attendOne(const Head& q, const Head& k, const Head& v, const float* mask, const Head& out);

/// The gradients `dq`, `dk` and `dv`, with `g` the gradient of the result.
void attendOneBack(const Head& q, const Head& k, const Head& v, const float* mask, const Head& g, const Head& dq, const Head& dk, const Head& dv);

}  // namespace attention
