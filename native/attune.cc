// Attune's add-on as Node loads it.
#include "exports.h"
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace {

napi_value initialise(napi_env env, napi_value exports) {
#ifdef __GLIBC__
  // Training frees and takes the same megabytes at every step: keep them instead of returning them to the system.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
#endif
  const bool added = attune::addOperators(env, exports) && attune::addTensors(env, exports) &&
                     attune::addAutograd(env, exports) && attune::addRuntime(env, exports) &&
                     attune::addMemory(env, exports) && attune::addProcessGroups(env, exports) && attune::addSignals(env, exports);
  return added ? exports : nullptr;
}

}  // namespace

NAPI_MODULE(attune, initialise)
