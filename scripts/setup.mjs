#!/usr/bin/env node
/**
 * Sets Attune up: npm packages (Node 24 is one of them), libtorch, the compiled add-on. Runs on Node 20 without any
 * package, as often as one likes: what is there already is kept. Exit 2 with instructions where it cannot go on.
 * With --without-library it ends before libtorch: that is enough for \`attune --help\`.
 */
import { join } from 'node:path'
import { buildAddon } from './setup/addon.mjs'
import { findLibrary } from './setup/library.mjs'
import { installPackages } from './setup/packages.mjs'
import { made } from './setup/places.mjs'
import { SetupStop, expectPlatform, lock, say } from './setup/shell.mjs'
import { isUsual } from './setup/why-no-gpu.mjs'

const started = Date.now()
try {
  expectPlatform()
  const unlock = await lock(join(made, 'setup.lock'))
  try {
    const packages = await installPackages()
    if (!process.argv.includes('--without-library')) {
      const library = await findLibrary()
      const built = await buildAddon(library, packages)
      const changed = packages.installed || library.installed || built
      const seconds = ((Date.now() - started) / 1000).toFixed(1)
      say(
        `${changed ? `done in ${seconds} s` : 'ready'}: libtorch ${library.version} ` +
          `(${library.how}${library.cuda ? ', CUDA' : ', CPU'}), Node ${packages.nodeVersion}`,
      )
      const { reason } = library
      if (reason && (!isUsual(reason) || (changed && reason.code.startsWith('wsl'))))
        say(`no GPU is used: ${reason.why}; ${reason.remedy}`)
    }
  } finally {
    unlock()
  }
} catch (error) {
  if (error instanceof SetupStop) {
    process.stderr.write(`\nset-up cannot go on: ${error.message}\n`)
  } else if (error?.code === 'ENOSPC') {
    process.stderr.write('\nset-up cannot go on: the disk is full\n  free about 4 GB and run the same command again\n')
  } else if (error?.code === 'EACCES' || error?.code === 'EROFS') {
    process.stderr.write(
      `\nset-up cannot go on: ${error.message}\n  make that folder writable for this user and run the same command again\n`,
    )
  } else {
    throw error
  }
  process.exitCode = 2
}
