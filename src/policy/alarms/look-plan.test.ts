import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { affordableShare, planLooks } from './look-plan.ts'

describe('without a word of the user', () => {
  const left = { every: null, isAsked: false }

  it('looks cost at most their share, and there are as many as that allows, at most twenty', () => {
    for (const training of [700, 1000, 2000, 5000, 1e4, 1e5, 1e6]) {
      for (const total of [2, 7, 16, 100, 2000]) {
        const plan = planLooks(total, left, { training, image: 1 })
        if (plan === undefined) continue
        assert.ok(plan.looks >= 2 && plan.looks <= 20)
        assert.equal(plan.looks, Math.ceil(total / plan.every))
        assert.ok((2 + plan.looks) * plan.images <= affordableShare * training)
      }
    }
    assert.equal(planLooks(2000, left, { training: 1e6, image: 1 })!.looks, 20)
  })

  it('a short training has none, nor one of which nobody knows what it computes', () => {
    assert.equal(planLooks(4, left, { training: 1000, image: 1 }), undefined)
    assert.equal(planLooks(100, left, undefined), undefined)
  })

  it('a middling one looks at fewer images', () => {
    assert.deepEqual(planLooks(10, left, { training: 2000, image: 1 }), { every: 3, looks: 4, prompts: 8, images: 16 })
  })
})

it('as often as is asked for, whatever it costs; 0 is never', () => {
  const dear = { training: 10, image: 1 }
  assert.deepEqual(planLooks(10, { every: 4, isAsked: false }, dear), { every: 4, looks: 3, prompts: 16, images: 32 })
  assert.equal(planLooks(10, { every: 40, isAsked: false }, dear)!.looks, 1)
  assert.equal(planLooks(10, { every: 0, isAsked: false }, dear), undefined)
})

it('ten times where somebody counts on alarms and has not said how often', () => {
  assert.equal(planLooks(200, { every: null, isAsked: true }, { training: 10, image: 1 })!.looks, 10)
  assert.equal(planLooks(3, { every: null, isAsked: true }, undefined)!.looks, 3)
})
