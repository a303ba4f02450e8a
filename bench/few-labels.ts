/**
 * What labels buy: AUC of a reward on 21 prompts of the embedded world that nobody labels, by the number of labels that it
 * has seen, with the head alone (--no-shrink), with the mixture of head and CLIP score, and of the CLIP score. Each seed has
 * its own images, prompts, order of labels and errors of the rater; the measure is the judge, without errors.
 * What is done stays in the folder and is not done again.
 * Run: node_modules/.bin/node bench/few-labels.ts [folder] [seeds, such as 0,1,2] [share of wrong labels] [labels]
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileAtomic } from '../src/files.ts'
import { readImages } from '../src/images/image-run.ts'
import { readPictures } from '../src/images/pictures.ts'
import { writePrompts } from '../src/prompts/prompt-file.ts'
import { random } from '../src/random.ts'
import { subsetInterval } from '../src/report/interval.ts'
import { embed } from '../src/reward/encoding/embeddings.ts'
import { shownTexts, textsIn } from '../src/reward/examples/shown-texts.ts'
import { auc } from '../src/reward/training/classification.ts'
import { foretell, mixWithClip } from '../src/reward/training/clip-mixture.ts'
import { fitHead } from '../src/reward/training/fit-head.ts'
import { planFolds } from '../src/reward/training/folds.ts'
import { RewardFit } from '../src/reward/training/reward-fit.ts'
import { openShapes } from '../src/shapes/open.ts'
import { simulateJudgments } from '../src/shapes/simulated-rater.ts'
import { seenPrompts } from '../src/shapes/split.ts'
import { useThreads } from '../src/tensor/library.ts'
import { tensorScope } from '../src/tensor/scope.ts'

const folder = process.argv[2] ?? 'runs/few-labels'
const numbers = (list: string) => list.split(',').map(Number)
const seeds = numbers(process.argv[3] ?? '0,1,2,3,4')
const errorRate = Number(process.argv[4] ?? 0.05)
const counts = numbers(process.argv[5] ?? '30,60,120,180,360,720,1440')
const heldOutPrompts = 21
const perPrompt = 32
const fit = RewardFit.parse({ batchSize: 32 })

const Row = z.object({ labels: z.int(), before: z.number(), after: z.number(), clip: z.number(), share: z.number() })
type Row = z.infer<typeof Row>

useThreads(1)
mkdirSync(folder, { recursive: true })
const at = (name: string) => join(folder, name)

async function rowsOf(seed: number): Promise<Row[]> {
  const images = at(`images-${seed}`)
  if (!existsSync(join(images, 'manifest.json'))) {
    const prompts = at('seen.jsonl')
    await writePrompts(prompts, seenPrompts())
    const drawn = ['--prompts', prompts, '--per-prompt', `${perPrompt}`, '--seed', `${4 * seed + 1}`, '--out', images]
    const { status } = spawnSync(process.execPath, ['src/cli.ts', 'images', 'generate', ...drawn], { stdio: 'inherit' })
    if (status !== 0) process.exit(status ?? 1)
  }
  const stored = await readImages(images)
  const pictures = await readPictures(stored.map(({ file }) => file))
  const toJudge = stored.map(({ record }, i) => ({ record, bytes: pictures[i].bytes }))
  const judged = simulateJudgments(toJudge, { errorRate: 0, skipRate: 0, seed: 0 })
  const isGood = judged.map(({ answer }) => answer === 'good')
  const all = stored.map(({ record: { text } }, image) => ({ text, image, good: isGood[image] }))
  const texts = [...new Set(all.map(({ text }) => text))]

  const { encoder, vocabulary } = openShapes()
  const shown = shownTexts(texts.map((text) => ({ text })), seed, { vocabulary }) // prettier-ignore
  using embedded = await embed(encoder, pictures, (picture) => Promise.resolve(picture), [...texts, ...textsIn(shown)])

  const heldOut = new Set(random(seed, 8101, 0).shuffle(texts).slice(0, heldOutPrompts)) // prettier-ignore
  const rater = random(seed, 8101, 2)
  const pool = random(seed, 8101, 1)
    .shuffle(all.filter(({ text }) => !heldOut.has(text)))
    .map(({ good, ...image }) => ({ ...image, good: good !== rater.uniform() < errorRate }))
  const measured = { labels: all.filter(({ text }) => heldOut.has(text)), comparisons: [] }
  const truth = measured.labels.map(({ good }) => good)

  return counts.map((count) => {
    using _scope = tensorScope()
    const examples = { labels: pool.slice(0, count), comparisons: [] }
    const options = { head: 'agreement', seed } as const
    const whole = fitHead(embedded, examples, shown, fit, { ...options, label: `seed ${seed}, ${count} labels` })
    const told = planFolds(examples, seed).map(({ training, foretold, label }) => {
      const { head } = fitHead(embedded, training, shown, fit, { ...options, label })
      return foretell(embedded, foretold, head)
    })
    const mixed = mixWithClip(whole, told, foretell(embedded, examples))
    const before = foretell(embedded, measured, whole.head).labels
    const after = foretell(embedded, measured, mixed.head).labels
    return {
      labels: count,
      before: auc(before.map(({ head }) => head), truth), // prettier-ignore
      after: auc(after.map(({ head }) => head), truth), // prettier-ignore
      clip: auc(before.map(({ clip }) => clip), truth), // prettier-ignore
      share: mixed.clipShare,
    }
  })
}

const rows: Row[] = []
for (const seed of seeds) {
  const file = at(`seed-${seed}-${errorRate}-${counts.join('-')}.json`)
  if (!existsSync(file)) writeFileAtomic(file, `${JSON.stringify(await rowsOf(seed))}\n`)
  rows.push(...z.array(Row).parse(JSON.parse(readFileSync(file, 'utf8'))))
}

const shownMean = (values: readonly number[]) => {
  if (values.length < 2) return values[0].toFixed(3)
  const { mean, low, high } = subsetInterval(values)
  return `${mean.toFixed(3)} (${low.toFixed(3)} … ${high.toFixed(3)})`
}
console.log(`AUC, mean over ${seeds.length} seeds with 95 % intervals, ${100 * errorRate} % of the labels wrong\n`)
console.log('| labels | head alone | mixture | CLIP score | mixture − CLIP score | mixture − head | CLIP share |')
console.log('|---|---|---|---|---|---|---|')
for (const count of counts) {
  const own = rows.filter(({ labels }) => labels === count)
  const cells = [
    (row: Row) => row.before,
    (row: Row) => row.after,
    (row: Row) => row.clip,
    (row: Row) => row.after - row.clip,
    (row: Row) => row.after - row.before,
    (row: Row) => row.share,
  ].map((of) => shownMean(own.map(of)))
  console.log(`| ${count} | ${cells.join(' | ')} |`)
}
