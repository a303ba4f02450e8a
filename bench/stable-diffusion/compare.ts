/**
 * Time and memory of the networks of Stable Diffusion 1.5 on the CPU, against diffusers and transformers on Python's
 * torch: `node_modules/.bin/node bench/stable-diffusion/compare.ts --python python3 [--networks unet,vae,clip]
 * [--dtypes float32,bfloat16] [--threads 1,2] [--rounds 5]`. Weights are random and differ between the sides; shapes and
 * finiteness are checked. Both sides live at once and take turns, so that a busy machine slows both.
 */
import assert from 'node:assert/strict'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { sd15 } from '../../src/networks/stable-diffusion/published-configs.test-helper.ts'
import { describeLibrary } from '../../src/tensor/library.ts'
import { median, side, type Side } from '../side.ts'
import { autoencoder, clip } from './networks.ts'

interface Answer {
  parameters: number
  version: string
  seconds: number
  megabytes: number
  shape: number[]
  finite: boolean
}

const networks = {
  unet: { title: 'UNet, 2 × 64²', config: sd15, parameters: 859_520_964 },
  vae: { title: 'VAE decode, 512²', config: autoencoder, parameters: 83_653_863 },
  // Without the scale of the logits, which is no part of an embedding.
  clip: { title: 'CLIP, image and text', config: clip, parameters: 427_616_512 },
}

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: process.env.ATTUNE_BENCH_PYTHON ?? 'python3' },
    networks: { type: 'string', default: 'unet,vae,clip' },
    dtypes: { type: 'string', default: 'float32,bfloat16' },
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '5' },
  },
})
const rounds = Number(values.rounds)
const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))

async function next(asked: Side<Answer>, who: string): Promise<Answer> {
  const answer = await asked.answer()
  assert.ok(answer !== undefined, `${who} ended`)
  return answer
}

const rows: string[] = []
let versions = ''
for (const name of values.networks.split(',') as (keyof typeof networks)[]) {
  for (const dtype of values.dtypes.split(',')) {
    for (const threads of values.threads.split(',').map(Number)) {
      const { title, config, parameters } = networks[name]
      const words = [name, dtype, String(threads), JSON.stringify(config)]
      const ours = side<Answer>(process.execPath, [file('cases.ts'), ...words], { threads, show: true })
      const theirs = side<Answer>(values.python, [file('cases.py'), ...words], { threads, show: true })
      const sides = [ours, theirs]
      const before = [await next(ours, 'TypeScript'), await next(theirs, 'Python')]
      assert.equal(before[0].parameters, parameters)
      assert.equal(before[1].parameters, parameters + (name === 'clip' ? 1 : 0))
      versions = before.map(({ version }) => version).join('; ')

      const seconds: [number[], number[]] = [[], []]
      const peaks = [0, 0]
      for (let round = 0; round <= rounds; round++) {
        const shapes: number[][] = []
        for (const i of round % 2 === 0 ? [0, 1] : [1, 0]) {
          sides[i].ask('run')
          const answer = await next(sides[i], ['TypeScript', 'Python'][i])
          assert.ok(answer.finite, `${title} ${dtype}: not finite`)
          peaks[i] = Math.max(peaks[i], answer.megabytes)
          shapes[i] = answer.shape
          if (round > 0) seconds[i].push(answer.seconds)
        }
        assert.deepEqual(shapes[0], shapes[1])
      }
      for (const each of sides) each.end()

      const ratios = seconds[0].map((own, i) => own / seconds[1][i]).sort((a, b) => a - b)
      const cells = [
        `${title}, ${dtype}, ${threads} thread${threads === 1 ? '' : 's'}`,
        ...seconds.map((each) => `${median(each).toFixed(2)} s`),
        `${median(ratios).toFixed(2)} (${ratios[0].toFixed(2)}–${ratios[ratios.length - 1].toFixed(2)})`,
        ...peaks.map((peak) => `${peak.toFixed(0)} MB`),
        ...peaks.map((peak, i) => `${(peak - before[i].megabytes).toFixed(0)} MB`),
      ]
      rows.push(`| ${cells.join(' | ')} |`)
      console.error(rows[rows.length - 1])
    }
  }
}
const { version, cpu } = describeLibrary()
console.log(`${cpus()[0].model}, ${cpu}; libtorch ${version}; ${versions}\n`)
console.log('| | TypeScript | Python | ratio | peak TS | peak Python | beyond weights TS | beyond weights Python |')
console.log(`|---|---|---|---|---|---|---|---|\n${rows.join('\n')}`)
