import { useRef, useState } from 'react'
import type { GoldChange } from '../../../src/studio/schemas/labelling.ts'
import { client } from '../../api.ts'
import { Empty, ErrorNotice, Loaded } from '../../components/notice.tsx'
import { NextNeeded } from '../../components/next-needed.tsx'
import { useAction, useRemote } from '../../remote.ts'
import { to } from '../../router.ts'
import { useStudio } from '../../studio-state.tsx'
import { useTexts } from '../../texts/texts.ts'
import { AnsweredCard } from './answered-card.tsx'
import { AddImages } from './image-picker.tsx'

/** @param goldShare how many of the questions hold a gold image; undefined while it is not known */
export function GoldSection({ goldShare }: { goldShare: number | undefined }) {
  const { gold: texts } = useTexts().asking
  const { state } = useStudio()
  const gold = useRemote(() => client.gold(), ['gold'])
  const [told, setTold] = useState('')
  const adding = useRef<HTMLButtonElement>(null)
  const set = useAction(async (image: string, answer: GoldChange['answer']) => {
    await client.setGold(image, { answer })
    await gold.reload()
    setTold(answer === null ? texts.notGold : texts.isNow[answer])
  })
  return (
    <section className="card stack" aria-labelledby="gold-title">
      <div>
        <h2 id="gold-title">{texts.title}</h2>
        <p className="soft small">
          {texts.about} <a href={to('raters')}>{texts.besideNames}</a>. {texts.notTrained}
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
                title={texts.none}
                action={state?.counts.images === 0 ? <NextNeeded of={['images']} /> : undefined}
              >
                {state?.counts.images === 0 ? texts.drawFirst : texts.aDozen}
              </Empty>
            ) : (
              <>
                <p className="soft small">
                  {texts.count(
                    items.length,
                    items.filter(({ answer }) => answer === 'good').length,
                    items.filter(({ answer }) => answer === 'bad').length,
                  )}
                </p>
                {goldShare === 0 && <p className="notice warn">{texts.notAsked}</p>}
                <ul className="answered-cards" aria-label={texts.title}>
                  {items.map(({ image, prompt, answer }) => (
                    <AnsweredCard
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
            <AddImages
              titles={texts}
              opener={adding}
              answers={new Map(items.map(({ image, answer }) => [image.id, answer]))}
              isBusy={set.isBusy}
              set={({ image }, answer) => void set.run(image.id, answer)}
            />
          </>
        )}
      </Loaded>
    </section>
  )
}
