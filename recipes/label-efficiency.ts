/**
 * Does the order of the queue save labels? On the embedded world a simulated rater (5 % errors) answers in four orders,
 * and after every few labels a reward is fitted to what there is and measured on 21 prompts that nobody labels:
 *
 *   images    single images, drawn at random
 *   tasks     three images of a prompt at a time, as the studio shows them, drawn at random
 *   coverage  the studio's queue, without a reward that says where it is unsure
 *   queue     the studio's queue, with the uncertainties of the reward that was fitted last
 *
 * All orders of a seed share images, answers and held-out prompts, so differences are paired. Measured is the AUC against
 * what the judge reads, without errors. What is done stays in the folder and is not done again.
 * Run: node_modules/.bin/node recipes/label-efficiency.ts [folder] [seeds, such as 0,1,2]
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { QueueImage } from '../src/feedback/queue/fresh-order.ts'
import { nextTasks } from '../src/feedback/queue/queue.ts'
import { writeFileAtomic } from '../src/files.ts'
import { readImages } from '../src/images/image-run.ts'
import { readPictures } from '../src/images/pictures.ts'
import { writePrompts } from '../src/prompts/prompt-file.ts'
import { random, seedOf } from '../src/random.ts'
import type { Judgment } from '../src/records.ts'
import { subsetInterval } from '../src/report/interval.ts'
import { auc } from '../src/reward/training/classification.ts'
import { embed } from '../src/reward/encoding/embeddings.ts'
import { deviations, fitEnsemble, scoresOf } from '../src/reward/training/ensemble.ts'
import { hasBothClasses, type Label } from '../src/reward/examples/reward-examples.ts'
import { shownTexts, textsIn } from '../src/reward/examples/shown-texts.ts'
import { fitReward } from '../src/reward/training/fit-reward.ts'
import { RewardFit } from '../src/reward/training/reward-fit.ts'
import { openShapes } from '../src/shapes/open.ts'
import { simulateJudgments } from '../src/shapes/simulated-rater.ts'
import { seenPrompts } from '../src/shapes/split.ts'
import { useThreads } from '../src/tensor/library.ts'
import { tensorScope } from '../src/tensor/scope.ts'

const folder = process.argv[2] ?? 'runs/label-efficiency'
const seeds = (process.argv[3] ?? '0,1,2,3,4').split(',').map(Number)
const perPrompt = 32
const heldOutPrompts = 21
const errorRate = 0.05
const members = 5
/** Labels after which the reward is fitted, measured and asked where it is unsure. */
const counts = [30, 60, 120, 180, 252, 336, 420, 504]
const targets = [0.75, 0.8, 0.85]
const orders = ['queue', 'tasks', 'coverage', 'images'] as const
type Order = (typeof orders)[number]

/** Streams of random numbers: prompts that nobody labels, answers of the rater, what is labelled next. */
const streams = {
  heldOut: [9],
  answers: (seed: number) => [seed, 1],
  order: (seed: number) => [seed, 2],
  queue: (seed: number) => [seed, 3],
} as const

useThreads(1)
mkdirSync(folder, { recursive: true })
const at = (name: string) => join(folder, name)
if (!existsSync(at('images/manifest.json'))) {
  await writePrompts(at('seen.jsonl'), seenPrompts())
  const drawn = [
    '--prompts',
    at('seen.jsonl'),
    '--per-prompt',
    String(perPrompt),
    '--seed',
    '71',
    '--out',
    at('images'),
  ]
  const { status } = spawnSync(process.execPath, ['src/cli.ts', 'images', 'generate', ...drawn], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

const stored = await readImages(at('images'))
const pictures = await readPictures(stored.map(({ file }) => file))
const toJudge = stored.map(({ record }, i) => ({ record, bytes: pictures[i].bytes }))
const isGood = simulateJudgments(toJudge, { errorRate: 0, skipRate: 0, seed: 0 }).map(({ answer }) => answer === 'good')
const images = stored.map(({ record: { id, text, category } }, image) => ({ id, text, category, image }))
type PoolImage = (typeof images)[number]

const { encoder, vocabulary } = openShapes()
const texts = [...new Set(images.map(({ text }) => text))]
const shown = shownTexts(texts.map((text) => ({ text })), 0, { vocabulary }) // prettier-ignore
const embedded = await embed(encoder, pictures, (picture) => Promise.resolve(picture), [...texts, ...textsIn(shown)])

const heldOutTexts = new Set(
  random(...streams.heldOut)
    .shuffle(texts)
    .slice(0, heldOutPrompts),
)
const pool = images.filter(({ text }) => !heldOutTexts.has(text))
const heldOut = images.filter(({ text }) => heldOutTexts.has(text))
const fit = RewardFit.parse({ batchSize: 32 })

/** AUC on the held-out prompts after each of the counts, in one order. */
function curveOf(order: Order, seed: number): number[] {
  const rater = random(...streams.answers(seed))
  const answers = new Map(pool.map((image) => [image.id, isGood[image.image] !== rater.uniform() < errorRate]))
  const judgments: Judgment[] = []
  const labels: Label[] = []
  const label = ({ id, text, image }: PoolImage) => {
    const good = answers.get(id)!
    labels.push({ image, text, good })
    const common = { id, rater: 'r', raterKind: 'simulated', at: '2026-01-01T00:00:00Z' } as const
    judgments.push({ ...common, kind: 'good-bad-skip', images: [id], answer: good ? 'good' : 'bad' })
  }
  const next = askerOf(order, seed, judgments)
  let uncertainties: ReadonlyMap<string, number> | undefined
  return counts.map((count) => {
    while (labels.length < count) for (const image of next(uncertainties)) if (labels.length < count) label(image)
    const examples = { labels, comparisons: [] }
    if (!hasBothClasses(labels)) return 0.5
    using _scope = tensorScope()
    const { head } = fitReward(embedded, examples, shown, fit, { head: 'agreement', seed, label: `${order} ${count}` })
    if (order === 'queue' && count < counts.at(-1)!) {
      const fitted = fitEnsemble(embedded, examples, shown, fit, { head: 'agreement', seed, members })
      const unsure = deviations(fitted.map((member) => scoresOf(embedded, member.head, images)))
      uncertainties = new Map(pool.map(({ id, image }) => [id, unsure[image]]))
    }
    const scores = scoresOf(embedded, head, images)
    return auc(heldOut.map(({ image }) => scores[image]), heldOut.map(({ image }) => isGood[image])) // prettier-ignore
  })
}

/** What is labelled next; the studio's own queue where the order is one of its two. */
function askerOf(
  order: Order,
  seed: number,
  judgments: readonly Judgment[],
): (uncertainties: ReadonlyMap<string, number> | undefined) => PoolImage[] {
  const stream = random(...streams.order(seed))
  if (order === 'images') {
    const waiting = stream.shuffle(pool)
    return () => waiting.splice(0, 1)
  }
  if (order === 'tasks') {
    const groups = [...Map.groupBy(stream.shuffle(pool), ({ text }) => text).values()]
    const waiting = stream.shuffle(groups.flatMap((group) => [...inThrees(group)]))
    return () => waiting.shift()!
  }
  const byId = new Map(pool.map((image) => [image.id, image]))
  const options = {
    mode: 'good-bad',
    rater: 'r',
    count: 1,
    seed: seedOf(...streams.queue(seed)),
    overlapShare: 0,
    goldShare: 0,
  } as const
  return (uncertainties) => {
    const state = { images: pool as readonly QueueImage[], judgments, uncertainties }
    return nextTasks(state, options).tasks[0].images.map((id) => byId.get(id)!)
  }
}

function* inThrees<T>(all: readonly T[]): Generator<T[]> {
  for (let from = 0; from < all.length; from += 3) yield all.slice(from, from + 3)
}

/** Labels for an AUC, by straight lines between the counts; undefined where it is not reached. */
function labelsFor(curve: readonly number[], target: number): number | undefined {
  const i = curve.findIndex((value) => value >= target)
  if (i <= 0) return i === 0 ? counts[0] : undefined
  const share = (target - curve[i - 1]) / (curve[i] - curve[i - 1])
  return counts[i - 1] + share * (counts[i] - counts[i - 1])
}

const curves = new Map<Order, number[][]>(orders.map((order) => [order, []]))
for (const seed of seeds) {
  for (const order of orders) {
    const file = at(`${order}-${seed}.json`)
    if (!existsSync(file)) writeFileAtomic(file, JSON.stringify(curveOf(order, seed)))
    curves.get(order)!.push(JSON.parse(readFileSync(file, 'utf8')) as number[])
  }
}

if (seeds.length < 2) process.exit()
const shownInterval = (values: readonly number[], digits: number) => {
  const { mean, low, high } = subsetInterval(values)
  return `${mean.toFixed(digits)} (${low.toFixed(digits)} … ${high.toFixed(digits)})`
}
console.log(`AUC on ${heldOutPrompts} held-out prompts, mean over ${seeds.length} seeds with 95 % intervals\n`)
console.log(`| labels | ${orders.join(' | ')} | queue − tasks | queue − images |`)
console.log(`|---|${'---|'.repeat(orders.length + 2)}`)
for (const [i, count] of counts.entries()) {
  const valuesOf = (order: Order) => curves.get(order)!.map((curve) => curve[i])
  const gain = (over: Order) => shownInterval(valuesOf('queue').map((value, k) => value - valuesOf(over)[k]), 3) // prettier-ignore
  console.log(`| ${count} | ${orders.map((order) => shownInterval(valuesOf(order), 3)).join(' | ')} | ${gain('tasks')} | ${gain('images')} |`) // prettier-ignore
}
for (const target of targets) {
  const needed = orders.map((order) => [order, curves.get(order)!.map((curve) => labelsFor(curve, target))] as const)
  const texts = needed.map(([order, each]) =>
    each.every((value) => value !== undefined) ? `${order} ${shownInterval(each, 0)}` : `${order} not on every seed`,
  )
  console.log(`\nlabels for an AUC of ${target}: ${texts.join(', ')}`)
}
