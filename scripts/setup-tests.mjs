/**
 * Sets up what only `npm test` needs, after scripts/setup.mjs and with the Node that it brings. Exit 2 with instructions
 * where it cannot go on. With --without-device it ends before the device that is none, which takes a compiler.
 */
import { join } from 'node:path'
import { buildFakeDevice } from './setup/addon.mjs'
import { findLibrary } from './setup/library.mjs'
import { made } from './setup/places.mjs'
import { SetupStop, lock } from './setup/shell.mjs'
import { installTestPrograms } from './setup/test-programs.mjs'

try {
  const unlock = await lock(join(made, 'setup.lock'))
  try {
    await installTestPrograms()
    if (!process.argv.includes('--without-device')) {
      await buildFakeDevice(await findLibrary(), { node: process.execPath })
    }
  } finally {
    unlock()
  }
} catch (error) {
  if (!(error instanceof SetupStop)) throw error
  process.stderr.write(`\nset-up cannot go on: ${error.message}\n`)
  process.exitCode = 2
}
