// What libtorch keeps beside tensors: generators of random numbers, its threads, its precision on GPUs and its devices.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include <memory>

#include "tensors.h"
#include "versions.h"

namespace attune {
namespace {

void finalizeGenerator(node_api_basic_env, void* pointer, void*) { delete static_cast<GeneratorBox*>(pointer); }

std::string describeNumber(napi_env env, napi_value value) {
  double number;
  return napi_get_value_double(env, value, &number) == napi_ok ? std::to_string(number) : typeName(env, value);
}

/// generator(device, seed) → a generator of its own, independent of the process-wide one
napi_value makeGenerator(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<2>(env, info);
    const c10::Device device(stringOf(env, arguments[0], "generator device"));
    int64_t seed;
    if (!integerOf(env, arguments[1], &seed) || seed < 0)
      throw ArgumentError{std::string("generator seed: expected a whole number ≥ 0, received ") +
                          describeNumber(env, arguments[1])};
    auto box = std::make_unique<GeneratorBox>();
    box->generator = device.is_cpu()
                         ? at::detail::createCPUGenerator(static_cast<uint64_t>(seed))
                         : at::globalContext().getAcceleratorHooksInterface(device.type()).getNewGenerator(device.index());
    if (!device.is_cpu()) box->generator.set_current_seed(static_cast<uint64_t>(seed));
    napi_value value;
    check(napi_create_external(env, box.get(), finalizeGenerator, nullptr, &value));
    box.release();
    return value;
  });
}

GeneratorBox& generatorOf(napi_env env, napi_value value) {
  auto* box = unbox<GeneratorBox>(env, value, kGeneratorMagic);
  if (box == nullptr) throw ArgumentError{std::string("generator: expected Generator, received ") + typeName(env, value)};
  return *box;
}

napi_value seedGenerator(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<2>(env, info);
    int64_t seed;
    if (!integerOf(env, arguments[1], &seed) || seed < 0)
      throw ArgumentError{std::string("generator seed: expected a whole number ≥ 0, received ") +
                          describeNumber(env, arguments[1])};
    generatorOf(env, arguments[0]).generator.set_current_seed(static_cast<uint64_t>(seed));
    return makeUndefined(env);
  });
}

napi_value generatorState(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<2>(env, info);
    auto& box = generatorOf(env, arguments[0]);
    if (isAbsent(env, arguments[1])) return wrap(env, box.generator.get_state());
    box.generator.set_state(tensorOf(env, arguments[1], "generator state"));
    return makeUndefined(env);
  });
}

/// threads(n | nothing) → the number of threads that one operator may use
napi_value threads(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<1>(env, info);
    int64_t count;
    if (integerOf(env, arguments[0], &count) && count >= 1) at::set_num_threads(static_cast<int>(count));
    return makeNumber(env, at::get_num_threads());
  });
}

/// tf32(whether | nothing) → whether products and convolutions of float32 on a GPU may round their factors to TF32
napi_value tf32(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<1>(env, info);
    auto& context = at::globalContext();
    bool whether;
    if (napi_get_value_bool(env, arguments[0], &whether) == napi_ok) {
      context.setAllowTF32CuBLAS(whether);
      context.setAllowTF32CuDNN(whether);
    }
    napi_value result;
    check(napi_get_boolean(env, context.allowTF32CuBLAS(), &result));
    return result;
  });
}

/// deterministic(whether | nothing) → whether operators take only algorithms that repeat themselves to the bit, and refuse to
/// run where they have none. Memory that is not written yet is left as it is: to fill it takes time, and nothing reads it.
napi_value deterministic(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<1>(env, info);
    auto& context = at::globalContext();
    bool whether;
    if (napi_get_value_bool(env, arguments[0], &whether) == napi_ok) {
      context.setDeterministicAlgorithms(whether, /*warn_only=*/false);
      context.setDeterministicCuDNN(whether);
      if (whether) context.setBenchmarkCuDNN(false);
      context.setDeterministicFillUninitializedMemory(false);
    }
    return makeBoolean(env, context.deterministicAlgorithms() && context.deterministicCuDNN() && !context.benchmarkCuDNN());
  });
}

napi_value library(napi_env env, napi_callback_info) {
  return guarded(env, [&] {
    napi_value result;
    check(napi_create_object(env, &result));
    check(napi_set_named_property(env, result, "version", makeString(env, TORCH_VERSION)));
    const bool cuda = at::globalContext().hasCUDA();
    check(napi_set_named_property(
        env, result, "cudaDevices",
        makeNumber(env, cuda ? static_cast<double>(at::detail::getCUDAHooks().deviceCount()) : 0)));
    check(napi_set_named_property(env, result, "cpu", makeString(env, at::get_cpu_capability())));
    return result;
  });
}

/// gpuTrouble() → why CUDA does not start, in libtorch's words; nothing where it does
napi_value gpuTrouble(napi_env env, napi_callback_info) {
  return guarded(env, [&] {
    try {
      at::globalContext().lazyInitDevice(c10::DeviceType::CUDA);
    } catch (const c10::Error& error) {
      const std::string text = error.what_without_backtrace();
      return makeString(env, text.substr(0, text.find('\n')));
    }
    return makeUndefined(env);
  });
}

}  // namespace

bool addRuntime(napi_env env, napi_value exports) {
  return addFunctions(env, exports, {
      {"generator", makeGenerator}, {"seedGenerator", seedGenerator}, {"generatorState", generatorState},
      {"threads", threads}, {"tf32", tf32}, {"deterministic", deterministic}, {"library", library},
      {"gpuTrouble", gpuTrouble},
  });
}

}  // namespace attune
