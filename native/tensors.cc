// Tensors in JavaScript: their Externals, and what is read from and written to their memory.
//
// A tensor reaches JavaScript as an External that owns a Box. `dispose` empties the box at once; the finalizer is only a
// safety net. An emptied External may be filled again: whoever passes one to `call` has made sure that no Tensor refers
// to it (see scope.ts), and saves the collector half of its work. Finalizers run inside garbage collection (NAPI_EXPERIMENTAL:
// node_api_basic_finalize) and touch no JavaScript, so they also run in a long synchronous loop and after the environment
// is gone.
#include <ATen/EmptyTensor.h>
#include <ATen/ops/zeros.h>

#include <atomic>
#include <cstring>
#include <memory>

#include "tensors.h"

namespace attune {
namespace {

std::atomic<int64_t> living{0};

void release(napi_env env, Box* box) {
  if (!box->tensor.defined()) return;
  box->tensor.reset();
  living.fetch_sub(1, std::memory_order_relaxed);
  if (box->bytes > 0) {
    int64_t ignored;
    napi_adjust_external_memory(env, -box->bytes, &ignored);
    box->bytes = 0;
  }
}

void finalizeTensor(node_api_basic_env env, void* pointer, void*) {
  auto* box = static_cast<Box*>(pointer);
  release(const_cast<napi_env>(env), box);
  delete box;
}

}  // namespace

napi_value wrap(napi_env env, at::Tensor tensor) {
  napi_value value;
  if (!tensor.defined()) {
    check(napi_get_null(env, &value));
    return value;
  }
  auto* box = new Box;
  box->tensor = std::move(tensor);
  if (napi_create_external(env, box, finalizeTensor, nullptr, &value) != napi_ok) {
    delete box;
    throw NodeError{};
  }
  living.fetch_add(1, std::memory_order_relaxed);
  // Small tensors are not worth the call; large ones must weigh on the collector.
  const auto bytes = static_cast<int64_t>(box->tensor.numel() * box->tensor.element_size());
  if (bytes >= 65536) {
    int64_t ignored;
    box->bytes = bytes;
    check(napi_adjust_external_memory(env, bytes, &ignored));
  }
  return value;
}

napi_value wrapInto(napi_env env, napi_value vacant, at::Tensor tensor) {
  auto* box = tensor.defined() ? unbox<Box>(env, vacant, kTensorMagic) : nullptr;
  if (box == nullptr || box->tensor.defined()) return wrap(env, std::move(tensor));
  box->tensor = std::move(tensor);
  living.fetch_add(1, std::memory_order_relaxed);
  return vacant;
}

at::Tensor& tensorOf(napi_env env, napi_value value, const char* where) {
  auto* box = unbox<Box>(env, value, kTensorMagic);
  if (box == nullptr) throw ArgumentError{std::string(where) + ": expected Tensor, received " + typeName(env, value)};
  if (!box->tensor.defined()) throw ArgumentError{std::string(where) + ": expected a living Tensor, received a disposed one"};
  return box->tensor;
}

std::vector<at::Tensor> tensorsOf(napi_env env, napi_value value, const char* where) {
  bool array = false;
  check(napi_is_array(env, value, &array));
  if (!array) throw ArgumentError{std::string(where) + ": expected array of Tensor, received " + typeName(env, value)};
  std::vector<at::Tensor> tensors;
  for (auto element : elementsOf(env, value)) tensors.push_back(tensorOf(env, element, where));
  return tensors;
}

napi_value wrapAll(napi_env env, at::ArrayRef<at::Tensor> tensors) {
  napi_value array;
  check(napi_create_array_with_length(env, tensors.size(), &array));
  for (size_t i = 0; i < tensors.size(); i++) check(napi_set_element(env, array, i, wrap(env, tensors[i])));
  return array;
}

namespace {

/// vacant(n) → n emptied Externals
napi_value vacant(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<1>(env, info);
    int64_t count;
    if (!integerOf(env, arguments[0], &count) || count < 0 || count > 65536)
      throw ArgumentError{std::string("vacant: expected a number up to 65536, received ") + typeName(env, arguments[0])};
    napi_value array;
    check(napi_create_array_with_length(env, count, &array));
    for (int64_t i = 0; i < count; i++) {
      auto box = std::make_unique<Box>();
      napi_value value;
      check(napi_create_external(env, box.get(), finalizeTensor, nullptr, &value));
      box.release();
      check(napi_set_element(env, array, i, value));
    }
    return array;
  });
}

/// fromBytes(ArrayBufferView | ArrayBuffer, dtype code, shape) → a new CPU tensor that holds a copy
napi_value fromBytes(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<3>(env, info);
    void* bytes = nullptr;
    size_t length = 0;
    bool flag = false;
    check(napi_is_typedarray(env, arguments[0], &flag));
    if (flag) {
      napi_typedarray_type type;
      size_t elements;
      check(napi_get_typedarray_info(env, arguments[0], &type, &elements, &bytes, nullptr, nullptr));
      const size_t width = type == napi_int8_array || type == napi_uint8_array || type == napi_uint8_clamped_array ? 1
                           : type == napi_int16_array || type == napi_uint16_array || type == napi_float16_array ? 2
                           : type == napi_int32_array || type == napi_uint32_array || type == napi_float32_array ? 4
                                                                                                                  : 8;
      length = elements * width;
    } else {
      check(napi_is_arraybuffer(env, arguments[0], &flag));
      if (!flag) throw ArgumentError{std::string("fromBytes: expected a typed array, received ") + typeName(env, arguments[0])};
      check(napi_get_arraybuffer_info(env, arguments[0], &bytes, &length));
    }
    int64_t code;
    if (!integerOf(env, arguments[1], &code) || code < 0 || code >= static_cast<int64_t>(at::ScalarType::NumOptions))
      throw ArgumentError{"fromBytes: expected a dtype code"};
    std::vector<int64_t> shape;
    size_t elements = 1;
    for (auto value : elementsOf(env, arguments[2])) {
      int64_t size;
      if (!integerOf(env, value, &size) || size < 0) throw ArgumentError{"fromBytes: expected a shape of whole numbers"};
      shape.push_back(size);
      elements *= static_cast<size_t>(size);
    }
    const auto dtype = static_cast<at::ScalarType>(code);
    if (elements * c10::elementSize(dtype) != length)
      throw ArgumentError{"fromBytes: expected " + std::to_string(elements * c10::elementSize(dtype)) +
                          " bytes for the shape, received " + std::to_string(length)};
    at::Tensor tensor = at::detail::empty_cpu(shape, dtype, /*pin_memory=*/false, std::nullopt);
    if (length > 0) std::memcpy(tensor.mutable_data_ptr(), bytes, length);
    return wrap(env, std::move(tensor));
  });
}

/// On the CPU; a tensor without elements, on `meta`, reads as zeros.
at::Tensor onHost(const at::Tensor& tensor) {
  return tensor.is_meta() ? at::zeros(tensor.sizes(), tensor.options().device(at::kCPU)) : tensor.detach().to(at::kCPU);
}

/// toBytes(tensor) → ArrayBuffer with the elements in row-major order
napi_value toBytes(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<1>(env, info);
    const auto tensor = onHost(tensorOf(env, arguments[0], "toBytes")).contiguous();
    const size_t length = tensor.numel() * tensor.element_size();
    void* bytes = nullptr;
    napi_value buffer;
    check(napi_create_arraybuffer(env, length, &bytes, &buffer));
    if (length > 0) std::memcpy(bytes, tensor.const_data_ptr(), length);
    return buffer;
  });
}

napi_value item(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<1>(env, info);
    const auto& tensor = tensorOf(env, arguments[0], "item");
    if (tensor.numel() != 1)
      throw ArgumentError{"item: expected a tensor of one element, received " + std::to_string(tensor.numel())};
    return makeNumber(env, tensor.is_meta() ? 0 : tensor.item().toDouble());
  });
}

/// describe(tensor) → [dtype code, device, …shape]
napi_value describe(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<1>(env, info);
    const auto& tensor = tensorOf(env, arguments[0], "describe");
    const auto shape = tensor.sizes();
    napi_value array;
    check(napi_create_array_with_length(env, shape.size() + 2, &array));
    check(napi_set_element(env, array, 0, makeNumber(env, static_cast<double>(tensor.scalar_type()))));
    check(napi_set_element(env, array, 1, makeString(env, tensor.device().str())));
    for (size_t i = 0; i < shape.size(); i++)
      check(napi_set_element(env, array, i + 2, makeNumber(env, static_cast<double>(shape[i]))));
    return array;
  });
}

/// dispose(tensors): frees what they hold, now
napi_value dispose(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<1>(env, info);
    for (auto value : elementsOf(env, arguments[0])) {
      auto* box = unbox<Box>(env, value, kTensorMagic);
      if (box != nullptr) release(env, box);
    }
    return makeUndefined(env);
  });
}

napi_value livingTensors(napi_env env, napi_callback_info) {
  return guarded(env, [&] { return makeNumber(env, static_cast<double>(living.load())); });
}

}  // namespace

bool addTensors(napi_env env, napi_value exports) {
  return addFunctions(env, exports, {
      {"vacant", vacant}, {"fromBytes", fromBytes}, {"toBytes", toBytes}, {"item", item}, {"describe", describe},
      {"dispose", dispose}, {"livingTensors", livingTensors},
  });
}

}  // namespace attune
