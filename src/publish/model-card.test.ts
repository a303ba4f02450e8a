import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { licenceIn } from './licence.ts'
import { plain } from './card-text.ts'
import type { CardFacts, RewardFacts } from './facts.ts'
import { modelCard } from './model-card.ts'

const ends = (mean: number, low = mean - 0.04, high = mean + 0.04) => ({ mean, low, high })

const heldOut = {
  labels: 40,
  auc: 0.71,
  aucInterval: [0.6, 0.8] as [number, number],
  clipScoreAuc: 0.6,
  comparisons: 0,
  pairAccuracy: null,
  pairAccuracyInterval: null,
}
const learned: NonNullable<RewardFacts['learned']> = {
  labels: 1200,
  comparisons: 0,
  prompts: 30,
  raters: 3,
  isSimulated: false,
  encoder: 'clip',
  heldOut,
}

const facts: CardFacts = {
  name: 'dpok-1',
  file: { name: 'pytorch_lora_weights.safetensors', bytes: 3.2e6, sha256: 'f'.repeat(64), form: 'diffusers', rank: 8 },
  strength: 1,
  repository: null,
  base: {
    name: 'owner/base',
    isOnHub: true,
    sha256: 'a'.repeat(64),
    family: 'stable-diffusion',
    licence: { id: 'creativeml-openrail-m' },
  },
  training: {
    method: 'DPOK',
    sentence: 'Draw images and learn from them.',
    paper: { authors: 'Fan et al. 2023', title: 'DPOK', arxiv: '2305.16381' },
    finishedAt: '2026-11-27T02:00:00.000Z',
    version: '0.2.0',
    torch: '2.13.0',
    earlier: ['dpok-0'],
    cost: { imagesDrawn: 1536, updates: 48, seconds: 7200 },
    settings: [['klWeight', '0.01']],
    inputs: [['prompts', 'b'.repeat(64)]],
    alarms: null,
  },
  rewards: [{ name: 'reward-1', learned }],
  pairs: null,
  report: {
    name: 'report-1',
    at: '2026-11-27T03:00:00.000Z',
    machine: '2 × CPU',
    alignment: 'the share of images that another reward prefers',
    rows: [{ title: 'alignment', policy: ends(0.62), base: ends(0.5) }],
    unseenDifference: ends(0.12),
    imagesPerPrompt: 8,
    votes: [{ question: 'which fits better', raters: 2, wins: 20, ties: 12, losses: 8, rate: ends(0.65) }],
    caveats: ['Small: few images.'],
  },
}

/** The lines of the YAML header. */
function headerOf(card: string): string[] {
  const [, yaml, rest] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(card)!
  assert.ok(rest.includes('# '))
  return yaml.split('\n')
}

describe('a model card', () => {
  test('has a header that hubs read', () => {
    assert.deepEqual(headerOf(modelCard(facts)), [
      'base_model: "owner/base"',
      'base_model_relation: adapter',
      'library_name: diffusers',
      'pipeline_tag: text-to-image',
      'license: "creativeml-openrail-m"',
      'tags:',
      ...['text-to-image', 'diffusers', 'stable-diffusion', 'lora', 'dpok', 'human-feedback', 'attune'].map(
        (tag) => `- "${tag}"`,
      ),
    ])
  })

  test('says what it is, from what and by whom, what changed with intervals, what it cost and what to doubt', () => {
    const card = modelCard(facts)
    for (const text of [
      'fine-tuned by DPOK on a reward learned from 1,200 labels of 3 raters, on 30 prompts',
      'is higher than the base model’s: +0.12 (+0.08 to +0.16)',
      '| alignment | 0.5 (0.46 to 0.54) | 0.62 (0.58 to 0.66) |',
      'Blind votes of 2 raters against the base model, which fits better: 20 won, 12 tied, 8 lost; share won, ties half: 0.65 (0.61 to 0.69)',
      `SHA-256 \`${'a'.repeat(64)}\``,
      '[arXiv:2305.16381](https://arxiv.org/abs/2305.16381)',
      'AUC 0.71 (0.6 to 0.8) on 40 labels of prompts that it has not seen; the CLIP score reaches 0.6',
      'Trained further from: dpok-0',
      '1,536 images drawn or learned from, 48 updates, 2.0 hours of training',
      '| klWeight | 0.01 |',
      '- Small: few images.',
      'pipe.load_lora_weights(',
    ]) {
      assert.ok(card.includes(text), `${text}\n${card}`)
    }
    assert.ok(!/undefined|NaN|\bnull\b/.test(card), card)
  })

  test('never claims more than its figures', () => {
    const with_ = (change: Partial<CardFacts>) => modelCard({ ...facts, ...change })
    const report = (unseenDifference: ReturnType<typeof ends>) =>
      with_({ report: { ...facts.report!, unseenDifference } })
    assert.match(report(ends(0.01)), /there is no clear difference in alignment/)
    assert.match(report(ends(-0.1)), /is \*\*lower\*\* than/)
    assert.match(with_({ report: null }), /whether it is better than the base model is not known/)
    const reward = (change: Partial<typeof learned>) =>
      with_({ rewards: [{ name: 'reward-1', learned: { ...learned, ...change } }] })
    assert.match(reward({ heldOut: { ...heldOut, aucInterval: [0.45, 0.6] } }), /not shown to be better than chance/)
    assert.match(reward({ isSimulated: true }), /given by a program, not by people/)
    assert.ok(!headerOf(reward({ isSimulated: true })).includes('- "human-feedback"'))
    assert.match(reward({ labels: 12, raters: 1 }), /few judgments \(12\)[\s\S]*the taste of one person/)
  })

  test('of a file from elsewhere and of changed weights says what is known', () => {
    const alone = modelCard({
      ...facts,
      base: { ...facts.base, name: null, isOnHub: false, licence: null, family: 'unknown' },
      ...{ training: null, rewards: [], report: null },
    })
    assert.match(alone, /a file that says nothing of its making/)
    assert.ok(!/base_model|license/.test(headerOf(alone).join()))
    assert.match(alone, /Licence of the base model: not known here/)
    const whole = modelCard({ ...facts, file: { ...facts.file, name: 'p.safetensors', form: 'attune', rank: null } })
    assert.deepEqual(headerOf(whole).slice(0, 2), ['base_model: "owner/base"', 'base_model_relation: finetune'])
    assert.match(whole, /attune images generate --model owner\/base --policy p\.safetensors/)
  })

  test('keeps texts of others in their places', () => {
    const hostile = 'x`\n---\n# Title\n<script>alert(1)</script> | [a](javascript:b) "\\'
    const card = modelCard({
      ...facts,
      name: hostile,
      file: { ...facts.file, name: hostile },
      base: { ...facts.base, name: hostile, licence: { id: 'other', name: hostile, link: hostile } },
      training: { ...facts.training!, settings: [[hostile, hostile]], earlier: [hostile], alarms: hostile },
      rewards: [{ name: hostile, learned: { ...learned, encoder: hostile } }],
    })
    assert.equal(card.split('\n').filter((line) => line === '---').length, 2)
    assert.equal(card.split('\n').filter((line) => line.startsWith('# ')).length, 1)
    const outside = card.replaceAll(/```[\s\S]*?```|(?<!\\)`[^`\n]*`/g, '').replace(/^---[\s\S]*?\n---/, '')
    assert.ok(!/(?<!\\)<script|(?<!\\)\]\(javascript/.test(outside), outside)
    assert.equal(plain('a | b\u2028c\u202Ed'), 'a \\| b c d')
  })
})

test('the licence stands in the header of a card', () => {
  assert.deepEqual(licenceIn('---\nlicense: openrail++\ntags: [a]\n---\n# x'), { id: 'openrail++' })
  assert.deepEqual(licenceIn('---\r\nlicense: "other"\r\nlicense_name: a b\r\nlicense_link: LICENSE.md\r\n---\r\n'), {
    id: 'other',
    name: 'a b',
    link: 'LICENSE.md',
  })
  for (const none of ['', 'license: mit', '---\ntags: a\n---', '---\nlicense:\n- mit\n---', '---\nlicense: <b>\n---']) {
    assert.equal(licenceIn(none), null, none)
  }
})
