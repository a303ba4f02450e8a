import { cpus, totalmem } from 'node:os'

/** `2 × AMD EPYC 7B13, 8 GiB, Linux x64`. */
export function machineName(): string {
  const processors = cpus()
  const system = { linux: 'Linux', darwin: 'macOS' }[process.platform as string] ?? process.platform
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${processors.length} × ${processors[0]?.model.trim() ?? 'processor'}, ${memory} GiB, ${system} ${process.arch}`
}
