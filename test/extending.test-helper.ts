/** A copy of the sources to which docs/extending.md is done, with the command line of its own. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs' // prettier-ignore
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const fixtures = join(root, 'test/fixtures/extending')

/** Files that the additions bring, by their places in the house. */
export const broughtFiles = globSync('src/**/*.ts', { cwd: fixtures }).sort()
export const textOf = (brought: string) => readFileSync(join(fixtures, brought), 'utf8')

interface Block {
  readonly language: string
  /** Named in its first line. */
  readonly file: string
  readonly text: string
}

/** The blocks of code on the page that say which file they are of. */
export const blocks: readonly Block[] = [
  ...readFileSync(join(root, 'docs/extending.md'), 'utf8').matchAll(/^```(\w+)\n(?:\/\/|---) (\S+)\n([\s\S]*?)^```$/gm),
].map(([, language, file, text]) => ({ language, file, text }))

export class ExtendedCopy implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'attune-extending-'))

  constructor() {
    for (const name of ['src', 'web', 'docs', 'README.md', 'CONTRIBUTING.md', 'package.json', 'tsconfig.json'])
      cpSync(join(root, name), this.at(name), { recursive: true })
    for (const file of globSync('test/*.ts', { cwd: root })) cpSync(join(root, file), this.at(file))
    for (const name of ['node_modules', 'build', 'weights', 'scripts', 'native', 'bin', 'bench', 'recipes', '.libtorch', 'test/fixtures'])
      if (existsSync(join(root, name))) symlinkSync(join(root, name), this.at(name)) // prettier-ignore
    for (const file of broughtFiles) {
      mkdirSync(dirname(this.at(file)), { recursive: true })
      cpSync(join(fixtures, file), this.at(file))
    }
    for (const { file, text } of blocks.filter(({ language }) => language === 'diff')) {
      for (const hunk of text.split('@@\n')) this.#apply(file, hunk.trimEnd().split('\n'))
    }
  }

  at(...path: string[]): string {
    return join(this.folder, ...path)
  }

  /** Lines that begin with a space are there, those with + come between them. */
  #apply(file: string, hunk: readonly string[]): void {
    const before = hunk.filter((line) => !line.startsWith('+')).map((line) => `${line.slice(1)}\n`).join('') // prettier-ignore
    const after = hunk.map((line) => `${line.slice(1)}\n`).join('')
    const [first, ...rest] = readFileSync(this.at(file), 'utf8').split(before)
    assert.equal(rest.length, 1, `docs/extending.md: ${file} has these lines ${rest.length} times:\n${before}`)
    writeFileSync(this.at(file), first + after + rest[0])
  }

  /** @returns what it printed, on both streams */
  attune(...args: string[]): string {
    const { status, said } = this.tryAttune(...args)
    assert.equal(status, 0, said)
    return said
  }

  tryAttune(...args: string[]): { status: number | null; said: string } {
    return this.node(['src/cli.ts', ...args])
  }

  node(
    args: readonly string[],
    variables: Readonly<Record<string, string>> = {},
  ): { status: number | null; said: string } {
    // Without it a test runner says that it is a part of this one.
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env
    const ran = spawnSync(process.execPath, args, { cwd: this.folder, encoding: 'utf8', env: { ...env, ...variables } })
    return { status: ran.status, said: ran.stdout + ran.stderr }
  }

  /** A studio in a process of its own, once it listens. */
  async studio(...args: string[]): Promise<{ address: string; stop: () => Promise<unknown> }> {
    const given = [this.at('src/cli.ts'), 'studio', '--port', '0', ...args]
    const studio = spawn(process.execPath, given, { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] })
    const ended = once(studio, 'exit')
    let said = ''
    const address = await new Promise<string>((listens, fails) => {
      studio.stderr.on('data', (chunk) => {
        const found = /http:\S+/.exec((said += String(chunk)))
        if (found !== null) listens(found[0])
      })
      studio.on('exit', () => fails(new Error(said)))
    })
    return { address, stop: () => (studio.kill(), ended) }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
