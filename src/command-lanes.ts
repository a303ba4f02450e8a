/** Runs Attune's own commands as processes side by side and shows their progress together. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { ProcessError } from './errors.ts'
import { withParent } from './parent-watch.ts'
import { clock } from './progress.ts'

const refreshMs = 1000
const logEveryMs = 15_000

export class CommandLanes implements Disposable {
  readonly #script: string
  readonly #folder: string
  readonly #began = performance.now()
  readonly #running = new Map<string, { child: ChildProcess; latest: string }>()
  readonly #timer: NodeJS.Timeout
  #shown = performance.now()

  /**
   * @param script the command line's file
   * @param folder where the output of each command goes, as `<name>.log`
   */
  constructor(script: string, folder: string) {
    this.#script = script
    this.#folder = folder
    this.#timer = setInterval(() => this.#show(), refreshMs)
  }

  /**
   * Runs one command to its end.
   *
   * @param script of another program than the command line
   * @throws {ProcessError} with the command's own words
   */
  async run(name: string, words: readonly (string | number)[], script = this.#script): Promise<void> {
    const child = spawn(process.execPath, [script, ...words.map(String)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: withParent(),
    })
    const lane = { child, latest: 'starting' }
    this.#running.set(name, lane)
    const log = createWriteStream(join(this.#folder, `${name}.log`), { flags: 'a' })
    log.write(`$ attune ${words.join(' ')}\n`)
    child.stdout.pipe(log, { end: false })
    child.stderr.on('data', (chunk: Buffer) => {
      log.write(chunk)
      const lines = chunk
        .toString()
        .split(/[\r\n]+/)
        .filter((line) => line.trim() !== '')
      lane.latest = lines.at(-1) ?? lane.latest
    })
    const code = await new Promise<number | NodeJS.Signals>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (exit, signal) => resolve(exit ?? signal ?? 1))
    })
    log.end()
    this.#running.delete(name)
    if (code !== 0) {
      throw new ProcessError(
        {
          where: name,
          expected: 'a command that ends well',
          received: lane.latest,
          remedy: `see ${join(this.#folder, `${name}.log`)}`,
        },
        code === 2 ? 2 : 1,
      )
    }
    this.#line(`${clock((performance.now() - this.#began) / 1000)} ✓ ${lane.latest}`)
  }

  #show(): void {
    const terminal = process.stderr.isTTY
    if (this.#running.size === 0 || (!terminal && performance.now() - this.#shown < logEveryMs)) return
    this.#shown = performance.now()
    const text = `${clock((performance.now() - this.#began) / 1000)} … ${[...this.#running.values()].map(({ latest }) => latest).join(' | ')}`
    if (terminal) process.stderr.write(`\r\x1b[2K${text.slice(0, (process.stderr.columns ?? 120) - 1)}`)
    else process.stderr.write(`${text}\n`)
  }

  #line(text: string): void {
    process.stderr.write(`${process.stderr.isTTY ? '\r\x1b[2K' : ''}${text}\n`)
  }

  /** Ends whatever still runs. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    for (const { child } of this.#running.values()) child.kill('SIGKILL')
  }
}
