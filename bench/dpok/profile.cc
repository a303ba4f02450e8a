// Time by operator, forward and backward: an observer of libtorch's dispatcher. See profile.ts.
#define NAPI_EXPERIMENTAL
#include <node_api.h>

#include <ATen/record_function.h>

#include <ctime>
#include <map>
#include <string>
#include <vector>

namespace {

/// Of this thread on a processor: what else the machine does is not counted.
double cpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Spent {
  double calls = 0, seconds = 0;
};
struct Running {
  double begin;
  double inside = 0;
};

std::map<std::string, Spent> spent;
std::vector<Running> running;
at::CallbackHandle handle;

std::unique_ptr<at::ObserverContext> enter(const at::RecordFunction&) {
  running.push_back({cpuSeconds()});
  return nullptr;
}

/// An operator's own time, without that of the operators which it calls.
void leave(const at::RecordFunction& function, at::ObserverContext*) {
  if (running.empty()) return;
  const double all = cpuSeconds() - running.back().begin;
  auto& entry = spent[function.name()];
  entry.calls += 1;
  entry.seconds += all - running.back().inside;
  running.pop_back();
  if (!running.empty()) running.back().inside += all;
}

napi_value start(napi_env, napi_callback_info) {
  spent.clear();
  running.clear();
  handle = at::addGlobalCallback(at::RecordFunctionCallback(enter, leave).scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
  return nullptr;
}

/// → [name, calls, seconds] of each operator
napi_value stop(napi_env env, napi_callback_info) {
  at::removeCallback(handle);
  napi_value rows;
  napi_create_array(env, &rows);
  uint32_t place = 0;
  for (const auto& [name, entry] : spent) {
    napi_value row, text, calls, seconds;
    napi_create_array_with_length(env, 3, &row);
    napi_create_string_utf8(env, name.c_str(), NAPI_AUTO_LENGTH, &text);
    napi_create_double(env, entry.calls, &calls);
    napi_create_double(env, entry.seconds, &seconds);
    napi_set_element(env, row, 0, text);
    napi_set_element(env, row, 1, calls);
    napi_set_element(env, row, 2, seconds);
    napi_set_element(env, rows, place++, row);
  }
  return rows;
}

napi_value initialise(napi_env env, napi_value exports) {
  for (const auto& [name, callback] : {std::pair<const char*, napi_callback>{"start", start}, {"stop", stop}}) {
    napi_value function;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
    napi_set_named_property(env, exports, name, function);
  }
  return exports;
}

}  // namespace

NAPI_MODULE(profile, initialise)
