/** Names of policies in a report. They are free, and become names of files and of columns. */
import { z } from 'zod'

export const PolicyName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'up to 32 lower-case letters, digits and hyphens, the first one no hyphen')
export type PolicyName = z.infer<typeof PolicyName>

/** The pre-trained model and the best of its images: every report draws them itself. */
export const ownNames: readonly PolicyName[] = ['base', 'best-of-n']

/**
 * Names for runs after the last part of their folders: `dpok.2` is `dpok-2`, and of equal ones the later ones are counted.
 *
 * @param runs names of runs: `dpok-1`
 */
export function namesForRuns(runs: readonly string[]): PolicyName[] {
  const names: PolicyName[] = []
  for (const run of runs) {
    const plain = run.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '') || 'policy' // prettier-ignore
    const isFree = (name: string) => !names.includes(name) && !ownNames.includes(name)
    const counted = (count: number) => (count === 1 ? plain.slice(0, 32) : `${plain.slice(0, 28)}-${count}`)
    let count = 1
    while (!isFree(counted(count))) count++
    names.push(counted(count))
  }
  return names
}
