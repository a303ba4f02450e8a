// A device that is none, for tests on machines without a GPU: the memory is the host's, under PyTorch's key PrivateUse1,
// and as with CUDA a tensor of the host has no place beside one of the device. Every operator is the CPU's over the same
// memory, so its numbers are the CPU's to the bit. What a GPU would have to copy or wait for is counted, and so is what its
// tensors hold, of which there may be too much.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/EmptyTensor.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/native/transformers/attention.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/core/impl/alloc_cpu.h>
#include <torch/library.h>

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#define NAPI_EXPERIMENTAL
#include <node_api.h>

#include "../versions.h"

namespace {

constexpr auto kFake = c10::DeviceType::PrivateUse1;
const c10::Device kDevice(kFake, 0);

using Count = std::atomic<int64_t>;
Count copiesUp, bytesUp, copiesDown, bytesDown, items, kernels, bytesHeld, bytesPeak;

bool isFake(const at::Tensor& tensor) { return tensor.defined() && tensor.device().type() == kFake; }

// ---- memory

const int64_t bytesInAll = [] {
  const char* text = std::getenv("FAKE_DEVICE_MEMORY");
  return text == nullptr ? std::numeric_limits<int64_t>::max() : static_cast<int64_t>(std::atof(text));
}();

/// Another program takes all that is free, once it is asked to or this file exists. It ends when a tensor has found no place.
std::atomic<bool> isTaken{false};
std::atomic<const char*> takenAfter{std::getenv("FAKE_DEVICE_TAKEN_AFTER")};

bool isFull() {
  const char* file = takenAfter;
  if (file != nullptr && access(file, F_OK) == 0 && takenAfter.compare_exchange_strong(file, nullptr)) isTaken = true;
  return isTaken.exchange(false);
}

/// Counts what a tensor holds. @throws c10::OutOfMemoryError as CUDA's allocator does
void hold(int64_t bytes) {
  if (bytes == 0) return;
  const int64_t held = bytesHeld += bytes;
  const bool isOthers = isFull();
  if (held > bytesInAll || isOthers) {
    bytesHeld -= bytes;
    const int64_t free = isOthers ? 0 : bytesInAll - held + bytes;
    TORCH_CHECK_WITH(OutOfMemoryError, false, "out of memory: tried to allocate ", bytes, " B of ", free, " B that are free");
  }
  for (auto peak = bytesPeak.load(); held > peak && !bytesPeak.compare_exchange_weak(peak, held);) {
  }
}

struct Block {
  void* memory;
  int64_t bytes;
};

void freeBlock(void* pointer) {
  auto* block = static_cast<Block*>(pointer);
  bytesHeld -= block->bytes;
  c10::free_cpu(block->memory);
  delete block;
}

#if ATTUNE_MEMORY_INFO
using AnyAllocator = c10::DeviceAllocator;
#else
using AnyAllocator = c10::Allocator;
#endif

struct Allocator final : AnyAllocator {
  c10::DataPtr allocate(size_t bytes) override {
    const auto size = static_cast<int64_t>(bytes);
    hold(size);
    void* memory = bytes == 0 ? nullptr : c10::alloc_cpu(bytes);
    return {memory, new Block{memory, size}, &freeBlock, kDevice};
  }
  c10::DeleterFnPtr raw_deleter() const override { return nullptr; }
  void copy_data(void* to, const void* from, std::size_t count) const override { default_copy_data(to, from, count); }

#if ATTUNE_MEMORY_INFO
  bool initialized() override { return true; }
  void emptyCache(c10::MempoolId_t) override {}
  void recordStream(const c10::DataPtr&, c10::Stream) override {}
  void resetAccumulatedStats(c10::DeviceIndex) override {}
  void resetPeakStats(c10::DeviceIndex) override { bytesPeak = bytesHeld.load(); }
  std::pair<size_t, size_t> getMemoryInfo(c10::DeviceIndex) override { return {bytesInAll - bytesHeld, bytesInAll}; }
  c10::CachingDeviceAllocator::DeviceStats getDeviceStats(c10::DeviceIndex) override {
    c10::CachingDeviceAllocator::DeviceStats stats;
    const auto all = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    for (auto* each : {&stats.allocated_bytes[all], &stats.reserved_bytes[all]}) {
      each->current = bytesHeld;
      each->peak = bytesPeak;
    }
    return stats;
  }
#endif
};
Allocator allocator;
REGISTER_ALLOCATOR(c10::DeviceType::PrivateUse1, &allocator)

// ---- what PyTorch asks of a device: one stream, on which nothing is ever behind

struct Guard final : c10::impl::NoOpDeviceGuardImpl<kFake> {
  c10::Stream only() const { return c10::Stream(c10::Stream::DEFAULT, kDevice); }
  c10::Device exchangeDevice(c10::Device) const override { return kDevice; }
  c10::Device getDevice() const override { return kDevice; }
  c10::Stream getStream(c10::Device) const noexcept override { return only(); }
  c10::Stream getNewStream(c10::Device, int) const override { return only(); }
  c10::Stream exchangeStream(c10::Stream) const noexcept override { return only(); }
  void record(void**, const c10::Stream&, const c10::DeviceIndex, const c10::EventFlag) const override {}
  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  void synchronizeDevice(const c10::DeviceIndex) const override {}
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard)

struct Generator final : at::CPUGeneratorImpl {
  explicit Generator(uint64_t seed) : at::CPUGeneratorImpl(seed) {
    device_ = kDevice;
    key_set_ = c10::DispatchKeySet(c10::DispatchKey::PrivateUse1);
  }
};

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
  at::Generator getNewGenerator(c10::DeviceIndex) const override {
    return at::make_generator<Generator>(c10::default_rng_seed_val);
  }
};

// ---- the same memory, seen from the other side

/// A storage that another one holds, and how much of the device's memory it takes.
struct Other {
  c10::Storage storage;
  int64_t bytes;
};

void freeOther(void* pointer) {
  auto* other = static_cast<Other*>(pointer);
  bytesHeld -= other->bytes;
  delete other;
}

/// The storage of the result holds that of `like`, and counts as so many bytes of the device.
at::Tensor seenAs(const at::Tensor& like, c10::Device device, c10::DispatchKey key, c10::Allocator* by, int64_t held) {
  c10::Storage storage = like.storage();
  void* memory = storage.mutable_data();
  const size_t bytes = storage.nbytes();
  hold(held);
  c10::DataPtr pointer(memory, new Other{std::move(storage), held}, &freeOther, device);
  c10::Storage seen(c10::Storage::use_byte_size_t(), bytes, std::move(pointer), by, true);
  auto tensor = at::detail::make_tensor<c10::TensorImpl>(std::move(seen), c10::DispatchKeySet(key), like.dtype());
  tensor.unsafeGetTensorImpl()->set_sizes_and_strides(like.sizes(), like.strides(), like.storage_offset());
  return tensor;
}
at::Tensor asHost(const at::Tensor& tensor) {
  return seenAs(tensor, c10::Device(c10::kCPU), c10::DispatchKey::CPU, c10::GetCPUAllocator(), 0);
}
/// What a kernel of the CPU has made.
at::Tensor asDevice(const at::Tensor& tensor) {
  return seenAs(tensor, kDevice, c10::DispatchKey::PrivateUse1, &allocator, static_cast<int64_t>(tensor.storage().nbytes()));
}

// ---- every operator

/// Whether CUDA takes a tensor of the host there: as a number, or as indices, which it then copies.
bool isWelcome(const at::Tensor& stranger, const std::string& operatorName) {
  if (stranger.dim() == 0 && stranger.is_cpu()) return true;
  if (operatorName != "aten::index" && operatorName != "aten::_index_put_impl_") return false;
  copiesUp++, bytesUp += stranger.numel() * stranger.element_size();
  return true;
}

/// Whether the size of the result depends on numbers that the host has to read.
bool isWaitedFor(const std::string& operatorName) {
  return operatorName == "aten::nonzero" || operatorName == "aten::masked_select" || operatorName == "aten::equal" ||
         operatorName == "aten::_unique2";
}

/// A call's tensors as both sides see them.
class Call {
 public:
  at::Tensor enter(const at::Tensor& tensor, bool isWritten) {
    if (!tensor.defined()) return tensor;
    if (!isFake(tensor)) {
      strangers_.push_back(tensor);
      return tensor;
    }
    for (auto& one : seen_)
      if (one.device.is_same(tensor)) {
        one.isWritten |= isWritten;
        return one.host;
      }
    auto host = asHost(tensor);
    seen_.push_back({tensor, host, host.storage().mutable_data(), isWritten});
    return host;
  }

  void expectOneDevice(const std::string& operatorName) const {
    if (seen_.empty()) return;
    for (const auto& stranger : strangers_)
      TORCH_CHECK(isWelcome(stranger, operatorName),
                  "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and ",
                  stranger.device(), "! (when calling ", operatorName, ")");
  }

  /// What was written may have another shape now, or other memory.
  void takeBack() {
    for (auto& one : seen_) {
      if (!one.isWritten) continue;
      auto* own = one.device.unsafeGetTensorImpl();
      if (one.host.storage().data() != one.memory) own->set_storage_keep_dtype(asDevice(one.host).storage());
      if (one.host.sizes() != one.device.sizes() || one.host.strides() != one.device.strides() ||
          one.host.storage_offset() != one.device.storage_offset())
        own->set_sizes_and_strides(one.host.sizes(), one.host.strides(), one.host.storage_offset());
    }
  }

  at::Tensor leave(const at::Tensor& tensor) const {
    if (!tensor.defined()) return tensor;
    for (const auto& one : seen_) {
      if (one.host.is_same(tensor)) return one.device;
      if (one.memory != nullptr && tensor.storage().data() == one.memory) return viewOf(one.device, tensor);
    }
    for (const auto& stranger : strangers_)
      if (stranger.is_same(tensor)) return tensor;
    return asDevice(tensor);
  }

 private:
  struct Seen {
    at::Tensor device, host;
    void* memory;
    bool isWritten;
  };
  std::vector<Seen> seen_;
  std::vector<at::Tensor> strangers_;

  /// With the keys of its base: autograd takes it for an inference tensor otherwise.
  static at::Tensor viewOf(const at::Tensor& base, const at::Tensor& like) {
    c10::Storage storage = base.storage();
    auto view = at::detail::make_tensor<c10::TensorImpl>(c10::TensorImpl::VIEW, std::move(storage), base.key_set(), like.dtype());
    view.unsafeGetTensorImpl()->set_sizes_and_strides(like.sizes(), like.strides(), like.storage_offset());
    return view;
  }
};

void runOnHost(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto& schema = op.schema();
  const auto& name = schema.operator_name().name;
  kernels++;
  if (isWaitedFor(name)) items++;
  Call call;
  const auto first = stack->size() - schema.arguments().size();
  for (size_t i = 0; i < schema.arguments().size(); i++) {
    auto& value = (*stack)[first + i];
    const auto* alias = schema.arguments()[i].alias_info();
    const bool isWritten = alias != nullptr && alias->isWrite();
    if (value.isTensor()) {
      value = call.enter(value.toTensor(), isWritten);
    } else if (value.isTensorList()) {
      std::vector<at::Tensor> hosts;
      for (const auto& tensor : value.toTensorVector()) hosts.push_back(call.enter(tensor, isWritten));
      value = c10::IValue(hosts);
    } else if (value.isOptionalTensorList()) {
      c10::List<std::optional<at::Tensor>> hosts;
      for (const std::optional<at::Tensor>& tensor : value.toOptionalTensorList())
        hosts.push_back(tensor.has_value() ? std::optional(call.enter(*tensor, isWritten)) : std::nullopt);
      value = c10::IValue(hosts);
    } else if (value.isDevice() && value.toDevice().type() == kFake) {
      value = c10::IValue(c10::Device(c10::kCPU));
    }
  }
  call.expectOneDevice(name);
  op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), stack);
  call.takeBack();
  for (size_t i = stack->size() - schema.returns().size(); i < stack->size(); i++) {
    auto& value = (*stack)[i];
    if (value.isTensor()) {
      value = call.leave(value.toTensor());
    } else if (value.isTensorList()) {
      std::vector<at::Tensor> devices;
      for (const auto& tensor : value.toTensorVector()) devices.push_back(call.leave(tensor));
      value = c10::IValue(devices);
    }
  }
}

// ---- operators that cannot go that way

using Layout = std::optional<at::Layout>;
using MaybeDevice = std::optional<at::Device>;

at::Tensor empty(c10::SymIntArrayRef size, std::optional<at::ScalarType> dtype, Layout, MaybeDevice, std::optional<bool>,
                 std::optional<at::MemoryFormat> format) {
  const c10::DispatchKeySet keys(c10::DispatchKey::PrivateUse1);
  return at::detail::empty_generic(C10_AS_INTARRAYREF_SLOW(size), &allocator, keys, c10::dtype_or_default(dtype), format);
}

at::Tensor emptyStrided(c10::SymIntArrayRef size, c10::SymIntArrayRef stride, std::optional<at::ScalarType> dtype, Layout,
                        MaybeDevice, std::optional<bool>) {
  const c10::DispatchKeySet keys(c10::DispatchKey::PrivateUse1);
  return at::detail::empty_strided_generic(C10_AS_INTARRAYREF_SLOW(size), C10_AS_INTARRAYREF_SLOW(stride), &allocator, keys,
                                           c10::dtype_or_default(dtype));
}

at::Tensor copyFrom(const at::Tensor& self, const at::Tensor& to, bool) {
  const auto bytes = static_cast<int64_t>(self.numel() * self.element_size());
  if (isFake(self) && !isFake(to)) copiesDown++, bytesDown += bytes;
  if (!isFake(self) && isFake(to)) copiesUp++, bytesUp += bytes;
  auto target = isFake(to) ? asHost(to) : to;
  target.copy_(isFake(self) ? asHost(self) : self);
  return to;
}

at::Tensor copyFromAndResize(const at::Tensor& self, const at::Tensor& to) {
  to.resize_(self.sizes());
  return copyFrom(self, to, false);
}

at::Scalar localScalar(const at::Tensor& self) {
  items++;
  return asHost(self).item();
}

at::Tensor& setStorage(at::Tensor& self, at::Storage source, c10::SymInt offset, c10::SymIntArrayRef size,
                       c10::SymIntArrayRef stride) {
  auto* own = self.unsafeGetTensorImpl();
  own->set_storage_keep_dtype(std::move(source));
  own->set_sizes_and_strides(C10_AS_INTARRAYREF_SLOW(size), C10_AS_INTARRAYREF_SLOW(stride), offset.expect_int());
  return self;
}

// PyTorch sends convolutions of PrivateUse1 to these two instead of to its own.

void expectFake(std::initializer_list<at::Tensor> tensors) {
  for (const auto& tensor : tensors)
    TORCH_CHECK(!tensor.defined() || isFake(tensor), "Expected all tensors to be on the same device (convolution)");
}

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                       at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation, bool isTransposed,
                       at::IntArrayRef outputPadding, int64_t groups) {
  expectFake({x, weight, bias.value_or(at::Tensor())});
  kernels++;
  const auto offset = bias && bias->defined() ? std::optional(asHost(*bias)) : std::nullopt;
  return asDevice(at::convolution(asHost(x), asHost(weight), offset, stride, padding, dilation, isTransposed, outputPadding, groups));
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolutionBackward(
    const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& weight, at::IntArrayRef stride,
    at::IntArrayRef padding, at::IntArrayRef dilation, bool isTransposed, at::IntArrayRef outputPadding, int64_t groups,
    std::array<bool, 3> wanted) {
  expectFake({gradient, x, weight});
  kernels++;
  const int64_t outputs = isTransposed ? weight.size(1) * groups : weight.size(0);
  auto [dx, dw, db] = at::convolution_backward(asHost(gradient), asHost(x), asHost(weight),
                                               wanted[2] ? at::OptionalIntArrayRef(outputs) : std::nullopt, stride, padding,
                                               dilation, isTransposed, outputPadding, groups, wanted);
  const auto back = [](const at::Tensor& one) { return one.defined() ? asDevice(one) : one; };
  return {back(dx), back(dw), back(db)};
}

/// The kernel that the CPU would choose: PyTorch composes attention of matrix products here otherwise.
int64_t attentionChoice(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const std::optional<at::Tensor>& mask,
                        double dropout, bool isCausal, std::optional<double> scale, bool isGrouped) {
  const auto offset = mask && mask->defined() ? std::optional(asHost(*mask)) : std::nullopt;
  const auto host = [](const at::Tensor& one) { return asHost(one).requires_grad_(one.requires_grad() && at::GradMode::is_enabled()); };
  return at::_fused_sdp_choice(host(q), host(k), host(v), offset, dropout, isCausal, scale, isGrouped);
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) { m.fallback(torch::CppFunction::makeFromBoxedFunction<&runOnHost>()); }

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("empty.memory_format", empty);
  m.impl("empty_strided", emptyStrided);
  m.impl("_copy_from", copyFrom);
  m.impl("_copy_from_and_resize", copyFromAndResize);
  m.impl("_local_scalar_dense", localScalar);
  m.impl("set_.source_Storage_storage_offset", setStorage);
  m.impl("convolution_overrideable", convolution);
  m.impl("convolution_backward_overrideable", convolutionBackward);
  // PyTorch composes these where there is no kernel: the numbers would not be the CPU's.
  for (const char* name : {"native_layer_norm", "native_group_norm", "silu_backward"})
    m.impl(name, torch::CppFunction::makeFromBoxedFunction<&runOnHost>());
}

struct Registration {
  Registration() {
    c10::register_privateuse1_backend("fake");
    at::RegisterPrivateUse1HooksInterface(new Hooks);
    at::native::_fused_sdp_choice_stub.set_privateuse1_dispatch_ptr(&attentionChoice);
  }
} registration;

// ---- for JavaScript

/// transfers() → what was copied and waited for since the device was loaded, and its memory
napi_value transfers(napi_env env, napi_callback_info) {
  napi_value counts;
  napi_create_object(env, &counts);
  const std::pair<const char*, const Count*> named[] = {
      {"copiesUp", &copiesUp}, {"bytesUp", &bytesUp}, {"copiesDown", &copiesDown}, {"bytesDown", &bytesDown},
      {"items", &items},       {"kernels", &kernels}, {"bytesHeld", &bytesHeld},   {"bytesPeak", &bytesPeak},
  };
  for (const auto& [name, count] : named) {
    napi_value number;
    napi_create_double(env, static_cast<double>(count->load()), &number);
    napi_set_named_property(env, counts, name, number);
  }
  return counts;
}

/// takeMemory(): another program takes all that is free, until one tensor has found no place
napi_value takeMemory(napi_env, napi_callback_info) {
  isTaken = true;
  return nullptr;
}

napi_value initialise(napi_env env, napi_value exports) {
  const std::pair<const char*, napi_callback> functions[] = {{"transfers", transfers}, {"takeMemory", takeMemory}};
  for (const auto& [name, callback] : functions) {
    napi_value function;
    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function) != napi_ok) return nullptr;
    napi_set_named_property(env, exports, name, function);
  }
  return exports;
}

}  // namespace

NAPI_MODULE(fake, initialise)
