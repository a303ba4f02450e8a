import assert from 'node:assert/strict'
import { existsSync, mkdtempDisposableSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { FileError } from './errors.ts'
import { appendScalars, crc32c, eventFileName, eventRecord, startEventFile } from './tensorboard.ts'

describe('crc32c', () => {
  it('is that of RFC 3720', () => {
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa)
    assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
    assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e)
    assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
  })
})

describe('event files', () => {
  it('are, byte by byte, what the writer of TensorBoard writes', () => {
    const events = [
      { at: new Date(1764000000250), fileVersion: 'brain.Event:2' },
      { at: new Date(1764000001500), step: 21, restart: true },
      { at: new Date(1764000002750), step: 300, scalars: [['reward_mean', 0.1] as const, ['KL “π”', NaN] as const] },
      { at: new Date(1764000003000), scalars: [['loss', 0] as const] },
    ]
    const expected = readFileSync(new URL('../test/fixtures/formats/python.tfevents', import.meta.url))
    assert.deepEqual(Buffer.concat(events.map(eventRecord)), expected)
  })

  it('hold the numbers of a row, and a restart where a run goes on', () => {
    using folder = mkdtempDisposableSync(join(tmpdir(), 'tensorboard-'))
    const file = join(folder.path, 'events')
    const at = new Date(1764000000000)
    startEventFile(file, at, 7)
    appendScalars(file, at, 7, { loss: 0.5, phase: 'head', nothing: null })
    appendScalars(file, at, 8, { phase: 'head' })
    const expected = [
      { at, fileVersion: 'brain.Event:2' },
      { at, step: 7, restart: true },
      { at, step: 7, scalars: [['loss', 0.5] as const] },
    ]
    assert.deepEqual(readFileSync(file), Buffer.concat(expected.map(eventRecord)))
    if (existsSync('/dev/full')) assert.throws(() => startEventFile('/dev/full', at), FileError)
  })

  it('are named so that a later one comes last', () => {
    const at = new Date(1764000000999)
    const first = eventFileName(['metrics.jsonl', 'events.out.tfevents.1.other'], at)
    assert.equal(first, 'events.out.tfevents.1764000000.0000.attune')
    const second = eventFileName([first], new Date(1763000000000))
    assert.equal(second, 'events.out.tfevents.1764000000.0001.attune')
    assert.equal(eventFileName([first, second], new Date(1764000005000)), 'events.out.tfevents.1764000005.0002.attune')
  })
})
