// SIGTERM while something is under way that is to be finished first. JavaScript hears of a signal between two turns of its
// loop, which a step of a training does not let come; this handler hears at once, and only takes note.
#include <csignal>
#include <ctime>

#include <unistd.h>

#include "values.h"

namespace attune {
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
  return guarded(env, [&] {
    const auto arguments = argumentsOf<2>(env, info);
    const bool wanted = flagOf(env, arguments[0], "holdEnd");
    isPassedOn = flagOf(env, arguments[1], "holdEnd isPassedOn") ? 1 : 0;
    if (wanted != isHeld) {
      struct sigaction own {};
      own.sa_handler = hear;
      own.sa_flags = SA_RESTART;
      sigemptyset(&own.sa_mask);
      if (wanted) sigaction(SIGTERM, &own, &before);
      else sigaction(SIGTERM, &before, nullptr);
      isHeld = wanted;
    }
    return makeUndefined(env);
  });
}

/// isEndAsked(): whether SIGTERM came while it was held
napi_value isEndAsked(napi_env env, napi_callback_info) {
  return guarded(env, [&] { return makeBoolean(env, isAsked != 0); });
}

}  // namespace

bool addSignals(napi_env env, napi_value exports) {
  // What a signal does by itself, it does not to the first process of a container.
  if (getpid() == 1) std::signal(SIGTERM, [](int signal) { _exit(128 + signal); });
  return addFunctions(env, exports, {{"holdEnd", holdEnd}, {"isEndAsked", isEndAsked}});
}

}  // namespace attune
