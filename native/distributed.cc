// Process groups of libtorch (c10d): the store by which the processes of a group find and tell each other, and the group
// itself, which is registered under a name. Its collectives are operators (`_c10d_functional::*`) that operators.cc calls as
// any other. A process is in one group at a time.
#include <node_api.h>

#include "distributed.h"

#ifdef ATTUNE_GLOO
#define USE_C10D_GLOO 1
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/GroupRegistry.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef ATTUNE_NCCL
#define USE_C10D_NCCL 1
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <array>
#include <cstdlib>
#include <string>

namespace {

using Milliseconds = std::chrono::milliseconds;

const std::string groupName = "world";

// Never destroyed at the exit of the process: threads of theirs may be waiting in them.
auto& theStore = *new c10::intrusive_ptr<c10d::Store>;
auto& theGroup = *new c10::intrusive_ptr<c10d::ProcessGroup>;

c10d::Store& store() {
  if (!theStore) throw std::runtime_error("no store is open");
  return *theStore;
}

/// The first line: what follows is libtorch's own stack.
template <typename Body>
napi_value guarded(napi_env env, Body&& body) {
  std::string message;
  try {
    return body();
  } catch (const c10::Error& error) {
    message = error.what_without_backtrace();
  } catch (const std::exception& error) {
    message = error.what();
  }
  napi_throw_error(env, "ATTUNE_GROUP", message.substr(0, message.find('\n')).c_str());
  return nullptr;
}

template <size_t N>
std::array<napi_value, N> argumentsOf(napi_env env, napi_callback_info info) {
  std::array<napi_value, N> values{};
  size_t count = N;
  napi_get_cb_info(env, info, &count, values.data(), nullptr, nullptr);
  return values;
}

std::string textOf(napi_env env, napi_value value) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) throw std::runtime_error("expected a string");
  std::string text(length, '\0');
  napi_get_value_string_utf8(env, value, text.data(), length + 1, &length);
  return text;
}

int64_t wholeOf(napi_env env, napi_value value) {
  int64_t number = 0;
  if (napi_get_value_int64(env, value, &number) != napi_ok) throw std::runtime_error("expected a number");
  return number;
}

napi_value nothing(napi_env env) {
  napi_value value;
  napi_get_undefined(env, &value);
  return value;
}

napi_value makeText(napi_env env, const std::string& text) {
  napi_value value;
  napi_create_string_utf8(env, text.data(), text.size(), &value);
  return value;
}

/// openStore(address, prefix, size, serves, timeout ms); address is `file:///path` or `tcp://host:port`, which one process
/// serves to the others
napi_value openStore(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<5>(env, info);
    const auto address = textOf(env, arguments[0]), prefix = textOf(env, arguments[1]);
    const auto size = wholeOf(env, arguments[2]);
    bool serves = false;
    napi_get_value_bool(env, arguments[3], &serves);
    const Milliseconds timeout(wholeOf(env, arguments[4]));
    c10::intrusive_ptr<c10d::Store> opened;
    if (address.rfind("tcp://", 0) == 0) {
      const auto colon = address.rfind(':');
      c10d::TCPStoreOptions options;
      options.port = static_cast<uint16_t>(std::stoi(address.substr(colon + 1)));
      options.isServer = serves;
      options.numWorkers = static_cast<size_t>(size);
      options.waitWorkers = false;
      options.timeout = timeout;
      opened = c10::make_intrusive<c10d::TCPStore>(address.substr(6, colon - 6), options);
    } else {
      opened = c10::make_intrusive<c10d::FileStore>(address.substr(7), static_cast<int>(size));
    }
    opened->setTimeout(timeout);
    theStore = c10::make_intrusive<c10d::PrefixStore>(prefix, opened);
    return nothing(env);
  });
}

napi_value storeSet(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<2>(env, info);
    store().set(textOf(env, arguments[0]), textOf(env, arguments[1]));
    return nothing(env);
  });
}

/// storeGet(key) → its text, or undefined where nobody has set it yet; never waits
napi_value storeGet(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto key = textOf(env, argumentsOf<1>(env, info)[0]);
    if (!store().check({key})) return nothing(env);
    return makeText(env, store().get_to_str(key));
  });
}

/// storeAdd(key, number) → the sum of all that was added under this key
napi_value storeAdd(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<2>(env, info);
    napi_value sum;
    napi_create_int64(env, store().add(textOf(env, arguments[0]), wholeOf(env, arguments[1])), &sum);
    return sum;
  });
}

/// joinGroup(rank, size, timeout ms of a collective, whether tensors of GPUs are to be reduced where they lie) → the
/// libraries that do it: `gloo` or `gloo,nccl`. Blocks until all have connected.
napi_value joinGroup(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto arguments = argumentsOf<4>(env, info);
    const int rank = static_cast<int>(wholeOf(env, arguments[0])), size = static_cast<int>(wholeOf(env, arguments[1]));
    const Milliseconds timeout(wholeOf(env, arguments[2]));
    bool onGpu = false;
    napi_get_value_bool(env, arguments[3], &onGpu);
    store();
    const auto under = [&](const char* prefix) { return c10::make_intrusive<c10d::PrefixStore>(prefix, theStore); };
    auto group = c10::make_intrusive<c10d::ProcessGroup>(under("group"), rank, size);
    auto options = c10d::ProcessGroupGloo::Options::create(timeout);
    // By the address of the host's name; where that is not the network between the machines, its interface is named.
    const char* network = std::getenv("GLOO_SOCKET_IFNAME");
    options->devices.push_back(network != nullptr && *network != '\0'
                                   ? c10d::ProcessGroupGloo::createDeviceForInterface(network)
                                   : c10d::ProcessGroupGloo::createDefaultDevice());
    group->setBackend(c10::DeviceType::CPU, c10d::ProcessGroup::BackendType::GLOO,
                      c10::make_intrusive<c10d::ProcessGroupGloo>(under("gloo"), rank, size, options));
    group->setDefaultBackend(c10d::ProcessGroup::BackendType::GLOO);
    std::string libraries = "gloo";
#ifdef ATTUNE_NCCL
    if (onGpu && at::globalContext().hasCUDA()) {
      auto ncclOptions = c10d::ProcessGroupNCCL::Options::create();
      ncclOptions->timeout = timeout;
      group->setBackend(c10::DeviceType::CUDA, c10d::ProcessGroup::BackendType::NCCL,
                        c10::make_intrusive<c10d::ProcessGroupNCCL>(under("nccl"), rank, size, ncclOptions));
      libraries += ",nccl";
    }
#endif
    group->setGroupName(groupName);
    c10d::register_process_group(groupName, group);
    theGroup = group;
    return makeText(env, libraries);
  });
}

/// leaveGroup(): closes the connections, which those who wait for this process hear of; the store stays open
napi_value leaveGroup(napi_env env, napi_callback_info) {
  return guarded(env, [&] {
    if (theGroup) c10d::unregister_process_group(groupName);
    theGroup.reset();
    return nothing(env);
  });
}

napi_value closeStore(napi_env env, napi_callback_info) {
  return guarded(env, [&] {
    theStore.reset();
    return nothing(env);
  });
}

}  // namespace

void addProcessGroups(napi_env env, napi_value exports) {
  const std::pair<const char*, napi_callback> functions[] = {
      {"openStore", openStore}, {"storeSet", storeSet},     {"storeGet", storeGet},     {"storeAdd", storeAdd},
      {"joinGroup", joinGroup}, {"leaveGroup", leaveGroup}, {"closeStore", closeStore},
  };
  for (const auto& [name, callback] : functions) {
    napi_value function;
    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function) != napi_ok) return;
    if (napi_set_named_property(env, exports, name, function) != napi_ok) return;
  }
}

#else

void addProcessGroups(napi_env, napi_value) {}

#endif
