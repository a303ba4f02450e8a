/** Where to look: a folder that stands for the machine's root, and the variables of a process. */
export interface Machine {
  readonly root?: string
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly platform?: string
  /** Whether nvidia-smi is asked, which may take a second; as it stands, yes. */
  readonly ask?: boolean
}

/** What of GPUs is to be seen on a machine. */
export interface Gpus {
  readonly platform: string
  /** Addresses of NVIDIA's cards on the PCI bus, whether or not a driver runs them. */
  readonly cards: readonly string[]
  /** `/dev/nvidia0`, …, and those of them that this user may not open. */
  readonly devices: readonly string[]
  readonly closed: readonly string[]
  /** Windows Subsystem for Linux; its way to the GPU (/dev/dxg). */
  readonly wsl: boolean
  readonly dxg: boolean
  /** A driver for AMD's GPUs (/dev/kfd). */
  readonly amd: boolean
  readonly container: boolean
  /** Version of NVIDIA's driver, and the newest CUDA that it says it runs. */
  readonly driver: string | undefined
  readonly cuda: string | undefined
  /** The driver's library, where it was found. */
  readonly libcuda: string | undefined
  /** CUDA_VISIBLE_DEVICES and NVIDIA_VISIBLE_DEVICES. */
  readonly visible: string | undefined
  readonly lent: string | undefined
  readonly names: readonly string[]
  /** Compute capabilities, such as 8.9. */
  readonly capabilities: readonly number[]
  /** Why nvidia-smi failed, in its own words. */
  readonly trouble: string | undefined
}

export function gpusOf(machine?: Machine): Gpus
export function hasNvidia(gpus: Gpus): boolean
