// The Externals in which tensors and generators reach JavaScript; see tensors.cc and runtime.cc.
#pragma once
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include "values.h"

namespace attune {

constexpr uint64_t kTensorMagic = 0x61747475'74656e73ULL;
constexpr uint64_t kGeneratorMagic = 0x61747475'67656e65ULL;

struct Box {
  uint64_t magic = kTensorMagic;
  at::Tensor tensor;
  int64_t bytes = 0;
};

struct GeneratorBox {
  uint64_t magic = kGeneratorMagic;
  at::Generator generator;
};

template <typename T>
T* unbox(napi_env env, napi_value value, uint64_t magic) {
  void* pointer = nullptr;
  if (napi_get_value_external(env, value, &pointer) != napi_ok || pointer == nullptr) return nullptr;
  auto* box = static_cast<T*>(pointer);
  return box->magic == magic ? box : nullptr;
}

/// An External of its own for the tensor; null where it is undefined.
napi_value wrap(napi_env env, at::Tensor tensor);

/// As `wrap`, but into an emptied External. It belongs to a scope, so its size need not weigh on the collector.
napi_value wrapInto(napi_env env, napi_value vacant, at::Tensor tensor);

napi_value wrapAll(napi_env env, at::ArrayRef<at::Tensor> tensors);

at::Tensor& tensorOf(napi_env env, napi_value value, const char* where);
std::vector<at::Tensor> tensorsOf(napi_env env, napi_value value, const char* where);

}  // namespace attune
