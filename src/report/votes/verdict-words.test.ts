import assert from 'node:assert/strict'
import { test } from 'node:test'
import { intervalSentence, verdictSentence, wantedSentence, type SaidVerdict } from './verdict-words.ts'

const close: SaidVerdict = {
  ...{ better: null, won: 6, tied: 33, lost: 9 },
  interval: { low: 0.142, high: 0.716 },
  wanted: { least: 21, about: null },
}

test('a verdict in one sentence, its interval, and what it still takes', () => {
  assert.deepEqual(
    (['first', 'second', null] as const).map((better) => verdictSentence({ better }, 'dpok-1', 'the base')),
    [
      'dpok-1 is clearly better than the base',
      'dpok-1 is clearly worse than the base',
      'No clear difference between dpok-1 and the base so far',
    ],
  )
  assert.match(intervalSentence(close), /no ties, 40 % were won; the 95 % interval, 14 to 72 %, holds/)
  assert.equal(intervalSentence({ ...close, won: 0, lost: 0 }), 'Nothing but ties so far.')
  assert.equal(wantedSentence(close), 'At least 21 more votes are needed, and more than 1,000 if they stay as close.')
  assert.equal(
    wantedSentence({ ...close, won: 1, tied: 0, lost: 0, wanted: { least: 1, about: null } }),
    'At least 1 more vote is needed.',
  )
  assert.equal(
    wantedSentence({ ...close, wanted: { least: 4, about: 30 } }),
    'About 30 more votes are needed, 4 at the least.',
  )
  assert.equal(wantedSentence({ ...close, wanted: null }), 'Enough votes are in; more may be given.')
})
