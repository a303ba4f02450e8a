// The numbers of attention: softmax(q kᵀ / √d + mask) v and its gradients for one head of up to 64 queries and keys, on one
// thread. A head's numbers stay in the first cache from the logits to the result.
#include "attention-kernel.h"

#include <cmath>
#include <cstring>

namespace attention {
namespace {

// The widest vectors of a processor are chosen as the add-on is loaded: it may run on another one than it was built on.
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__) && __GNUC__ >= 12
#define WIDEST __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define WIDEST
#endif
#define INLINED __attribute__((always_inline))
#define INLINE inline INLINED

constexpr int64_t kLanes = 16;
constexpr int64_t kRows = 4;  // computed at once, so that what they share is read once
constexpr float kNever = -1e30f;

typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float)), aligned(4)));
typedef int32_t Whole __attribute__((vector_size(kLanes * sizeof(int32_t)), aligned(4)));

/// Rows of up to 64 numbers, zeros behind them.
struct Rows {
  float at[kMost][kMost];
};

INLINE Lanes load(const float* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return lanes;
}

INLINE void store(float* to, const Lanes& lanes) { std::memcpy(to, &lanes, sizeof lanes); }

/// All lanes folded into one, halves onto halves. GCC shuffles so from 12 on.
template <typename Fold>
INLINE float folded(Lanes x, Fold fold) {
#if defined(__has_builtin) && __has_builtin(__builtin_shufflevector)
  x = fold(x, __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  x = fold(x, __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
  x = fold(x, __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
  x = fold(x, __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
#else
  for (int64_t half = kLanes / 2; half > 0; half /= 2)
    for (int64_t lane = 0; lane < half; lane++) x[lane] = fold(x[lane], x[lane + half]);
#endif
  return x[0];
}

INLINE float sumOf(const Lanes& lanes) {
  return folded(lanes, [](const auto& a, const auto& b) INLINED { return a + b; });
}

INLINE float mostOf(const Lanes& lanes) {
  return folded(lanes, [](const auto& a, const auto& b) INLINED { return a > b ? a : b; });
}

/// exp(x) for x ≤ 0 to a unit in the last place or two: 2^whole times a polynomial of the rest.
INLINE Lanes exponential(const Lanes& x) {
  const Lanes lowest = Lanes{} - 87.0f;
  const Lanes bounded = x > lowest ? x : lowest;
  const Lanes whole = (bounded * 1.44269504f + 12582912.0f) - 12582912.0f;
  const Lanes rest = (bounded - whole * 0.693359375f) + whole * 2.12194440e-4f;
  Lanes sum = rest * 1.9875691500e-4f + 1.3981999507e-3f;
  sum = sum * rest + 8.3334519073e-3f;
  sum = sum * rest + 4.1665795894e-2f;
  sum = sum * rest + 1.6666665459e-1f;
  sum = sum * rest + 5.0000001201e-1f;
  sum = sum * rest * rest + rest + 1.0f;
  const Whole shifted = (__builtin_convertvector(whole, Whole) + 127) << 23;
  Lanes power;
  std::memcpy(&power, &shifted, sizeof power);
  const Lanes result = sum * power;
  return x > lowest ? result : Lanes{};
}

constexpr int64_t upTo(int64_t multiple, int64_t count) { return (count + multiple - 1) / multiple * multiple; }

/// Up to 16 numbers, zeros behind them.
INLINE Lanes loadSome(const float* from, int64_t count) {
  if (count >= kLanes) return load(from);
  Lanes lanes = {};
  for (int64_t lane = 0; lane < count; lane++) lanes[lane] = from[lane];
  return lanes;
}

/// Zeros in the rows that are computed with the last ones.
INLINE void clearBeyond(int64_t length, int64_t width, Rows& rows) {
  for (int64_t i = length; i < upTo(kRows, length); i++)
    for (int64_t c = 0; c < width; c += kLanes) store(rows.at[i] + c, Lanes{});
}

INLINE void copyRows(const Head& head, Rows& rows) {
  for (int64_t i = 0; i < head.length; i++)
    for (int64_t c = 0; c < head.width; c += kLanes)
      store(rows.at[i] + c, loadSome(head.data + i * head.stride + c, head.width - c));
  clearBeyond(head.length, head.width, rows);
}

INLINE void copyColumns(const Head& head, Rows& columns) {
  for (int64_t c = 0; c < head.width; c++) store(columns.at[c] + (head.length - 1) / kLanes * kLanes, Lanes{});
  for (int64_t i = 0; i < head.length; i++)
    for (int64_t c = 0; c < head.width; c++) columns.at[c][i] = head.data[i * head.stride + c];
}

/// to[r][·] = Σ_j weights[r · rowStep + j · step] · rows[j][·] for four r; `Blocks` times 16 numbers a row.
template <int Blocks>
INLINE void combine(const float* weights, int64_t rowStep, int64_t step, int64_t count, const Rows& rows, float* to, int64_t toStep) {
  Lanes sums[kRows][Blocks] = {};
  for (int64_t j = 0; j < count; j++)
    for (int64_t block = 0; block < Blocks; block++) {
      const Lanes row = load(rows.at[j] + block * kLanes);
      for (int64_t r = 0; r < kRows; r++) sums[r][block] += weights[r * rowStep + j * step] * row;
    }
  for (int64_t r = 0; r < kRows; r++)
    for (int64_t block = 0; block < Blocks; block++) store(to + r * toStep + block * kLanes, sums[r][block]);
}

INLINE void combine(int64_t width, const float* weights, int64_t rowStep, int64_t step, int64_t count, const Rows& rows, float* to, int64_t toStep) {
  switch (upTo(kLanes, width) / kLanes) {
    case 1: return combine<1>(weights, rowStep, step, count, rows, to, toStep);
    case 2: return combine<2>(weights, rowStep, step, count, rows, to, toStep);
    case 3: return combine<3>(weights, rowStep, step, count, rows, to, toStep);
    default: return combine<4>(weights, rowStep, step, count, rows, to, toStep);
  }
}

/// All combinations: to[i][·] = Σ_j weights(i, j) · rows[j][·], i < length, j < count.
WIDEST void combineAll(int64_t length, int64_t width, const float* weights, int64_t rowStep, int64_t step, int64_t count, const Rows& rows, Rows& to) {
  for (int64_t i = 0; i < length; i += kRows) combine(width, weights + i * rowStep, rowStep, step, count, rows, to.at[i], kMost);
}

INLINE void scaleInto(const Rows& rows, float factor, const Head& head) {
  for (int64_t i = 0; i < head.length; i++)
    for (int64_t c = 0; c < head.width; c += kLanes) {
      const Lanes scaled = factor * load(rows.at[i] + c);
      float* to = head.data + i * head.stride + c;
      if (head.width - c >= kLanes) store(to, scaled);
      else std::memcpy(to, &scaled, (head.width - c) * sizeof(float));
    }
}

/// The weights of all keys for each query; rows and columns beyond are 0.
INLINE void weigh(const Rows& queries, int64_t n, const Rows& keyColumns, int64_t m, int64_t d, float scale, const float* mask, Rows& weights) {
  combineAll(n, m, queries.at[0], kMost, 1, d, keyColumns, weights);
  const int64_t blocks = upTo(kLanes, m) / kLanes;
  float offsets[kMost];
  for (int64_t j = 0; j < kMost; j++) offsets[j] = j >= m ? kNever : mask == nullptr ? 0 : mask[j];
  for (int64_t i = 0; i < n; i++) {
    Lanes highest = Lanes{} + kNever;
    for (int64_t block = 0; block < blocks; block++) {
      const Lanes logits = load(weights.at[i] + block * kLanes) * scale + load(offsets + block * kLanes);
      store(weights.at[i] + block * kLanes, logits);
      highest = logits > highest ? logits : highest;
    }
    const float most = mostOf(highest);
    Lanes sums = {};
    for (int64_t block = 0; block < blocks; block++) {
      const Lanes each = exponential(load(weights.at[i] + block * kLanes) - most);
      store(weights.at[i] + block * kLanes, each);
      sums += each;
    }
    const float share = 1 / sumOf(sums);
    for (int64_t block = 0; block < blocks; block++)
      store(weights.at[i] + block * kLanes, load(weights.at[i] + block * kLanes) * share);
  }
  clearBeyond(n, m, weights);
}

}  // namespace

WIDEST void attendOne(const Head& q, const Head& k, const Head& v, const float* mask, const Head& out) {
  Rows queries, keys, weights, values;
  const float scale = 1 / std::sqrt(static_cast<float>(q.width));
  copyRows(q, queries);
  copyColumns(k, keys);
  weigh(queries, q.length, keys, k.length, q.width, scale, mask, weights);
  copyRows(v, values);
  combineAll(q.length, v.width, weights.at[0], kMost, 1, k.length, values, queries);
  scaleInto(queries, 1, out);
}

/// With P the weights and g the gradient of the result: dV = Pᵀ g, dP = g Vᵀ, dL = P ∘ (dP − Σ_j P ∘ dP),
/// dQ = dL K / √d, dK = dLᵀ Q / √d.
WIDEST void attendOneBack(const Head& q, const Head& k, const Head& v, const float* mask, const Head& g, const Head& dq, const Head& dk, const Head& dv) {
  Rows queries, keys, weights, values, gradients, back;
  const float scale = 1 / std::sqrt(static_cast<float>(q.width));
  copyRows(q, queries);
  copyColumns(k, keys);
  weigh(queries, q.length, keys, k.length, q.width, scale, mask, weights);
  copyRows(g, gradients);
  combineAll(k.length, v.width, weights.at[0], 1, kMost, q.length, gradients, back);
  scaleInto(back, 1, dv);
  copyColumns(v, values);
  combineAll(q.length, k.length, gradients.at[0], kMost, 1, v.width, values, back);
  for (int64_t i = 0; i < q.length; i++) {
    Lanes sums = {};
    for (int64_t j = 0; j < k.length; j += kLanes) sums += load(weights.at[i] + j) * load(back.at[i] + j);
    const float mean = sumOf(sums);
    for (int64_t j = 0; j < k.length; j += kLanes)
      store(weights.at[i] + j, load(weights.at[i] + j) * (load(back.at[i] + j) - mean));
  }
  copyRows(k, keys);
  combineAll(q.length, q.width, weights.at[0], kMost, 1, k.length, keys, back);
  scaleInto(back, scale, dq);
  combineAll(k.length, q.width, weights.at[0], 1, kMost, q.length, queries, back);
  scaleInto(back, scale, dk);
}

}  // namespace attention
