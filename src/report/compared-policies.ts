/** The trained policies of a report, as `--policies name=folder,…` gives them. */
import { existsSync } from 'node:fs'
import { ConfigError, FormatError } from '../errors.ts'
import { algorithmOf, factsOf, isPolicyStage, policyStages, type AlgorithmName } from '../stages.ts'
import { pastRun, type PastRun } from './lineage.ts'
import { ownNames, PolicyName } from './policy-name.ts'

export interface ComparedPolicy {
  /** Of this report alone; the algorithm's where none was given. */
  readonly name: PolicyName
  readonly algorithm: AlgorithmName
  readonly run: PastRun
}

const flag = '--policies'

/**
 * @param given `name=folder`, or `folder` alone for the algorithm's name
 * @throws {ConfigError} a name that cannot be one, or that two have
 * @throws {FileError | FormatError} no finished run, or one that trained no policy
 */
export function comparedPolicies(given: readonly string[]): ComparedPolicy[] {
  const policies = given.map(comparedPolicy)
  for (const [place, { name, run }] of policies.entries()) {
    const first = policies.findIndex((policy) => policy.name === name)
    if (first === place) continue
    throw new ConfigError({
      where: flag,
      expected: 'another name for each policy',
      received: `${name} for ${policies[first].run.folder} and for ${run.folder}`,
      remedy: `give names of your own: ${flag} ${name}-a=${policies[first].run.folder},${name}-b=${run.folder}`,
    })
  }
  return policies
}

function comparedPolicy(given: string): ComparedPolicy {
  const { name, folder } = partsOf(given)
  if (folder === '') {
    throw new ConfigError({
      where: flag,
      expected: 'the folder of a run, or name=folder',
      received: JSON.stringify(given),
      remedy: `leave out the comma, or say which run: ${flag} runs/dpok`,
    })
  }
  if (name !== undefined) expectName(name)
  const run = pastRun(folder)
  const { stage } = run.manifest
  if (!isPolicyStage(stage)) throw notTrained(given, stage)
  const algorithm = algorithmOf(stage)
  return { name: name ?? algorithm, algorithm, run }
}

/** What stands before the first `=` is a name, unless it is a part of a path. */
function partsOf(given: string): { readonly name?: string; readonly folder: string } {
  const at = given.indexOf('=')
  const isPath = at < 0 || /[/\\]/.test(given.slice(0, at)) || (given !== '' && existsSync(given))
  if (isPath) return { folder: given.trim() }
  return { name: given.slice(0, at).trim(), folder: given.slice(at + 1).trim() }
}

/** @throws {ConfigError} */
function expectName(name: string): void {
  const { error } = PolicyName.safeParse(name)
  const isTaken = ownNames.includes(name)
  if (error === undefined && !isTaken) return
  throw new ConfigError({
    where: flag,
    expected: isTaken ? 'a name that the report does not give itself' : error!.issues[0].message,
    received: JSON.stringify(name),
    remedy: 'choose another name: it is for this report alone',
  })
}

function notTrained(given: string, stage: string): FormatError {
  return new FormatError({
    where: `${flag} ${given}`,
    expected: `a run of ${policyStages.join(' or ')}`,
    received: `one of ${stage}`,
    remedy:
      factsOf(stage)?.kind === 'best-of-n'
        ? 'it trained nothing, and the report draws best-of-n by itself: say among how many with --best-of'
        : 'give the folder of such a run',
  })
}
