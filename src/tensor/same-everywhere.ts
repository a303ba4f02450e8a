/** What all processes of a group have to begin with. */
import { ConfigError } from '../errors.ts'
import { gatherValues, type Group } from './group.ts'

type Inputs = Readonly<Record<string, string>>

/**
 * @param own what this process has, by what a reader calls it
 * @throws {ConfigError} another process of the group has begun with something else
 */
export function expectSameEverywhere(group: Group, own: Inputs): void {
  const all = gatherValues(group, own)
  const shown = (one: Inputs, names: readonly string[]) =>
    names.map((name) => `${name} ${one[name]?.slice(0, 12) ?? 'none'}`).join(', ')
  all.forEach((inputs, rank) => {
    const names = Object.keys({ ...inputs, ...all[0] }).filter((name) => inputs[name] !== all[0][name])
    if (names.length === 0) return
    throw new ConfigError({
      where: `process ${rank} of ${group.size}`,
      expected: `what process 0 has (${shown(all[0], names)})`,
      received: shown(inputs, names),
      remedy: 'give all the same command and files, and a run folder on a disk that all see',
    })
  })
}
