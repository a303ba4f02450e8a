/** A copy of the sources that a test may add to, with the command line of its own. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const fixtures = join(root, 'test/fixtures/extending')

export class SourcesCopy implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'attune-extending-'))
  readonly cli = join(this.folder, 'src/cli.ts')

  constructor() {
    cpSync(join(root, 'src'), join(this.folder, 'src'), { recursive: true })
    cpSync(join(root, 'package.json'), join(this.folder, 'package.json'))
    for (const name of ['node_modules', 'build', 'weights', 'scripts', 'native', '.libtorch'])
      symlinkSync(join(root, name), join(this.folder, name))
  }

  /** @param fixture below test/fixtures/extending/ @param place below src/ */
  addFile(fixture: string, place: string, change: (text: string) => string = (text) => text): void {
    const up = '../'.repeat(place.split('/').length - 1)
    const text = readFileSync(join(fixtures, fixture), 'utf8').replaceAll('../../../../src/', up)
    writeFileSync(join(this.folder, 'src', place), change(text))
  }

  /** @param before text of the file that the new one is to stand before */
  insert(place: string, before: string, added: string): void {
    const file = join(this.folder, 'src', place)
    const [first, ...rest] = readFileSync(file, 'utf8').split(before)
    if (rest.length !== 1) throw new Error(`${place} has ${JSON.stringify(before)} ${rest.length} times`)
    writeFileSync(file, `${first}${added}${before}${rest[0]}`)
  }

  attune(...args: string[]): string {
    return execFileSync(process.execPath, [this.cli, ...args], { cwd: this.folder, encoding: 'utf8', stdio: 'pipe' })
  }

  /** The studio's process. */
  start(...args: string[]): ChildProcess {
    return spawn(process.execPath, [this.cli, ...args], { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] })
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true })
  }
}
