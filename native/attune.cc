// Attune's add-on: calls any ATen operator by name through the c10 dispatcher, and what the dispatcher does not offer
// (autograd's entry points, grad mode, autocast, generators, memory of tensors) beside it.
//
// A tensor reaches JavaScript as an External that owns a Box. `dispose` empties the box at once; the finalizer is only a
// safety net. An emptied External may be filled again: whoever passes one to `call` has made sure that no Tensor refers
// to it (see scope.ts), and saves the collector half of its work. Finalizers run inside garbage collection (NAPI_EXPERIMENTAL: node_api_basic_finalize) and touch no
// JavaScript, so they also run in a long synchronous loop and after the environment is gone.
#define NAPI_EXPERIMENTAL
#include <node_api.h>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/csrc/autograd/autograd.h>

#include <atomic>
#include <array>
#include <cmath>
#include <mutex>
#include <string>
#include <vector>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "distributed.h"
#include "versions.h"

namespace {

constexpr uint64_t kTensorMagic = 0x61747475'74656e73ULL;
constexpr uint64_t kGeneratorMagic = 0x61747475'67656e65ULL;
constexpr size_t kMostOperators = 8192;
constexpr size_t kMostArguments = 40;

struct Box {
  uint64_t magic = kTensorMagic;
  at::Tensor tensor;
  int64_t bytes = 0;
};

struct GeneratorBox {
  uint64_t magic = kGeneratorMagic;
  at::Generator generator;
};

std::atomic<int64_t> living{0};

// ---- errors ---------------------------------------------------------------------------------------------------------

/// A wrong argument, found before the operator ran.
struct ArgumentError {
  std::string message;
};

/// A call into Node-API failed; usually an exception is pending already.
struct NodeError {};

void check(napi_status status) {
  if (status != napi_ok) throw NodeError{};
}

std::string firstLine(const std::string& text) {
  const bool missingBackend = text.find("Could not run '") != std::string::npos;
  const auto end = missingBackend ? text.find(". ") : std::string::npos;
  return end == std::string::npos ? text : text.substr(0, end);
}

/// Runs `body`; turns every C++ exception into a JavaScript one.
template <typename Body>
napi_value guarded(napi_env env, Body&& body) {
  try {
    return body();
  } catch (const ArgumentError& error) {
    napi_throw_type_error(env, "ATTUNE_ARGUMENT", error.message.c_str());
  } catch (const NodeError&) {
    bool pending = false;
    napi_is_exception_pending(env, &pending);
    if (!pending) napi_throw_error(env, "ATTUNE_NODE", "a call into Node-API failed");
  } catch (const c10::Error& error) {
    napi_throw_error(env, "ATTUNE_OPERATOR", firstLine(error.what_without_backtrace()).c_str());
  } catch (const std::exception& error) {
    napi_throw_error(env, "ATTUNE_OPERATOR", firstLine(error.what()).c_str());
  }
  return nullptr;
}

// ---- JavaScript values ----------------------------------------------------------------------------------------------

napi_valuetype typeOf(napi_env env, napi_value value) {
  napi_valuetype type;
  check(napi_typeof(env, value, &type));
  return type;
}

const char* typeName(napi_env env, napi_value value) {
  bool flag = false;
  if (napi_is_array(env, value, &flag) == napi_ok && flag) return "array";
  switch (typeOf(env, value)) {
    case napi_undefined: return "undefined";
    case napi_null: return "null";
    case napi_boolean: return "boolean";
    case napi_number: return "number";
    case napi_string: return "string";
    case napi_bigint: return "bigint";
    case napi_function: return "function";
    case napi_external: return "a tensor or generator";
    default: return "object";
  }
}

bool isAbsent(napi_env env, napi_value value) {
  const auto type = typeOf(env, value);
  return type == napi_undefined || type == napi_null;
}

template <typename T>
T* unbox(napi_env env, napi_value value, uint64_t magic) {
  void* pointer = nullptr;
  if (napi_get_value_external(env, value, &pointer) != napi_ok || pointer == nullptr) return nullptr;
  auto* box = static_cast<T*>(pointer);
  return box->magic == magic ? box : nullptr;
}

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

void finalizeGenerator(node_api_basic_env, void* pointer, void*) { delete static_cast<GeneratorBox*>(pointer); }

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

/// As `wrap`, but into an emptied External. It belongs to a scope, so its size need not weigh on the collector.
napi_value wrapInto(napi_env env, napi_value vacant, at::Tensor tensor) {
  auto* box = tensor.defined() ? unbox<Box>(env, vacant, kTensorMagic) : nullptr;
  if (box == nullptr || box->tensor.defined()) return wrap(env, std::move(tensor));
  box->tensor = std::move(tensor);
  living.fetch_add(1, std::memory_order_relaxed);
  return vacant;
}

napi_value makeNumber(napi_env env, double number) {
  napi_value value;
  check(napi_create_double(env, number, &value));
  return value;
}

napi_value makeBoolean(napi_env env, bool flag) {
  napi_value value;
  check(napi_get_boolean(env, flag, &value));
  return value;
}

napi_value makeString(napi_env env, const std::string& text) {
  napi_value value;
  check(napi_create_string_utf8(env, text.data(), text.size(), &value));
  return value;
}

napi_value makeUndefined(napi_env env) {
  napi_value value;
  check(napi_get_undefined(env, &value));
  return value;
}

std::string stringOf(napi_env env, napi_value value, const char* where) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok)
    throw ArgumentError{std::string(where) + ": expected string, received " + typeName(env, value)};
  std::string text(length, '\0');
  check(napi_get_value_string_utf8(env, value, text.data(), length + 1, &length));
  return text;
}

bool integerOf(napi_env env, napi_value value, int64_t* result) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok) return false;
  if (!(std::abs(number) <= 9007199254740992.0) || number != std::trunc(number)) return false;
  *result = static_cast<int64_t>(number);
  return true;
}

/// false where it is absent
bool flagOf(napi_env env, napi_value value, const char* where) {
  bool flag = false;
  if (!isAbsent(env, value) && napi_get_value_bool(env, value, &flag) != napi_ok)
    throw ArgumentError{std::string(where) + ": expected boolean, received " + typeName(env, value)};
  return flag;
}

std::string describeNumber(napi_env env, napi_value value) {
  double number;
  return napi_get_value_double(env, value, &number) == napi_ok ? std::to_string(number) : typeName(env, value);
}

at::Tensor& tensorOf(napi_env env, napi_value value, const char* where) {
  auto* box = unbox<Box>(env, value, kTensorMagic);
  if (box == nullptr) throw ArgumentError{std::string(where) + ": expected Tensor, received " + typeName(env, value)};
  if (!box->tensor.defined()) throw ArgumentError{std::string(where) + ": expected a living Tensor, received a disposed one"};
  return box->tensor;
}

std::vector<napi_value> elementsOf(napi_env env, napi_value value) {
  uint32_t length = 0;
  if (napi_get_array_length(env, value, &length) != napi_ok)
    throw ArgumentError{std::string("add-on: expected array, received ") + typeName(env, value)};
  std::vector<napi_value> elements(length);
  for (uint32_t i = 0; i < length; i++) check(napi_get_element(env, value, i, &elements[i]));
  return elements;
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

template <size_t N>
std::array<napi_value, N> argumentsOf(napi_env env, napi_callback_info info) {
  std::array<napi_value, N> values{};
  size_t count = N;
  check(napi_get_cb_info(env, info, &count, values.data(), nullptr, nullptr));
  return values;
}

// ---- the dispatcher bridge ------------------------------------------------------------------------------------------

struct Argument {
  std::string name;
  c10::TypePtr type;
  c10::TypeKind kind;  // of the type, or of what an optional type holds
  c10::TypeKind real;  // tells ScalarType, Layout and MemoryFormat from plain integers
  bool optional = false;
  int32_t repeat = 0;  // int[2]: one number stands for both
  bool hasDefault = false;
  c10::IValue defaultValue;
};

struct Operator {
  c10::OperatorHandle handle;
  std::string name;
  std::vector<Argument> arguments;
  bool inPlace;
};

std::mutex tableMutex;
std::array<std::atomic<Operator*>, kMostOperators> table{};
std::unordered_map<std::string, size_t> indexOf;

[[noreturn]] void wrongArgument(napi_env env, const Operator& op, size_t position, const std::string& expected, napi_value value) {
  throw ArgumentError{op.name + " argument " + std::to_string(position + 1) + " \"" + op.arguments[position].name +
                      "\": expected " + expected + ", received " + typeName(env, value)};
}

c10::IValue convert(napi_env env, const Operator& op, size_t position, const c10::TypePtr& type, napi_value value);

template <typename T, typename Read>
c10::IValue convertList(napi_env env, const Operator& op, size_t position, napi_value value, const char* expected, Read read) {
  c10::List<T> list;
  uint32_t length = 0;
  if (napi_get_array_length(env, value, &length) != napi_ok) {
    const auto repeat = op.arguments[position].repeat;
    if (repeat <= 0) wrongArgument(env, op, position, expected, value);
    const T one = read(value);
    for (int32_t i = 0; i < repeat; i++) list.push_back(one);
    return list;
  }
  list.reserve(length);
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    check(napi_get_element(env, value, i, &element));
    list.push_back(read(element));
  }
  return list;
}

at::Tensor tensorArgument(napi_env env, const Operator& op, size_t position, napi_value value) {
  auto* box = unbox<Box>(env, value, kTensorMagic);
  if (box == nullptr) wrongArgument(env, op, position, "Tensor", value);
  if (!box->tensor.defined())
    throw ArgumentError{op.name + " argument " + std::to_string(position + 1) + " \"" + op.arguments[position].name +
                        "\": expected a living Tensor, received a disposed one"};
  return box->tensor;
}

c10::IValue convertInteger(napi_env env, const Operator& op, size_t position, napi_value value) {
  int64_t number;
  if (!integerOf(env, value, &number)) wrongArgument(env, op, position, "integer", value);
  const auto real = op.arguments[position].real;
  const int64_t limit = real == c10::TypeKind::ScalarTypeType     ? static_cast<int64_t>(at::ScalarType::NumOptions)
                        : real == c10::TypeKind::LayoutType       ? static_cast<int64_t>(at::Layout::NumOptions)
                        : real == c10::TypeKind::MemoryFormatType ? static_cast<int64_t>(at::MemoryFormat::NumOptions)
                                                                  : 0;
  if (limit > 0 && (number < 0 || number >= limit))
    throw ArgumentError{op.name + " argument " + std::to_string(position + 1) + " \"" + op.arguments[position].name +
                        "\": expected a code below " + std::to_string(limit) + ", received " + std::to_string(number)};
  return number;
}

c10::IValue convert(napi_env env, const Operator& op, size_t position, const c10::TypePtr& type, napi_value value) {
  switch (type->kind()) {
    case c10::TypeKind::OptionalType:
      if (isAbsent(env, value)) return c10::IValue();
      return convert(env, op, position, type->castRaw<c10::OptionalType>()->getElementType(), value);
    case c10::TypeKind::TensorType:
      return tensorArgument(env, op, position, value);
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
      return convertInteger(env, op, position, value);
    case c10::TypeKind::FloatType: {
      double number;
      if (napi_get_value_double(env, value, &number) != napi_ok) wrongArgument(env, op, position, "number", value);
      return number;
    }
    case c10::TypeKind::BoolType: {
      bool flag;
      if (napi_get_value_bool(env, value, &flag) != napi_ok) wrongArgument(env, op, position, "boolean", value);
      return flag;
    }
    case c10::TypeKind::NumberType: {
      bool flag;
      if (napi_get_value_bool(env, value, &flag) == napi_ok) return c10::IValue(at::Scalar(flag));
      int64_t whole;
      if (integerOf(env, value, &whole)) return c10::IValue(at::Scalar(whole));
      double number;
      if (napi_get_value_double(env, value, &number) != napi_ok) wrongArgument(env, op, position, "number", value);
      return c10::IValue(at::Scalar(number));
    }
    case c10::TypeKind::AnyType:  // the name of a process group
    case c10::TypeKind::StringType: {
      if (typeOf(env, value) != napi_string) wrongArgument(env, op, position, "string", value);
      return stringOf(env, value, op.name.c_str());
    }
    case c10::TypeKind::DeviceObjType: {
      if (typeOf(env, value) != napi_string) wrongArgument(env, op, position, "device name", value);
      return c10::Device(stringOf(env, value, op.name.c_str()));
    }
    case c10::TypeKind::GeneratorType: {
      auto* box = unbox<GeneratorBox>(env, value, kGeneratorMagic);
      if (box == nullptr) wrongArgument(env, op, position, "Generator", value);
      return box->generator;
    }
    case c10::TypeKind::ListType: {
      const auto& element = type->castRaw<c10::ListType>()->getElementType();
      switch (element->kind()) {
        case c10::TypeKind::TensorType:
          return convertList<at::Tensor>(env, op, position, value, "array of Tensor",
                                         [&](napi_value one) { return tensorArgument(env, op, position, one); });
        case c10::TypeKind::IntType:
        case c10::TypeKind::SymIntType:
          return convertList<int64_t>(env, op, position, value, "array of integers", [&](napi_value one) {
            return convertInteger(env, op, position, one).toInt();
          });
        case c10::TypeKind::FloatType:
          return convertList<double>(env, op, position, value, "array of numbers", [&](napi_value one) {
            double number;
            if (napi_get_value_double(env, one, &number) != napi_ok) wrongArgument(env, op, position, "number", one);
            return number;
          });
        case c10::TypeKind::BoolType:
          return convertList<bool>(env, op, position, value, "array of booleans", [&](napi_value one) {
            bool flag;
            if (napi_get_value_bool(env, one, &flag) != napi_ok) wrongArgument(env, op, position, "boolean", one);
            return flag;
          });
        case c10::TypeKind::OptionalType:
          return convertList<std::optional<at::Tensor>>(
              env, op, position, value, "array of Tensor or null", [&](napi_value one) -> std::optional<at::Tensor> {
                if (isAbsent(env, one)) return std::nullopt;
                return tensorArgument(env, op, position, one);
              });
        default: break;
      }
      [[fallthrough]];
    }
    default:
      throw ArgumentError{op.name + " argument \"" + op.arguments[position].name + "\": type " + type->str() +
                          " cannot be given from JavaScript"};
  }
}

/// The commonest conversions with one Node-API call each; false leaves the value to `convert`.
bool convertQuickly(napi_env env, const Argument& argument, napi_value value, torch::jit::Stack& stack) {
  switch (argument.kind) {
    case c10::TypeKind::TensorType: {
      auto* box = unbox<Box>(env, value, kTensorMagic);
      if (box == nullptr || !box->tensor.defined()) return false;
      stack.emplace_back(box->tensor);
      return true;
    }
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: {
      int64_t number;
      if (argument.real != c10::TypeKind::IntType && argument.real != c10::TypeKind::SymIntType) return false;
      if (!integerOf(env, value, &number)) return false;
      stack.emplace_back(number);
      return true;
    }
    case c10::TypeKind::FloatType: {
      double number;
      if (napi_get_value_double(env, value, &number) != napi_ok) return false;
      stack.emplace_back(number);
      return true;
    }
    case c10::TypeKind::NumberType: {
      double number;
      if (napi_get_value_double(env, value, &number) != napi_ok) return false;
      const bool whole = std::abs(number) <= 9007199254740992.0 && number == std::trunc(number);
      stack.emplace_back(whole ? at::Scalar(static_cast<int64_t>(number)) : at::Scalar(number));
      return true;
    }
    default: return false;
  }
}

/// The stack of the latest call of this thread, emptied: saves an allocation. Taken, not shared: a getter of an array
/// that is being converted may call again.
thread_local torch::jit::Stack spareStack;

struct LentStack {
  torch::jit::Stack stack = std::move(spareStack);
  ~LentStack() {
    stack.clear();
    spareStack = std::move(stack);
  }
};

napi_value fromIValue(napi_env env, const c10::IValue& value) {
  if (value.isTensor()) return wrap(env, value.toTensor());
  if (value.isInt()) return makeNumber(env, static_cast<double>(value.toInt()));
  if (value.isDouble()) return makeNumber(env, value.toDouble());
  if (value.isBool()) return makeBoolean(env, value.toBool());
  if (value.isTensorList()) return wrapAll(env, value.toTensorVector());
  if (value.isNone()) return makeUndefined(env);
  if (value.isScalar()) return makeNumber(env, value.toScalar().toDouble());
  if (value.isString()) return makeString(env, value.toStringRef());
  if (value.isList()) {
    const auto list = value.toListRef();
    napi_value array;
    check(napi_create_array_with_length(env, list.size(), &array));
    for (size_t i = 0; i < list.size(); i++) check(napi_set_element(env, array, i, fromIValue(env, list[i])));
    return array;
  }
  throw ArgumentError{"a result of type " + value.tagKind() + " cannot be given to JavaScript"};
}

/// resolve(name, overload) → {id, schema, inPlace}
napi_value resolve(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<2>(env, info);
    const auto name = stringOf(env, arguments[0], "resolve name");
    const auto overload = stringOf(env, arguments[1], "resolve overload");
    const auto full = overload.empty() ? name : name + "." + overload;
    std::lock_guard<std::mutex> lock(tableMutex);
    size_t id;
    const auto known = indexOf.find(full);
    if (known != indexOf.end()) {
      id = known->second;
    } else {
      const auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
      if (!handle) throw ArgumentError{full + ": this libtorch has no such operator"};
      if (indexOf.size() == kMostOperators) throw ArgumentError{full + ": too many operators"};
      const auto& schema = handle->schema();
      if (schema.arguments().size() > kMostArguments) throw ArgumentError{full + ": too many arguments"};
      auto op = std::make_unique<Operator>(Operator{*handle, full, {}, false});
      for (const auto& argument : schema.arguments()) {
        Argument entry;
        entry.name = argument.name();
        entry.type = argument.type();
        entry.kind = entry.type->kind() == c10::TypeKind::OptionalType
                         ? entry.type->castRaw<c10::OptionalType>()->getElementType()->kind()
                         : entry.type->kind();
        auto real = argument.real_type();
        if (real->kind() == c10::TypeKind::OptionalType) real = real->castRaw<c10::OptionalType>()->getElementType();
        entry.real = real->kind();
        entry.repeat = argument.N().value_or(0);
        entry.hasDefault = argument.default_value().has_value();
        if (entry.hasDefault) entry.defaultValue = *argument.default_value();
        op->arguments.push_back(std::move(entry));
      }
      op->inPlace = schema.returns().size() == 1 && schema.returns()[0].alias_info() != nullptr &&
                    schema.returns()[0].alias_info()->isWrite() && !schema.arguments().empty() &&
                    schema.arguments()[0].alias_info() != nullptr && schema.arguments()[0].alias_info()->isWrite();
      id = indexOf.size();
      table[id].store(op.release(), std::memory_order_release);
      indexOf.emplace(full, id);
    }
    const Operator& op = *table[id].load(std::memory_order_acquire);
    napi_value result;
    check(napi_create_object(env, &result));
    check(napi_set_named_property(env, result, "id", makeNumber(env, static_cast<double>(id))));
    check(napi_set_named_property(env, result, "inPlace", makeBoolean(env, op.inPlace)));
    check(napi_set_named_property(env, result, "schema", makeString(env, c10::toString(op.handle.schema()))));
    return result;
  });
}

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

/// call(id, an emptied External or nothing, …arguments in the order of the schema) → the result, in the External where
/// it is one tensor; nothing for in-place operators
napi_value call(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    constexpr size_t kFirst = 2;
    napi_value values[kMostArguments + kFirst];
    size_t count = kMostArguments + kFirst;
    check(napi_get_cb_info(env, info, &count, values, nullptr, nullptr));
    uint32_t id = kMostOperators;
    if (count < kFirst || napi_get_value_uint32(env, values[0], &id) != napi_ok || id >= kMostOperators)
      throw ArgumentError{"call: expected the id of an operator, received another value"};
    const Operator* op = table[id].load(std::memory_order_acquire);
    if (op == nullptr) throw ArgumentError{"call: expected the id of an operator, received another value"};
    const size_t given = count - kFirst;
    if (given > op->arguments.size())
      throw ArgumentError{op->name + ": expected at most " + std::to_string(op->arguments.size()) +
                          " arguments, received " + std::to_string(given)};
    LentStack lent;
    auto& stack = lent.stack;
    stack.reserve(op->arguments.size());
    for (size_t i = 0; i < op->arguments.size(); i++) {
      const auto& argument = op->arguments[i];
      if (i < given && convertQuickly(env, argument, values[i + kFirst], stack)) continue;
      const bool absent = i >= given || typeOf(env, values[i + kFirst]) == napi_undefined;
      if (!absent) {
        stack.push_back(convert(env, *op, i, argument.type, values[i + kFirst]));
      } else if (argument.hasDefault) {
        stack.push_back(argument.defaultValue);
      } else if (argument.type->kind() == c10::TypeKind::OptionalType) {
        stack.emplace_back();
      } else {
        throw ArgumentError{op->name + " argument " + std::to_string(i + 1) + " \"" + argument.name +
                            "\": expected " + argument.type->str() + ", received nothing"};
      }
    }
    op->handle.callBoxed(&stack);
    if (op->inPlace || stack.empty()) return makeUndefined(env);
    if (stack.size() == 1 && stack[0].isTensor()) return wrapInto(env, values[1], std::move(stack[0]).toTensor());
    if (stack.size() == 1) return fromIValue(env, stack[0]);
    napi_value array;
    check(napi_create_array_with_length(env, stack.size(), &array));
    for (size_t i = 0; i < stack.size(); i++) check(napi_set_element(env, array, i, fromIValue(env, stack[i])));
    return array;
  });
}

// ---- memory of tensors ----------------------------------------------------------------------------------------------

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
    auto tensor = at::empty(shape, at::TensorOptions().dtype(dtype));
    if (length > 0) std::memcpy(tensor.mutable_data_ptr(), bytes, length);
    return wrap(env, std::move(tensor));
  });
}

/// toBytes(tensor) → ArrayBuffer with the elements in row-major order
napi_value toBytes(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<1>(env, info);
    const auto tensor = tensorOf(env, arguments[0], "toBytes").detach().to(at::kCPU).contiguous();
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
    return makeNumber(env, tensor.item().toDouble());
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

// ---- autograd -------------------------------------------------------------------------------------------------------

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

// ---- generators, threads, devices -----------------------------------------------------------------------------------

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

napi_value initialise(napi_env env, napi_value exports) {
#ifdef __GLIBC__
  // Training frees and takes the same megabytes at every step: keep them instead of returning them to the system.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
#endif
  const std::pair<const char*, napi_callback> functions[] = {
      {"resolve", resolve},         {"call", call},
      {"vacant", vacant},
      {"fromBytes", fromBytes},     {"toBytes", toBytes},
      {"item", item},               {"describe", describe},
      {"dispose", dispose},         {"livingTensors", livingTensors},
      {"requiresGrad", requiresGrad}, {"backward", backward},
      {"gradients", gradients},     {"gradOf", gradOf},
      {"setGrad", setGrad},         {"gradMode", gradMode},
      {"autocast", autocast},       {"generator", makeGenerator},
      {"seedGenerator", seedGenerator}, {"generatorState", generatorState},
      {"threads", threads},         {"library", library},
      {"tf32", tf32},
  };
  for (const auto& [name, callback] : functions) {
    napi_value function;
    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function) != napi_ok) return nullptr;
    if (napi_set_named_property(env, exports, name, function) != napi_ok) return nullptr;
  }
  addProcessGroups(env, exports);
  return exports;
}

}  // namespace

NAPI_MODULE(attune, initialise)
