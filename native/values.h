// What JavaScript gives the add-on and gets from it: errors, numbers, texts and arrays. A function of the add-on reads its
// arguments with these and runs within `guarded`. Nothing of libtorch is included here: its headers take seconds each.
#pragma once
#include <array>
#include <cmath>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "exports.h"

namespace attune {

/// A wrong argument, found before the operator ran.
struct ArgumentError {
  std::string message;
};

/// A call into Node-API failed; usually an exception is pending already.
struct NodeError {};

inline void check(napi_status status) {
  if (status != napi_ok) throw NodeError{};
}

/// Throws in JavaScript what is being handled in C++.
napi_value thrown(napi_env env);

/// Runs `body`; turns every C++ exception into a JavaScript one.
template <typename Body>
napi_value guarded(napi_env env, Body&& body) {
  try {
    return body();
  } catch (...) {
    return thrown(env);
  }
}

napi_valuetype typeOf(napi_env env, napi_value value);
const char* typeName(napi_env env, napi_value value);
bool isAbsent(napi_env env, napi_value value);

napi_value makeNumber(napi_env env, double number);
napi_value makeBoolean(napi_env env, bool flag);
napi_value makeString(napi_env env, const std::string& text);
napi_value makeUndefined(napi_env env);

std::string stringOf(napi_env env, napi_value value, const char* where);

inline bool integerOf(napi_env env, napi_value value, int64_t* result) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok) return false;
  if (!(std::abs(number) <= 9007199254740992.0) || number != std::trunc(number)) return false;
  *result = static_cast<int64_t>(number);
  return true;
}

/// false where it is absent
bool flagOf(napi_env env, napi_value value, const char* where);

std::vector<napi_value> elementsOf(napi_env env, napi_value value);

template <size_t N>
std::array<napi_value, N> argumentsOf(napi_env env, napi_callback_info info) {
  std::array<napi_value, N> values{};
  size_t count = N;
  check(napi_get_cb_info(env, info, &count, values.data(), nullptr, nullptr));
  return values;
}

bool addFunctions(napi_env env, napi_value exports, std::initializer_list<std::pair<const char*, napi_callback>> functions);

}  // namespace attune
