/**
 * Time and memory of src/tensor against Python's torch: `node_modules/.bin/node bench/tensor/compare.ts [python]`, or
 * the interpreter in ATTUNE_BENCH_PYTHON. Both sides live at once and take turns, so that a busy machine slows both;
 * ratios of medians are printed. One thread each. Both must find the same losses.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cpus } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describeLibrary } from '../../src/tensor/library.ts'

interface Answer {
  cases: string[]
  torch: string
  python: string
  seconds: number
  value: number
  megabytes: number
}

function side(command: string, ...words: string[]) {
  const env = { ...process.env, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' }
  const child = spawn(command, words, { stdio: ['pipe', 'pipe', 'ignore'], env })
  const failed = new Promise<undefined>((resolve) => child.on('error', () => resolve(undefined)))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    end: () => child.stdin.end(),
    answer: async (): Promise<Answer | undefined> => {
      const next = await Promise.race([lines.next(), failed])
      return next === undefined || next.done === true ? undefined : (JSON.parse(next.value) as Answer)
    },
    ask: (question: string) => child.stdin.write(`${question}\n`),
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

const python = process.argv[2] ?? process.env.ATTUNE_BENCH_PYTHON ?? 'python3'
const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const rows: string[] = []
let heading = ''

for (const [group, rounds] of [
  ['operators', 41],
  ['DiT', 15],
  ['UNet', 15],
] as const) {
  const ours = side(process.execPath, file('cases.ts'), group)
  const theirs = side(python, file('cases.py'), group)
  const [ready, other] = [await ours.answer(), await theirs.answer()]
  if (other === undefined || ready === undefined) {
    ours.end()
    console.log(`skipped: ${other === undefined ? `${python} has no torch` : 'the add-on does not load'}`)
    process.exit(0)
  }
  assert.deepEqual(ready.cases, other.cases)
  const { version, cpu } = describeLibrary()
  heading = `${cpus()[0].model}, ${cpu}; Node ${process.versions.node} with libtorch ${version}; Python ${other.python} with torch ${other.torch}`

  const ratios: number[] = []
  for (const name of ready.cases) {
    const seconds: [number[], number[]] = [[], []]
    for (let round = 0; round < rounds + 3; round++) {
      const values: number[] = []
      for (const i of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const asked = [ours, theirs][i]
        asked.ask(name)
        const answer = await asked.answer()
        assert.ok(answer !== undefined, `${group} ${name}: one side ended`)
        if (round >= 3) seconds[i].push(answer.seconds)
        values.push(answer.value)
      }
      assert.ok(
        Math.abs(values[0] - values[1]) <= 1e-3 * Math.abs(values[1]),
        `${group} ${name}: losses ${values.join(', ')}`,
      )
    }
    const [mine, reference] = seconds.map(median)
    ratios.push(mine / reference)
    const [unit, scale] = group === 'operators' ? ['µs', 1e6 / 2000] : ['ms', 1e3]
    const title = group === 'operators' ? name : `${group} ${name}`
    rows.push(
      `| ${title} | ${(mine * scale).toFixed(2)} ${unit} | ${(reference * scale).toFixed(2)} ${unit} | ${(mine / reference).toFixed(2)} |`,
    )
  }
  if (group === 'operators') {
    const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length)
    rows.push(`| **operators, geometric mean** | | | **${mean.toFixed(2)}** |`)
  } else {
    ours.ask('peak')
    theirs.ask('peak')
    const [mine, reference] = [(await ours.answer())!.megabytes, (await theirs.answer())!.megabytes]
    rows.push(
      `| ${group} peak memory | ${mine.toFixed(0)} MB | ${reference.toFixed(0)} MB | ${(mine / reference).toFixed(2)} |`,
    )
  }
  ours.end()
  theirs.end()
}

console.log(`${heading}\n\n| | TypeScript | Python | ratio |\n|---|---|---|---|\n${rows.join('\n')}`)
