/** What a form asks of the machine, for work that can be shared and work that cannot. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { devicesOf } from '../devices/devices.ts'
import { deviceFields } from './device-fields.ts'

const fieldsOf = (isShared: boolean, gpus: number, isEmbedded = false) =>
  deviceFields(isShared, { devices: devicesOf(null, 1, gpus), isEmbedded }).map(({ field, type, choices }) => [
    field,
    type,
    ...choices.map(({ value }) => value),
  ])

test('work that cannot be shared has one device', () => {
  assert.deepEqual(fieldsOf(false, 2), [['device', 'choice', 'cuda:0', 'cuda:1', 'cpu']])
  assert.deepEqual(fieldsOf(false, 0), [['device', 'choice', 'cpu']])
})

test('work that can be shared has several GPUs where there are several, and as many processes as somebody wants', () => {
  const workers = ['workers', 'integer']
  assert.deepEqual(fieldsOf(true, 2), [['device', 'choices', 'cuda:0', 'cuda:1', 'cpu'], workers])
  assert.deepEqual(fieldsOf(true, 1), [['device', 'choice', 'cuda:0', 'cpu'], workers])
  assert.deepEqual(fieldsOf(true, 0), [['device', 'choice', 'cpu'], workers])
})

test('the embedded model has the CPU, whatever else there is', () => {
  assert.deepEqual(fieldsOf(true, 2, true)[0], ['device', 'choice', 'cpu'])
})
