/** How raters are asked: what they are told, how much is asked twice, and what is known already. */
import { client } from '../../api.ts'
import { Loaded } from '../../components/notice.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { useRemote } from '../../remote.ts'
import { to } from '../../router.ts'
import '../../styles/asking.css'
import { GoldSection } from './gold-section.tsx'
import { GuidelinesForm } from './guidelines-form.tsx'
import { QuestionsForm } from './questions-form.tsx'

export function AskingPage() {
  const guidelines = useRemote(() => client.guidelines(), ['guidelines'])
  const asking = useRemote(() => client.asking(), ['asking'])
  return (
    <>
      <p className="back">
        <a className="text-link" href={to('raters')}>
          All raters
        </a>
      </p>
      <PageHead title="How raters are asked">
        What they are told, how much two of them answer, and what shows how careful they are.
      </PageHead>
      <div className="stack">
        <section className="card stack" aria-labelledby="guidelines-title">
          <div>
            <h2 id="guidelines-title">Guidelines</h2>
            <p className="soft small">Raters find them beside the images, at any time.</p>
          </div>
          <Loaded remote={guidelines} heights={[260, 180, 90]}>
            {(saved) => <GuidelinesForm saved={saved} reload={guidelines.reload} />}
          </Loaded>
        </section>
        <section className="card stack" aria-labelledby="questions-title">
          <h2 id="questions-title">Questions</h2>
          <Loaded remote={asking} heights={[130]}>
            {(saved) => <QuestionsForm saved={saved} reload={asking.reload} />}
          </Loaded>
        </section>
        <GoldSection goldShare={asking.value?.goldShare} />
      </div>
    </>
  )
}
