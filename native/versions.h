// The one place for differences between libtorch releases (2.7 and later are supported).
#pragma once
#include <torch/version.h>

#if TORCH_VERSION_MAJOR < 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR < 7)
#error "Attune needs libtorch 2.7 or later"
#endif

/// c10::DeviceAllocator tells what is free on a device.
#define ATTUNE_MEMORY_INFO (TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 10)
