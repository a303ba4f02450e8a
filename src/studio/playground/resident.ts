/** The process that draws, as the studio sees it: started when there is work, ended when there has been none for a while. */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { withParent } from '../../parent-watch.ts'
import { scriptBeside } from '../../script-beside.ts'
import { deviceEnvironment } from '../devices/devices.ts'
import type { Asked, Told } from './lines.ts'

const script = fileURLToPath(scriptBeside(import.meta.url, '../../playground-drawings'))
/** Of what it complains of, the last part. */
const mostComplaint = 2000

/** Hears of the order that is being worked at. */
export interface Hearing {
  readonly told: (told: Told) => void
  /** The process has ended, and how, in the words of a complaint. */
  readonly gone: (how: string) => void
}

interface Running {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly on: string
  readonly ended: Promise<void>
}

export class Resident {
  readonly #folder: string
  readonly #idleMs: number
  #running: Running | undefined
  #hearing: Hearing | undefined
  #idle: NodeJS.Timeout | undefined

  /** @param folder in which it works: sources are relative to it */
  constructor(folder: string, idleMs: number) {
    this.#folder = folder
    this.#idleMs = idleMs
  }

  /** The device of the process; undefined where there is none. */
  get on(): string | undefined {
    return this.#running?.on
  }

  get pid(): number | undefined {
    return this.#running?.child.pid
  }

  /** Sends an order to the process, which is started where there is none on this device. Who hears is told until {@link rest}. */
  async work(on: string, asked: Asked, hearing: Hearing): Promise<void> {
    clearTimeout(this.#idle)
    if (this.#running !== undefined && this.#running.on !== on) await this.end()
    this.#running ??= this.#start(on)
    this.#hearing = hearing
    this.tell(asked)
  }

  tell(asked: Asked): void {
    this.#running?.child.stdin.write(`${JSON.stringify(asked)}\n`)
  }

  /** Nothing is to be done any more: it ends when that has been so for a while. */
  rest(): void {
    this.#hearing = undefined
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => void this.end(), this.#idleMs).unref()
  }

  /** Ends it at once. */
  async end(): Promise<void> {
    clearTimeout(this.#idle)
    this.#running?.child.kill('SIGKILL')
    await this.#running?.ended
  }

  #start(on: string): Running {
    const child = spawn(process.execPath, [script], {
      cwd: this.#folder,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...withParent(), ...deviceEnvironment([on]) },
    })
    let complaint = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-mostComplaint)
    })
    // One that is gone says so by its end.
    child.stdin.on('error', () => undefined)
    createInterface({ input: child.stdout }).on('line', (line) => this.#hearing?.told(JSON.parse(line) as Told))
    const ended = new Promise<void>((resolve) => {
      const end = (how: string) => {
        if (this.#running?.child === child) {
          this.#running = undefined
          this.#hearing?.gone(how)
        }
        resolve()
      }
      child.once('error', ({ message }) => end(message))
      child.once('close', (code, signal) => {
        const last = complaint.trim().split('\n').at(-1) ?? ''
        end([signal ?? `exit code ${code}`, last].filter(Boolean).join(': '))
      })
    })
    return { child, on, ended }
  }
}
