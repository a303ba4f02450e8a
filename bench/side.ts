/** What the benchmarks against Python share: two processes that live at once and take turns. */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** A process that reads one question a line and answers each with one line of JSON; the first answer comes unasked. */
export interface Side<Answer> {
  /** The next answer; undefined where the process has ended, or never started. */
  answer(): Promise<Answer | undefined>
  ask(question: string): void
  end(): void
}

interface SideOptions {
  readonly threads?: number
  /** Lets what it writes to stderr be seen. */
  readonly show?: boolean
  readonly environment?: NodeJS.ProcessEnv
}

export function side<Answer>(
  command: string,
  words: readonly string[],
  { threads = 1, show = false, environment = {} }: SideOptions = {},
): Side<Answer> {
  const env = { ...process.env, OMP_NUM_THREADS: String(threads), MKL_NUM_THREADS: String(threads), ...environment }
  const child = spawn(command, words, { stdio: ['pipe', 'pipe', show ? 'inherit' : 'ignore'], env })
  const failed = new Promise<undefined>((resolve) => child.on('error', () => resolve(undefined)))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    end: () => child.stdin.end(),
    answer: async () => {
      const next = await Promise.race([lines.next(), failed])
      return next === undefined || next.done === true ? undefined : (JSON.parse(next.value) as Answer)
    },
    ask: (question) => child.stdin.write(`${question}\n`),
  }
}

/** Reads questions until the input ends, and answers them. */
export async function answerQuestions(reply: (question: string) => unknown): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await reply(line)))
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

/** Resident memory of this process now and at its highest, MB (2²⁰ bytes). Linux. */
export function memory(): { now: number; peak: number } {
  const status = readFileSync('/proc/self/status', 'utf8')
  const field = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024
  return { now: field('VmRSS'), peak: field('VmHWM') }
}

/** The highest memory counts from now on. Linux. */
export function forgetPeak(): void {
  writeFileSync('/proc/self/clear_refs', '5')
}
