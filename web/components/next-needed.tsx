import type { State } from '../../src/studio/schemas/state.ts'
import { to } from '../router.ts'
import { useStudio } from '../studio-state.tsx'

type Step = readonly [title: string, href: string, isThere: (state: State) => boolean]

const steps = {
  images: ['Draw the first images', to(), ({ rounds }) => rounds.length > 0],
  labels: ['Label images', to('label'), ({ counts }) => counts.judged > 0],
  reward: ['Train a reward', to('train', 'reward'), ({ rewards }) => rewards.length > 0],
  policy: ['Train a policy', to('train', 'policy'), ({ policies }) => policies.length > 0],
  report: ['Write a report', to('train', 'report'), ({ reports }) => reports.length > 0],
} as const satisfies Record<string, Step>

/** For a page that is empty: the way to the first of these that is not there yet, or to the last. */
export function NextNeeded({ of }: { of: readonly (keyof typeof steps)[] }) {
  const { state } = useStudio()
  const needed = of.map((name) => steps[name])
  const [title, href] = needed.find(([, , isThere]) => state !== undefined && !isThere(state)) ?? needed.at(-1)!
  return (
    <a className="button primary" href={href}>
      {title}
    </a>
  )
}
