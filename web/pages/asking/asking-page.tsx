/** How raters are asked: what they are told, how much is asked twice, and what is known already. */
import { client } from '../../api.ts'
import { Loaded } from '../../components/notice.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { useRemote } from '../../remote.ts'
import { to } from '../../router.ts'
import { useTexts } from '../../texts/texts.ts'
import '../../styles/asking.css'
import { GoldSection } from './gold-section.tsx'
import { GuidelinesForm } from './guidelines-form.tsx'
import { QuestionsForm } from './questions-form.tsx'

export function AskingPage() {
  const { asking: texts, raters } = useTexts()
  const guidelines = useRemote(() => client.guidelines(), ['guidelines'])
  const asking = useRemote(() => client.asking(), ['asking'])
  return (
    <>
      <p className="back">
        <a className="text-link" href={to('raters')}>
          {raters.all}
        </a>
      </p>
      <PageHead title={texts.title}>{texts.about}</PageHead>
      <div className="stack">
        <section className="card stack" aria-labelledby="guidelines-title">
          <div>
            <h2 id="guidelines-title">{texts.guidelines.title}</h2>
            <p className="soft small">{texts.guidelines.about}</p>
          </div>
          <Loaded remote={guidelines} heights={[260, 180, 90]}>
            {(saved) => <GuidelinesForm saved={saved} reload={guidelines.reload} />}
          </Loaded>
        </section>
        <section className="card stack" aria-labelledby="questions-title">
          <h2 id="questions-title">{texts.questions.title}</h2>
          <Loaded remote={asking} heights={[130]}>
            {(saved) => <QuestionsForm saved={saved} reload={asking.reload} />}
          </Loaded>
        </section>
        <GoldSection goldShare={asking.value?.goldShare} />
      </div>
    </>
  )
}
