// SIGTERM while something is under way that is to be finished first. JavaScript hears of a signal between two turns of its
// loop, which a step of a training does not let come; this handler hears at once, and only takes note.
#include "signals.h"

#include <csignal>
#include <ctime>

#include <unistd.h>

namespace {

/// Schedulers and launchers pass the same signal on: what comes so soon after the first is no second one.
constexpr double sameSeconds = 0.5;

volatile std::sig_atomic_t isAsked = 0;
/// Whether the process that started this one ends it where the signal comes again.
volatile std::sig_atomic_t isPassedOn = 0;
volatile double askedAt = 0;

struct sigaction before;
bool isHeld = false;

double now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void hear(int signal) {
  if (isAsked == 0) {
    askedAt = now();
    isAsked = 1;
  } else if (isPassedOn == 0 && now() - askedAt > sameSeconds) {
    _exit(128 + signal);
  }
}

/// holdEnd(whether, isPassedOn): from now on SIGTERM does not end this process, and does so again
napi_value holdEnd(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  size_t count = 2;
  bool wanted = false, passedOn = false;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  napi_get_value_bool(env, arguments[0], &wanted);
  napi_get_value_bool(env, arguments[1], &passedOn);
  isPassedOn = passedOn ? 1 : 0;
  if (wanted != isHeld) {
    struct sigaction own {};
    own.sa_handler = hear;
    own.sa_flags = SA_RESTART;
    sigemptyset(&own.sa_mask);
    if (wanted) sigaction(SIGTERM, &own, &before);
    else sigaction(SIGTERM, &before, nullptr);
    isHeld = wanted;
  }
  return nullptr;
}

/// isEndAsked(): whether SIGTERM came while it was held
napi_value isEndAsked(napi_env env, napi_callback_info) {
  napi_value asked;
  napi_get_boolean(env, isAsked != 0, &asked);
  return asked;
}

}  // namespace

void addSignals(napi_env env, napi_value exports) {
  // What a signal does by itself, it does not to the first process of a container.
  if (getpid() == 1) std::signal(SIGTERM, [](int signal) { _exit(128 + signal); });
  napi_value function;
  napi_create_function(env, "holdEnd", NAPI_AUTO_LENGTH, holdEnd, nullptr, &function);
  napi_set_named_property(env, exports, "holdEnd", function);
  napi_create_function(env, "isEndAsked", NAPI_AUTO_LENGTH, isEndAsked, nullptr, &function);
  napi_set_named_property(env, exports, "isEndAsked", function);
}
