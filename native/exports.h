// What each file adds to the exports of the add-on; false where Node refuses.
#pragma once
#define NAPI_EXPERIMENTAL
#include <node_api.h>

namespace attune {

/// resolve, call
bool addOperators(napi_env env, napi_value exports);

/// vacant, fromBytes, toBytes, item, describe, dispose, livingTensors
bool addTensors(napi_env env, napi_value exports);

/// requiresGrad, backward, gradients, gradOf, setGrad, gradMode, autocast
bool addAutograd(napi_env env, napi_value exports);

/// generator, seedGenerator, generatorState, threads, tf32, deterministic, library, gpuTrouble
bool addRuntime(napi_env env, napi_value exports);

/// deviceMemory, emptyCache, countedBytes
bool addMemory(napi_env env, napi_value exports);

/// openStore, storeSet, storeGet, storeAdd, joinGroup, leaveGroup, closeStore; nothing where this libtorch has no groups
bool addProcessGroups(napi_env env, napi_value exports);

/// holdEnd, isEndAsked
bool addSignals(napi_env env, napi_value exports);

}  // namespace attune
