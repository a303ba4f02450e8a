import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ConfigError } from '../errors.ts'
import { open } from '../open.ts'
import { readSafetensors } from '../tensor/safetensors.ts'
import { tensorScope } from '../tensor/scope.ts'
import { exportPolicy, PolicyExportConfig } from './export-policy.ts'
import { addReport, addReward, addTrainedPolicy } from './policy-run.test-helper.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-export-'))
after(() => rmSync(folder, { recursive: true }))
const at = (...names: string[]) => join(folder, ...names)
const exported = (given: object) => exportPolicy(PolicyExportConfig.parse(given), open)

addReward(at('reward-1'))
addTrainedPolicy(at('dpok-1'), { reward: at('reward-1'), model: '/home/somebody/models/my-base' })
addReport(at('report-1'), at('dpok-1'))

test('adapters of a run need no model to be exported, and come with a card', async () => {
  mkdirSync(at('kohya'))
  const out = at('kohya', 'mine.safetensors')
  assert.equal(await exported({ policy: at('dpok-1'), out }), out)
  using _scope = tensorScope()
  const { tensors, metadata } = readSafetensors(out)
  assert.ok([...tensors.keys()].every((key) => /^lora_unet_\w+\.(lora_(down|up)\.weight|alpha)$/.test(key)))
  const [own, other] = [readSafetensors(at('dpok-1', 'pytorch_lora_weights.safetensors')), tensors]
  const layer = 'mid_block.attentions.0.transformer_blocks.0.attn2.to_q'
  const down = own.tensors.get(`unet.${layer}.lora_A.weight`)!
  assert.deepEqual(other.get(`lora_unet_${layer.replaceAll('.', '_')}.lora_down.weight`)!.toArray(), down.toArray())
  // What is handed on names no place of this machine.
  assert.deepEqual([metadata['attune.model'], metadata['attune.reward']], ['my-base', 'reward-1'])
  const card = readFileSync(at('kohya', 'README.md'), 'utf8')
  assert.match(card, /learned from 60 labels of 2 raters/)
  assert.match(
    card,
    /\| alignment, prompts that no training has used \| 0\.5 \(0\.4 to 0\.6\) \| 0\.6 \(0\.5 to 0\.7\) \|/,
  )
  assert.match(card, /Fan et al\. 2023/)
  assert.ok(!card.includes('/home/') && !card.includes(folder), card)
})

test('a strength counts, and the file as it is has none', async () => {
  const out = at('kohya', 'half.safetensors')
  await exported({ policy: at('dpok-1'), out, form: 'diffusers', loraScale: 0.5 })
  using _scope = tensorScope()
  const up = (file: string) => {
    const [, one] = [...readSafetensors(file).tensors].find(([key]) => key.endsWith('lora_B.weight'))!
    return one.sum().item()
  }
  assert.ok(Math.abs(up(out) - 0.5 * up(at('dpok-1', 'pytorch_lora_weights.safetensors'))) < 1e-4)
  assert.match(readFileSync(at('kohya', 'README.md'), 'utf8'), /written at strength 0\.5/)
  const whole = exported({ policy: at('dpok-1'), out: at('x.safetensors'), form: 'attune', loraScale: 0.5 })
  await assert.rejects(whole, /--lora-scale: expected 1/)
})

test('a README of somebody else stays', async () => {
  mkdirSync(at('project'))
  writeFileSync(at('project', 'README.md'), '# Mine')
  await exported({ policy: at('dpok-1'), out: at('project', 'a.safetensors') })
  assert.equal(readFileSync(at('project', 'README.md'), 'utf8'), '# Mine')
  assert.match(readFileSync(at('project', 'a.README.md'), 'utf8'), /^---\n/)
})

test('a LoRA file from elsewhere needs its model, and the complaint says so', async () => {
  const fixture = 'test/fixtures/stable-diffusion/lora-sd1-kohya/pytorch_lora_weights.safetensors'
  await assert.rejects(exported({ policy: fixture, out: at('y.safetensors') }), (error) => {
    assert.ok(error instanceof ConfigError)
    assert.match(error.message, /--model: expected the model that .* was trained on.*received none/)
    return true
  })
  assert.ok(!existsSync(at('y.safetensors')))
  const out = at('kohya', 'foreign.safetensors')
  await exported({ policy: fixture, form: 'diffusers', out, model: 'test/fixtures/stable-diffusion/sd1' })
  assert.match(readFileSync(at('kohya', 'README.md'), 'utf8'), /says nothing of its making/)
})
