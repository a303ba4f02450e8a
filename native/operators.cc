// Calls any ATen operator by name through the c10 dispatcher: values of JavaScript become what the operator's schema asks
// for, and its results values of JavaScript.
#include <ATen/core/dispatch/Dispatcher.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "tensors.h"

namespace attune {
namespace {

constexpr size_t kMostOperators = 8192;
constexpr size_t kMostArguments = 40;

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

}  // namespace

bool addOperators(napi_env env, napi_value exports) {
  return addFunctions(env, exports, {
      {"resolve", resolve}, {"call", call},
  });
}

}  // namespace attune
