import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mergedPast } from '../../told-past.ts'
import { toldPlaces } from './own-votes.ts'

const image = (id: string) => ({ id, width: 24, height: 24 })
const told = (id: string, form: 'single' | 'set', question: 'alignment' | 'fidelity') => ({
  vote: { id, task: `compare-1.${id}`, answer: 'first' as const, at: `2026-01-01T00:00:0${id}.000Z` },
  form,
  task: { id: `compare-1.${id}`, prompt: 'p', question, first: [image('a')], second: [image('b')] },
})

test('votes of another browser come back each in its form and question, with what was asked', () => {
  const answers = [told('3', 'set', 'fidelity'), told('2', 'single', 'alignment'), told('1', 'single', 'alignment')]
  const pasts = toldPlaces(answers).map(({ place, told: standing, isWhole }) => {
    const list = mergedPast([], standing, () => false, isWhole)
    return [place, list.map(({ place: of, answer, task }) => [of, answer.id, (task as { id: string }).id])]
  })
  assert.deepEqual(Object.fromEntries(pasts), {
    'single alignment': [
      ['single alignment', '1', 'compare-1.1'],
      ['single alignment', '2', 'compare-1.2'],
    ],
    'single fidelity': [],
    'set alignment': [],
    'set fidelity': [['set fidelity', '3', 'compare-1.3']],
  })
})
