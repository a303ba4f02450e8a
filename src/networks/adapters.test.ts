import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tensor } from '../tensor/create.ts'
import { tensorScope } from '../tensor/scope.ts'
import { changeOf, changeWith, parametersOf } from './adapters.ts'

test('a change with other values of its parameters has their names, scales and nothing of the first ones', () => {
  using _scope = tensorScope()
  const names = ['a.weight', 'b.weight.lora.down', 'b.weight.lora.up']
  const valuesFrom = (first: number) => new Map(names.map((name, i) => [name, tensor([first + i])]))
  const change = changeOf(valuesFrom(0), 0.5)
  const other = changeWith(change, valuesFrom(10))
  assert.equal(other.adapters!.get('b.weight')!.scale, 0.5)
  assert.deepEqual([...parametersOf(other)].map(([name, one]) => [name, one.item()]), names.map((name, i) => [name, 10 + i])) // prettier-ignore
  assert.deepEqual(
    [...parametersOf(change).values()].map((one) => one.item()),
    [0, 1, 2],
  )
})
