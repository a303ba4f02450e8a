/** Which models the studio uses, which lie here, and how others come. */
import type { Models } from '../../../src/studio/schemas/models.ts'
import { client } from '../../api.ts'
import { Loaded } from '../../components/notice.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { useRemote } from '../../remote.ts'
import { to } from '../../router.ts'
import { useStudio } from '../../studio-state.tsx'
import { useTexts } from '../../texts/texts.ts'
import '../../styles/models.css'
import { Checkpoints } from './checkpoints.tsx'
import { FetchModel } from './fetch-model.tsx'
import { Loras } from './loras.tsx'

const everyMs = 1500

export function ModelsPage() {
  const texts = useTexts().models
  const models = useRemote(() => client.models(), ['models'], { everyMs })
  return (
    <>
      <PageHead title={texts.title}>{texts.about}</PageHead>
      <Loaded remote={models} heights={[160, 240, 200]}>
        {(value) => (
          <div className="stack">
            <InUse models={value} />
            <Checkpoints models={value} reload={models.reload} />
            <div className="columns">
              <FetchModel fetches={value.fetches} reload={models.reload} />
              <Loras loras={value.loras} reload={models.reload} />
            </div>
          </div>
        )}
      </Loaded>
    </>
  )
}

function InUse({ models: { inUse, chosen } }: { models: Models }) {
  const texts = useTexts().models.inUse
  const { state } = useStudio()
  const [reward] = state?.rewards ?? []
  return (
    <section className="card stack">
      <h2>{texts.title}</h2>
      <dl className="stats">
        <div>
          <dt>{texts.checkpoint}</dt>
          <dd className="model-name" dir="auto">
            {inUse.isEmbedded ? texts.embedded(inUse.model) : inUse.model}
          </dd>
        </div>
        <div>
          <dt>{texts.encoder}</dt>
          <dd className="model-name" dir="auto">
            {inUse.encoder ?? (inUse.isEmbedded ? texts.ownEncoder : texts.noEncoder)}
          </dd>
        </div>
        <div>
          <dt>{texts.newestReward}</dt>
          <dd className="model-name">
            {reward === undefined ? texts.noReward : <a href={to('rewards', reward.name)}>{reward.name}</a>}
          </dd>
        </div>
      </dl>
      {chosen !== null && (
        <div className="notice warn" role="status">
          <strong>{texts.restart}</strong>
          <span dir="auto">{texts.restartWhy(chosen.model, chosen.encoder)}</span>
        </div>
      )}
      {!inUse.isEmbedded && inUse.encoder === null && <div className="notice warn">{texts.encoderNeeded}</div>}
    </section>
  )
}
