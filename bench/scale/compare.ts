/**
 * What a second process brings, and a second thread, on two cores of this machine:
 * `node_modules/.bin/node bench/scale/compare.ts [--python <a Python with diffusers and transformers>] [--rounds 3]`.
 *
 * Roll-outs as an iteration of DPOK draws them, images to files, and whole iterations of DPOK, on the embedded model and,
 * where there is a Python to make it, on a small checkpoint like Stable Diffusion 1. One process with one thread, one with two,
 * and a group of two with one thread each live at once and take turns; all must come to the same figures. What is printed are
 * ratios within a round, as medians with the smallest and the largest; the first round is not counted. Takes less than five
 * minutes on cores that have nothing else to do.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { describeLibrary } from '../../src/tensor/library.ts'
import type { Size } from '../dpok/training.ts'
import { median, side, type Side } from '../side.ts'
import type { Answer, Work } from './process.ts'

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: process.env.ATTUNE_BENCH_PYTHON ?? 'python3' },
    sizes: { type: 'string', default: 'embedded,stable-diffusion' },
    rounds: { type: 'string', default: '3' },
  },
})
const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'attune-bench-'))

const kinds = [
  { title: '1 process, 1 thread', processes: 1, threads: 1 },
  { title: '1 process, 2 threads', processes: 1, threads: 2 },
  { title: '2 processes, 1 thread each', processes: 2, threads: 1 },
]
const works: Readonly<Record<Size, readonly Work[]>> = {
  embedded: ['roll-outs', 'images', 'DPOK iteration'],
  'stable-diffusion': ['roll-outs', 'DPOK iteration'],
}

/** The processes of one kind, as they answer together. */
interface Team {
  /** Until all are ready, each counted from its own start. */
  readonly startSeconds: number
  do(work: Work): Promise<readonly Answer[]>
  end(): void
}

async function start(size: Size, { title, processes, threads }: (typeof kinds)[number], place: number): Promise<Team> {
  const sides = Array.from({ length: processes }, (_, rank): Side<Answer> => {
    const group = {
      ...{ RANK: String(rank), WORLD_SIZE: String(processes), LOCAL_RANK: String(rank) },
      ATTUNE_RENDEZVOUS: `file://${join(folder, `meet-${size}-${place}`)}`,
    }
    const words = [file('process.ts'), size, String(threads), folder]
    const environment = { ...(processes > 1 && group), SIDE: String(place), ATTUNE_LOG_EVERY_MS: '1000000' }
    return side(process.execPath, words, { threads, show: true, environment })
  })
  const answers = async () => {
    const all = await Promise.all(sides.map((one) => one.answer()))
    return all.map((answer) => {
      assert.ok(answer !== undefined, `${title} ended`)
      return answer
    })
  }
  const started = await answers()
  return {
    startSeconds: Math.max(...started.map(({ seconds }) => seconds)),
    do(work) {
      for (const one of sides) one.ask(work)
      return answers()
    },
    end: () => sides.forEach((one) => one.end()),
  }
}

const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0)
const wall = (answers: readonly Answer[]) => Math.max(...answers.map(({ seconds }) => seconds))
const cpu = (answers: readonly Answer[]) => sumOf(answers.map(({ cpuSeconds }) => cpuSeconds))

function expectEqual(title: string, own: Answer, one: Answer): void {
  for (const [name, value] of Object.entries(one.figures)) {
    // Of rounding alone.
    if (value === undefined || name === 'first_delta') continue
    const off = Math.abs((own.figures[name] ?? NaN) - value) / Math.max(1, Math.abs(value))
    assert.ok(off < 2e-3, `${title}: ${name} ${own.figures[name]}, of one process ${value}`)
  }
}

const rows: string[] = []
const shares: string[] = []
const starts: string[] = []

async function measure(size: Size): Promise<void> {
  const teams: Team[] = []
  // One after another: they would share the cores as they start.
  for (const [place, kind] of kinds.entries()) teams.push(await start(size, kind, place))
  starts.push(`| ${[size, ...teams.map(({ startSeconds }) => `${startSeconds.toFixed(2)} s`)].join(' | ')} |`)
  for (const work of works[size]) {
    const taken: (readonly Answer[])[][] = kinds.map(() => [])
    for (let round = 0; round <= Number(values.rounds); round++) {
      const order = round % 2 === 0 ? [0, 1, 2] : [2, 1, 0]
      const answers: (readonly Answer[])[] = []
      for (const place of order) answers[place] = await teams[place].do(work)
      answers.forEach((own, place) => {
        for (const one of own) expectEqual(`${size}, ${work}, ${kinds[place].title}`, one, answers[0][0])
        if (round > 0) taken[place].push(own)
      })
    }
    kinds.forEach(({ title }, place) => {
      const compared = (of: (answers: readonly Answer[]) => number, isSpeed: boolean) => {
        const ratios = taken[place].map((own, round) => of(own) / of(taken[0][round]))
        const all = ratios.map((ratio) => (isSpeed ? 1 / ratio : ratio)).sort((a, b) => a - b)
        return `${median(all).toFixed(2)} (${all[0].toFixed(2)}–${all[all.length - 1].toFixed(2)})`
      }
      const cells = [
        `${size}: ${work}, ${title}`,
        `${median(taken[place].map(wall)).toFixed(2)} s`,
        compared(wall, true),
        `${median(taken[place].map(cpu)).toFixed(2)} s`,
        compared(cpu, false),
        `${Math.max(...taken[place].flat().map(({ megabytes }) => megabytes)).toFixed(0)} MB`,
      ]
      rows.push(`| ${cells.join(' | ')} |`)
      console.error(rows[rows.length - 1])
    })
    const together = taken[2]
    const share = (pick: (answer: Answer) => number) => {
      const all = together.map((answers) => median(answers.map(pick)) / wall(answers))
      return `${(100 * median(all)).toFixed(1)} %`
    }
    const [{ exchanges, summedBytes, receivedBytes }] = together[0]
    const cells = [
      `${size}: ${work}`,
      String(exchanges),
      `${(summedBytes / 1e6).toFixed(2)} MB`,
      `${(receivedBytes / 1e6).toFixed(2)} MB`,
      share(({ exchangingSeconds }) => exchangingSeconds),
      share(({ waitingSeconds }) => waitingSeconds),
    ]
    shares.push(`| ${cells.join(' | ')} |`)
    console.error(shares[shares.length - 1])
  }
  for (const team of teams) team.end()
}

try {
  for (const size of values.sizes.split(',') as Size[]) {
    if (size === 'stable-diffusion') {
      const made = spawnSync(values.python, [file('../dpok/checkpoint.py'), folder], { stdio: 'ignore' })
      if (made.status !== 0) {
        console.error(`${values.python} has no diffusers: the checkpoint like Stable Diffusion is left out`)
        continue
      }
    }
    await measure(size)
  }
} finally {
  rmSync(folder, { recursive: true })
}
const { version, cpu: instructions } = describeLibrary()
console.log(
  `${cpus()[0].model}, ${cpus().length} cores, ${instructions}; libtorch ${version}; Node ${process.versions.node}`,
)
console.log(`load of the last minute ${loadavg()[0].toFixed(1)}\n`)
console.log(`| | time | times as fast | processor time | ÷ one process, one thread | peak memory of a process |`)
console.log(`|---|---|---|---|---|---|\n${rows.join('\n')}\n`)
console.log(`| 2 processes | exchanges | summed | received | of the time in exchanges | waiting for the other |`)
console.log(`|---|---|---|---|---|---|\n${shares.join('\n')}\n`)
console.log(`| until ready | ${kinds.map(({ title }) => title).join(' | ')} |\n|---|---|---|---|\n${starts.join('\n')}`)
