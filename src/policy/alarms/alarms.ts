/**
 * Alarms of over-optimisation. A reward is a proxy: a policy that is trained on it for long finds what the reward gets wrong
 * (Gao et al. 2023, arXiv:2210.10760). Every so many steps the policy draws the same probe images, and an alarm is raised
 *
 * - where the mean of a statistic (see statistics.ts) leaves that of the base model's images of the same prompts by more
 *   than chance and by about one deviation of those: seldom is a policy that people prefer so unlike its base;
 * - where a reward that the training does not see has fallen below what it was at an earlier look, while the trained one
 *   is higher than then.
 *
 * Of runs whose policy stays as it was fewer than 1 % have an alarm: each test has its part of that (Bonferroni).
 */
import { mean } from 'simple-statistics'
import { z } from 'zod'
import type { GenerativeModel } from '../../networks/generative-model.ts'
import { tensorScope, unscoped } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { below, numbersOf, under, type TrainingState } from '../../tensor/training-state.ts'
import type { Looked, Watch } from '../training-run.ts'
import { Alarm, alarmInWords, heldOutName, trainedName } from './alarm-record.ts'
import type { Probes, ProbeValues } from './probes.ts'
import { departure, fallOf, meanOf, rareBound, spreadOf, type Spread } from './spread.ts'
import { statistics } from './statistics.ts'

/** Of runs whose policy does not change. */
const falseAlarms = 0.01
/** A fall of the reward that is not trained on, in deviations of the base's images, that is worth an alarm. */
const leastFall = 0.25
/** The policy draws half as many images at a look as the base did at the start. */
const baseFactor = 2
/** Of a departure, in what raises an alarm: beyond, nobody asks how far. */
const mostLevel = 100

const byPrompt = z.array(z.array(z.number()))
const AlarmNumbers = z.object({
  spreads: z.record(
    z.string(),
    z.object({ means: z.array(z.number()), deviation: z.number(), count: z.number(), freedom: z.number() }),
  ),
  raised: z.array(Alarm),
  looks: z.int().nonnegative(),
  /** The look at which the reward that is not trained on was highest. */
  peak: z.object({ step: z.int(), heldOut: byPrompt, reward: z.number().nullable() }).nullable(),
  /** The look before any alarm at which the policy was best. */
  best: z.object({ step: z.int(), score: z.number().nullable() }).nullable(),
  isOver: z.boolean(),
})
type AlarmNumbers = z.infer<typeof AlarmNumbers>

interface AlarmSettings {
  readonly probes: Probes
  /** As it was pre-trained. */
  readonly base: GenerativeModel
  /** Under training. */
  readonly policy: GenerativeModel
  readonly parameters: ReadonlyMap<string, Tensor>
  /** Steps between looks, and of the run. */
  readonly every: number
  readonly total: number
  readonly stopOnAlarm: boolean
}

export class Alarms implements Watch {
  readonly #settings: AlarmSettings
  #numbers: AlarmNumbers | undefined
  /** Of the best look, where a run stops on an alarm. */
  #kept: ReadonlyMap<string, Tensor> = new Map()

  constructor(settings: AlarmSettings) {
    this.#settings = settings
  }

  get isOver(): boolean {
    return this.#numbers?.isOver ?? false
  }

  /** @throws {DivergenceError} an image or a score is not finite */
  look(step: number): Looked | undefined {
    const { every, total, probes, policy, base, stopOnAlarm } = this.#settings
    if (step % every !== 0 && step !== total) return undefined
    using _scope = tensorScope()
    this.#numbers ??= beginningWith(probes.measure(base, baseFactor * probes.perPrompt))
    const numbers = this.#numbers
    const values = probes.measure(policy)
    const { alarms, level } = this.#compare(step, values)
    const isFirst = alarms.filter(({ statistic }) => numbers.raised.every((one) => one.statistic !== statistic))
    numbers.raised.push(...isFirst)
    numbers.looks++
    if (numbers.raised.length === 0) this.#keepIfBest(step, values)
    numbers.isOver = stopOnAlarm && alarms.length > 0
    const means = Object.entries(values).map(([name, one]) => [`probe_${name}`, meanOf(one)])
    const words = alarms.map(alarmInWords).join(', ')
    return {
      metrics: { ...(Object.fromEntries(means) as Record<string, number>), alarm_level: level },
      ...(alarms.length > 0 && { alarm: `signs of over-optimisation in the probe images: ${words}` }),
      isNews: isFirst.length > 0,
    }
  }

  /** The alarms of a look, and how near it is to one: the largest departure as a share of what raises an alarm. */
  #compare(step: number, values: ProbeValues): { alarms: Alarm[]; level: number } {
    const { spreads } = this.#numbers!
    const looks = Math.ceil(this.#settings.total / this.#settings.every)
    const sides = statistics.reduce((sum, { isLossOnly }) => sum + (isLossOnly ? 1 : 2), 0)
    // Half of the chance is for the reward that is not trained on, of which any two looks are compared.
    const chance = falseAlarms / 2 / sides / looks
    const tests = statistics.map(({ name, isLossOnly }) => {
      const z = departure(spreads[name], values[name])
      return { name, level: (isLossOnly ? -z : Math.abs(z)) / rareBound(chance, spreads[name].freedom) }
    })
    if (heldOutName in values) tests.push({ name: heldOutName, level: this.#parting(step, values, looks) })
    const { peak } = this.#numbers!
    const alarms = tests
      .filter(({ level }) => level > 1)
      .map(({ name }): Alarm => {
        const { means, deviation } = spreads[name]
        const base = mean(means)
        const fallen = name === heldOutName &&
          peak !== null && { peak: { step: peak.step, value: meanOf(peak.heldOut) } }
        return { statistic: name, step, value: meanOf(values[name]), base, deviation, ...fallen }
      })
    return { alarms, level: Math.min(mostLevel, Math.max(0, ...tests.map(({ level }) => level))) }
  }

  /** How sure it is that the reward that is not trained on has fallen since its best look, as a share of what is enough. */
  #parting(step: number, values: ProbeValues, looks: number): number {
    const numbers = this.#numbers!
    const heldOut = values[heldOutName]
    const reward = trainedName in values ? meanOf(values[trainedName]) : null
    const { peak } = numbers
    if (peak === null || meanOf(heldOut) >= meanOf(peak.heldOut)) {
      numbers.peak = { step, heldOut: heldOut.map((one) => [...one]), reward }
      return 0
    }
    if (reward !== null && reward <= peak.reward!) return 0
    const { by, errors } = fallOf(peak.heldOut, heldOut)
    const pairsOfLooks = (looks * (looks + 1)) / 2
    const enough = rareBound(falseAlarms / 2 / pairsOfLooks, heldOut.flat().length - 1)
    const fall = by / (leastFall * numbers.spreads[heldOutName].deviation)
    return Math.min(errors / enough, fall)
  }

  /** By the reward that is not trained on, else by the trained one; where there is neither the latest look is the best. */
  #keepIfBest(step: number, values: ProbeValues): void {
    const numbers = this.#numbers!
    const judge = [heldOutName, trainedName].find((name) => name in values)
    const score = judge === undefined ? null : meanOf(values[judge])
    if (score !== null && numbers.best !== null && score <= numbers.best.score!) return
    numbers.best = { step, score }
    if (!this.#settings.stopOnAlarm) return
    const before = this.#kept
    this.#kept = unscoped(
      () => new Map([...this.#settings.parameters].map(([name, one]) => [name, one.detach().clone()])),
    )
    for (const one of before.values()) one.dispose()
  }

  /** The parameters of the best look before the alarm; a policy that began with an alarm stays as it began. */
  restore(): number {
    for (const [name, one] of this.#kept) this.#settings.parameters.get(name)!.detach().copy_(one)
    return this.#numbers?.best?.step ?? 0
  }

  /** What the manifest tells. */
  get results(): { readonly probeLooks: number; readonly alarms: readonly Alarm[] } {
    const { looks, raised } = this.#numbers ?? { looks: 0, raised: [] }
    return { probeLooks: looks, alarms: raised }
  }

  state(): TrainingState {
    return { tensors: new Map(under('best', this.#kept)), numbers: { ...this.#numbers } }
  }

  /** @throws {FormatError} it is not such a state */
  load({ tensors, numbers }: TrainingState): void {
    this.#numbers = numbersOf('alarms', AlarmNumbers, { tensors, numbers })
    this.#kept = unscoped(() => new Map([...below('best', tensors)].map(([name, one]) => [name, one.clone()])))
  }
}

const beginningWith = (values: ProbeValues): AlarmNumbers => {
  const resolutions = new Map(statistics.map(({ name, resolution }) => [name, resolution]))
  const spreads = Object.entries(values).map(([name, one]): [string, Spread] => [
    name,
    spreadOf(one, resolutions.get(name) ?? 0),
  ])
  return { spreads: Object.fromEntries(spreads), raised: [], looks: 0, peak: null, best: null, isOver: false }
}
