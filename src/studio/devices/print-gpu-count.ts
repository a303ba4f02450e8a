/** Executed as a process of its own, since it loads libtorch: prints how many GPUs that can use. */
import { describeLibrary } from '../../tensor/library.ts'

process.stdout.write(String(describeLibrary().cudaDevices))
