/** The images of the page. */
import type { EvaluationPlan } from './draw.ts'
import type { Evaluation } from './evaluate.ts'
import type { MeasuredPolicy } from './assemble-report.ts'
import type { SampleRow } from './page/samples-section.ts'
import { thumbnailOf } from './page/thumbnail.ts'
import type { Mark } from './page/wording.ts'
import type { PolicyName } from './policy-name.ts'
import { splits } from './schema.ts'

/** Prompts of each split in the grids, and images of each prompt. */
const gridPrompts = 8
const gridImages = 4

/** The first images of prompts spread evenly over each split's list; nothing is picked. */
export async function sampleRows(plan: EvaluationPlan, measured: readonly MeasuredPolicy[]): Promise<SampleRow[]> {
  const { prompts, imagesPerPrompt } = plan
  const images = Array.from({ length: Math.min(gridImages, imagesPerPrompt) }, (_, k) => k)
  const places = splits.flatMap((split) => {
    const all = prompts.flatMap((prompt, place) => (prompt.split === split ? [place] : []))
    const shown = Math.min(gridPrompts, all.length)
    return Array.from({ length: shown }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / shown)])
  })
  return Promise.all(
    places.map(async (place) => ({
      prompt: prompts[place].text,
      split: prompts[place].split,
      cells: await Promise.all(
        measured.map(async ({ name, drawn, evaluation }) => ({
          policy: name,
          images: await Promise.all(
            images.map(async (k) => ({
              thumbnail: await thumbnailOf(drawn.pictures[place * imagesPerPrompt + k]),
              mark: markOf(name, evaluation, evaluation.aligned[place][k]),
              seed: k + 1,
            })),
          ),
        })),
      ),
    })),
  )
}

/** The base is not compared with itself. */
function markOf(policy: PolicyName, { measuredBy }: Evaluation, aligned: number): Mark | undefined {
  if (measuredBy === 'reward' && policy === 'base') return undefined
  return aligned === 1 ? 'good' : aligned === 0 ? 'bad' : 'equal'
}
