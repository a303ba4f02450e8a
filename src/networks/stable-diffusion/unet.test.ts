import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { denoisingLoss } from '../../diffusion/denoising-loss.ts'
import { readScheduler } from '../../diffusion/scheduler-config.ts'
import { withoutLeak } from '../../diffusion/tensor-checks.test-helper.ts'
import { ShapeError } from '../../errors.ts'
import type { ImageOrder } from '../../tensor/channels-last.ts'
import { cat, zeros } from '../../tensor/create.ts'
import type { Dtype } from '../../tensor/dtype.ts'
import { gradientCheckpoints } from '../../tensor/gradient-checkpoints.ts'
import { useThreads } from '../../tensor/library.ts'
import { readSafetensors } from '../../tensor/safetensors.ts'
import { operator, type Tensor } from '../../tensor/tensor.ts'
import { assertNear, expectedOf, fixtures, readJson } from '../clip/fixture.test-helper.ts'
import { inOrder } from '../image-order.ts'
import { Weights, type Adapter } from '../weights.ts'
import { sd15, sd21, sdxl } from './published-configs.test-helper.ts'
import { readUnetConfig, type UnetConfig } from './unet-config.ts'
import { unet, type UnetConditioning } from './unet.ts'

useThreads(1)

const strideOf = operator<[Tensor, dim: number], number>('stride', 'int')

const checkpoints = ['sd1', 'sd2', 'sdxl']

function open(
  checkpoint: string,
  dtype: Dtype = 'float32',
  order: ImageOrder = 'rows',
): { config: UnetConfig; weights: Weights } {
  const folder = `${checkpoint}/unet`
  const { tensors } = readSafetensors(join(fixtures, folder, 'diffusion_pytorch_model.safetensors'))
  const placed = [...tensors].map(([name, each]) => [name, inOrder(each.to(dtype), order)] as const)
  const weights = Weights.of(new Map(placed), { dtype, order })
  return { config: readUnetConfig(readJson(`${folder}/config.json`), folder), weights }
}

type Expected = (key: string) => Tensor

/** Of the expected numbers named `unet.…`; the sizes exist for XL alone. */
function conditioningOf(checkpoint: string, expected: Expected): UnetConditioning {
  const tokens = expected('unet.encoder_hidden_states')
  if (checkpoint !== 'sdxl') return { tokens }
  return { tokens, pooled: expected('unet.text_embeds'), timeIds: expected('unet.time_ids') }
}

function rows(conditioning: UnetConditioning, from: number, to: number): UnetConditioning {
  const picked = Object.entries(conditioning) as [keyof UnetConditioning, Tensor][]
  return Object.fromEntries(
    picked.map(([name, each]) => [name, each.slice(0, from, to)]),
  ) as unknown as UnetConditioning
}

describe('the denoiser', () => {
  for (const checkpoint of checkpoints) {
    it(`gives the numbers of diffusers: ${checkpoint}`, () => {
      withoutLeak(() => {
        const expected = expectedOf(checkpoint)
        const { config, weights } = open(checkpoint)
        const given = conditioningOf(checkpoint, expected)
        const output = unet(weights, config, expected('unet.sample'), expected('unet.timestep'), given)
        assertNear(output, expected('unet.output'), 1e-5)
        assert.deepEqual(weights.unasked(), [])
        const t = expected('unet.timestep').slice(0, 0, 1)
        const wide = unet(weights, config, expected('unet.wide_sample'), t, rows(given, 0, 1))
        assertNear(wide, expected('unet.wide_output'), 1e-5)
      })
    })

    it(`gives them with the channels of a place side by side, by rows: ${checkpoint}`, () => {
      withoutLeak(() => {
        const expected = expectedOf(checkpoint)
        const { config, weights } = open(checkpoint, 'float32', 'places')
        const given = conditioningOf(checkpoint, expected)
        const output = unet(weights, config, expected('unet.sample'), expected('unet.timestep'), given)
        assertNear(output, expected('unet.output'), 1e-5)
        assert.notEqual(strideOf(output, 1), 1)
      })
    })

    it(`gives them to the precision of bfloat16: ${checkpoint}`, () => {
      withoutLeak(() => {
        const expected = expectedOf(checkpoint)
        const { config, weights } = open(checkpoint, 'bfloat16')
        const given = conditioningOf(checkpoint, expected)
        const output = unet(weights, config, expected('unet.sample'), expected('unet.timestep'), given)
        assert.equal(output.dtype, 'bfloat16')
        assertNear(output, expected('unet.output_bf16'), 0.05)
      })
    })
  }

  it('gives the numbers of diffusers where it is cut down, has other depths, or is told the scale of guidance', () => {
    withoutLeak(() => {
      const expected = expectedOf('cut-unet')
      const { configs } = readJson('expected-cut-unet.json') as { configs: Record<string, unknown> }
      const { tensors } = readSafetensors(join(fixtures, 'expected-cut-unet.safetensors'))
      for (const [name, json] of Object.entries(configs)) {
        const own = [...tensors].filter(([key]) => key.startsWith(`${name}/`) && !key.endsWith('/output'))
        const weights = Weights.of(new Map(own.map(([key, each]) => [key.slice(name.length + 1), each.to('float32')])))
        const given = { tokens: expected('tokens'), guidance: expected('guidance') }
        const output = unet(weights, readUnetConfig(json, name), expected('sample'), expected('timestep'), given)
        assertNear(output, expected(`${name}/output`), 1e-5)
        assert.deepEqual(weights.unasked(), [], name)
      }
      assert.equal(Object.keys(configs).length, 5)
    })
  })

  it('gives the numbers of diffusers for sizes that do not halve evenly, and for other features of time', () => {
    withoutLeak(() => {
      const expected = expectedOf('unet')
      const { config, weights } = open('sd1')
      const outputOf = (changed: Partial<UnetConfig>, sample: string) =>
        unet(weights, { ...config, ...changed }, expected(sample), expected('timestep'), { tokens: expected('tokens') })
      assertNear(outputOf({}, 'odd_sample'), expected('odd_output'), 1e-5)
      assertNear(outputOf({ flipSinToCos: false }, 'sample'), expected('sines_first_output'), 1e-5)
      assertNear(outputOf({ freqShift: 1 }, 'sample'), expected('shifted_output'), 1e-5)
    })
  })

  it('names the input that does not fit', () => {
    withoutLeak(() => {
      const { config, weights } = open('sdxl')
      const fitting = { sample: zeros([2, 4, 8, 8]), t: zeros([2], 'int64'), tokens: zeros([2, 3, 24]) }
      const sizes = { pooled: zeros([2, 12]), timeIds: zeros([2, 6]) }
      const attempt = (changes: Record<string, Tensor | undefined>) => () => {
        const { sample, t, ...conditioning } = { ...fitting, ...sizes, ...changes } as typeof fitting & typeof sizes
        return unet(weights, config, sample, t, conditioning)
      }
      assert.deepEqual(attempt({})().shape, [2, 4, 8, 8])
      const wrong: readonly [where: string, changes: Record<string, Tensor | undefined>][] = [
        ['sample', { sample: zeros([2, 3, 8, 8]) }],
        ['t', { t: zeros([1], 'int64') }],
        ['tokens', { tokens: zeros([2, 3, 16]) }],
        ['tokens', { tokens: zeros([1, 3, 24]) }],
        ['pooled', { pooled: zeros([2, 24]) }],
        ['timeIds', { timeIds: zeros([12]) }],
        ['conditioning', { pooled: undefined }],
        ['conditioning', { timeIds: undefined }],
      ]
      for (const [where, changes] of wrong) assert.throws(attempt(changes), { name: ShapeError.name, where })
    })
  })
})

describe('the denoiser of a published checkpoint, without elements', () => {
  const published: readonly [name: string, config: unknown, parameters: number][] = [
    ['Stable Diffusion 1.5', sd15, 859_520_964],
    ['Stable Diffusion 2.1', sd21, 865_910_724],
    ['Stable Diffusion XL', sdxl, 2_567_463_684],
  ]
  for (const [name, json, parameters] of published) {
    it(`has ${parameters.toLocaleString('en')} parameters: ${name}`, () => {
      withoutLeak(() => {
        const config = readUnetConfig(json, name)
        const weights = Weights.fresh(1, { dtype: 'float16', device: 'meta' })
        const [height, width] = config.sampleSize!
        const hollow = (...shape: number[]) => zeros(shape, 'float16', 'meta')
        const output = unet(weights, config, hollow(2, 4, height, width), zeros([2], 'int64', 'meta'), {
          tokens: hollow(2, 77, config.tokenWidth),
          ...(config.addition && { pooled: hollow(2, 1280), timeIds: hollow(2, 6) }),
        })
        assert.deepEqual([output.shape, output.dtype, output.device], [[2, 4, height, width], 'float16', 'meta'])
        const tensors = [...weights.tensors().values()]
        assert.equal(
          tensors.reduce((sum, { numel }) => sum + numel, 0),
          parameters,
        )
        for (const each of tensors) each.dispose()
      })
    })
  }
})

const relativeError = (actual: Tensor, expected: Tensor) => actual.sub(expected).norm().item() / expected.norm().item()

/** What diffusers and peft computed for one step of training, named `gradient.…`. */
function trainingStep(
  checkpoint: string,
  { isCheckpointed, dtype = 'float32', order }: { isCheckpointed: boolean; dtype?: Dtype; order?: ImageOrder },
) {
  const expected = expectedOf(`${checkpoint}-gradient`)
  const { tensors } = readSafetensors(join(fixtures, `expected-${checkpoint}-gradient.safetensors`))
  const namesOf = (kind: string) =>
    [...tensors.keys()]
      .filter((name) => name.startsWith(`gradient.${kind}.`))
      .map((name) => name.slice(kind.length + 10))
  const { config, weights } = open(checkpoint, dtype, order)
  const scale = expected('gradient.scale').item()
  const leaves = new Map<string, Tensor>()
  const leaf = (key: string, value: Tensor) => {
    leaves.set(key, value.requireGrad())
    return value
  }
  const adapters = new Map<string, Adapter>()
  for (const name of namesOf('lora')) {
    if (!name.endsWith('.lora_A.weight')) continue
    const target = name.slice(0, -'.lora_A.weight'.length)
    const half = (side: string) =>
      leaf(`lora_gradient.${target}.${side}.weight`, expected(`gradient.lora.${target}.${side}.weight`))
    adapters.set(`${target}.weight`, { down: half('lora_A'), up: half('lora_B'), scale })
  }
  const trained = new Map(
    namesOf('unet_gradient').map((name) => [
      name,
      leaf(`unet_gradient.${name}`, weights.tensors().get(name)!.to('float32').clone()),
    ]),
  )
  const { process } = readScheduler(readJson(`${checkpoint}/scheduler/scheduler_config.json`), checkpoint)
  const [x0, epsilon, t] = ['x0', 'noise', 'timestep'].map((key) => expected(`gradient.${key}`))
  const given = conditioningOf(checkpoint, expectedOf(checkpoint))
  using graph = gradientCheckpoints(isCheckpointed)
  const changed = weights.with({ trained, adapters })
  const prediction = unet(changed, config, expected('gradient.xt'), t, given)
  const loss = denoisingLoss(process, { prediction, x0, epsilon, t }).mean()
  graph.backward(loss)
  return { leaves, prediction, loss, expected }
}

describe('one step of training', () => {
  for (const checkpoint of checkpoints) {
    const ways = [
      { isCheckpointed: false },
      { isCheckpointed: true },
      { isCheckpointed: true, order: 'places' as const },
    ]
    for (const way of ways) {
      const told = `${way.isCheckpointed ? ', with checkpoints' : ''}${way.order === undefined ? '' : ', channels last'}`
      it(`has the gradients of diffusers and peft: ${checkpoint}${told}`, () => {
        withoutLeak(() => {
          const { leaves, prediction, loss, expected } = trainingStep(checkpoint, way)
          assertNear(prediction, expected('gradient.prediction'), 1e-5)
          assertNear(loss, expected('gradient.loss'), 1e-5)
          assert.equal(leaves.size, checkpoint === 'sdxl' ? 147 : 82)
          for (const [key, each] of leaves) {
            const error = relativeError(each.grad!, expected(`gradient.${key}`))
            // 1.1e-6 on the processor that made the numbers, 5.2e-5 on another, whose kernels round otherwise
            assert.ok(error <= 1e-4, `${key}: ${error}`)
          }
        })
      })
    }
  }

  it('reaches float32 leaves from a network in bfloat16, the same with checkpoints', () => {
    withoutLeak(() => {
      const [plain, checkpoints] = [false, true].map((isCheckpointed) =>
        trainingStep('sd1', { isCheckpointed, dtype: 'bfloat16' }),
      )
      const joined = (gradients: readonly Tensor[]) => cat(gradients.map((gradient) => gradient.flatten()))
      const gradientsOf = ({ leaves }: typeof plain) => joined([...leaves.values()].map(({ grad }) => grad!))
      const exact = joined([...plain.leaves.keys()].map((key) => plain.expected(`gradient.${key}`)))
      assert.equal(gradientsOf(plain).dtype, 'float32')
      // diffusers' own bfloat16 is 0.07 away from its float32.
      assert.ok(relativeError(gradientsOf(plain), exact) <= 0.15)
      assert.ok(relativeError(gradientsOf(checkpoints), gradientsOf(plain)) <= 0.03)
    })
  })

  it('reaches the conditioning, the same with checkpoints', () => {
    withoutLeak(() => {
      const expected = expectedOf('sdxl')
      const { config, weights } = open('sdxl')
      const [plain, checkpoints] = [false, true].map((isCheckpointed) => {
        const { tokens, pooled, timeIds } = conditioningOf('sdxl', expected)
        const leaves = [tokens, pooled!].map((each) => each.clone().requireGrad())
        const given = { tokens: leaves[0], pooled: leaves[1], timeIds: timeIds! }
        using graph = gradientCheckpoints(isCheckpointed)
        graph.backward(unet(weights, config, expected('unet.sample'), expected('unet.timestep'), given).square().mean())
        return leaves.map(({ grad }) => grad!)
      })
      plain.forEach((gradient, i) => assert.ok(relativeError(checkpoints[i], gradient) <= 1e-5))
    })
  })
})
