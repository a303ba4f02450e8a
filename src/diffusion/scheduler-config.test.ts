import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { FormatError, ScheduleError } from '../errors.ts'
import { useThreads } from '../tensor/library.ts'
import { ddimSampler, ddimTransition } from './ddim.ts'
import { linearSchedule, scaledLinearSchedule, zeroTerminalSnr } from './schedule.ts'
import { readScheduler } from './scheduler-config.ts'
import { assertClose, float64, withoutLeak } from './tensor-checks.test-helper.ts'

useThreads(1)

const folder = new URL('../../test/fixtures/stable-diffusion/', import.meta.url)
const read = (file: string): unknown => JSON.parse(readFileSync(new URL(file, folder), 'utf8'))

/** `numbers_scheduler.py` makes them: steps of diffusers' schedulers, all from one state with one prediction. */
const chains = read('expected-scheduler.json') as {
  readonly name: string
  readonly scheduler: 'DDIMScheduler' | 'DDPMScheduler'
  readonly config: Readonly<Record<string, unknown>>
  readonly steps: number
  readonly timesteps: readonly number[]
  readonly alphasCumprod: Readonly<Record<string, number>>
  readonly xt: readonly number[]
  readonly modelOutput: readonly number[]
  readonly transitions: readonly {
    readonly timestep: number
    /** Negative: the step goes to the final ᾱ. */
    readonly previousTimestep: number
    /** Null for DDPM. */
    readonly eta: number | null
    readonly mean: readonly number[]
    readonly variance: number
    readonly predictedX0: readonly number[]
  }[]
}[]

describe('the schedulers of diffusers', () => {
  for (const { name, scheduler, config, steps, timesteps, alphasCumprod, ...chain } of chains) {
    it(`${scheduler}, ${name}: its times, ᾱ and steps`, () => {
      const setup = readScheduler({ _class_name: scheduler, ...config }, 'file').process
      const { schedule, finalAlphaBar, clipSample } = setup
      assert.deepEqual(setup.timesteps(steps), timesteps)
      for (const [t, expected] of Object.entries(alphasCumprod)) {
        const actual = schedule.alphaBar[Number(t)]
        assert.ok(Math.abs(actual - expected) <= 5e-5 * expected, `ᾱ at ${t}: ${actual}, diffusers ${expected}`)
      }
      const [xt, prediction] = [chain.xt, chain.modelOutput]
      for (const { timestep, previousTimestep, eta, mean, variance, predictedX0 } of chain.transitions) {
        withoutLeak(() => {
          const way = previousTimestep < 0 ? [timestep] : [timestep, previousTimestep]
          const sampler = ddimSampler(schedule, way, { eta: eta ?? 1, finalAlphaBar, clipSample })
          const found = ddimTransition(float64(prediction, 1, 6), float64(xt, 1, 6), [0], sampler)
          assertClose([found.sigma.item() ** 2], [variance], 1e-6)
          // Where DDPM clamps, it takes the noise from the clamped image.
          const same = (_: number, i: number) =>
            scheduler === 'DDIMScheduler' || Math.abs(predictedX0[i]) < (clipSample ?? Infinity)
          assertClose(found.mean.toArray().filter(same), mean.filter(same), 5e-5)
        })
      }
    })
  }

  it('step to the next time of their list as we do, but for DDIM with linspace or where T/n is not whole', () => {
    const others = chains.filter(({ timesteps, transitions }) =>
      transitions.some(({ timestep, previousTimestep }) => {
        const next = timesteps[timesteps.indexOf(timestep) + 1]
        return next === undefined ? previousTimestep >= 0 : next !== previousTimestep
      }),
    )
    assert.deepEqual(
      others.map(({ scheduler, name }) => `${scheduler} ${name}`),
      ['linspace', 'seven-steps-trailing', 'seven-steps-linspace'].map((name) => `DDIMScheduler ${name}`),
    )
  })
})

describe('readScheduler', () => {
  const ofFile = (model: string) => readScheduler(read(`${model}/scheduler/scheduler_config.json`), 'file')
  const instead = 'Attune samples and trains with stochastic DDIM on the same betas.'

  it('reads the files of Stable Diffusion 1, 2 and XL', () => {
    const { alphaBar } = scaledLinearSchedule()
    const common = { finalAlphaBar: alphaBar[0], clipSample: undefined }
    for (const [model, trainedWith, predictionType, note] of [
      ['sd1', 'PNDMScheduler', 'epsilon', `The checkpoint's own sampler PNDMScheduler is deterministic; ${instead}`],
      ['sd2', 'DDIMScheduler', 'v', undefined],
      ['sdxl', 'EulerDiscreteScheduler', 'epsilon', /EulerDiscreteScheduler is deterministic/],
    ] as const) {
      const { process, note: said, trainedWith: found, fewSteps } = ofFile(model)
      const { schedule, timesteps, finalAlphaBar, clipSample } = process
      assert.deepEqual({ finalAlphaBar, clipSample }, common)
      assert.deepEqual([found, fewSteps], [trainedWith, undefined])
      assert.deepEqual(schedule, { alphaBar, predictionType })
      assert.deepEqual(timesteps(50).slice(0, 2), [981, 961])
      if (note instanceof RegExp) assert.match(said ?? '', note)
      else assert.equal(said, note)
    }
  })

  it('visits the times of consistency models, and knows models for a few steps by their files', () => {
    const { consistencyTimesteps } = read('expected-cut-unet.json') as {
      consistencyTimesteps: Record<string, number[]>
    }
    const lcm = readScheduler({ _class_name: 'LCMScheduler' }, 'file')
    for (const [steps, times] of Object.entries(consistencyTimesteps)) {
      assert.deepEqual(lcm.process.timesteps(Number(steps)), times)
    }
    assert.throws(() => lcm.process.timesteps(51), ScheduleError)
    const few = (config: object) => readScheduler({ _class_name: 'EulerDiscreteScheduler', ...config }, 'file').fewSteps
    assert.equal(lcm.fewSteps?.isCertain, true)
    assert.equal(few({ timestep_spacing: 'trailing' })?.isCertain, false)
    for (const many of [{}, { timestep_spacing: 'leading' }, { timestep_spacing: 'linspace' }]) {
      assert.equal(few(many), undefined)
    }
    const zero = { timestep_spacing: 'trailing', rescale_betas_zero_snr: true, prediction_type: 'v_prediction' }
    assert.equal(few(zero), undefined)
  })

  it('has the defaults of DDIMScheduler.from_config, but clamps only where the file or its own sampler does', () => {
    const ddim = readScheduler({ _class_name: 'DDIMScheduler' }, 'file').process
    assert.deepEqual(ddim.schedule, linearSchedule())
    assert.deepEqual([ddim.finalAlphaBar, ddim.clipSample, ddim.timesteps(2)], [1, 1, [500, 0]])
    const lms = readScheduler({ _class_name: 'LMSDiscreteScheduler', future_field: [1] }, 'file').process
    assert.deepEqual(lms.schedule, linearSchedule())
    assert.deepEqual([lms.finalAlphaBar, lms.clipSample, lms.timesteps(2)], [1, undefined, [500, 0]])
    const clipping = { _class_name: 'PNDMScheduler', clip_sample: true, clip_sample_range: 3 }
    assert.equal(readScheduler(clipping, 'file').process.clipSample, 3)
  })

  it('takes betas as they are trained, and makes the last time pure noise', () => {
    const given = { _class_name: 'DDIMScheduler', num_train_timesteps: 3, trained_betas: [0.5, 0.5, 1] }
    assert.deepEqual([...readScheduler(given, 'file').process.schedule.alphaBar], [0.5, 0.25, 0])
    const zero = { _class_name: 'DDIMScheduler', prediction_type: 'v_prediction', rescale_betas_zero_snr: true }
    assert.deepEqual(
      readScheduler(zero, 'file').process.schedule,
      zeroTerminalSnr(linearSchedule({ predictionType: 'v' })),
    )
  })

  it('notes what DDPM and other samplers do otherwise', () => {
    const noteOf = (config: object) => readScheduler(config, 'file').note
    const ddpm = { _class_name: 'DDPMScheduler', clip_sample: false, set_alpha_to_one: false }
    assert.equal(readScheduler(ddpm, 'file').process.finalAlphaBar, 1)
    assert.equal(noteOf(ddpm), undefined)
    assert.equal(noteOf({ ...ddpm, variance_type: 'fixed_small_log' }), undefined)
    assert.match(noteOf({ ...ddpm, variance_type: 'fixed_large' })!, /^The .* has the variance fixed_large; [^.]*\.$/)
    assert.match(noteOf({ ...ddpm, clip_sample: true })!, /^The .* takes the noise from the clamped image; [^.]*\.$/)
    assert.match(noteOf({ ...ddpm, clip_sample: true, variance_type: 'fixed_large' })!, /fixed_large; .*clamped image/)
    assert.match(noteOf({ _class_name: 'EulerAncestralDiscreteScheduler' })!, /is of another kind; Attune/)
    const multistep = { _class_name: 'DPMSolverMultistepScheduler', algorithm_type: 'dpmsolver++' }
    assert.match(noteOf(multistep)!, /is deterministic/)
    assert.match(noteOf({ ...multistep, algorithm_type: 'sde-dpmsolver++' })!, /is of another kind/)
    assert.equal(noteOf({ _class_name: 'DDIMParallelScheduler' }), undefined)
    const parallel = { ...ddpm, _class_name: 'DDPMParallelScheduler' }
    assert.equal(noteOf(parallel), undefined)
    assert.equal(readScheduler(parallel, 'file').process.finalAlphaBar, 1)
  })

  it('refuses what is broken, naming file and field', () => {
    const refused = (config: unknown, message: RegExp) =>
      assert.throws(
        () => readScheduler(config, 'sd/scheduler_config.json'),
        (error) => error instanceof FormatError && message.test(error.message),
      )
    const ddim = { _class_name: 'DDIMScheduler' }
    refused(null, /^sd\/scheduler_config.json: expected an object, received null —/)
    refused({}, /^sd\/scheduler_config.json _class_name: expected the name of a scheduler .*, received nothing —/)
    refused({ ...ddim, beta_schedule: 'sigmoid' }, /beta_schedule: expected linear, .*, received "sigmoid" —/)
    refused({ ...ddim, beta_start: 0 }, /beta_start: expected a number between 0 and 1, received 0 —/)
    refused(
      { ...ddim, prediction_type: 'flow_prediction' },
      /prediction_type: expected epsilon, .* "flow_prediction" —/,
    )
    refused({ ...ddim, timestep_spacing: 'log' }, /timestep_spacing: expected leading, trailing or linspace/)
    refused({ ...ddim, num_train_timesteps: 0.5 }, /num_train_timesteps: expected a whole number from 1 to 100000, rec/)
    refused({ ...ddim, num_train_timesteps: 2 ** 31 }, /num_train_timesteps: expected .*, received 2147483648 —/)
    refused({ ...ddim, steps_offset: -1 }, /steps_offset: expected a whole number ≥ 0, received -1 —/)
    refused({ ...ddim, clip_sample_range: 0 }, /clip_sample_range: expected a number > 0/)
    refused({ ...ddim, clip_sample: 'yes' }, /clip_sample: expected true or false, received "yes" —/)
    refused({ ...ddim, trained_betas: [0.1, 1, 0.1] }, /trained_betas: expected at least one number between 0 and 1/)
    refused({ ...ddim, trained_betas: [0.1, 'x'] }, /trained_betas.1: expected at least one number .*, received "x" —/)
    refused({ ...ddim, trained_betas: [0.1, 0.2] }, /trained_betas: expected 1000 numbers, .*, received 2 —/)
  })

  it('refuses what DDIM cannot stand in for, naming file and field', () => {
    const refused = (config: object, message: RegExp) =>
      assert.throws(
        () => readScheduler({ _class_name: 'DDPMScheduler', ...config }, 'file'),
        (error) => error instanceof ScheduleError && message.test(error.message),
      )
    refused({ _class_name: 'EDMEulerScheduler' }, /^file _class_name: expected one of DDIMScheduler, .* EDMEuler/)
    refused(
      { _class_name: 'FlowMatchEulerDiscreteScheduler' },
      /received FlowMatchEuler\S+, a sampler of flow matching/,
    )
    refused({ _class_name: 'SCMScheduler', prediction_type: 'trigflow' }, /^file _class_name: .* of flow matching/)
    refused({ _class_name: 'EDMEulerScheduler', prediction_type: 'epsilon' }, /EDMEulerScheduler, .* in units of σ/)
    refused({ _class_name: 'UniPCMultistepScheduler', use_flow_sigmas: true }, /^file use_flow_sigmas: expected false/)
    refused(
      { _class_name: 'EulerDiscreteScheduler', timestep_type: 'continuous' },
      /^file timestep_type: .* continuous/,
    )
    refused({ thresholding: true }, /^file thresholding: expected false: .*, received true/)
    refused(
      { variance_type: 'learned_range' },
      /^file variance_type: expected a fixed variance, received learned_range/,
    )
  })
})
