/** `check`: what to run first on a new machine, on a new GPU, or with a new model. */
import { cpus, release, type } from 'node:os'
import { z } from 'zod'
import { setupCommand } from '../../scripts/setup/places.mjs'
import { coresOfThis } from '../cores.ts'
import { CheckError, StoppedError } from '../errors.ts'
import { hostMemory } from '../host-memory.ts'
import { shownBytes } from '../images/at-once.ts'
import { modelFields, modelSettingsOf, samplingFields } from '../images/open-model.ts'
import { rewardFields } from '../reward/open-reward.ts'
import { durationText, fail, failedBy, linesOf, notTried, pass, type Finding } from './finding.ts'
import { tryFolder, type Scratch } from './folder.ts'
import type { GpuTrial } from './gpus.ts'
import { memoryFinding } from './memory.ts'
import type { CheckedModel, ModelTrial } from './model.ts'
import { tryRise } from './rise.ts'
import { predictionsOfUpdates, tryRuns } from './trial-runs.ts'
import { Workers } from './workers.ts'

/** The embedded model can read them too. */
const colourful = ['a blue circle', 'a green ring', 'a yellow triangle', 'a white cross']

export const CheckConfig = z.strictObject({
  ...rewardFields,
  reward: rewardFields.reward.default('redness'),
  minutes: z
    .number()
    .positive()
    .max(10_000)
    .default(2)
    .describe('Time in which the reward has to rise; what would take longer is not tried, and it says how long.'),
  prompt: z
    .array(z.string().trim().min(1))
    .min(1)
    .default(colourful)
    .meta({ description: 'A prompt to draw images of; may be given several times.', repeatable: true }),
  learningRate: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe('Of the trial; without it 5e-3, and 1e-3 for adapters: more than a real training takes.'),
  ...samplingFields,
  ...modelFields,
  out: z
    .string()
    .min(1)
    .default('runs')
    .describe('Folder in which runs are to be written; of the check nothing stays there.'),
})
export type CheckConfig = z.output<typeof CheckConfig>

const rates = { text: 5e-3, lora: 1e-3 }

/**
 * Looks at one thing after the other and says a line of each as soon as it is known.
 *
 * @param script the file of a process that calls `serveTask` with `doCheckTask`
 * @throws {CheckError} not everything passed
 * @throws {StoppedError} it was interrupted; nothing is left of it
 */
export async function runCheck(config: CheckConfig, script: URL, say: (line: string) => void): Promise<void> {
  using interruption = new Interruption()
  const findings: Finding[] = []
  const found = (...some: readonly Finding[]) => {
    findings.push(...some)
    for (const line of some.flatMap(linesOf)) say(line)
  }
  try {
    await look(config, new Workers(script, interruption.signal), found)
  } catch (error) {
    if (!interruption.signal.aborted) throw error
    const remedy = 'nothing is left of it; run it again'
    throw new StoppedError({ where: 'check', expected: 'to come to its end', received: 'a signal to end', remedy })
  }
  const namesOf = (state: Finding['state']) => findings.filter((one) => one.state === state).map(({ name }) => name)
  const [failed, untried] = [namesOf('fail'), namesOf('not tried')]
  if (failed.length + untried.length === 0) return
  const parts = [
    ...(failed.length > 0 ? [`failed: ${failed.join(', ')}`] : []),
    ...(untried.length > 0 ? [`not tried: ${untried.join(', ')}`] : []),
  ]
  const remedy = 'do what stands at the end of these lines, and run it again'
  throw new CheckError({ where: 'check', expected: 'everything to pass', received: parts.join('; '), remedy })
}

/** From now on these signals end the processes of the check, and not this one before it has tidied up. */
class Interruption implements Disposable {
  readonly #ending = new AbortController()
  readonly #end = () => this.#ending.abort()

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, this.#end)
  }

  get signal(): AbortSignal {
    return this.#ending.signal
  }

  [Symbol.dispose](): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, this.#end)
  }
}

type Found = (...findings: readonly Finding[]) => void

async function look(config: CheckConfig, workers: Workers, found: Found): Promise<void> {
  found(machine())
  const { finding, scratch: made } = tryFolder(config.out)
  using scratch = made
  found(finding)
  let gpus: number
  try {
    const trial = await workers.run<GpuTrial>({ kind: 'gpus', device: config.device })
    gpus = trial.count
    found(...gpuFindings(trial))
  } catch (error) {
    found(failedBy('libtorch', error), ...untried(['gpu', 'model', ...afterModel], `set it up first: \`${setupCommand}\``)) // prettier-ignore
    return
  }
  const { reward, steps, eta, guidance, encoder } = config
  const model: CheckedModel = { ...modelSettingsOf(config), steps, eta, guidance, encoder }
  let trial: ModelTrial
  try {
    trial = await workers.run<ModelTrial>({ kind: 'model', model, reward })
  } catch (error) {
    found(failedBy('model', error), ...untried(afterModel, 'mend the model or the reward first'))
    return
  }
  found(modelFinding(config.model, trial, gpus), memoryFinding(trial))
  await train(config, { ...model, device: trial.device }, trial, scratch, workers, found)
}

async function train(
  config: CheckConfig,
  model: CheckedModel,
  trial: ModelTrial,
  scratch: Scratch,
  workers: Workers,
  found: Found,
): Promise<void> {
  const { reward, prompt: prompts } = config
  const { sampling, stepSeconds, decodeSeconds, openSeconds, batchSize } = trial
  const learningRate = config.learningRate ?? rates[trial.parameters]
  const settings = { ...model, reward, prompt: prompts, learningRate, threads: config.threads, seed: 0 }
  const mostSeconds = 60 * config.minutes
  const { steps } = sampling
  const isOnGpu = trial.device !== 'cpu'
  const { findings, predictionSeconds } = await tryRuns(
    scratch.folder,
    { settings, steps, mostSeconds, stepSeconds, decodeSeconds, isOnGpu },
    workers,
  )
  found(...findings)
  const whole = ordinaryImages * (steps + predictionsOfUpdates(9)) * (predictionSeconds ?? stepSeconds)
  found(pass('speed', `\`policy dpok\` with its ordinary ${ordinaryImages} images would take about ${durationText(whole)} here${predictionSeconds === undefined ? ', by the time of one prediction' : ''}`)) // prettier-ignore
  if (predictionSeconds === undefined && findings.some(({ state }) => state === 'fail')) {
    found(...untried(['reward'], 'mend what failed before it', 'a small training does not come to its end'))
    return
  }
  found(
    await tryRise(
      scratch.folder,
      {
        ...{ model, settings, reward, prompts, seed: 1, steps, mostSeconds, openSeconds, batchSize },
        predictionSeconds: predictionSeconds ?? stepSeconds,
      },
      workers,
    ),
  )
}

/** Of `policy dpok` where nothing else is said. */
const ordinaryImages = 9600

const afterModel = ['memory', 'first ratio', 'resume', 'speed', 'reward']
const untried = (names: readonly string[], remedy: string, why = 'something before it failed') =>
  names.map((name) => notTried(name, why, remedy))

/** Below it not even the embedded model's stages have room. */
const leastFree = 1e9

function machine(): Finding {
  const { free, total, limit } = hostMemory()
  const cores = coresOfThis()
  const processor = cpus().at(0)?.model.trim() ?? process.arch
  const said = `Node ${process.versions.node} on ${type()} ${release()} ${process.arch}; ${cores} core${cores === 1 ? '' : 's'} of ${processor}; ${shownBytes(free)} free of the ${shownBytes(total)} of ${limit}` // prettier-ignore
  if (free >= leastFree) return pass('machine', said)
  return fail('machine', said, `end other programs, or raise the limit, until ${shownBytes(leastFree)} are free`)
}

function gpuFindings({ library, sentence, trouble }: GpuTrial): Finding[] {
  const gpu = trouble === undefined ? pass('gpu', sentence) : fail('gpu', trouble.said, trouble.remedy)
  return [pass('libtorch', library), gpu]
}

/** @param gpus that could be used */
function modelFinding(name: string, trial: ModelTrial, gpus: number): Finding {
  const { device, dtype, imageSize, sampling, openSeconds, stepSeconds, decodeSeconds } = trial
  const image = sampling.steps * stepSeconds + decodeSeconds
  const idle = gpus > 0 && device === 'cpu' ? '; a checkpoint given with --model tries the GPU too' : ''
  return pass(
    'model',
    `${name} on ${device} in ${dtype}, ${imageSize.width} × ${imageSize.height} pixels; read in ${openSeconds.toFixed(1)} s; an image of ${sampling.steps} steps by itself takes ${image < 10 ? image.toFixed(2) : image.toFixed(0)} s${idle}`, // prettier-ignore
  )
}
