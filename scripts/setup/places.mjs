/** Where Attune lies on this machine, and where its set-up puts what it makes. The set-up and the program read it. */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const project = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** An installed package holds JavaScript that was emitted from src/, and not src/. */
export const isPackage = !existsSync(join(project, 'src'))

export const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))

/**
 * What serves every project of this user that has the package: libtorch is large, and the folder of a package goes with
 * the next installation or cannot be written. `bin/attune` finds the same folder.
 */
export const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'attune')

/** The compiled add-on, and what is kept between starts. */
export const made = isPackage ? join(cache, version) : join(project, 'build')
export const addon = join(made, 'attune.node')
export const record = join(made, 'library.json')
/** A device for tests; see native/fake/device.cc. */
export const fakeDevice = join(made, 'fake.node')

/** For which GPUs the set-up could have no libtorch, and why. */
export const noWheel = join(made, 'no-gpu-wheel.json')

/** What the set-up wrote of the add-on's libtorch as it was compiled; undefined before that. */
export function readRecord(file = record) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/** A private libtorch. */
export const libtorch = isPackage ? join(cache, 'libtorch') : join(project, '.libtorch')

export const setupCommand = isPackage ? 'npx attune setup' : 'npm run setup'
