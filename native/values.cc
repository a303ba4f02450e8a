// Reads and makes values of JavaScript through Node-API.
#include "values.h"

#include <c10/util/Exception.h>

#include <new>

namespace attune {
namespace {

/// What of a message of libtorch's is worth telling.
std::string firstLine(const std::string& text) {
  const bool missingBackend = text.find("Could not run '") != std::string::npos;
  const auto end = missingBackend ? text.find(". ") : std::string::npos;
  return end == std::string::npos ? text : text.substr(0, end);
}

/// Whether it is memory that was lacking: of libtorch's own kinds, or what the libraries below it say.
bool isMemory(const std::string& text) {
  for (const char* sign : {"can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED", "out_of_memory", "bad_alloc"})
    if (text.find(sign) != std::string::npos) return true;
  return false;
}

void throwOperator(napi_env env, const std::string& text) {
  napi_throw_error(env, isMemory(text) ? "ATTUNE_MEMORY" : "ATTUNE_OPERATOR", firstLine(text).c_str());
}

}  // namespace

napi_value thrown(napi_env env) {
  try {
    throw;
  } catch (const ArgumentError& error) {
    napi_throw_type_error(env, "ATTUNE_ARGUMENT", error.message.c_str());
  } catch (const NodeError&) {
    bool pending = false;
    napi_is_exception_pending(env, &pending);
    if (!pending) napi_throw_error(env, "ATTUNE_NODE", "a call into Node-API failed");
  } catch (const c10::OutOfMemoryError& error) {
    napi_throw_error(env, "ATTUNE_MEMORY", error.what_without_backtrace());
  } catch (const c10::Error& error) {
    throwOperator(env, error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    napi_throw_error(env, "ATTUNE_MEMORY", "the host has no more memory");
  } catch (const std::exception& error) {
    throwOperator(env, error.what());
  }
  return nullptr;
}

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

bool flagOf(napi_env env, napi_value value, const char* where) {
  bool flag = false;
  if (!isAbsent(env, value) && napi_get_value_bool(env, value, &flag) != napi_ok)
    throw ArgumentError{std::string(where) + ": expected boolean, received " + typeName(env, value)};
  return flag;
}

std::vector<napi_value> elementsOf(napi_env env, napi_value value) {
  uint32_t length = 0;
  if (napi_get_array_length(env, value, &length) != napi_ok)
    throw ArgumentError{std::string("add-on: expected array, received ") + typeName(env, value)};
  std::vector<napi_value> elements(length);
  for (uint32_t i = 0; i < length; i++) check(napi_get_element(env, value, i, &elements[i]));
  return elements;
}

bool addFunctions(napi_env env, napi_value exports, std::initializer_list<std::pair<const char*, napi_callback>> functions) {
  for (const auto& [name, callback] : functions) {
    napi_value function;
    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function) != napi_ok) return false;
    if (napi_set_named_property(env, exports, name, function) != napi_ok) return false;
  }
  return true;
}

}  // namespace attune
