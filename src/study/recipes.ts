/** The commands that arms are made of, as a user would type them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { canTake } from '../report/measures/measure.ts'
import { measures } from '../report/measures/index.ts'
import { valueOf } from '../report/measures/value-of.ts'
import { Report, splits, type PolicyReport } from '../report/schema.ts'
import { reportFiguresName } from '../run-files.ts'
import { stages, takesInput, type PolicyStage, type StageInput } from '../stages.ts'
import { scriptBeside } from '../script-beside.ts'
import type { Source, Step, StepSettings } from './steps.ts'
import { secondsOf } from './steps.ts'
import type { Arm, Bench, Finding } from './study.ts'

/** Seconds of one core on a machine of 2026, for the first guess of the time that is left. */
const guesses = { image: 0.012, dpokImage: 0.045, update: 0.14, pretrainingUpdate: 0.28, reward: 20, report: 25 }
const raterErrors = 0.05
/** Images of a prompt that methods compare with each other, by default. */
const groupSize = 8
/** Times as many images as of each of many prompts. */
const imagesOfSingle = 16

/** Images of prompts, and the labels of the simulated rater on them. */
export function labelled(bench: Bench, errorRate = raterErrors): { readonly images: Step; readonly feedback: Step } {
  const { seed, size, prompts, steps } = bench
  const images = draw(bench, prompts.labelled, size.labelledPerPrompt, 4 * seed + 1)
  const feedback = steps.add(
    { command: 'feedback simulate' },
    { images: [images], errorRate, skipRate: raterErrors, seed },
    { title: `labels, seed ${seed}`, guess: 5, writes: ['feedback', 'feedback.sqlite'] },
  )
  return { images, feedback }
}

const draw = (
  { seed, steps, prompts: { trainedCount } }: Bench,
  prompts: Source,
  perPrompt: number,
  drawSeed: number,
): Step =>
  steps.add(
    { command: 'images generate' },
    { prompts, perPrompt, seed: drawSeed },
    { title: `images, seed ${seed}`, guess: guesses.image * perPrompt * trainedCount },
  )

/** The reward that a bench's policies learn from. */
const reward = ({ seed, steps }: Bench, feedback: Step, settings: StepSettings = {}): Step =>
  steps.add(
    { command: 'reward train' },
    { feedback, ensemble: 0, seed, ...settings },
    { title: `reward, seed ${seed}`, guess: guesses.reward },
  )

/** The reward of all labels, by its default settings. */
const usualReward = (bench: Bench): Step => reward(bench, labelled(bench).feedback)

/** DPOK on the prompts of a bench, with as many images as a fine-tuning may draw; `isJudged`: on the judge’s verdicts. */
export function dpok(bench: Bench, title: string, settings: StepSettings, { isJudged = false } = {}): Step {
  const { seed, size, steps, prompts } = bench
  const { imagesDrawn = prompts.trainedCount * size.drawnPerPrompt } = settings
  return steps.add(
    isJudged ? { script: scriptBeside(import.meta.url, './run-judged-policy') } : { command: 'policy dpok' },
    { prompts: prompts.trained, reward: usualReward(bench), seed, ...settings, imagesDrawn },
    { title: `DPOK ${title}, seed ${seed}`, guess: guesses.dpokImage * Number(imagesDrawn) },
  )
}

/** Reward-weighted training; on labelled images alone, or on as many more as a fine-tuning may draw. */
export function rewardWeighted(
  bench: Bench,
  title: string,
  settings: StepSettings,
  { isLabelledOnly = false } = {},
): Step {
  const { seed, size, steps, prompts } = bench
  const { images } = labelled(bench)
  const more = () => draw(bench, prompts.trained, size.drawnPerPrompt, 4 * seed + 3)
  const { updates = size.updates } = settings
  const each = settings.pretrainingWeight === 0 ? guesses.update : guesses.pretrainingUpdate
  return steps.add(
    { command: 'policy reward-weighted' },
    { images: isLabelledOnly ? [images] : [images, more()], reward: usualReward(bench), seed, ...settings, updates },
    { title: `reward-weighted ${title}, seed ${seed}`, guess: each * Number(updates) },
  )
}

/** As many images as a fine-tuning may draw, in whole groups of a prompt. */
export const drawnInGroups = ({ size, prompts }: Bench): number =>
  Math.floor((prompts.trainedCount * size.drawnPerPrompt) / groupSize) * groupSize

/** Any other method that trains a policy, on what its stage takes; one that draws has as many images as any fine-tuning. */
export function method(
  bench: Bench,
  stage: PolicyStage,
  title: string,
  settings: StepSettings,
  secondsOfImage = guesses.dpokImage,
): Step {
  const { seed, steps, prompts } = bench
  const takes = (input: StageInput) => takesInput(stage, input)
  const { imagesDrawn = drawnInGroups(bench) } = settings
  const { images, feedback } = labelled(bench)
  return steps.add(
    { command: stage },
    {
      ...(takes('prompts') && { prompts: prompts.trained }),
      ...(takes('images') && { images: [images] }),
      ...(takes('pairs') && { feedback }),
      ...(takes('reward') && { reward: usualReward(bench) }),
      ...((stages[stage].cost as readonly string[]).includes('imagesDrawn') && { imagesDrawn }),
      seed,
      ...settings,
    },
    { title: `${title}, seed ${seed}`, guess: secondsOfImage * Number(imagesDrawn) },
  )
}

/** Of a trained policy, measured by a report of its own. */
export const policyArm = (bench: Bench, arm: Pick<Arm, 'name' | 'title' | 'at'>, policy: Step): Arm => {
  const step = measured(bench, arm.title, { policies: [{ name: 'policy', source: policy }], bestOf: 1 })
  const read = () => [...findingsOf(step, 'policy'), { measure: 'wall', value: secondsOf(policy) }]
  return { ...arm, step, part: 'policy', read }
}

/** The pre-trained model and a policy of one prompt, on this prompt (`seen`) and on another one (`unseen`). */
export function singleArms(bench: Bench, name: string, title: string, policy: Step): readonly Arm[] {
  const step = measured(bench, title, {
    policies: [{ name: 'policy', source: policy }],
    bestOf: 1,
    imagesPerPrompt: imagesOfSingle * bench.size.imagesPerPrompt,
  })
  return (['base', 'policy'] as const).map((policy) => ({
    name: policy === 'base' ? `${name}-base` : name,
    title: policy === 'base' ? `Pre-trained, ${title}` : `DPOK on ${title} alone`,
    step,
    part: `${policy} on one prompt`,
    read: () => findingsOf(step, policy).filter(({ measure }) => measure === 'alignment' || measure === 'mean-reward'),
  }))
}

/** The pre-trained model, and the best of n of its images. */
export function baseArm(bench: Bench): Arm {
  const step = measured(bench, 'base', { bestOf: 4 })
  return { name: 'base', title: 'Pre-trained', step, part: 'base', read: () => findingsOf(step, 'base') }
}
export function bestOfArm(bench: Bench, n: number): Arm {
  const step = measured(bench, `best of ${n}`, { bestOf: n })
  const part = 'best-of-n'
  return { name: `best-of-${n}`, title: `Best of ${n}`, at: n, step, part, read: () => findingsOf(step, part) }
}

/** Prompts that are measured apart from others. */
interface PromptGroup {
  readonly name: string
  readonly title: string
  readonly source: Source
  readonly at?: number
}

/** Policies on two groups of prompts, in one report: an arm for each policy, the pre-trained model before them, and group. */
export function groupArms(
  bench: Bench,
  groups: readonly [PromptGroup, PromptGroup],
  policies: readonly { readonly name: string; readonly source: Step }[],
  titles: Readonly<Record<string, string>>,
): readonly Arm[] {
  const [seen, unseen] = groups
  const step = measured(bench, `${seen.title} and ${unseen.title}`, {
    ...{ policies, bestOf: 1, seen: seen.source, unseen: unseen.source, klRollouts: 8 },
    imagesPerPrompt: 2 * bench.size.imagesPerPrompt,
  })
  return ['base', ...policies.map(({ name }) => name)].flatMap((policy) =>
    groups.map(({ name, title, at }, i) => ({
      ...{ name: `${policy}-${name}`, title: `${titles[policy]}, ${title}`, step, part: `${policy} ${splits[i]}` },
      ...(at !== undefined && { at }),
      read: () =>
        findingsOf(step, policy).flatMap(({ measure, split, ...found }) =>
          measure === 'alignment' && split === splits[i] ? [{ measure, ...found }] : [],
        ),
    })),
  )
}

/** By which a candidate is chosen: the same report, on prompts that it was not trained on. */
export const tuningReport = (bench: Bench, title: string, policy: Step): Step =>
  measured(bench, `a candidate of ${title}`, {
    policies: [{ name: 'policy', source: policy }],
    bestOf: 1,
    imagesPerPrompt: 4 * bench.size.imagesPerPrompt,
  })

function measured(bench: Bench, title: string, settings: StepSettings): Step {
  const { seed, size, steps, prompts } = bench
  const { imagesPerPrompt, klRollouts } = size
  const { seen, unseen } = prompts
  const common = { reward: usualReward(bench), seen, unseen, seed: 1_000_000 + seed, imagesPerPrompt, klRollouts }
  return steps.add(
    { command: 'report' },
    { ...common, processes: 1, ...settings },
    {
      title: `measuring ${title}, seed ${seed}`,
      guess: guesses.report * Math.max(1, Number(settings.bestOf ?? 1) / 2),
    },
  )
}

/** All that a report says of one policy. */
export function findingsOf(report: Step, name: string): readonly Finding[] {
  const { policies } = Report.parse(JSON.parse(readFileSync(join(report.path, reportFiguresName), 'utf8')))
  const policy: PolicyReport = policies.find((one) => one.name === name)!
  const taken = measures.filter((measure) => canTake(measure, policy.seen.measuredBy))
  return [
    ...taken.flatMap((measure) =>
      (measure.section === 'splits' ? splits : ([undefined] as const)).flatMap((split) => {
        const interval = valueOf(policy, measure, split)
        return interval === undefined
          ? []
          : [{ measure: measure.name, ...(split && { split }), value: interval.mean, interval }]
      }),
    ),
    { measure: 'images-drawn', value: policy.imagesDrawn },
  ]
}
