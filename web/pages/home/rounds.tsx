/** The rounds of images, by whom they were drawn and how far they are judged. */
import type { State } from '../../../src/studio/schemas/state.ts'
import { client } from '../../api.ts'
import { ErrorNotice } from '../../components/notice.tsx'
import { ProgressBar } from '../../components/progress-bar.tsx'
import { ago, figure, policyTitle } from '../../format.ts'
import { useAction } from '../../remote.ts'

export function Rounds({ state, reload }: { state: State; reload: () => Promise<void> }) {
  const policy = state.base
  const { run, isBusy, error } = useAction(async () => {
    await client.drawRound({ policy: policy ?? 'pretrained' })
    await reload()
  })
  if (state.rounds.length === 0) return null
  return (
    <section className="stack tight">
      <div className="row between">
        <h2>Rounds</h2>
        <button type="button" className="button small" disabled={isBusy} onClick={() => void run()}>
          {policy === null ? 'Draw more images' : `Draw more images by ${policy}`}
        </button>
      </div>
      <ErrorNotice error={error} />
      <div className="card flat table-wrap" role="group" aria-label="Rounds" tabIndex={0}>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Round</th>
              <th scope="col">Drawn by</th>
              <th scope="col">Images</th>
              <th scope="col">Judged</th>
              <th scope="col">When</th>
            </tr>
          </thead>
          <tbody>
            {state.rounds.toReversed().map(({ name, policy: by, images, judged, at }) => (
              <tr key={name}>
                <td>
                  <strong dir="auto">{name}</strong>
                </td>
                <td data-title="Drawn by" dir="auto">
                  {policyTitle(by)}
                </td>
                <td data-title="Images">{figure(images)}</td>
                <td data-title="Judged">
                  <span className="judged-share">
                    <ProgressBar share={images === 0 ? 0 : judged / images} label={`Judged of ${name}`} />
                    {figure(judged)}
                  </span>
                </td>
                <td data-title="When" className="soft">
                  {ago(at)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}
