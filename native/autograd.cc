// What the dispatcher does not offer of differentiation: autograd's entry points, and the modes of a thread.
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "tensors.h"

namespace attune {
namespace {

napi_value requiresGrad(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<2>(env, info);
    auto& tensor = tensorOf(env, arguments[0], "requiresGrad");
    bool flag;
    if (napi_get_value_bool(env, arguments[1], &flag) == napi_ok) tensor.set_requires_grad(flag);
    return makeBoolean(env, tensor.requires_grad());
  });
}

/// backward(outputs, gradients of outputs | null, retainGraph): adds to `.grad` of the leaves
napi_value backward(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<3>(env, info);
    const auto outputs = tensorsOf(env, arguments[0], "backward");
    std::vector<at::Tensor> gradients;
    if (!isAbsent(env, arguments[1])) gradients = tensorsOf(env, arguments[1], "backward gradients");
    const bool retain = flagOf(env, arguments[2], "backward retainGraph");
    torch::autograd::backward(outputs, gradients, retain);
    return makeUndefined(env);
  });
}

/// gradients(outputs, inputs, gradients of outputs | null, createGraph) → one tensor or null an input
napi_value gradients(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<4>(env, info);
    const auto outputs = tensorsOf(env, arguments[0], "gradients outputs");
    const auto inputs = tensorsOf(env, arguments[1], "gradients inputs");
    std::vector<at::Tensor> given;
    if (!isAbsent(env, arguments[2])) given = tensorsOf(env, arguments[2], "gradients of outputs");
    const bool create = flagOf(env, arguments[3], "gradients createGraph");
    return wrapAll(env, torch::autograd::grad(outputs, inputs, given, create, create, /*allow_unused=*/true));
  });
}

napi_value gradOf(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<1>(env, info);
    return wrap(env, tensorOf(env, arguments[0], "grad").grad());
  });
}

napi_value setGrad(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<2>(env, info);
    auto& tensor = tensorOf(env, arguments[0], "setGrad");
    tensor.mutable_grad() = isAbsent(env, arguments[1]) ? at::Tensor() : tensorOf(env, arguments[1], "setGrad gradient");
    return makeUndefined(env);
  });
}

/// gradMode(enabled) → what it was before, in this thread
napi_value gradMode(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<1>(env, info);
    const bool before = c10::GradMode::is_enabled();
    bool enabled;
    if (napi_get_value_bool(env, arguments[0], &enabled) == napi_ok) c10::GradMode::set_enabled(enabled);
    return makeBoolean(env, before);
  });
}

/// autocast(device, dtype code | null) → the dtype code before, or null: mixed precision in this thread
napi_value autocast(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<2>(env, info);
    const auto device = c10::Device(stringOf(env, arguments[0], "autocast device")).type();
    napi_value before;
    if (at::autocast::is_autocast_enabled(device))
      before = makeNumber(env, static_cast<double>(at::autocast::get_autocast_dtype(device)));
    else
      check(napi_get_null(env, &before));
    if (isAbsent(env, arguments[1])) {
      at::autocast::clear_cache();
      at::autocast::set_autocast_enabled(device, false);
    } else {
      int64_t code;
      if (!integerOf(env, arguments[1], &code) || code < 0 || code >= static_cast<int64_t>(at::ScalarType::NumOptions))
        throw ArgumentError{"autocast: expected a dtype code"};
      at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(code));
      at::autocast::set_autocast_enabled(device, true);
    }
    return before;
  });
}

}  // namespace

bool addAutograd(napi_env env, napi_value exports) {
  return addFunctions(env, exports, {
      {"requiresGrad", requiresGrad}, {"backward", backward}, {"gradients", gradients}, {"gradOf", gradOf},
      {"setGrad", setGrad}, {"gradMode", gradMode}, {"autocast", autocast},
  });
}

}  // namespace attune
