#pragma once
#include <node_api.h>

/// Adds `holdEnd` and `isEndAsked` to the exports.
void addSignals(napi_env env, napi_value exports);
