// The functions of process groups, where this libtorch has them; see distributed.cc.
#pragma once
#include <node_api.h>

void addProcessGroups(napi_env env, napi_value exports);
