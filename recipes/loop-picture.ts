/**
 * Draws the README's picture of the loop from the images of a finished demo: prompts, images of the pre-trained model
 * with the answers of the rater and the scores of the reward, and images of the fine-tuned model from the same noise.
 * Run: node_modules/.bin/node recipes/loop-picture.ts [demo folder]
 */
import { join } from 'node:path'
import sharp from 'sharp'
import { mean } from 'simple-statistics'
import { z } from 'zod'
import { openFeedback } from '../src/feedback/store/store.ts'
import { drawImages } from '../src/images/draw.ts'
import { readImages } from '../src/images/image-run.ts'
import { modelFields } from '../src/images/open-model.ts'
import { encodePng, readPicture, type Picture } from '../src/images/png.ts'
import { open } from '../src/open.ts'
import { openChange } from '../src/policy/policy-file.ts'
import { openReward, scorePictures } from '../src/reward/open-reward.ts'
import { openShapes } from '../src/shapes/open.ts'
import { policyOf } from '../src/networks/generative-model.ts'
import { useThreads } from '../src/tensor/library.ts'

const folder = process.argv[2] ?? 'runs/demo'
const perPrompt = 5
const [size, gap, left, top, rowHeight] = [60, 8, 190, 46, 92]
const half = perPrompt * (size + gap)
const width = left + 2 * half + 90
useThreads(1)

const at = (name: string) => join(folder, name)
const { model } = openShapes()
const reward = await openReward(at('reward'), z.object(modelFields).parse({}), open)
const tuned = model.with(openChange(model, at('dpok')).change)
await using store = await openFeedback(at('feedback.sqlite'))
const answers = new Map(
  (await store.judgments()).flatMap((judgment) =>
    judgment.kind === 'good-bad-skip' ? [[judgment.images[0], judgment.answer] as const] : [],
  ),
)
const images = await readImages(at('images-a'), at('images-b'))

interface Row {
  readonly prompt: string
  readonly own: readonly Picture[]
  readonly ids: readonly string[]
  readonly scores: readonly number[]
  readonly after: readonly Picture[]
  readonly gain: number
}
const rows: Row[] = []
for (const prompt of new Set(images.map(({ record }) => record.text))) {
  const before = images.filter(({ record }) => record.text === prompt).slice(0, perPrompt)
  const texts = before.map(() => prompt)
  const own = await Promise.all(before.map(({ file }) => readPicture(file)))
  const after = drawImages(
    tuned,
    before.map(({ record: { seed, index, draw } }) => ({ text: prompt, seed, index: draw ?? index })),
    policyOf(model).sampling,
  )
  const scores = scorePictures(reward, own, texts)
  const gain = mean(scorePictures(reward, after, texts)) - mean(scores)
  rows.push({ prompt, own, after, scores, gain, ids: before.map(({ record }) => record.id) })
}
// Neither the best nor the worst: of each object, the prompt whose gain in reward is nearest to the mean of all.
const typical = mean(rows.map(({ gain }) => gain))
const shown = ['circle', 'triangle', 'cross'].map((object) =>
  rows
    .filter(({ prompt }) => prompt.includes(object) && prompt.split(' ').length > 2)
    .reduce((best, row) => (Math.abs(row.gain - typical) < Math.abs(best.gain - typical) ? row : best)),
)

const pictures: { picture: Picture; x: number; y: number }[] = []
const marks: string[] = []
const text = (x: number, y: number, words: string, style = '') =>
  `<text x="${x}" y="${y}" font-family="sans-serif" font-size="14" fill="#222" ${style}>${words}</text>`
for (const [row, { prompt, own, ids, scores, after }] of shown.entries()) {
  const y = top + row * rowHeight
  const words = prompt.split(' ')
  const middle = words.length > 4 ? Math.ceil(words.length / 2) : words.length
  marks.push(text(10, y + 26, words.slice(0, middle).join(' ')), text(10, y + 46, words.slice(middle).join(' ')))
  for (const [i, id] of ids.entries()) {
    const x = left + i * (size + gap)
    const answer = answers.get(id) ?? 'skip'
    const color = { good: '#1a9850', bad: '#d73027', skip: '#999999' }[answer]
    pictures.push({ picture: own[i], x, y }, { picture: after[i], x: x + half + 80, y })
    marks.push(
      `<rect x="${x - 2}" y="${y - 2}" width="${size + 4}" height="${size + 4}" fill="none" stroke="${color}" stroke-width="3"/>`,
      text(x + size / 2, y + size + 18, scores[i].toFixed(2), 'text-anchor="middle"'),
    )
  }
  marks.push(text(left + half + 30, y + 36, '→'))
}
marks.push(
  text(10, 24, 'prompt', 'font-weight="bold"'),
  text(left, 24, 'pre-trained · good / bad · reward', 'font-weight="bold"'),
  text(left + half + 80, 24, 'after DPOK, same noise', 'font-weight="bold"'),
)
const height = top + shown.length * rowHeight
const overlay = Buffer.from(
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${marks.join('')}</svg>`,
)
const layers = await Promise.all(
  pictures.map(async ({ picture, x, y }) => ({
    input: await sharp(await encodePng(picture))
      .resize(size, size, { kernel: 'cubic' })
      .png()
      .toBuffer(),
    left: x,
    top: y,
  })),
)
await sharp({ create: { width, height, channels: 3, background: '#ffffff' } })
  .composite([...layers, { input: overlay, left: 0, top: 0 }])
  .png({ palette: true })
  .toFile('docs/loop.png')
process.stdout.write('docs/loop.png\n')
