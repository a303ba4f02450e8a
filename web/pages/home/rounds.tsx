/** The rounds of images, by whom they were drawn and how far they are judged. */
import type { State } from '../../../src/studio/schemas/state.ts'
import { client } from '../../api.ts'
import { ErrorNotice } from '../../components/notice.tsx'
import { ProgressBar } from '../../components/progress-bar.tsx'
import { ago, figure, policyTitle } from '../../format.ts'
import { useAction } from '../../remote.ts'
import { useTexts } from '../../texts/texts.ts'

export function Rounds({ state, reload }: { state: State; reload: () => Promise<void> }) {
  const { home } = useTexts()
  const { columns } = home
  const policy = state.base
  const { run, isBusy, error } = useAction(async () => {
    await client.drawRound({ policy: policy ?? 'pretrained' })
    await reload()
  })
  if (state.rounds.length === 0) return null
  return (
    <section className="stack tight">
      <div className="row between">
        <h2>{home.rounds}</h2>
        <button type="button" className="button small" disabled={isBusy} onClick={() => void run()}>
          {home.steps.drawMore(policy)}
        </button>
      </div>
      <ErrorNotice error={error} />
      <div className="card flat table-wrap" role="group" aria-label={home.rounds} tabIndex={0}>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{columns.round}</th>
              <th scope="col">{columns.by}</th>
              <th scope="col">{columns.images}</th>
              <th scope="col">{columns.judged}</th>
              <th scope="col">{columns.when}</th>
            </tr>
          </thead>
          <tbody>
            {state.rounds.toReversed().map(({ name, policy: by, images, judged, at }) => (
              <tr key={name}>
                <td>
                  <strong dir="auto">{name}</strong>
                </td>
                <td data-title={columns.by} dir="auto">
                  {policyTitle(by)}
                </td>
                <td data-title={columns.images}>{figure(images)}</td>
                <td data-title={columns.judged}>
                  <span className="judged-share">
                    <ProgressBar share={images === 0 ? 0 : judged / images} label={home.judgedOf(name)} />
                    {figure(judged)}
                  </span>
                </td>
                <td data-title={columns.when} className="soft">
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
