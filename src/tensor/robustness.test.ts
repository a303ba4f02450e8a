/** Whatever is passed to the bridge, it answers or throws a typed error that names the operator; it never crashes. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { OutOfMemoryError, TensorError } from '../errors.ts'
import { arange, randn, tensor, zeros } from './create.ts'
import { dtypes, type Dtype } from './dtype.ts'
import { conv2d, linear } from './functional.ts'
import { Generator } from './generator.ts'
import { native, useThreads } from './library.ts'
import { describeOperator } from './operator.ts'
import { livingTensors, tensorScope } from './scope.ts'
import { operator, Tensor } from './tensor.ts'

useThreads(1)

/** Every operator that src/tensor calls by name. */
const used: readonly [name: string, overload?: string][] = [
  ...(['add', 'sub', 'mul', 'div', 'add_', 'mul_', 'eq', 'gt', 'lt'] as const).flatMap((name): [string, string][] => [
    [name, 'Tensor'],
    [name, 'Scalar'],
  ]),
  ...'abs clone contiguous cos detach exp gelu isfinite log logical_not neg relu rsqrt sigmoid silu sin softplus sqrt'
    .split(' ')
    .map((name): [string] => [name]),
  ...'square tanh zero_ maximum minimum clamp matmul sum mean argmax amax reshape permute unsqueeze expand'
    .split(' ')
    .map((name): [string] => [name]),
  ...'index_select gather linalg_vector_norm copy_ linear conv2d embedding rms_norm group_norm layer_norm cat stack'
    .split(' ')
    .map((name): [string] => [name]),
  ...'scaled_dot_product_attention pixel_shuffle pixel_unshuffle cross_entropy_loss addmm _fused_adamw_ zeros ones'
    .split(' ')
    .map((name): [string] => [name]),
  ['full'],
  ['pow', 'Tensor_Scalar'],
  ['sum', 'dim_IntList'],
  ['mean', 'dim'],
  ['var', 'correction'],
  ['flatten', 'using_ints'],
  ['transpose', 'int'],
  ['squeeze', 'dim'],
  ['slice', 'Tensor'],
  ['select', 'int'],
  ['softmax', 'int'],
  ['log_softmax', 'int'],
  ['to', 'dtype'],
  ['to', 'device'],
  ['lerp', 'Scalar'],
  ['lerp_', 'Scalar'],
  ['arange', 'start'],
  ['randn', 'generator'],
  ['rand', 'generator'],
  ['randint', 'low_generator'],
  ['where', 'self'],
  ['_foreach_norm', 'Scalar'],
  ['_foreach_mul_', 'Tensor'],
  ['_foreach_add_', 'Scalar'],
  ['_foreach_lerp_', 'Scalar'],
]

/** Values that fit somewhere and not elsewhere; tensors are made anew for each call. */
function anyValue() {
  const size = fc.integer({ min: 0, max: 3 })
  const anyTensor = fc.tuple(fc.array(size, { maxLength: 3 }), fc.constantFrom<Dtype>(...dtypes)).map(
    ([shape, dtype]) =>
      () =>
        zeros(shape, dtype),
  )
  const disposed = fc.constant(() => {
    const gone = zeros([1])
    gone.dispose()
    return gone
  })
  const plain = fc.oneof(
    fc.integer({ min: -3, max: 9 }),
    fc.constantFrom(0.5, -1e300, Number.NaN, Infinity, 2 ** 31, 2 ** 53, -(2 ** 62), 2 ** 64),
    fc.boolean(),
    fc.constantFrom(undefined, null, '', 'cpu', 'cuda:0', 'cpu:7', 'x', 5n, Symbol.iterator, {}, [], () => 1),
    fc.array(fc.oneof(size, fc.constantFrom(-1, 2 ** 40, 0.5, 'a', null)), { maxLength: 4 }),
    fc.constantFrom<object>(new Uint8Array(3), new Map(), /x/),
  )
  const generator = fc.constant(() => new Generator(1))
  const list = fc.array(
    fc.oneof(
      anyTensor,
      disposed,
      fc.constant(() => null),
    ),
    { maxLength: 3 },
  )
  return fc.oneof(
    { weight: 4, arbitrary: anyTensor },
    { weight: 1, arbitrary: disposed },
    { weight: 1, arbitrary: generator },
    { weight: 4, arbitrary: plain.map((value) => () => value) },
    { weight: 2, arbitrary: list.map((makers) => () => makers.map((make) => make())) },
  )
}

describe('operators given anything at all', () => {
  it('are all known to this library', () => {
    for (const [name, overload] of used) assert.match(describeOperator(name, overload), /^aten::/)
  })

  for (const [name, overload = ''] of used) {
    const full = `aten::${name}${overload === '' ? '' : `.${overload}`}`
    it(full, () => {
      const call = operator<unknown[], unknown>(name, overload)
      const before = livingTensors()
      fc.assert(
        fc.property(fc.array(anyValue(), { maxLength: 6 }), (makers) => {
          using _scope = tensorScope()
          try {
            call(...makers.map((make) => make()))
          } catch (error) {
            assert.ok(error instanceof TensorError, String(error))
            assert.ok(error.where.startsWith(full), error.message)
          }
        }),
        { numRuns: 60, seed: 1 },
      )
      assert.ok(livingTensors() <= before)
    })
  }
})

describe('functions of the add-on given anything at all', () => {
  // `library` and `livingTensors` take nothing; `threads` and `gradMode` would change the process.
  const names = [
    'resolve',
    'call',
    'vacant',
    'fromBytes',
    'toBytes',
    'item',
    'describe',
    'dispose',
    'requiresGrad',
    'backward',
  ]
  names.push('gradients', 'gradOf', 'setGrad', 'generator', 'seedGenerator', 'generatorState')
  for (const name of names) {
    it(name, () => {
      const functions = native() as unknown as Record<string, (...values: unknown[]) => unknown>
      fc.assert(
        fc.property(fc.array(anyValue(), { maxLength: 5 }), (makers) => {
          using _scope = tensorScope()
          const values = makers.map((make) => {
            const made = make() as { handle?: unknown } | null | undefined | (Tensor | null)[]
            if (Array.isArray(made)) return made.map((one) => (one instanceof Tensor ? one.handle : one))
            return made instanceof Tensor || made instanceof Generator ? made.handle : made
          })
          try {
            const result = functions[name](...values)
            if (name !== 'generator' && name !== 'item') dispose(result)
          } catch (error) {
            assert.ok(error instanceof Error && 'code' in error, String(error))
            assert.match(String(error.code), /^ATTUNE_(ARGUMENT|OPERATOR)$/, error.message)
          }
        }),
        { numRuns: 200, seed: 2 },
      )
    })
  }
  const dispose = (result: unknown) => {
    native().dispose((Array.isArray(result) ? result : [result]) as never)
  }
})

describe('a wrong argument', () => {
  const thrown = (call: () => unknown): TensorError | OutOfMemoryError => {
    using _scope = tensorScope()
    try {
      call()
    } catch (error) {
      assert.ok(error instanceof TensorError || error instanceof OutOfMemoryError, String(error))
      return error
    }
    return assert.fail('nothing was thrown')
  }
  it('is named with its operator and its place', () => {
    assert.equal(thrown(() => zeros([1]).add('x' as never)).where, 'aten::add.Tensor argument 2 "other"')
    assert.equal(thrown(() => zeros([1]).sum('x' as never)).where, 'aten::sum.dim_IntList argument 2 "dim"')
    assert.equal(thrown(() => linear(zeros([1]), undefined as never)).where, 'aten::linear argument 2 "weight"')
    assert.equal(thrown(() => operator('no_such')()).message.includes('no such operator'), true)
  })
  it('may not be a Generator where a Tensor is wanted, nor the other way round', () => {
    const swapped = thrown(() => zeros([1]).add(new Generator(1) as never))
    assert.equal(swapped.expected, 'Tensor')
    assert.equal(thrown(() => randn([1], zeros([1]) as never)).expected, 'Generator')
    assert.throws(() => native().describe(new Generator(1).handle as never), /expected Tensor/)
    assert.throws(() => native().seedGenerator(zeros([1]).handle as never, 1), /expected Generator/)
  })
  it('may not be an External of somebody else', () => {
    for (const value of [{}, [], 7, 'x', null, Symbol('x')]) {
      assert.throws(() => native().describe(value as never), { code: 'ATTUNE_ARGUMENT' })
    }
  })
  it('is refused by libtorch in its words where shapes or types do not fit', () => {
    assert.match(thrown(() => zeros([2]).add(zeros([3]))).received, /size of tensor a \(2\) must match/)
    assert.match(thrown(() => zeros([2, 2]).matmul(zeros([2, 2], 'int64'))).received, /same dtype/)
    assert.match(thrown(() => conv2d(zeros([1, 3, 4, 4]), zeros([2, 2, 3, 3]), undefined)).received, /channels/)
    assert.match(thrown(() => zeros([2, 2]).gather(0, arange(0, 2))).received, /dimensions/)
    assert.match(thrown(() => zeros([2]).indexSelect(0, tensor([7], [1], 'int64'))).received, /range/)
    assert.match(thrown(() => zeros([2]).reshape(3)).received, /invalid for input of size 2/)
    assert.match(thrown(() => zeros([2]).to('cuda:0')).received, /CUDA|cuda/)
  })
  it('may be too large', () => {
    for (const shape of [[2 ** 50], [2 ** 40, 2 ** 40], [2 ** 32, 2 ** 32], [2 ** 53], [2 ** 60], [-1], [0.5], [NaN]]) {
      thrown(() => zeros(shape))
      thrown(() => tensor([], shape))
    }
    thrown(() => tensor(new Uint8Array(0), [2 ** 32, 2 ** 32]))
    thrown(() => tensor(new Uint8Array(8), [2 ** 62], 'float64'))
    thrown(() =>
      zeros([2])
        .expand(2 ** 60, 2 ** 60, 2)
        .contiguous(),
    )
  })
  it('may be one too many', () => {
    assert.match(thrown(() => operator<unknown[], Tensor>('relu')(zeros([1]), 1, 2)).message, /at most 1 arguments/)
    thrown(() => operator<unknown[], Tensor>('relu')(...Array.from({ length: 100 }, () => 1)))
  })
})

describe('a disposed tensor', () => {
  it('throws from everything that looks at it', () => {
    const gone = zeros([2])
    gone.dispose()
    const looks: (() => unknown)[] = [
      () => gone.shape,
      () => gone.dtype,
      () => gone.item(),
      () => gone.toBytes(),
      () => gone.add(1),
      () => gone.requiresGrad,
      () => gone.requireGrad(),
      () => gone.grad,
      () => void (gone.grad = undefined),
      () => gone.backward(),
    ]
    for (const look of looks) assert.throws(look, { name: TensorError.name, received: 'a disposed one' })
  })
  it('throws also where its shape was asked for before', () => {
    const gone = zeros([2])
    assert.deepEqual(gone.shape, [2])
    gone.dispose()
    assert.throws(() => gone.toArray(), TensorError)
  })
})

describe('worker threads', () => {
  const start = (forever: boolean) => {
    const code = `
      import { parentPort } from 'node:worker_threads'
      import { randn } from '${new URL('./create.ts', import.meta.url).href}'
      import { Generator } from '${new URL('./generator.ts', import.meta.url).href}'
      import { useThreads } from '${new URL('./library.ts', import.meta.url).href}'
      import { tensorScope } from '${new URL('./scope.ts', import.meta.url).href}'
      useThreads(1)
      const generator = new Generator(3)
      const weight = randn([64, 64], generator).requireGrad()
      let sum = 0
      for (let i = 0; i < ${forever ? 'Infinity' : 40}; i++) {
        using _scope = tensorScope()
        const loss = randn([64, 64], generator).matmul(weight).tanh().square().mean()
        loss.backward()
        sum += loss.item()
        if (i === 5) parentPort.postMessage('running')
      }
      parentPort.postMessage(sum)`
    return new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`))
  }
  const messages = (worker: Worker) =>
    new Promise<unknown[]>((resolve, reject) => {
      const received: unknown[] = []
      worker.on('message', (message) => received.push(message))
      worker.on('error', reject)
      worker.on('exit', () => resolve(received))
    })
  it('compute side by side with equal results, and one may be terminated', async () => {
    using _scope = tensorScope()
    const doomed = start(true)
    const running = new Promise((resolve) => doomed.once('message', resolve))
    const others = Promise.all([messages(start(false)), messages(start(false))])
    await running
    await doomed.terminate()
    const [first, second] = await others
    assert.equal(first.length, 2)
    assert.deepEqual(first, second)
    assert.deepEqual(zeros([2]).add(1).toArray(), [1, 1])
  })
})
