/** What was drawn: a column a policy and a row a noise, or the images of the one policy beside each other. Images are kept one by one; of a row one can be called better. */
import { useState, type CSSProperties } from 'react'
import type { Drawn } from '../../../src/studio/schemas/playground.ts'
import type { NewJudgment } from '../../../src/studio/schemas/labelling.ts'
import { client } from '../../api.ts'
import { timeNow } from '../../clock.ts'
import { ErrorNotice } from '../../components/notice.tsx'
import { ZoomPicture } from '../../components/zoom-picture.tsx'
import { policyTitle } from '../../format.ts'
import { newId } from '../../new-id.ts'
import { postJudgment } from '../../outbox.ts'
import { useAction } from '../../remote.ts'
import { useTexts } from '../../texts/texts.ts'
import { cellOf, type Drawing } from './use-drawing.ts'

interface ResultsProps {
  readonly drawing: Drawing
  readonly kept: (ids: readonly string[], isKept: boolean) => void
}

/** Of a row that was voted on: the winner, and what was said. */
interface Vote {
  readonly winner: string
  readonly judgments: readonly NewJudgment[]
}

export function Results({ drawing: { request, images }, kept }: ResultsProps) {
  const { playground: texts } = useTexts()
  const [votes, setVotes] = useState<ReadonlyMap<string, Vote>>(new Map())
  const keep = useAction(async (ids: readonly string[], isKept: boolean) => {
    if (isKept) await client.keepDrawn({ images: [...new Set(ids)] })
    else await client.archive({ images: [...ids], archived: true })
    kept(ids, isKept)
  })
  const vote = useAction(async (row: string, winner: Drawn, shown: readonly Drawn[]) => {
    await client.keepDrawn({ images: [...new Set(shown.map(({ image }) => image.id))] })
    kept(
      shown.map(({ image }) => image.id),
      true,
    )
    const judgments = pairsOf(winner, shown)
    for (const judgment of judgments) postJudgment(judgment)
    setVotes((now) => new Map(now).set(row, { winner: winner.image.id, judgments }))
  })
  const undo = (row: string) => {
    for (const judgment of votes.get(row)?.judgments ?? []) {
      postJudgment({ ...judgment, id: newId(), at: timeNow(), undoes: judgment.id })
    }
    setVotes((now) => new Map([...now].filter(([one]) => one !== row)))
  }
  const titles = request.policies.map(({ policy, strength = 1 }) =>
    strength === 1 ? policyTitle(policy) : texts.atStrength(policyTitle(policy), strength),
  )
  const rows = Array.from({ length: request.images ?? 1 }, (_, index) =>
    titles.map((_, policy) => images.get(cellOf(policy, index))),
  )
  const isSingle = titles.length === 1
  const columns = isSingle ? Math.min(rows.length, 3) : titles.length
  return (
    <div className="stack">
      <ErrorNotice error={keep.error ?? vote.error} />
      <div className="play-grid" data-single={isSingle} style={{ '--columns': columns } as CSSProperties}>
        {titles.map((title, place) => (
          <h3 key={place} className="play-title" dir="auto">
            {title}
          </h3>
        ))}
        {rows.flatMap((cells, index) => {
          const row = cells.map((one) => one?.image.id ?? '').join()
          const shown = cells.filter((one) => one !== undefined)
          const differ = new Set(shown.map(({ image }) => image.id)).size
          const own = votes.get(row)
          const alt = (policy: number) => texts.by(request.prompt, titles[policy], index + 1)
          return cells.map((one, policy) => (
            <div
              key={cellOf(policy, index)}
              className="play-cell"
              data-stale={one?.isStale}
              data-better={own?.winner === one?.image.id && own !== undefined}
            >
              {one === undefined ? (
                <span className="picture skeleton" />
              ) : (
                <>
                  <ZoomPicture
                    image={one.image}
                    shown={512}
                    alt={alt(policy)}
                    hasComments={one.kept !== 'no'}
                    beside={shown.map(({ image, policy: of }) => ({ image, alt: alt(of) }))}
                  />
                  <div className="play-tools">
                    <button
                      type="button"
                      className="chip"
                      aria-pressed={one.kept !== 'no'}
                      aria-label={texts.keepThis(alt(policy))}
                      title={one.kept === 'there' ? texts.thereAlready : undefined}
                      disabled={keep.isBusy || one.kept === 'there' || one.isStale}
                      onClick={() => void keep.run([one.image.id], one.kept === 'no')}
                    >
                      {one.kept === 'no' ? texts.keep : texts.kept}
                    </button>
                    {differ > 1 && (
                      <button
                        type="button"
                        className="chip"
                        aria-pressed={own?.winner === one.image.id}
                        aria-label={texts.betterThis(alt(policy))}
                        disabled={vote.isBusy || shown.length < titles.length || one.isStale}
                        onClick={() => {
                          undo(row)
                          if (own?.winner !== one.image.id) void vote.run(row, one, shown)
                        }}
                      >
                        {texts.better}
                      </button>
                    )}
                  </div>
                </>
              )}
            </div>
          ))
        })}
      </div>
    </div>
  )
}

/** The winner beside each other image of its row, in the order in which they were shown. */
function pairsOf(winner: Drawn, shown: readonly Drawn[]): NewJudgment[] {
  return shown
    .filter(({ image }) => image.id !== winner.image.id)
    .map(({ image, policy }) => {
      const isFirst = winner.policy < policy
      const images = isFirst ? [winner.image.id, image.id] : [image.id, winner.image.id]
      return { id: newId(), kind: 'pair', images, answer: isFirst ? 'first' : 'second', at: timeNow() }
    })
}
