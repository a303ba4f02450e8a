/**
 * What votes on a comparison came to, as one page without a link or a script. It has no images: whoever is sent it may be asked
 * to vote on them.
 */
import { countedVotes } from '../../feedback/counted-votes.ts'
import { html, Markup } from '../../report/page/markup.ts'
import { pageStyle } from '../../report/page/style.ts'
import {
  intervalSentence,
  severalSentence,
  verdictSentence,
  wantedSentence,
  type SaidVerdict,
} from '../../report/votes/verdict-words.ts'
import type { WinRate } from '../schemas/comparing.ts'
import type { Studio } from '../studio.ts'
import type { ComparisonFile } from './comparison-files.ts'
import { winRates } from './votes.ts'

const titleOf = (policy: string) => (policy === 'pretrained' ? 'the pre-trained model' : policy)
const questions = { alignment: 'Which shows the prompt better?', fidelity: 'Which is the better picture?' }
const forms = { single: 'single images', set: 'sets of images' }

export async function outcomePage({ store }: Pick<Studio, 'store'>, comparison: ComparisonFile): Promise<string> {
  const { policies, prompts, perPrompt } = comparison
  const rates = winRates(await countedVotes(store)).filter(
    ({ first, second }) => policies.includes(first) && policies.includes(second),
  )
  const title = policies.map(titleOf).join(' against ')
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        <style>
          ${new Markup(pageStyle)}
        </style>
      </head>
      <body>
        <header>
          <h1>Attune: a blind comparison</h1>
          <p class="headline">${rates.length === 0 ? 'Nobody has voted yet.' : `${sentenceOf(rates[0])}.`}</p>
          <p>
            ${title}: ${prompts.length} prompts with ${perPrompt} images each, from the same noise for every policy. Who
            voted did not know which policy drew what.
          </p>
        </header>
        <main>${rates.map(section)} ${rates.length > 1 ? html`<p>${severalSentence(rates.length)}</p>` : ''}</main>
        <footer>As of ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC.</footer>
      </body>
    </html>`
  return page.text
}

const sentenceOf = ({ first, second, verdict }: WinRate) => verdictSentence(verdict, titleOf(first), titleOf(second))

function section(rate: WinRate): Markup {
  const { first, question, form, votes, raters, verdict } = rate
  const said: SaidVerdict = { ...verdict, interval: verdict.share }
  const counts: readonly [string, number][] = [
    [`${titleOf(first)} won`, verdict.won],
    ['Ties', verdict.tied],
    ['Lost', verdict.lost],
  ]
  return html`<section>
    <h2>${questions[question]}</h2>
    <p><b>${sentenceOf(rate)}.</b></p>
    <dl class="tiles three">
      ${counts.map(
        ([name, count]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${count}</dd>
          </div>`,
      )}
    </dl>
    <p>${intervalSentence(said)} ${wantedSentence(said)}</p>
    <p class="soft">
      ${votes} votes of ${raters} ${raters === 1 ? 'person' : 'people'} on ${forms[form]}. Each thing that was compared
      counts once.
    </p>
  </section>`
}
