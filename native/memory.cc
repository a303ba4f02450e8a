// Memory: what is free on a device, and what a computation takes. The second is found on the device `meta`, whose tensors have
// shapes and no elements: the program itself runs there, and what it would hold is counted. libtorch lacks C++ kernels of
// `meta` for some operators (PyTorch has them in Python); they are here, with what CUDA's kernels keep for the way back.
#include <ATen/ATen.h>
#include <c10/core/Allocator.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <torch/library.h>

#include <algorithm>

#include "tensors.h"
#include "versions.h"

namespace attune {
namespace {

// ---- devices ----------------------------------------------------------------------------------------------------------

/// Of a device with memory of its own; nullptr where libtorch does not tell what is free there.
c10::DeviceAllocator* allocatorOf(c10::Device device) {
#if ATTUNE_MEMORY_INFO
  if (device.is_cpu() || device.is_meta()) return nullptr;
  auto* allocator = dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(device.type()));
  if (allocator != nullptr && !allocator->initialized()) at::globalContext().lazyInitDevice(device.type());
  return allocator;
#else
  return nullptr;
#endif
}

c10::Device deviceOf(napi_env env, napi_value name) {
  const c10::Device device(stringOf(env, name, "device"));
  return device.has_index() ? device : c10::Device(device.type(), 0);
}

/// deviceMemory(device, anew) → [free, total, held by tensors, most held by tensors] in bytes; undefined where it is not known.
/// What libtorch keeps for later tensors is free; `anew` begins with what is held now.
napi_value deviceMemory(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<2>(env, info);
    const auto device = deviceOf(env, arguments[0]);
    auto* allocator = allocatorOf(device);
    if (allocator == nullptr) return makeUndefined(env);
    double values[4] = {};
#if ATTUNE_MEMORY_INFO
    if (flagOf(env, arguments[1], "deviceMemory")) allocator->resetPeakStats(device.index());
    const auto [free, total] = allocator->getMemoryInfo(device.index());
    const auto stats = allocator->getDeviceStats(device.index());
    const auto all = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    const auto& held = stats.allocated_bytes[all];
    const auto kept = static_cast<double>(stats.reserved_bytes[all].current - held.current);
    const double found[4] = {static_cast<double>(free) + kept, static_cast<double>(total), static_cast<double>(held.current),
                             static_cast<double>(held.peak)};
    std::copy(found, found + 4, values);
#endif
    napi_value result;
    check(napi_create_array_with_length(env, 4, &result));
    for (uint32_t i = 0; i < 4; i++) check(napi_set_element(env, result, i, makeNumber(env, values[i])));
    return result;
  });
}

/// emptyCache(device): gives back what libtorch keeps for later tensors
napi_value emptyCache(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<1>(env, info);
    if (auto* allocator = allocatorOf(deviceOf(env, arguments[0]))) allocator->emptyCache();
    return makeUndefined(env);
  });
}

// ---- bytes of tensors without elements -------------------------------------------------------------------------------

/// One thread at a time computes on `meta`: that of JavaScript, which waits for autograd's.
int64_t bytesNow = 0, bytesPeak = 0;

void forget(void* bytes) { bytesNow -= static_cast<int64_t>(reinterpret_cast<intptr_t>(bytes)); }

struct CountingAllocator final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    bytesNow += static_cast<int64_t>(bytes);
    bytesPeak = std::max(bytesPeak, bytesNow);
    return {nullptr, reinterpret_cast<void*>(bytes), &forget, c10::Device(c10::kMeta)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return nullptr; }
  void copy_data(void*, const void*, std::size_t) const override {}
};

CountingAllocator counting;

/// countedBytes(anew) → [held now, most held], by tensors on `meta`; `anew` begins with what is held now
napi_value countedBytes(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<1>(env, info);
    if (flagOf(env, arguments[0], "countedBytes")) bytesPeak = bytesNow;
    napi_value result;
    check(napi_create_array_with_length(env, 2, &result));
    check(napi_set_element(env, result, 0, makeNumber(env, static_cast<double>(bytesNow))));
    check(napi_set_element(env, result, 1, makeNumber(env, static_cast<double>(bytesPeak))));
    return result;
  });
}

// ---- operators of which libtorch knows no shapes ----------------------------------------------------------------------

using Ints = c10::SymIntArrayRef;
using Some = const std::optional<at::Tensor>&;

/// A convolution lays its operands out anew beside them, in blocks of channels, or has a workspace of about that size.
template <typename... Tensors>
void relaid(const Tensors&... tensors) {
  [[maybe_unused]] const std::array<at::Tensor, sizeof...(Tensors)> copies{at::empty_like(tensors)...};
}

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, Some, Ints stride, Ints padding, Ints dilation, bool transposed, Ints,
                       c10::SymInt) {
  TORCH_CHECK(!transposed, "convolution on meta: not transposed");
  relaid(x, weight);
  std::vector<int64_t> shape{x.size(0), weight.size(0)};
  for (int64_t i = 2; i < x.dim(); i++) {
    const auto at = [&](Ints each) { return each[each.size() == 1 ? 0 : i - 2].expect_int(); };
    shape.push_back((x.size(i) + 2 * at(padding) - at(dilation) * (weight.size(i) - 1) - 1) / at(stride) + 1);
  }
  return at::empty(shape, x.options(), x.suggest_memory_format());
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolutionBack(const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& weight, Ints, Ints,
                                                               Ints, bool, Ints, c10::SymInt, std::array<bool, 3> wanted) {
  relaid(gradient, x, weight);
  return {wanted[0] ? at::empty_like(x) : at::Tensor(), wanted[1] ? at::empty_like(weight) : at::Tensor(),
          wanted[2] ? at::empty({gradient.size(1)}, gradient.options()) : at::Tensor()};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> groupNorm(const at::Tensor& x, Some, Some, c10::SymInt batch, c10::SymInt, c10::SymInt, int64_t groups,
                                                         double) {
  const auto figures = [&] { return at::empty({batch.expect_int(), groups}, x.options()); };
  return {at::empty_like(x), figures(), figures()};
}

at::Tensor likeWeight(Some weight, bool wanted) { return wanted && weight.has_value() ? at::empty_like(*weight) : at::Tensor(); }

std::tuple<at::Tensor, at::Tensor, at::Tensor> groupNormBack(const at::Tensor&, const at::Tensor& x, const at::Tensor&, const at::Tensor&, Some weight,
                                                             c10::SymInt, c10::SymInt, c10::SymInt, int64_t, std::array<bool, 3> wanted) {
  return {wanted[0] ? at::empty_like(x) : at::Tensor(), likeWeight(weight, wanted[1]), likeWeight(weight, wanted[2])};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> layerNorm(const at::Tensor& x, Ints normalised, Some, Some, double) {
  std::vector<int64_t> shape = x.sizes().vec();
  for (size_t i = 0; i < normalised.size(); i++) shape[shape.size() - 1 - i] = 1;
  return {at::empty_like(x), at::empty(shape, x.options().dtype(at::kFloat)), at::empty(shape, x.options().dtype(at::kFloat))};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> layerNormBack(const at::Tensor&, const at::Tensor& x, Ints, const at::Tensor&, const at::Tensor&,
                                                             Some weight, Some bias, std::array<bool, 3> wanted) {
  return {wanted[0] ? at::empty_like(x) : at::Tensor(), likeWeight(weight, wanted[1]), likeWeight(bias, wanted[2])};
}

/// `scaled_dot_product_attention` as on a GPU: it keeps no matrix of all pairs.
void fused(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto count = op.schema().arguments().size();
  const auto at = [&](size_t place) { return torch::jit::peek(*stack, place, count); };
  const auto mask = at(3).toOptional<at::Tensor>();
  auto out = std::get<0>(at::_scaled_dot_product_fused_attention_overrideable(at(0).toTensor(), at(1).toTensor(), at(2).toTensor(), mask));
  torch::jit::drop(*stack, count);
  torch::jit::push(*stack, std::move(out));
}

/// q [B, heads, n, d], v [B, heads, m, e] → [B, heads, n, e] with the heads of a place side by side, and a number a query.
void attention(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto& schema = op.schema();
  const auto first = stack->size() - schema.arguments().size();
  const auto q = (*stack)[first].toTensor(), v = (*stack)[first + 2].toTensor();
  torch::jit::drop(*stack, schema.arguments().size());
  const auto out = at::empty({q.size(0), q.size(2), q.size(1), v.size(3)}, q.options()).transpose(1, 2);
  const auto sums = at::empty({q.size(0), q.size(1), q.size(2)}, q.options().dtype(at::kFloat));
  for (size_t i = 0; i < schema.returns().size(); i++) {
    if (schema.returns()[i].type()->kind() != c10::TypeKind::TensorType) torch::jit::push(*stack, c10::IValue(int64_t{0}));
    else torch::jit::push(*stack, i == 0 ? out : i == 1 ? sums : at::Tensor());
  }
}

void attentionBack(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto first = stack->size() - op.schema().arguments().size();
  std::vector<at::Tensor> results;
  for (size_t i = 1; i <= 3; i++) results.push_back(at::empty_like((*stack)[first + i].toTensor()));
  torch::jit::drop(*stack, op.schema().arguments().size());
  for (auto& each : results) torch::jit::push(*stack, std::move(each));
  torch::jit::push(*stack, at::Tensor());  // of the mask
}

/// The shapes of an operator that is quick and small, by the CPU's kernel on tensors of any content.
void byHost(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto host = [](const at::Tensor& tensor) {
    if (!tensor.defined() || !tensor.is_meta()) return tensor;
    const auto options = tensor.options().device(at::kCPU);
    // Indices have to be some.
    return at::isIntegralType(tensor.scalar_type(), true) ? at::zeros(tensor.sizes(), options) : at::empty(tensor.sizes(), options);
  };
  const auto eachOfLast = [&](size_t count, auto&& change) {
    for (auto at = stack->end() - static_cast<std::ptrdiff_t>(count); at != stack->end(); ++at)
      if (at->isTensor()) *at = change(at->toTensor());
  };
  eachOfLast(op.schema().arguments().size(), host);
  op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), stack);
  eachOfLast(op.schema().returns().size(), [](const at::Tensor& made) {
    return at::empty_strided(made.sizes(), made.strides(), made.options().device(at::kMeta));
  });
}

/// An operator that changes its arguments alone and takes nothing; it returns the first one, or nothing.
void inPlace(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto count = op.schema().arguments().size();
  const auto first = torch::jit::peek(*stack, 0, count);
  torch::jit::drop(*stack, count);
  if (!op.schema().returns().empty()) torch::jit::push(*stack, first);
}

TORCH_LIBRARY_IMPL(aten, Meta, m) {
  for (const char* name : {"_fused_adamw_", "logical_and_", "logical_or_", "logical_not_"})
    m.impl(name, torch::CppFunction::makeFromBoxedFunction<&inPlace>());
  for (const char* name : {"abs", "relu", "var.correction", "where.self", "logical_and", "logical_or", "logical_not", "index_select",
                           "embedding_dense_backward", "_adaptive_avg_pool2d", "_adaptive_avg_pool2d_backward"})
    m.impl(name, torch::CppFunction::makeFromBoxedFunction<&byHost>());
  m.impl("convolution_overrideable", convolution);
  m.impl("convolution_backward_overrideable", convolutionBack);
  m.impl("native_group_norm", groupNorm);
  m.impl("native_group_norm_backward", groupNormBack);
  m.impl("native_layer_norm", layerNorm);
  m.impl("native_layer_norm_backward", layerNormBack);
  m.impl("_scaled_dot_product_fused_attention_overrideable", torch::CppFunction::makeFromBoxedFunction<&attention>());
  m.impl("_scaled_dot_product_fused_attention_overrideable_backward", torch::CppFunction::makeFromBoxedFunction<&attentionBack>());
}

TORCH_LIBRARY_IMPL(aten, AutogradMeta, m) {
  m.impl("scaled_dot_product_attention", torch::CppFunction::makeFromBoxedFunction<&fused>());
}

}  // namespace

bool addMemory(napi_env env, napi_value exports) {
  c10::SetAllocator(c10::kMeta, &counting, 1);
  return addFunctions(env, exports, {
      {"deviceMemory", deviceMemory}, {"emptyCache", emptyCache}, {"countedBytes", countedBytes},
  });
}

}  // namespace attune
