/**
 * From what an iteration sends, what several machines would take for it: `node_modules/.bin/node bench/scale/estimate.ts`
 * prints the tables of docs/scale.md. Nothing is measured here; times of computing are those of docs/benchmarks.md on one
 * H200, and of SDXL by its arithmetic.
 */
import { adapterNumbers, trafficOf, type AttentionLayout, type Training } from './traffic.ts'

const [down, up, plainDown, plainUp] = ['CrossAttnDownBlock2D', 'CrossAttnUpBlock2D', 'DownBlock2D', 'UpBlock2D']
const sd15: AttentionLayout = {
  block_out_channels: [320, 640, 1280, 1280],
  down_block_types: [down, down, down, plainDown],
  up_block_types: [plainUp, up, up, up],
  layers_per_block: 2,
  cross_attention_dim: 768,
}
const sdxl: AttentionLayout = {
  block_out_channels: [320, 640, 1280],
  down_block_types: [plainDown, down, down],
  up_block_types: [up, up, plainUp],
  layers_per_block: 2,
  transformer_layers_per_block: [1, 2, 10],
  cross_attention_dim: 2048,
}

const rank = 8
const models = {
  'SD 1.5, 512²': { layout: sd15, stateBytes: 4 * 64 * 64 * 4, slower: 1 },
  // 6.0 against 0.8 TFLOP a pass of the UNet.
  'SDXL, 1024²': { layout: sdxl, stateBytes: 4 * 128 * 128 * 4, slower: 7.5 },
}
/** Of SD 1.5 on one H200: seconds an image of 50 steps in bf16 at a batch of 16, seconds a transition of an update in fp32. */
const [secondsImage, secondsTransition] = [1 / 3, 0.85 / 4]
/** Passes of a reward-weighted image (forward and back, without a reference), in transitions of DPOK. */
const ofTransition = 0.7

/** Bytes a second that a machine sends and receives at once; within it, of each GPU. */
const networks = { 'NVLink (450 GB/s)': 450e9, 'PCIe 5 (64 GB/s)': 64e9, '100 Gb/s': 12.5e9, '10 Gb/s': 1.25e9 }
/** Of what a network could do, what exchanges reach: a ring of few large messages. */
const reached = 0.7
/** Until the last of n processes has heard of the first one's word, and the exchanges that an iteration has. */
const [latency, exchanges] = [1e-4, 25]

const methods = {
  DPOK: (model: (typeof models)[keyof typeof models], rollouts: number): Training => ({
    gradientBytes: 4 * adapterNumbers(model.layout, rank),
    ...{ updates: 3, rollouts, steps: 50, stateBytes: model.stateBytes, transitions: 9 * rollouts, features: 768 },
  }),
  'reward-weighted': (model: (typeof models)[keyof typeof models], images: number): Training => ({
    gradientBytes: 4 * adapterNumbers(model.layout, rank),
    ...{ updates: 1, rollouts: images, steps: 0, stateBytes: model.stateBytes, transitions: 0, features: 0 },
  }),
}
const megabytes = (bytes: number) =>
  bytes < 1e6 ? (bytes === 0 ? '0' : '< 1') : (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)
const seconds = (time: number) => (time < 0.01 ? '< 0.01' : time < 10 ? time.toFixed(2) : time.toFixed(0))

const print = (cells: readonly (string | number)[]) => console.log(`| ${cells.join(' | ')} |`)
const head = (...cells: string[]) => {
  print(cells)
  print(cells.map(() => '---'))
}

console.log(`Adapters of rank ${rank}:`)
for (const [name, { layout }] of Object.entries(models)) {
  const numbers = adapterNumbers(layout, rank)
  console.log(`${name}: ${numbers.toLocaleString('en')} numbers, ${megabytes(4 * numbers)} MB`)
}
console.log('\nMB that a process receives in an iteration\n')
head('', 'processes', 'roll-outs', 'gradients', 'transitions', 'features', 'all states instead', 'states kept')
for (const [name, model] of Object.entries(models)) {
  for (const [count, rollouts] of [
    [8, 64],
    [64, 64],
    [64, 512],
  ]) {
    const training = methods.DPOK(model, rollouts)
    const { gradients, transitions, features, allStates } = trafficOf(training, count)
    const kept = (rollouts / count) * 2 * (training.steps + 1) * training.stateBytes
    const bytes = [gradients, transitions, features, allStates, kept].map(megabytes)
    print([`${name}: DPOK`, count, rollouts, ...bytes])
  }
  const { gradients } = trafficOf(methods['reward-weighted'](model, 64), 64)
  print([`${name}: reward-weighted`, 64, '', megabytes(gradients), 0, 0, 0, 0])
}

console.log('\nSeconds of an iteration: computing, and exchanges\n')
head('', 'GPUs', 'roll-outs', 'computing', ...Object.keys(networks), 'share at 10 Gb/s', 'all states at 10 Gb/s')
for (const [name, model] of Object.entries(models)) {
  for (const [count, machines, rollouts] of [
    [8, 1, 64],
    [64, 8, 64],
    [64, 8, 512],
  ]) {
    for (const method of ['DPOK', 'reward-weighted'] as const) {
      const training = methods[method](model, rollouts)
      const perProcess = rollouts / count
      const computing =
        method === 'DPOK'
          ? model.slower * perProcess * (secondsImage + 9 * secondsTransition)
          : model.slower * perProcess * ofTransition * secondsTransition
      const { gradients, transitions, features, allStates } = trafficOf(training, count)
      // A ring passes each wire once; what goes from all to all passes it for every process of the machine.
      const ofMachine = (bytes: number) => (bytes * count * (machines - 1)) / machines / machines
      const waits = exchanges * latency * Math.log2(count)
      const time = (speed: number, isBetween: boolean, rows: number) =>
        waits + (gradients + features + (isBetween ? ofMachine(rows) : rows)) / (reached * speed)
      const times = Object.entries(networks).map(([network, speed]) => {
        const isBetween = network.endsWith('Gb/s')
        return isBetween === machines > 1 ? time(speed, isBetween, transitions) : undefined
      })
      const slowest = times[3]
      const all =
        machines > 1 && method === 'DPOK' ? time(networks['10 Gb/s'], true, 0) + ofStates(allStates) : undefined
      print([
        `${name}: ${method}`,
        count,
        rollouts,
        seconds(computing),
        ...times.map((each) => (each === undefined ? '' : seconds(each))),
        slowest === undefined ? '' : `${((100 * slowest) / (slowest + computing)).toFixed(1)} %`,
        all === undefined ? '' : seconds(all),
      ])
    }
  }
}

/** Gathered in a ring, as the features. */
function ofStates(bytes: number): number {
  return bytes / (reached * networks['10 Gb/s'])
}
