// attune::attend: softmax(q kᵀ / √d + mask) v with its gradients, for sequences of up to 64 on one thread. libtorch's own
// kernel calls a matrix product for every 32 queries of every head, which costs more than the product where these are short.
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "attention-kernel.h"

namespace {

using attention::Head, attention::kMost;

Head headOf(const at::Tensor& tensor, int64_t b, int64_t h) {
  return {tensor.data_ptr<float>() + b * tensor.stride(0) + h * tensor.stride(1), tensor.size(2), tensor.stride(2), tensor.size(3)};
}

/// [B, heads, length, d] with rows that lie side by side.
at::Tensor inRows(const at::Tensor& tensor) { return tensor.stride(3) == 1 ? tensor : tensor.contiguous(); }

/// [B, heads, length, d] in the order [B, length, heads, d], from which the heads are joined without a copy.
at::Tensor emptyLike(const at::Tensor& tensor, int64_t width) {
  return at::empty({tensor.size(0), tensor.size(2), tensor.size(1), width}, tensor.options()).transpose(1, 2);
}

struct Attend : torch::autograd::Function<Attend> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, at::Tensor q, at::Tensor k, at::Tensor v, std::optional<at::Tensor> mask) {
    for (const auto* each : {&q, &k, &v})
      TORCH_CHECK(each->dim() == 4 && each->size(2) <= kMost && each->size(3) <= kMost && each->scalar_type() == at::kFloat && each->is_cpu(),
                  "attend: expected [B, heads, up to 64, up to 64] in float32 on the CPU, received ", each->sizes());
    TORCH_CHECK(k.size(2) == v.size(2) && q.size(3) == k.size(3) && k.size(2) > 0, "attend: keys of ", k.sizes(), ", values of ", v.sizes());
    for (const auto* each : {&k, &v})
      TORCH_CHECK(each->size(0) == q.size(0) && each->size(1) == q.size(1), "attend: queries of ", q.sizes(), ", keys of ", each->sizes());
    TORCH_CHECK(!mask || (mask->numel() == q.size(0) * k.size(2) && mask->scalar_type() == at::kFloat), "attend: expected a mask of a number a key");
    q = inRows(q), k = inRows(k), v = inRows(v);
    const auto offsets = mask ? mask->reshape({q.size(0), k.size(2)}).contiguous() : at::Tensor();
    context->save_for_backward({q, k, v, offsets});
    auto out = emptyLike(q, v.size(3));
    for (int64_t b = 0; b < q.size(0); b++)
      for (int64_t h = 0; h < q.size(1); h++)
        attendOne(headOf(q, b, h), headOf(k, b, h), headOf(v, b, h), offsets.defined() ? offsets.data_ptr<float>() + b * k.size(2) : nullptr, headOf(out, b, h));
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &q = saved[0], &k = saved[1], &v = saved[2], &offsets = saved[3];
    const auto g = inRows(gradients[0]);
    const auto dq = emptyLike(q, q.size(3)), dk = emptyLike(k, k.size(3)), dv = emptyLike(v, v.size(3));
    for (int64_t b = 0; b < q.size(0); b++)
      for (int64_t h = 0; h < q.size(1); h++)
        attendOneBack(headOf(q, b, h), headOf(k, b, h), headOf(v, b, h), offsets.defined() ? offsets.data_ptr<float>() + b * k.size(2) : nullptr,
                      headOf(g, b, h), headOf(dq, b, h), headOf(dk, b, h), headOf(dv, b, h));
    return {dq, dk, dv, at::Tensor()};
  }
};

at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const std::optional<at::Tensor>& mask) {
  return Attend::apply(q, k, v, mask);
}

}  // namespace

TORCH_LIBRARY(attune, library) { library.def("attend(Tensor q, Tensor k, Tensor v, Tensor? mask) -> Tensor", &attend); }
