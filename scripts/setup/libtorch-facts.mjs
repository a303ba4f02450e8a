/** What a folder that may be a libtorch holds: its version, and what it is built for. Nothing of it is loaded but to ask it. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const shared = process.platform === 'darwin' ? 'dylib' : 'so'

/** '2.13.0+cpu', or undefined where this is no complete libtorch. */
export function versionOf(folder) {
  if (!existsSync(join(folder, 'lib', `libtorch_cpu.${shared}`))) return undefined
  if (!existsSync(join(folder, 'include', 'ATen'))) return undefined
  for (const [file, pattern] of [
    ['version.py', /^__version__ = '([^']+)'/m], // the wheel
    ['build-version', /^(\d\S+)/], // the zip
    ['../build-version', /^(\d\S+)/],
  ]) {
    const path = join(folder, file)
    const found = existsSync(path) && pattern.exec(readFileSync(path, 'utf8'))
    if (found) return found[1]
  }
  return undefined
}

/**
 * The CUDA that a libtorch is built for ('13.0', undefined without any), and whether it is built for ROCm.
 * @returns {{cuda: string | undefined, hip: boolean}}
 */
export function builtFor(folder) {
  const hip = existsSync(join(folder, 'lib', `libtorch_hip.${shared}`))
  if (!existsSync(join(folder, 'lib', `libtorch_cuda.${shared}`))) return { cuda: undefined, hip }
  const path = join(folder, 'version.py')
  const written = existsSync(path) && /^cuda\b[^=]*= '(\d+\.\d+)/m.exec(readFileSync(path, 'utf8'))
  if (written) return { cuda: written[1], hip }
  const build = /\+cu(\d\d)(\d)/.exec(versionOf(folder) ?? '')
  // A build without a name is of unknown CUDA: nothing is held against it.
  return { cuda: build ? `${build[1]}.${build[2]}` : 'of unknown version', hip }
}

/** The first shared library that a libtorch for CUDA lacks, as one that is only for the CPU does; undefined where it loads. */
export function missingLibrary(folder) {
  const file = join(folder, 'lib', `libtorch_cuda.${shared}`)
  const script = 'process.dlopen({ exports: {} }, process.argv[1])'
  const { stderr } = spawnSync(process.execPath, ['-e', script, file], { encoding: 'utf8' })
  return /Error: ([^:\s]+): cannot open shared object file/.exec(stderr ?? '')?.[1]
}
