/** What a reader must know before believing the numbers of a report. */
import { openExistingFeedback } from '../feedback/store/feedback-file.ts'
import { toldAlarms } from '../policy/alarms/alarm-record.ts'
import type { EvaluationPlan } from './draw.ts'
import type { PastRun } from './lineage.ts'
import type { PolicyName } from './policy-name.ts'
import { measuringReward, type ReportConfig } from './report-config.ts'
import { splits } from './schema.ts'
import type { ReportContext } from './assemble-report.ts'

/** Below this many images a policy and split, the page warns. */
const enoughImages = 400

/** Who gave the labels: rates where they were simulated, and a caveat where that is not the whole story. */
export async function ratersOf({ manifest }: PastRun): Promise<Pick<ReportContext, 'simulatedRater' | 'caveats'>> {
  if (manifest.results.simulated !== true) return {}
  await using store = await openExistingFeedback(manifest.parents.feedback)
  const judgments = await store.judgments()
  const simulated = new Set(judgments.filter(({ raterKind }) => raterKind === 'simulated').map(({ rater }) => rater))
  const [name] = simulated
  const [, error, skip] = /error ([\d.]+) %, skip ([\d.]+) %/.exec(name) ?? []
  const known = simulated.size === 1 && skip !== undefined
  return {
    ...(known && { simulatedRater: { errorRate: Number(error) / 100, skipRate: Number(skip) / 100 } }),
    caveats: [
      ...(known ? [] : ['Labels were simulated: a program gave them, not people.']),
      ...(judgments.every(({ raterKind }) => raterKind === 'simulated')
        ? []
        : ['Labels of people and of a simulated rater are mixed.']),
    ],
  }
}

/** Of policies whose training has raised alarms of over-optimisation. */
export const alarmCaveats = (policies: readonly { readonly name: PolicyName; readonly run: PastRun }[]): string[] =>
  policies.flatMap(({ name, run }) => {
    const told = toldAlarms(run.manifest.results)
    return told === undefined ? [] : [`${name} ${told}.`]
  })

export function caveatsOf(
  { prompts, imagesPerPrompt }: EvaluationPlan,
  config: Pick<ReportConfig, 'scorer' | 'reward'>,
  isJudged: boolean,
): string[] {
  const least = Math.min(...splits.map((split) => prompts.filter((prompt) => prompt.split === split).length))
  return [
    ...(least * imagesPerPrompt >= enoughImages
      ? []
      : [`Small: fewer than ${enoughImages} images per policy and split were measured, so intervals are wide.`]),
    ...(isJudged || measuringReward(config) !== config.reward
      ? []
      : [
          'Policies are measured by the reward that they were trained on: what the reward gets wrong cannot show here. Give another one with --scorer.',
        ]),
  ]
}
