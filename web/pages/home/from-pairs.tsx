/** The short way: a policy from what people prefer, without a reward. */
import type { State } from '../../../src/studio/schemas/state.ts'
import { Icon } from '../../components/icon.tsx'
import { ErrorNotice } from '../../components/notice.tsx'
import { trainOnPairs } from '../../next-step.ts'
import { useAction } from '../../remote.ts'
import { to } from '../../router.ts'
import { isOpen } from '../../studio-state.tsx'
import { useTexts } from '../../texts/texts.ts'

export function FromPairs({ state, reload }: { state: State; reload: () => Promise<void> }) {
  const { home, next: texts } = useTexts()
  const { pairs, jobs, base: policy, next } = state
  const { run, isBusy, error } = useAction(async () => {
    if (pairs !== null) await trainOnPairs(pairs, policy)
    await reload()
  })
  // While something runs, that is shown in its place, with how far it is.
  if (pairs === null || pairs.pairs === 0 || jobs.some(isOpen)) return null
  return (
    <section className="card stack tight" aria-labelledby="from-pairs">
      <h2 id="from-pairs">{home.fromPairs}</h2>
      <p dir="auto">{home.fromPairsHow(policy, pairs.pairs, pairs.prompts)}</p>
      {pairs.missing > 0 ? (
        <p className="soft">
          {texts.why['few-pairs']({ kind: 'few-pairs', missing: pairs.missing })}{' '}
          <a className="text-link" href={to('label', 'pair')}>
            {home.comparePairs}
          </a>
        </p>
      ) : (
        pairs.caveat !== null && (
          <p className="soft small">
            {texts.pairsCaveat(pairs.caveat.choices, pairs.caveat.measured, pairs.caveat.wanted)}
          </p>
        )
      )}
      <ErrorNotice error={error} />
      {pairs.missing === 0 && next.step !== 'train-pairs' && (
        <div>
          <button type="button" className="button" disabled={isBusy} onClick={() => void run()}>
            {isBusy ? home.oneMoment : home.steps.trainPairs(pairs.pairs)} <Icon name="arrow" size={18} />
          </button>
        </div>
      )}
    </section>
  )
}
