/** How good a reward is by the number of labels that it has seen: dozens of fits to embeddings that are made once. */
import { z } from 'zod'
import { readImages } from '../images/image-run.ts'
import { readPictures } from '../images/pictures.ts'
import { progress } from '../progress.ts'
import { random } from '../random.ts'
import { embed, imageRows, textRows, type Embedded } from '../reward/encoding/embeddings.ts'
import { hasBothClasses, type Label } from '../reward/examples/reward-examples.ts'
import { shownTexts, textsIn } from '../reward/examples/shown-texts.ts'
import { auc } from '../reward/training/classification.ts'
import { scoresOf } from '../reward/training/ensemble.ts'
import { fitReward } from '../reward/training/fit-reward.ts'
import { RewardFit } from '../reward/training/reward-fit.ts'
import { openShapes } from '../shapes/open.ts'
import { simulateJudgments } from '../shapes/simulated-rater.ts'
import { studyStreams } from '../streams.ts'
import { tensorScope } from '../tensor/scope.ts'

/** Fits by the name of their curve. */
const fits = { usual: {}, classes: { shrink: false }, mse: { shrink: false, classificationWeight: 0 } } as const

export const LabelCurveSettings = z.strictObject({
  images: z.array(z.string()).min(1),
  /** Labels after which a reward is fitted. */
  counts: z.array(z.int().positive()).min(1),
  /** Of the labels that it learns from; it is measured against labels without errors. */
  errorRate: z.number().min(0).max(1),
  /** Prompts that nobody labels. */
  heldOut: z.int().positive(),
  seed: z.int().nonnegative(),
  out: z.string(),
})

export const curves = ['usual', 'classes', 'mse', 'clip'] as const
/**
 * One row a fit: `usual` by the default settings, which leave the CLIP score a say; heads alone, `classes` with prompt
 * classification and `mse` without; `clip` is the CLIP score, which needs no labels.
 */
export const LabelCurve = z.array(
  z.strictObject({ curve: z.enum(curves), labels: z.int(), auc: z.number().min(0).max(1) }),
)
export type LabelCurve = z.infer<typeof LabelCurve>

/** AUC on prompts that nobody labelled, against the judge of the embedded world. */
export async function labelCurve(settings: z.infer<typeof LabelCurveSettings>): Promise<LabelCurve> {
  const { images: folders, counts, errorRate, heldOut, seed } = settings
  const stored = await readImages(...folders)
  const pictures = await readPictures(stored.map(({ file }) => file))
  const toJudge = stored.map(({ record }, i) => ({ record, bytes: pictures[i].bytes }))
  const truth = simulateJudgments(toJudge, { errorRate: 0, skipRate: 0, seed: 0 }).map(
    ({ answer }) => answer === 'good',
  )
  const images = stored.map(({ record: { text } }, image) => ({ text, image }))
  const texts = [...new Set(images.map(({ text }) => text))]

  const { encoder, vocabulary } = openShapes()
  const shown = shownTexts(texts.map((text) => ({ text })), seed, { vocabulary }) // prettier-ignore
  const all = [...texts, ...textsIn(shown)]
  using embedded: Embedded = await embed(encoder, pictures, (picture) => Promise.resolve(picture), all)

  const shuffled = random(...studyStreams.heldOut(seed)).shuffle(texts)
  const unlabelled = new Set(shuffled.slice(0, heldOut))
  const rater = random(...studyStreams.errors(seed))
  const pool: Label[] = random(...studyStreams.labels(seed))
    .shuffle(images.filter(({ text }) => !unlabelled.has(text)))
    .map(({ image, text }) => ({ image, text, good: truth[image] !== rater.uniform() < errorRate }))
  const measured = images.filter(({ text }) => unlabelled.has(text))
  const isGood = measured.map(({ image }) => truth[image])
  const aucOf = (scores: readonly number[]) => auc(measured.map(({ image }) => scores[image]), isGood) // prettier-ignore

  const line = progress(`labels, ${100 * errorRate} % wrong`, counts.length * Object.keys(fits).length, 'fits')
  const rows = counts.flatMap((labels) =>
    (Object.keys(fits) as (keyof typeof fits)[]).map((curve) => {
      using _scope = tensorScope()
      const known = pool.slice(0, labels)
      line.advance()
      if (!hasBothClasses(known)) return { curve, labels, auc: 0.5 }
      const { head } = fitReward(
        embedded,
        { labels: known, comparisons: [] },
        shown,
        RewardFit.parse({ batchSize: 32, ...fits[curve] }),
        { head: 'agreement', seed, label: `${labels} labels` },
      )
      return { curve, labels, auc: aucOf(scoresOf(embedded, head, images)) }
    }),
  )
  line.done()
  const clip = aucOf(cosines(embedded, images))
  return [...rows, ...counts.map((labels) => ({ curve: 'clip' as const, labels, auc: clip }))]
}

function cosines(embedded: Embedded, images: readonly { readonly text: string; readonly image: number }[]): number[] {
  using _scope = tensorScope()
  const rows = imageRows(embedded, images.map(({ image }) => image)) // prettier-ignore
  return rows.mul(textRows(embedded, images.map(({ text }) => text))).sum(1).toArray() // prettier-ignore
}
