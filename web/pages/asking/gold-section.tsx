import { useRef, useState } from 'react'
import type { GoldChange } from '../../../src/studio/schemas/labelling.ts'
import { client } from '../../api.ts'
import { Empty, ErrorNotice, Loaded } from '../../components/notice.tsx'
import { NextNeeded } from '../../components/next-needed.tsx'
import { plural } from '../../format.ts'
import { useAction, useRemote } from '../../remote.ts'
import { to } from '../../router.ts'
import { useStudio } from '../../studio-state.tsx'
import { GoldCard } from './gold-card.tsx'
import { GoldPicker } from './gold-picker.tsx'

/** @param goldShare how many of the questions hold a gold image; undefined while it is not known */
export function GoldSection({ goldShare }: { goldShare: number | undefined }) {
  const { state } = useStudio()
  const gold = useRemote(() => client.gold(), ['gold'])
  const [isPicking, setPicking] = useState(false)
  const [told, setTold] = useState('')
  const adding = useRef<HTMLButtonElement>(null)
  const set = useAction(async (image: string, answer: GoldChange['answer']) => {
    await client.setGold(image, { answer })
    await gold.reload()
    setTold(answer === null ? 'Not gold any more.' : `The answer is ${answer}.`)
  })
  return (
    <section className="card stack" aria-labelledby="gold-title">
      <div>
        <h2 id="gold-title">Gold images</h2>
        <p className="soft small">
          You know whether they are good or bad. Raters meet them unmarked among the others, in “Good or bad”; how many
          each got right is <a href={to('raters')}>beside their names</a>. No reward is trained on them.
        </p>
      </div>
      <ErrorNotice error={set.error} />
      <span className="hidden" role="status">
        {told}
      </span>
      <Loaded remote={gold} heights={[220]}>
        {({ items }) => (
          <>
            {items.length === 0 ? (
              <Empty
                icon="reward"
                title="There are no gold images yet"
                action={state?.counts.images === 0 ? <NextNeeded of={['images']} /> : undefined}
              >
                {state?.counts.images === 0
                  ? 'The model has to draw some images first.'
                  : 'A dozen that leave no doubt, good and bad alike, show who answers with care.'}
              </Empty>
            ) : (
              <>
                <p className="soft small">
                  {plural(items.length, 'gold image')}: {items.filter(({ answer }) => answer === 'good').length} good,{' '}
                  {items.filter(({ answer }) => answer === 'bad').length} bad.
                </p>
                {goldShare === 0 && (
                  <p className="notice warn">None of them is asked about: the share of gold questions is 0 %.</p>
                )}
                <ul className="gold-cards" aria-label="Gold images">
                  {items.map(({ image, prompt, answer }) => (
                    <GoldCard
                      key={image.id}
                      image={image}
                      prompt={prompt}
                      answer={answer}
                      isBusy={set.isBusy}
                      set={(next) => {
                        // The card goes with its answer.
                        if (next === null) adding.current?.focus()
                        void set.run(image.id, next)
                      }}
                    />
                  ))}
                </ul>
              </>
            )}
            {state !== undefined && state.counts.images > 0 && (
              <div>
                <button
                  type="button"
                  className="button"
                  ref={adding}
                  aria-expanded={isPicking}
                  onClick={() => setPicking(!isPicking)}
                >
                  {isPicking ? 'Done adding' : 'Add gold images'}
                </button>
              </div>
            )}
            {isPicking && (
              <GoldPicker
                answers={new Map(items.map(({ image, answer }) => [image.id, answer]))}
                isBusy={set.isBusy}
                set={({ image }, answer) => void set.run(image.id, answer)}
              />
            )}
          </>
        )}
      </Loaded>
    </section>
  )
}
