import { client } from '../../api.ts'
import { Empty, Loaded } from '../../components/notice.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ago } from '../../format.ts'
import { useRemote } from '../../remote.ts'
import { to } from '../../router.ts'
import { useTexts } from '../../texts/texts.ts'

/** What raters can vote on; neither what was compared nor what came out. */
export function RaterComparisons() {
  const { vote } = useTexts()
  const comparisons = useRemote(() => client.comparisons(), ['comparisons'])
  return (
    <>
      <PageHead title={vote.comparisons}>{vote.twoModels}</PageHead>
      <Loaded remote={comparisons} heights={[80]}>
        {({ comparisons: all }) => {
          const ready = all.filter((one) => one.ready)
          return ready.length === 0 ? (
            <Empty icon="compare" title={vote.noComparisons}>
              {vote.adminStarts}
            </Empty>
          ) : (
            <ul className="job-list">
              {ready.map(({ id, prompts, at }) => (
                <li key={id} className="comparison-row">
                  <span>
                    <strong>{vote.prompts(prompts)}</strong> <span className="soft small">{ago(at)}</span>
                  </span>
                  <a className="button small primary" href={to('compare', id, 'vote')}>
                    {vote.voteBlind}
                  </a>
                </li>
              ))}
            </ul>
          )
        }}
      </Loaded>
    </>
  )
}
