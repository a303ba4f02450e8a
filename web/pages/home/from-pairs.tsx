/** The short way: a policy from what people prefer, without a reward. */
import type { State } from '../../../src/studio/schemas/state.ts'
import { Icon } from '../../components/icon.tsx'
import { ErrorNotice } from '../../components/notice.tsx'
import { plural } from '../../format.ts'
import { trainOnPairs, trainOnPairsTitle } from '../../next-step.ts'
import { useAction } from '../../remote.ts'
import { to } from '../../router.ts'
import { isOpen } from '../../studio-state.tsx'

export function FromPairs({ state, reload }: { state: State; reload: () => Promise<void> }) {
  const { pairs, jobs, base: policy, next } = state
  const { run, isBusy, error } = useAction(async () => {
    if (pairs !== null) await trainOnPairs(pairs, policy)
    await reload()
  })
  // While something runs, that is shown in its place, with how far it is.
  if (pairs === null || pairs.pairs === 0 || jobs.some(isOpen)) return null
  return (
    <section className="card stack tight" aria-labelledby="from-pairs">
      <h2 id="from-pairs">Straight from what people prefer</h2>
      <p>
        {policy === null ? 'The pre-trained model' : policy} can learn from {plural(pairs.pairs, 'pair')} of images of{' '}
        {plural(pairs.prompts, 'prompt')}, in which one image was preferred: no reward, no new images. A blind
        comparison shows what has come of it.
      </p>
      {pairs.lack !== null ? (
        <p className="soft">
          {pairs.lack}{' '}
          <a className="text-link" href={to('label', 'pair')}>
            Compare images
          </a>
        </p>
      ) : (
        pairs.caveat !== null && <p className="soft small">{pairs.caveat}</p>
      )}
      <ErrorNotice error={error} />
      {pairs.lack === null && next.step !== 'train-pairs' && (
        <div>
          <button type="button" className="button" disabled={isBusy} onClick={() => void run()}>
            {isBusy ? 'One moment …' : trainOnPairsTitle(pairs)} <Icon name="arrow" size={18} />
          </button>
        </div>
      )}
    </section>
  )
}
