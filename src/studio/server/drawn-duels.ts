/** What a comparison has drawn, and how many questions that makes. */
import { existsSync } from 'node:fs'
import { imageListName, readImageList } from '../../images/image-run.ts'
import type { ImageRecord } from '../../records.ts'
import type { WinRate } from '../../report/votes/win-rates.ts'
import { manifestName } from '../../run-folder.ts'
import type { Studio } from '../studio.ts'
import { runsName } from '../workspace.ts'
import { readBytes } from '../workspace-files.ts'
import { readComparisons, type ComparisonFile } from './comparison-files.ts'
import { duelsOf } from './votes.ts'

export const isDrawn = ({ workspace }: Pick<Studio, 'workspace'>, run: string) =>
  existsSync(workspace.at(runsName, run, manifestName))

/**
 * Of each policy its images by their index. None of any until all are drawn: whoever saw what some have drawn could tell
 * from it, later on, what the last one did.
 */
export function drawnImages(studio: Studio, { runs }: ComparisonFile): Map<number, ImageRecord>[] {
  const isReady = runs.every((run) => isDrawn(studio, run))
  return runs.map((run) => {
    if (!isReady) return new Map<number, ImageRecord>()
    const file = studio.workspace.at(runsName, run, imageListName)
    readBytes(studio.workspace, file)
    const records = readImageList(file)
    return new Map(records.map((record) => [record.index, record]))
  })
}

/** How many questions of a form two policies have been drawn for, in all comparisons. */
export const duelsBetween = (studio: Studio, pair: readonly string[], form: WinRate['form']): number =>
  readComparisons(studio.workspace)
    .filter(({ policies }) => pair.every((name) => policies.includes(name)))
    .flatMap((comparison) =>
      duelsOf(comparison, drawnImages(studio, comparison), { form, question: 'alignment', rater: '', secret: '' }),
    )
    .filter(({ policies }) => pair.every((name) => policies.includes(name))).length
