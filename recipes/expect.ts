/**
 * Says what commands will take before they are run: images, time and memory.
 * `node_modules/.bin/node recipes/expect.ts FOLDER [allow-cpu | plan-only] < commands` reads of each a name and its words, one a
 * line, and an empty line. FOLDER/NAME is the run that it writes; what is finished takes nothing more. Without a GPU it ends with
 * an error, unless told otherwise.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { main, stageCommand } from '../src/command-line.ts'
import { AttuneError, ConfigError } from '../src/errors.ts'
import { GenerateConfig } from '../src/images/generate-images.ts'
import type { ModelConfig } from '../src/images/open-model.ts'
import { open } from '../src/open.ts'
import { policySchema } from '../src/policy/train-policy.ts'
import { duration, whole } from '../src/report/format.ts'
import { ReportConfig } from '../src/report/report-config.ts'
import { RewardTrainConfig } from '../src/reward/training/reward-train-config.ts'
import { manifestName } from '../src/run-folder.ts'
import { rand } from '../src/tensor/create.ts'
import type { Dtype } from '../src/tensor/dtype.ts'
import { Generator } from '../src/tensor/generator.ts'
import { gpuState } from '../src/tensor/gpus.ts'
import { tensorScope } from '../src/tensor/scope.ts'
import { dpok, drawing, h200, reporting, rewardWeighted, type Place, type Rates, type Taken } from './expected-work.ts'

/** A command that is read: what it takes is found once a model is open. */
interface Step {
  readonly name: string
  readonly config: ModelConfig & object
  readonly taken: (place: Place) => Promise<Taken>
}
/** Of a pixel in a PNG. A guess. */
const bytesOfPixel = 1.7

const [folder = '', mode] = process.argv.slice(2)
// Nothing is run here that could go on later.
process.env.ATTUNE_LOG_EVERY_MS ??= '1000'

/** Undefined where a flag is wrong, which is told. */
async function readSteps(text: string): Promise<Step[] | undefined> {
  const steps: Step[] = []
  for (const command of text.split('\n\n')) {
    const [name, ...words] = command.split('\n').filter((word) => word !== '')
    if (words.length === 0) continue
    const program = new Command('attune')
    const found = (config: ModelConfig, taken: Step['taken']) => void steps.push({ name, config, taken })
    stageCommand(program, 'images generate', '', GenerateConfig, (config) => found(config, (place) => drawing(config, place))) // prettier-ignore
    stageCommand(program, 'report', '', ReportConfig, (config) => found(config, (place) => reporting(config, place)))
    const [dpokSchema, weightedSchema] = [
      await policySchema('policy dpok'),
      await policySchema('policy reward-weighted'),
    ]
    stageCommand(program, 'policy dpok', '', dpokSchema, (config) => found(config as never, (place) => dpok(config as never, place))) // prettier-ignore
    stageCommand(program, 'policy reward-weighted', '', weightedSchema, (config) => found(config as never, (place) => rewardWeighted(config as never, place))) // prettier-ignore
    // Its heads are small; embedding the images once takes minutes.
    const small = { what: 'trains on embeddings', images: 0, seconds: 0, memory: 0 }
    stageCommand(program, 'reward train', '', RewardTrainConfig, (config) => found(config, () => Promise.resolve(small))) // prettier-ignore
    if ((await main(program, [...words, '--out', join(folder, name)])) !== 0) return undefined
  }
  return steps
}

async function tell(steps: readonly Step[]): Promise<number> {
  const left = steps.filter(({ name }) => !existsSync(join(folder, name, manifestName)))
  if (left.length === 0) return 0
  const [{ config }] = left
  const { devices, sentence, machine } = gpuState()
  const isOnGpu = config.device === null ? devices > 0 : config.device !== 'cpu'
  if (!isOnGpu && mode === undefined) {
    throw new ConfigError({
      where: 'this recipe',
      expected: 'a GPU: a CPU would take weeks or years',
      received: devices > 0 ? `--device ${config.device}` : sentence,
      remedy: 'PLAN_ONLY=1 says what it would take, ALLOW_CPU=1 computes all the same',
    })
  }
  const isElsewhere = !isOnGpu && mode === 'plan-only'
  const opened = await open(isElsewhere ? { ...config, mixedPrecision: config.mixedPrecision ?? 'bf16' } : config)
  const { device, imageSize } = opened.model
  const rates = isElsewhere ? h200.rates : { narrow: rateOf(device, 'bfloat16'), float32: rateOf(device, 'float32') }
  const found = new Map<string, Taken>()
  const rows: string[][] = []
  const total = { images: 0, seconds: 0, memory: 0 }
  for (const { name, config, taken } of left) {
    // What differs between seeds does not count.
    const key = JSON.stringify({ ...config, seed: 0, out: '', images: '', policies: 'policies' in config && (config.policies as []).length }) // prettier-ignore
    const takes =
      found.get(key) ?? (await taken({ ...opened, rates, ...(isElsewhere && { memoryElsewhere: h200.bytes }) }))
    found.set(key, takes)
    total.images += takes.images
    total.seconds += takes.seconds
    total.memory = Math.max(total.memory, takes.memory)
    rows.push([name, whole(takes.images), time(takes.seconds), size(takes.memory), takes.what])
  }
  const gpu = machine.names.length === 0 ? device : `${device} (${machine.names.join(', ')})`
  const where = isElsewhere ? 'one NVIDIA H200, as there is no GPU here' : isOnGpu ? gpu : 'this CPU'
  const done = steps.length - left.length
  process.stdout.write(`
What ${done === 0 ? 'this' : 'is left of this'} takes on ${where}:
${table([['step', 'images', 'time', 'memory', ''], ...rows])}
In all ${time(total.seconds)}, at most ${size(total.memory)} of memory, about ${size(total.images * imageSize.width * imageSize.height * bytesOfPixel)} of disk.
Memory is counted on tensors without elements: kernels take about a seventh more.
${basis(rates, isElsewhere, isOnGpu)}

`)
  return 0
}

function basis(rates: Rates, isElsewhere: boolean, isOnGpu: boolean): string {
  const tera = (rate: number) => (whole(rate / 1e12) === '0' ? (rate / 1e12).toFixed(2) : whole(rate / 1e12))
  const scaled = isElsewhere
    ? ''
    : `, by the rate of products measured here (${tera(rates.narrow)} TFLOP/s in bf16, ${tera(rates.float32)} in float32)`
  return [
    `Time is passes of Stable Diffusion 1.5 at 512 × 512 as one H200 took them (docs/benchmarks.md)${scaled}.`,
    'A guess in it: float32 of the H200 by its data sheet, other models and sizes by parameters times places, the value function’s looks.',
    ...(isOnGpu || isElsewhere ? [] : ['On a CPU all of it is a guess.']),
    'Not counted: the download, scoring and encoding images, starting up.',
  ].join('\n')
}

/** Columns under each other; the numbers to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const padded = (cell: string, column: number) =>
    column === 0 || column === widths.length - 1 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])
  return rows.map((row) => `  ${row.map(padded).join('  ').trimEnd()}`).join('\n')
}

const time = (seconds: number) =>
  seconds < 60
    ? 'under 1 min'
    : seconds < 48 * 3600
      ? duration(60 * Math.round(seconds / 60))
      : `${(seconds / 86_400).toFixed(1)} days`
const size = (bytes: number) => (bytes < 1e9 ? `${(bytes / 1e6).toFixed(0)} MB` : `${(bytes / 1e9).toFixed(1)} GB`)

/** Operations a second in products of square matrices, of 8192 rows or as many as take a hundredth of a second. */
function rateOf(device: string, dtype: Dtype): number {
  using _scope = tensorScope()
  const timeOf = (rows: number) => {
    using _inner = tensorScope()
    const matrix = rand([rows, rows], new Generator(0)).to(device).to(dtype)
    const multiply = () => matrix.matmul(matrix).slice(0, 0, 1).sum().item()
    multiply()
    const began = performance.now()
    multiply()
    return (performance.now() - began) / 1000
  }
  for (let rows = 512; ; rows *= 2) {
    const seconds = timeOf(rows)
    if (seconds > 0.01 || rows === 8192) return (2 * rows ** 3) / seconds
  }
}

try {
  const steps = await readSteps(readFileSync(0, 'utf8'))
  process.exitCode = steps === undefined ? 2 : await tell(steps)
} catch (error) {
  if (!(error instanceof AttuneError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = error.exitCode
}
