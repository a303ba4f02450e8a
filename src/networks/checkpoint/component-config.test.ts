import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { z } from 'zod'
import { FileError, FormatError } from '../../errors.ts'
import { expectClass, readConfig } from './component-config.ts'

const Config = z.object({
  sample_size: z.int().positive(),
  channels: z.array(z.int()).default([320]),
  act_fn: z.enum(['silu', 'gelu']).default('silu'),
  norm: z
    .number()
    .refine((norm) => norm > 0, 'a number above 0')
    .default(1),
})

let folder: string
before(() => void (folder = mkdtempSync(join(tmpdir(), 'config-'))))
after(() => rmSync(folder, { recursive: true }))

function read(content: unknown) {
  writeFileSync(join(folder, 'config.json'), typeof content === 'string' ? content : JSON.stringify(content))
  return readConfig(folder, 'config.json', Config)
}

describe('readConfig', () => {
  it('reads the fields of the schema and passes over others', () => {
    assert.deepEqual(read({ sample_size: 64, _diffusers_version: '0.6.0' }), {
      sample_size: 64,
      channels: [320],
      act_fn: 'silu',
      norm: 1,
    })
  })

  it('names file and field, what is accepted and what was found', () => {
    const cases: [content: unknown, line: string][] = [
      [{}, 'config.json sample_size: expected number, received nothing'],
      [{ sample_size: '64' }, 'config.json sample_size: expected number, received "64"'],
      [{ sample_size: 64, channels: [1, 'x'] }, 'config.json channels.1: expected number, received "x"'],
      [{ sample_size: 64, act_fn: 'relu' }, 'config.json act_fn: expected one of "silu"|"gelu", received "relu"'],
      [{ sample_size: 64, norm: 0 }, 'config.json norm: expected a number above 0, received 0'],
      [[], 'config.json: expected object, received []'],
      ['{"sample_size": ', 'config.json: expected JSON, received '],
    ]
    for (const [content, line] of cases) {
      assert.throws(
        () => read(content),
        (error) => error instanceof FormatError && error.message.startsWith(join(folder, line)),
        line,
      )
    }
  })

  it('names a file that is missing or is none', () => {
    assert.throws(
      () => readConfig(folder, 'none.json', Config),
      /none.json: expected a JSON file, received no such file/,
    )
    mkdirSync(join(folder, 'inner.json'))
    assert.throws(() => readConfig(folder, 'inner.json', Config), FileError)
  })
})

describe('expectClass', () => {
  it('reads the names of diffusers and of transformers', () => {
    const allowed = ['UNet2DConditionModel', 'CLIPTextModel'] as const
    assert.equal(expectClass({ _class_name: 'UNet2DConditionModel' }, allowed, 'unet'), 'UNet2DConditionModel')
    assert.equal(expectClass({ architectures: ['CLIPTextModel'] }, allowed, 'text'), 'CLIPTextModel')
  })

  it('says in one line which classes can be read', () => {
    const refuse = (config: object, line: string, allowed = ['A', 'B']) =>
      assert.throws(
        () => expectClass(config, allowed, 'unet/config.json'),
        (error) => error instanceof FormatError && error.message.startsWith(`unet/config.json ${line}`),
      )
    refuse({ _class_name: 'C' }, '_class_name: expected one of A, B, received C — choose a checkpoint')
    refuse({ _class_name: 'C' }, '_class_name: expected A, received C', ['A'])
    refuse({ architectures: ['C'] }, 'architectures: expected one of A, B, received C')
    refuse({}, 'architectures: expected one of A, B, received no class')
  })
})
