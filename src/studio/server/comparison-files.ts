/** What a comparison was made of, in `compare/<id>.json`. */
import { readdirSync } from 'node:fs'
import { z } from 'zod'
import { writeFileAtomic } from '../../files.ts'
import { RunName } from '../schemas/basics.ts'
import type { Workspace } from '../workspace.ts'
import { readJson, whatWorks, type Broken } from '../workspace-files.ts'

const folderName = 'compare'

const ComparisonFile = z
  .object({
    id: RunName,
    at: z.iso.datetime(),
    prompts: z.array(z.string()).min(1).max(1000),
    repeatedPrompts: z.int().nonnegative().optional(),
    perPrompt: z.int().min(1).max(64),
    seed: z.int(),
    policies: z.array(z.string()).min(2).max(16),
    /** Of each policy, in their order: the run that holds its images, and the job that draws them. */
    runs: z.array(RunName),
    jobs: z.array(z.string()),
  })
  .refine(({ policies, runs }) => policies.length === runs.length, 'a run of each policy')
export type ComparisonFile = z.infer<typeof ComparisonFile>

/** Oldest first. One that cannot be read is as good as none: see {@link brokenComparisons}. */
export const readComparisons = (workspace: Workspace): ComparisonFile[] =>
  look(workspace).made.sort((a, b) => a.at.localeCompare(b.at))

export const brokenComparisons = (workspace: Workspace): Broken[] => look(workspace).broken

function look(workspace: Workspace) {
  const names = comparisonNames(workspace).map((name) => ({ name }))
  return whatWorks(names, ({ name }) => {
    const file = workspace.at(folderName, `${name}.json`)
    return readJson(
      workspace,
      file,
      ComparisonFile.refine(({ id }) => id === name, 'the id of its file'),
    )
  })
}

/** Broken ones have theirs too. */
export const comparisonNames = ({ at }: Workspace): string[] =>
  readdirSync(at(folderName)).flatMap((name) => /^(.*)\.json$/.exec(name)?.[1] ?? [])

export const writeComparison = ({ at }: Workspace, comparison: ComparisonFile): void =>
  writeFileAtomic(at(folderName, `${comparison.id}.json`), `${JSON.stringify(comparison)}\n`)
