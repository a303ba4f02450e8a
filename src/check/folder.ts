/** Whether runs can be written where they are to go: what a run does to a disk is done, and taken away again. */
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { AttuneError } from '../errors.ts'
import { writeFileAtomic, writing } from '../files.ts'
import { shownBytes } from '../images/at-once.ts'
import { takeLock } from '../run-lock.ts'
import { fail, failedBy, pass, type Finding } from './finding.ts'

/** What is written, and what a run of any size needs beside it. */
const [written, needed] = [8 * 2 ** 20, 256 * 2 ** 20]

/** A folder for trials; all that was made for it goes with it. */
export class Scratch implements Disposable {
  readonly folder: string
  /** Of what was made: the topmost folder. */
  readonly #made: string | undefined
  readonly #parent: string

  /** @throws {FileError} */
  constructor(parent: string) {
    this.#parent = resolve(parent)
    this.#made = writing(parent, () => mkdirSync(this.#parent, { recursive: true }))
    try {
      this.folder = writing(parent, () => mkdtempSync(join(parent, 'check-')))
    } catch (error) {
      this.#removeParents()
      throw error
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
    this.#removeParents()
  }

  /** Those that this one made and in which nobody else has written meanwhile. */
  #removeParents(): void {
    if (this.#made === undefined) return
    for (let folder = this.#parent; folder.length >= this.#made.length; folder = dirname(folder)) {
      try {
        rmdirSync(folder)
      } catch {
        return
      }
    }
  }
}

/** @returns what was found, and a folder for further trials: elsewhere where this one cannot be written */
export function tryFolder(out: string): { finding: Finding; scratch: Scratch } {
  let scratch: Scratch
  try {
    scratch = new Scratch(out)
  } catch (error) {
    return { finding: failedBy('folder', error), scratch: new Scratch(tmpdir()) }
  }
  try {
    return { finding: tryWriting(out, scratch.folder), scratch }
  } catch (error) {
    scratch[Symbol.dispose]()
    if (!(error instanceof AttuneError)) throw error
    return { finding: failedBy('folder', error), scratch: new Scratch(tmpdir()) }
  }
}

function tryWriting(out: string, folder: string): Finding {
  const file = join(folder, 'written')
  const bytes = Buffer.alloc(written, 'attune')
  const began = performance.now()
  writeFileAtomic(file, bytes)
  const seconds = (performance.now() - began) / 1000
  writing(folder, () => takeLock(folder))
  const free = freeAt(folder)
  const rate = `${shownBytes(written)} written, on the disk and read again in ${seconds.toFixed(2)} s`
  if (!readFileSync(file).equals(bytes)) {
    return fail('folder', `${out} does not give back what was written to it`, 'look after the disk, or name another folder with --out') // prettier-ignore
  }
  rmSync(file)
  if (free < needed) {
    const said = `${out} has ${shownBytes(free)} free, and a run needs ${shownBytes(needed)}`
    return fail('folder', said, 'free some space, or name another folder with --out')
  }
  return pass('folder', `${out}: ${rate}, ${shownBytes(free)} free`)
}

function freeAt(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}
