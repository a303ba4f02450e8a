// Process groups of libtorch (c10d): the store by which the processes of a group find and tell each other, and the group
// itself, which is registered under a name. Its collectives are operators (`_c10d_functional::*`) that operators.cc calls as
// any other. A process is in one group at a time.
#include "exports.h"

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

#include <cstdlib>

#include "values.h"

namespace attune {
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

/// As `guarded`, with the first line of what went wrong: what follows is libtorch's own stack.
template <typename Body>
napi_value exchanging(napi_env env, Body&& body) {
  return guarded(env, [&]() -> napi_value {
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
  });
}

int64_t wholeOf(napi_env env, napi_value value, const char* where) {
  int64_t number = 0;
  if (!integerOf(env, value, &number))
    throw ArgumentError{std::string(where) + ": expected a whole number, received " + typeName(env, value)};
  return number;
}

/// openStore(address, prefix, size, serves, timeout ms); address is `file:///path` or `tcp://host:port`, which one process
/// serves to the others
napi_value openStore(napi_env env, napi_callback_info info) {
  return exchanging(env, [&] {
    const auto arguments = argumentsOf<5>(env, info);
    const auto address = stringOf(env, arguments[0], "openStore address"), prefix = stringOf(env, arguments[1], "openStore prefix");
    const auto size = wholeOf(env, arguments[2], "openStore size");
    const bool serves = flagOf(env, arguments[3], "openStore serves");
    const Milliseconds timeout(wholeOf(env, arguments[4], "openStore timeout"));
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
    return makeUndefined(env);
  });
}

napi_value storeSet(napi_env env, napi_callback_info info) {
  return exchanging(env, [&] {
    const auto arguments = argumentsOf<2>(env, info);
    store().set(stringOf(env, arguments[0], "storeSet key"), stringOf(env, arguments[1], "storeSet text"));
    return makeUndefined(env);
  });
}

/// storeGet(key) → its text, or undefined where nobody has set it yet; never waits
napi_value storeGet(napi_env env, napi_callback_info info) {
  return exchanging(env, [&] {
    const auto key = stringOf(env, argumentsOf<1>(env, info)[0], "storeGet key");
    if (!store().check({key})) return makeUndefined(env);
    return makeString(env, store().get_to_str(key));
  });
}

/// storeAdd(key, number) → the sum of all that was added under this key
napi_value storeAdd(napi_env env, napi_callback_info info) {
  return exchanging(env, [&] {
    const auto arguments = argumentsOf<2>(env, info);
    const auto key = stringOf(env, arguments[0], "storeAdd key");
    return makeNumber(env, static_cast<double>(store().add(key, wholeOf(env, arguments[1], "storeAdd number"))));
  });
}

/// joinGroup(rank, size, timeout ms of a collective, whether tensors of GPUs are to be reduced where they lie) → the
/// libraries that do it: `gloo` or `gloo,nccl`. Blocks until all have connected.
napi_value joinGroup(napi_env env, napi_callback_info info) {
  return exchanging(env, [&] {
    const auto arguments = argumentsOf<4>(env, info);
    const auto rank = static_cast<int>(wholeOf(env, arguments[0], "joinGroup rank"));
    const auto size = static_cast<int>(wholeOf(env, arguments[1], "joinGroup size"));
    const Milliseconds timeout(wholeOf(env, arguments[2], "joinGroup timeout"));
    [[maybe_unused]] const bool onGpu = flagOf(env, arguments[3], "joinGroup onGpu");
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
    return makeString(env, libraries);
  });
}

/// leaveGroup(): closes the connections, which those who wait for this process hear of; the store stays open
napi_value leaveGroup(napi_env env, napi_callback_info) {
  return exchanging(env, [&] {
    if (theGroup) c10d::unregister_process_group(groupName);
    theGroup.reset();
    return makeUndefined(env);
  });
}

napi_value closeStore(napi_env env, napi_callback_info) {
  return exchanging(env, [&] {
    theStore.reset();
    return makeUndefined(env);
  });
}

}  // namespace

bool addProcessGroups(napi_env env, napi_value exports) {
  return addFunctions(env, exports, {
      {"openStore", openStore}, {"storeSet", storeSet}, {"storeGet", storeGet}, {"storeAdd", storeAdd},
      {"joinGroup", joinGroup}, {"leaveGroup", leaveGroup}, {"closeStore", closeStore},
  });
}

}  // namespace attune

#else

bool attune::addProcessGroups(napi_env, napi_value) { return true; }

#endif
