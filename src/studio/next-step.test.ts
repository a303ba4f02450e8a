import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { en } from '../../web/texts/en.ts'
import { sayWhy } from '../../web/why-next.ts'
import { baseOf, nextStep, type PolicyStanding, type Situation, type VoteOutcome } from './next-step.ts'
import type { Alarm } from '../policy/alarms/alarm-record.ts'
import type { NextAction } from './schemas/next.ts'
import type { RewardLack } from './schemas/runs.ts'

const [early, late] = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z']

const empty: Situation = {
  active: null,
  broken: null,
  images: 0,
  unlabelled: 0,
  labels: 0,
  canTeach: false,
  reward: null,
  policies: [],
  comparison: null,
  isReported: false,
  round: null,
  pairs: { pairs: 0, missing: 30 },
}
const drawn: Situation = { ...empty, images: 96, unlabelled: 96 }
const labelled: Situation = { ...drawn, unlabelled: 36, labels: 60, canTeach: true }
type Reward = NonNullable<Situation['reward']>
const proven: Reward = { name: 'reward-1', finishedAt: early, unused: 0, learned: 60, lack: null }
const figures = { of: 'auc', value: 0.47, interval: [0.31, 0.63], bar: 0.6, n: 11 } as const
const lack: RewardLack = { kind: 'at-chance', figures: { ...figures, interval: [...figures.interval] }, wanted: 60 }
const chance: Reward = { ...proven, lack }
const vote = (verdict: VoteOutcome['verdict']): VoteOutcome => ({
  rival: 'pretrained',
  wins: 6,
  losses: 9,
  ties: 33,
  wanted: 20,
  verdict,
})
const dpok: PolicyStanding = {
  name: 'dpok-1',
  isFromPairs: false,
  finishedAt: late,
  alarms: null,
  klWeight: 0.01,
  vote: null,
}
const trained: Situation = { ...labelled, reward: proven, policies: [dpok] }
const comparison = { id: 'compare-1', isDrawn: true, isOpened: false }
const voted = (verdict: VoteOutcome['verdict'], more: Partial<Situation> = {}): Situation => ({
  ...trained,
  comparison,
  policies: [{ ...dpok, vote: vote(verdict) }],
  ...more,
})
const grids: Alarm = { statistic: 'spectral_peak', step: 4, value: 3, base: 1, deviation: 0.2 }
const alarming: PolicyStanding = { ...dpok, alarms: [grids] }
const failed = { job: 'job-3', run: 'dpok-1', state: 'failed', error: 'out of memory', canResume: true } as const
const stopped = { ...failed, state: 'stopped', error: null } as const
const round = { name: 'round-2', images: 60, judged: 0, at: late }
const measured = voted('won', { isReported: true })
const dpo: PolicyStanding = { ...dpok, name: 'dpo-1', isFromPairs: true, klWeight: null }
const fromPairs = voted('won', { isReported: true, policies: [{ ...dpo, vote: vote('won') }], reward: null })

type Row = readonly [
  what: string,
  at: Situation,
  step: NextAction['step'],
  sentence: RegExp,
  others: readonly NextAction['step'][],
]
// prettier-ignore
const rows: readonly Row[] = [
  ['an empty studio', empty, 'draw', /first images/, []],
  ['something at work', { ...drawn, active: { job: 'job-1', run: 'round-1', alarm: null } }, 'wait', /round-1/, []],
  [
    'a training that raises an alarm',
    { ...drawn, active: { job: 'job-2', run: 'dpok-1', alarm: 'Step 4: grids.' } },
    'wait',
    /dpok-1 shows signs of over-optimisation\. Step 4: grids\. .*stop it, label more/,
    ['look'],
  ],
  ['images without labels', drawn, 'label', /^Judge 30 more images/, ['draw-more']],
  ['one label short', { ...drawn, labels: 29, canTeach: true, unlabelled: 5 }, 'label', /^Judge 1 more image /, ['draw-more']],
  ['all is labelled, and it is too little', { ...drawn, labels: 10, unlabelled: 0 }, 'draw-more', /^Judge 20 more/, []],
  ['sixty answers, all of them good', { ...labelled, canTeach: false }, 'label', /good and bad/, ['draw-more']],
  ['enough for a first reward', labelled, 'train-reward', /^60 labels are there.*only if it is shown/, ['label', 'draw-more']],
  ['a reward at chance', { ...labelled, reward: chance }, 'label', /no better than chance yet \(AUC 0\.47, 0\.31 … 0\.63.*about 60 more labels/, ['draw-more', 'look-reward']],
  ['a reward at chance, and no image left', { ...labelled, reward: chance, unlabelled: 0 }, 'draw-more', /no better than chance/, ['look-reward']],
  ['half of the labels it wants', { ...labelled, reward: { ...chance, unused: 35 } }, 'label', /35 labels were used by no reward since/, ['train-reward', 'draw-more', 'look-reward']],
  ['all the labels it wants', { ...labelled, reward: { ...chance, unused: 60 } }, 'train-reward', /60 labels were used by no reward/, ['label', 'draw-more', 'look-reward']],
  ['as many as it had, where it wants a thousand', { ...labelled, reward: { ...chance, lack: { ...lack, wanted: 1000 }, unused: 60 } }, 'train-reward', /train the next/, ['label', 'draw-more', 'look-reward']],
  ['a reward measured on nothing', { ...labelled, reward: { ...chance, lack: { kind: 'unmeasured', figures: null, wanted: null }, unused: 10 } }, 'label', /measured on no held-out prompts: .*\. 10 labels/, ['draw-more', 'look-reward']],
  ['a proven reward', { ...labelled, reward: proven }, 'train-policy', /shown to be better than chance and than the CLIP score/, ['label', 'draw-more']],
  ['a proven reward, and one new label', { ...labelled, reward: { ...proven, unused: 1 } }, 'train-policy', /./, ['train-reward', 'label', 'draw-more']],
  ['a proven reward, and half as many new labels', { ...labelled, reward: { ...proven, unused: 30 } }, 'train-reward', /30 labels were used by no reward after reward-1, which learned from 60/, ['train-policy', 'label', 'draw-more']],
  ['a failed job', { ...labelled, broken: failed }, 'look', /dpok-1 failed\. out of memory\. Look at its log/, ['resume', 'train-reward', 'label', 'draw-more']],
  ['a job that failed without a word', { ...labelled, broken: { ...failed, error: null, canResume: false } }, 'look', /without saying why/, ['train-reward', 'label', 'draw-more']],
  ['the first round failed', { ...empty, broken: failed }, 'look', /failed/, ['resume', 'draw']],
  ['a stopped job', { ...labelled, broken: stopped }, 'resume', /was stopped before its end: it can go on/, ['look', 'train-reward', 'label', 'draw-more']],
  ['a stopped job that cannot go on', { ...labelled, broken: { ...stopped, canResume: false } }, 'look', /was stopped before its end\. Or/, ['train-reward', 'label', 'draw-more']],
  ['a policy that nobody has compared', trained, 'compare', /Nobody knows yet whether dpok-1 is better/, []],
  ['a comparison that was not drawn', { ...trained, comparison: { ...comparison, isDrawn: false } }, 'compare', /./, []],
  ['a comparison without a vote', { ...trained, comparison }, 'vote', /compare-1 is drawn: vote blind/, ['compare']],
  ['a vote that is not decided', voted('open'), 'vote', /not decided yet: go on voting, about 20 more votes\.$/, ['compare']],
  ['a comparison that was opened too early', { ...trained, comparison: { ...comparison, isOpened: true } }, 'compare', /You have opened compare-1/, []],
  ['a lost vote', voted('lost'), 'label', /lost the blind vote against the pre-trained model \(6 wins, 9 losses, 33 ties\): go on from the pre-trained model\. .*about 60 more labels/, ['train-closer', 'draw-more']],
  ['a lost vote, and no image left', voted('lost', { unlabelled: 0 }), 'draw-more', /lost/, ['train-closer']],
  ['a lost vote, and labels that no reward has used', voted('lost', { reward: { ...proven, unused: 40 }, labels: 100 }), 'train-reward', /lost .*40 labels were used by no reward yet: train the next reward from all 100/, ['train-closer', 'label', 'draw-more']],
  ['a lost vote, and a proven reward since', voted('lost', { reward: { ...proven, finishedAt: '2026-01-03T00:00:00.000Z' } }), 'train-policy', /lost .*fine-tune the model/, ['label', 'draw-more']],
  ['a lost vote by a reward at chance', voted('lost', { reward: chance }), 'label', /lost .*no better than chance/, ['draw-more', 'look-reward']],
  ['a lost vote of a policy from pairs', voted('lost', { policies: [{ ...dpo, vote: vote('lost') }], reward: null, pairs: { pairs: 50, missing: 0 } }), 'label', /More pairs/, ['train-pairs', 'draw-more']],
  ['no clear difference', voted('even'), 'label', /^No clear difference between dpok-1 and the pre-trained model \(6 wins/, ['train-closer', 'compare', 'report', 'draw-more']],
  ['no clear difference, and new labels', voted('even', { reward: { ...proven, unused: 30 }, isReported: true }), 'train-reward', /No clear difference/, ['train-closer', 'compare', 'label', 'draw-more']],
  ['an alarming policy', { ...trained, policies: [alarming] }, 'label', /dpok-1 was trained on although its probe images show over-optimisation.*may be wrong about such images/, ['train-closer', 'compare', 'draw-more']],
  ['an alarming policy that is compared', { ...trained, policies: [alarming], comparison }, 'label', /over-optimisation/, ['train-closer', 'vote', 'draw-more']],
  ['an alarming policy that won', { ...trained, comparison, policies: [{ ...alarming, vote: vote('won') }] }, 'report', /won/, ['draw-again']],
  ['a won vote', voted('won'), 'report', /dpok-1 won the blind vote/, ['draw-again']],
  ['a won vote and a report', measured, 'draw-again', /Collect again/, []],
  ['a round of it', { ...measured, round }, 'label', /Judge the images of round-2/, ['draw-again']],
  ['a round of it that is judged', { ...measured, round: { ...round, judged: 30 } }, 'train-reward', /round-2 is judged, and reward-1 has learned from none of it/, ['label', 'draw-more']],
  ['a reward of that round', { ...measured, round: { ...round, judged: 30 }, reward: { ...proven, finishedAt: '2026-01-03T00:00:00.000Z' } }, 'train-policy', /fine-tune dpok-1/, ['label', 'draw-more']],
  ['a round of a policy from pairs', { ...fromPairs, round: { ...round, judged: 30 }, pairs: { pairs: 80, missing: 0 } }, 'train-pairs', /train further from 80 pairs/, ['label', 'draw-more']],
  ['a round of a policy from pairs, with too few', { ...fromPairs, round: { ...round, judged: 30 } }, 'label', /30 more pairs/, ['draw-more']],
]

describe('what is next', () => {
  for (const [what, at, step, sentence, others] of rows) {
    test(what, () => {
      const next = nextStep(at)
      assert.equal(next.step, step)
      assert.match(sayWhy(next.why, en), sentence)
      assert.deepEqual(
        next.others.map((other) => other.step),
        others,
      )
    })
  }
})

test('the policy to go on from is the newest that nothing speaks against', () => {
  const [one, two] = [dpok, { ...dpok, name: 'dpok-2' }]
  const lost = vote('lost')
  assert.equal(baseOf([]), null)
  assert.equal(baseOf([two, one]), 'dpok-2')
  assert.equal(baseOf([{ ...two, vote: lost }, one]), 'dpok-1')
  assert.equal(baseOf([{ ...two, alarms: [grids] }, one]), 'dpok-1')
  assert.equal(baseOf([{ ...two, alarms: [grids], vote: vote('won') }, one]), 'dpok-2')
  assert.equal(baseOf([{ ...two, vote: vote('even') }, one]), 'dpok-2')
  assert.equal(
    baseOf([
      { ...two, vote: lost },
      { ...one, vote: lost },
    ]),
    null,
  )
})

test('training again after a loss starts from the policy before, with twice the weight on staying near it', () => {
  const before = { ...dpok, name: 'dpok-0', vote: vote('won') }
  const { others } = nextStep(voted('lost', { policies: [{ ...dpok, vote: vote('lost') }, before] }))
  const closer = others.find(({ step }) => step === 'train-closer')
  assert.deepEqual([closer?.policy, closer?.reward, closer?.klWeight], ['dpok-0', 'reward-1', 0.02])
})

/** Every combination of what may be there. */
function* situations(): Generator<Situation> {
  const rewards = [null, proven, chance, { ...proven, unused: 90 }, { ...chance, unused: 90 }, { ...proven, finishedAt: '2026-02-01T00:00:00.000Z' }] // prettier-ignore
  const standings = [null, ...(['won', 'lost', 'even', 'open'] as const).map(vote)].flatMap((one) =>
    [dpok, alarming, dpo].map((policy) => ({ ...policy, vote: one })),
  )
  const bits = [false, true]
  for (const reward of rewards)
    for (const policies of [[], ...standings.flatMap((one) => [[one], [one, { ...dpok, name: 'older', vote: null }]])])
      for (const isAll of bits)
        for (const isReported of bits)
          for (const compared of [null, comparison])
            for (const ofPolicy of [null, round, { ...round, judged: 60 }])
              for (const broken of [null, failed, stopped])
                yield { ...labelled, reward, policies, unlabelled: isAll ? 0 : 9, isReported, comparison: compared, round: ofPolicy, broken } // prettier-ignore
}

test('whatever there is, nothing goes on from what lost, nor follows a reward that is not proven', () => {
  let count = 0
  for (const at of situations()) {
    count++
    const { why, others, ...main } = nextStep(at)
    const sentence = sayWhy(why, en)
    const all = [main, ...others]
    const [newest] = at.policies
    const told = JSON.stringify({ at, all, sentence })
    const isBad = newest?.vote?.verdict === 'lost' || (Array.isArray(newest?.alarms) && newest.vote?.verdict !== 'won')
    for (const { step, policy, reward } of all) {
      if (
        isBad &&
        ['draw-again', 'draw-more', 'train-policy', 'train-closer', 'train-reward', 'train-pairs'].includes(step)
      )
        assert.notEqual(policy, newest.name, told)
      if (isBad || newest === undefined) assert.notEqual(step, 'draw-again', told)
      if (step === 'train-policy' || step === 'train-closer')
        assert.ok(at.reward?.lack === null && reward === at.reward.name, told)
      if (step === 'vote') assert.ok(at.comparison?.isDrawn, told)
      if (step === 'label') assert.ok(at.unlabelled > 0 || at.round !== null, told)
    }
    if (isBad || newest?.vote?.verdict !== 'won') assert.notEqual(main.step, 'draw-again', told)
    assert.equal(new Set(all.map((one) => JSON.stringify(one))).size, all.length, `twice the same: ${told}`)
    assert.ok(sentence.length > 10 && !/undefined|null|NaN/.test(sentence), told)
  }
  assert.ok(count > 1000)
})
