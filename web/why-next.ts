/** What the server decides, in words: why something is next, and why a job was held. Free of the browser. */
import type { Reason } from '../src/studio/schemas/next.ts'
import type { State } from '../src/studio/schemas/state.ts'
import { lackInWords } from '../src/studio/reward-evidence.ts'
import type { Texts } from './texts/en.ts'

/** As sentences, one after the other. */
export const sayWhy = (why: readonly Reason[], { next }: Pick<Texts, 'next'>): string =>
  why.map((reason) => (next.why[reason.kind] as (told: Reason) => string)(reason)).join(' ')

/** Why a job has failed or not begun, as the server wrote it down; in other words where it is what its reward lacks. */
export function sayError(error: string, rewards: State['rewards'], { next }: Pick<Texts, 'next'>): string {
  const reward = rewards.find(({ name, lack }) => lack !== null && lackInWords(name, lack) === error)
  return reward === undefined || reward.lack === null ? error : next.lack(reward.name, reward.lack)
}
