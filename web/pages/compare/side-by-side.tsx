import { useState, type CSSProperties } from 'react'
import type { ComparisonDetail } from '../../../src/studio/schemas/comparing.ts'
import type { ShownImage } from '../../components/lightbox.tsx'
import { ZoomPicture } from '../../components/zoom-picture.tsx'
import { policyTitle } from '../../format.ts'
import { useTexts } from '../../texts/texts.ts'

const few = 6

/** A block a prompt, a row a policy: images of one column come from the same noise. */
export function SideBySide({ comparison: { rows, policies } }: { comparison: ComparisonDetail }) {
  const { compare: texts } = useTexts()
  const [isWhole, setWhole] = useState(false)
  const blocks = [...Map.groupBy(rows, ({ prompt }) => prompt)]
  return (
    <div className="stack">
      {(isWhole ? blocks : blocks.slice(0, few)).map(([prompt, group]) => (
        <section key={prompt} className="card side-by-side">
          <h2 dir="auto">{prompt}</h2>
          {policies.map((policy, p) => (
            <div key={policy} className="side-row">
              <span className="side-name" dir="auto">
                {policyTitle(policy)}
              </span>
              <div className="side-images" style={{ '--images': Math.max(4, group.length) } as CSSProperties}>
                {group.map(({ index, images }) => {
                  const image = images[p]
                  const besideOf = (all: typeof images): ShownImage[] =>
                    all.flatMap((one, i) =>
                      one === null ? [] : [{ image: one, alt: texts.by(prompt, policyTitle(policies[i])) }],
                    )
                  return image === null ? (
                    <span key={index} className="picture skeleton" />
                  ) : (
                    <ZoomPicture
                      key={index}
                      image={image}
                      shown={256}
                      alt={texts.by(prompt, policyTitle(policy))}
                      beside={besideOf(images)}
                    />
                  )
                })}
              </div>
            </div>
          ))}
        </section>
      ))}
      {!isWhole && blocks.length > few && (
        <div>
          <button type="button" className="button" onClick={() => setWhole(true)}>
            {texts.morePrompts(blocks.length - few)}
          </button>
        </div>
      )}
    </div>
  )
}
