/** What a comparison was made of, in `compare/<id>.json`. */
import { readFileSync, readdirSync } from 'node:fs'
import { z } from 'zod'
import { writeFileAtomic } from '../../files.ts'
import type { Workspace } from '../workspace.ts'

const ComparisonFile = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  prompts: z.array(z.string()),
  perPrompt: z.int().positive(),
  seed: z.int(),
  policies: z.array(z.string()),
  /** Of each policy, in their order: the run that holds its images, and the job that draws them. */
  runs: z.array(z.string()),
  jobs: z.array(z.string()),
})
export type ComparisonFile = z.infer<typeof ComparisonFile>

/** Oldest first. */
export const readComparisons = ({ at }: Workspace): ComparisonFile[] =>
  readdirSync(at('compare'))
    .filter((name) => name.endsWith('.json'))
    .map((name) => ComparisonFile.parse(JSON.parse(readFileSync(at('compare', name), 'utf8'))))
    .sort((a, b) => a.at.localeCompare(b.at))

export const writeComparison = ({ at }: Workspace, comparison: ComparisonFile): void =>
  writeFileAtomic(at('compare', `${comparison.id}.json`), `${JSON.stringify(comparison)}\n`)
