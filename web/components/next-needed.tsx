import type { State } from '../../src/studio/schemas/state.ts'
import { to } from '../router.ts'
import { useStudio } from '../studio-state.tsx'
import { useTexts } from '../texts/texts.ts'

type Step = readonly [href: string, isThere: (state: State) => boolean]

const steps = {
  images: [to(), ({ rounds }) => rounds.length > 0],
  labels: [to('label'), ({ counts }) => counts.judged > 0],
  reward: [to('train', 'reward'), ({ rewards }) => rewards.length > 0],
  policy: [to('train', 'policy'), ({ policies }) => policies.length > 0],
  report: [to('train', 'report'), ({ reports }) => reports.length > 0],
} as const satisfies Record<string, Step>

/** For a page that is empty: the way to the first of these that is not there yet, or to the last. */
export function NextNeeded({ of }: { of: readonly (keyof typeof steps)[] }) {
  const { needed } = useTexts().frame
  const { state } = useStudio()
  const isMissing = (name: keyof typeof steps) => state !== undefined && !steps[name][1](state)
  const first = of.find(isMissing) ?? of.at(-1)!
  return (
    <a className="button primary" href={steps[first][0]}>
      {needed[first]}
    </a>
  )
}
