/** Which models the studio uses, which lie here, and how others come. */
import type { Models } from '../../../src/studio/schemas/models.ts'
import { client } from '../../api.ts'
import { Loaded } from '../../components/notice.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { useRemote } from '../../remote.ts'
import { to } from '../../router.ts'
import { useStudio } from '../../studio-state.tsx'
import '../../styles/models.css'
import { Checkpoints } from './checkpoints.tsx'
import { FetchModel } from './fetch-model.tsx'
import { Loras } from './loras.tsx'

const everyMs = 1500

export function ModelsPage() {
  const models = useRemote(() => client.models(), ['models'], { everyMs })
  return (
    <>
      <PageHead title="Models">What draws the images, what rewards look through, and what lies here beside.</PageHead>
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
  const { state } = useStudio()
  const [reward] = state?.rewards ?? []
  return (
    <section className="card stack">
      <h2>In use</h2>
      <dl className="stats">
        <div>
          <dt>Checkpoint</dt>
          <dd className="model-name" dir="auto">
            {inUse.isEmbedded ? `${inUse.model}, embedded` : inUse.model}
          </dd>
        </div>
        <div>
          <dt>Encoder of rewards</dt>
          <dd className="model-name" dir="auto">
            {inUse.encoder ?? (inUse.isEmbedded ? 'the checkpoint’s own' : 'none')}
          </dd>
        </div>
        <div>
          <dt>Newest reward</dt>
          <dd className="model-name">
            {reward === undefined ? 'none yet' : <a href={to('rewards', reward.name)}>{reward.name}</a>}
          </dd>
        </div>
      </dl>
      {chosen !== null && (
        <div className="notice warn" role="status">
          <strong>Restart the studio to change over</strong>
          <span dir="auto">
            From its next start on it uses {chosen.model}
            {chosen.encoder !== null && `, with the encoder ${chosen.encoder}`}, unless its command line names another
            with --model. Images and judgments of this workspace stay as they are.
          </span>
        </div>
      )}
      {!inUse.isEmbedded && inUse.encoder === null && (
        <div className="notice warn">
          Rewards that are trained here need an encoder: choose a CLIPModel below, or start the studio with --encoder.
        </div>
      )}
    </section>
  )
}
