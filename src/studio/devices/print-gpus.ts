/** Executed as a process of its own, since it loads libtorch: prints the GPUs that can be used, as JSON. */
import { gpuState, noteOfIdleGpu } from '../../tensor/gpus.ts'
import type { FoundGpus } from './devices.ts'

const state = gpuState()
process.stdout.write(JSON.stringify({ count: state.devices, note: noteOfIdleGpu(state) ?? null } satisfies FoundGpus))
